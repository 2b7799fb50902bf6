//! Lines of webhooks: what is queued for whom, who may send it, and what a late sender may still write.

use patchbay::domain::environment::Environment;
use patchbay::domain::event::EventType;
use patchbay::domain::id::{EventId, WebhookId};
use patchbay::domain::role::EnvironmentSet;
use patchbay::domain::time::{DAY, HOUR, Timestamp};
use patchbay::domain::webhook::{DeliveryState, Subscription};
use patchbay::server::store::record::AuditAction;
use patchbay::server::store::{Attempt, LineClaim, Outcome, Store, StoreError, Webhook};

use crate::database::{Database, entry, id, insert, on_both_engines, production, scope};

on_both_engines!(
    events_are_queued_for_those_that_take_them_in_their_order,
    one_replica_at_a_time_works_a_line_off,
    a_late_sender_may_only_say_that_it_delivered,
    what_was_given_up_is_sent_again_by_hand,
    a_clock_set_back_blocks_no_line,
    a_workspace_has_so_many_webhooks_and_no_more,
    lines_in_trouble_are_claimed_apart,
    what_an_old_address_said_does_not_count_for_a_new_one,
    two_changes_at_once_do_not_undo_each_other,
    a_replaced_secret_is_destroyed_once_it_signs_no_more,
);

/// Later than all that tests write, which is at the first second of 1970.
const NOW: Timestamp = Timestamp(DAY);

fn hook(number: u8) -> WebhookId {
    WebhookId::from_bytes([number; 16])
}

async fn webhook(store: &Store, number: u8, types: &[EventType], environments: &[Environment]) -> WebhookId {
    let environments = EnvironmentSet::try_from(environments.to_vec()).expect("a set");
    let new = Webhook {
        id: hook(number),
        workspace: production().workspace,
        url: "https://hooks.example/".to_owned(),
        subscription: Subscription { types: types.to_vec(), environments },
        is_enabled: true,
        is_gone: false,
        sealed: b"sealed".to_vec(),
        secret_version: 1,
        former: Vec::new(),
        former_until: Timestamp(0),
        created_at: Timestamp(1),
        failures: 0,
    };
    store.create_webhook(new, entry(AuditAction::WebhookCreated)).await.expect("created");
    hook(number)
}

async fn claim(store: &Store, now: Timestamp) -> Vec<LineClaim> {
    store.claim_lines(now, now.plus(30_000), false, 10).await.expect("claimed")
}

fn attempt(status: Option<u16>) -> Attempt {
    Attempt { at: NOW, milliseconds: 7, status, said: "said".to_owned() }
}

async fn state(store: &Store, number: u8) -> Vec<(EventId, DeliveryState, usize)> {
    let all = store.deliveries(&hook(number), None, None, 50).await.expect("read");
    all.into_iter().map(|(delivery, attempts)| (delivery.event, delivery.state, attempts.len())).collect()
}

async fn events_are_queued_for_those_that_take_them_in_their_order(database: &Database) {
    let store = &database.store;
    webhook(store, 1, &[], &Environment::ALL).await;
    webhook(store, 2, &[EventType::Deleted], &[Environment::Production]).await;
    webhook(store, 3, &[], &[Environment::Staging]).await;
    for number in 1..=3 {
        insert(store, &production(), number, &format!("name {number}")).await.expect("inserted");
    }
    insert(store, &scope(Environment::Staging), 4, "elsewhere").await.expect("inserted");
    store.delete(&production(), &id(1), Timestamp(5), entry(AuditAction::Deleted)).await.expect("deleted");
    assert_eq!([state(store, 1).await.len(), state(store, 2).await.len(), state(store, 3).await.len()], [5, 1, 1]);
    let claims = claim(store, NOW).await;
    let claim = claims.iter().find(|claim| claim.webhook == hook(1)).expect("the line");
    let mut sent = Vec::new();
    while let Some(next) = store.next_delivery(claim, NOW).await.expect("read") {
        store.record_attempt(claim, &next, attempt(Some(204)), Outcome::Delivered).await.expect("written");
        sent.push(next);
    }
    let kinds = sent.iter().map(|delivery| delivery.kind.as_str()).collect::<Vec<_>>();
    assert_eq!(kinds, ["connection.created"; 4].into_iter().chain(["connection.deleted"]).collect::<Vec<_>>());
    assert!(sent[1].body.starts_with(r#"{"type":"connection.created","timestamp":"1970-01-01T00:00:01Z","data":{"#));
    assert!(sent[1].body.contains("name 2") && !sent[1].body.contains("sealed"));
    let told = state(store, 1).await;
    assert!(told.iter().all(|(_, state, attempts)| (*state, *attempts) == (DeliveryState::Delivered, 1)), "{told:?}");
}

async fn one_replica_at_a_time_works_a_line_off(database: &Database) {
    let store = &database.store;
    webhook(store, 1, &[], &Environment::ALL).await;
    insert(store, &production(), 1, "one").await.expect("inserted");
    let others = (0..6).map(|_| Store::open(&database.url));
    let others = futures::future::try_join_all(others).await.expect("opened");
    let all = futures::future::join_all(others.iter().map(|store| claim(store, NOW))).await;
    assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 1);
    assert!(claim(store, NOW.plus(29_000)).await.is_empty());
    let next = claim(store, NOW.plus(30_000)).await;
    assert_eq!(next[0].fence, 2, "a dead replica's line is claimed again");
    store.release_line(next[0].clone(), 0, Timestamp(0)).await.expect("released");
    assert_eq!(claim(store, NOW.plus(30_001)).await.len(), 1);
}

async fn a_late_sender_may_only_say_that_it_delivered(database: &Database) {
    let store = &database.store;
    webhook(store, 1, &[], &Environment::ALL).await;
    insert(store, &production(), 1, "one").await.expect("inserted");
    let late = claim(store, NOW).await.remove(0);
    let next = store.next_delivery(&late, NOW).await.expect("read").expect("due");
    let holder = claim(store, NOW.plus(60_000)).await.remove(0);
    let failed = store.record_attempt(&late, &next, attempt(None), Outcome::GivenUp).await;
    assert_eq!(failed, Err(StoreError::Stale));
    store.record_attempt(&late, &next, attempt(Some(200)), Outcome::Delivered).await.expect("written");
    assert_eq!(store.next_delivery(&holder, NOW.plus(60_000)).await, Ok(None));
    store.release_line(late, 9, NOW.plus(HOUR)).await.expect("ignored");
    assert_eq!(store.webhook(&production().workspace, &hook(1)).await.expect("read").expect("there").failures, 0);
}

async fn what_was_given_up_is_sent_again_by_hand(database: &Database) {
    let store = &database.store;
    webhook(store, 1, &[], &Environment::ALL).await;
    for number in 1..=2 {
        insert(store, &production(), number, &format!("name {number}")).await.expect("inserted");
    }
    let line = claim(store, NOW).await.remove(0);
    for outcome in [Outcome::GivenUp, Outcome::Delivered] {
        let next = store.next_delivery(&line, NOW).await.expect("read").expect("due");
        store.record_attempt(&line, &next, attempt(Some(500)), outcome).await.expect("written");
    }
    store.release_line(line, 1, NOW.plus(HOUR)).await.expect("released");
    assert_eq!(store.replay_failed(&hook(1), Timestamp(2_000), NOW).await, Ok(0));
    assert_eq!(store.replay_failed(&hook(1), Timestamp(0), NOW).await, Ok(1));
    let again = store.claim_lines(NOW, NOW.plus(9), true, 9).await.expect("claimed");
    assert!(store.next_delivery(&again[0], NOW).await.expect("read").is_some());
    let delivered = state(store, 1).await.into_iter().find(|it| it.1 == DeliveryState::Delivered).expect("one").0;
    assert_eq!(store.replay(&hook(1), &delivered, NOW).await, Ok(true));
    assert_eq!(store.replay(&hook(1), &EventId::from_bytes([5; 16]), NOW).await, Ok(false));
    assert!(state(store, 1).await.iter().all(|it| it.1 == DeliveryState::Waiting && it.2 == 1));
}

/// What a clock wrote that was a year ahead.
async fn a_clock_set_back_blocks_no_line(database: &Database) {
    let store = &database.store;
    webhook(store, 1, &[], &Environment::ALL).await;
    insert(store, &production(), 1, "one").await.expect("inserted");
    let ahead = NOW.plus(365 * DAY);
    let line = claim(store, ahead).await.remove(0);
    let next = store.next_delivery(&line, ahead).await.expect("read").expect("due");
    let again = Outcome::Again(ahead.plus(24 * HOUR));
    store.record_attempt(&line, &next, attempt(None), again).await.expect("written");
    let line = claim(store, NOW).await.remove(0);
    assert!(store.next_delivery(&line, NOW).await.expect("read").is_some());
    store.release_line(line, 0, ahead).await.expect("released");
    assert_eq!(claim(store, NOW).await.len(), 1);
}

async fn a_workspace_has_so_many_webhooks_and_no_more(database: &Database) {
    let store = &database.store;
    for number in 1..=20 {
        webhook(store, number, &[], &Environment::ALL).await;
    }
    let mut one_more = store.webhook(&production().workspace, &hook(1)).await.expect("read").expect("there");
    one_more.id = hook(99);
    let refused = store.create_webhook(one_more, entry(AuditAction::WebhookCreated)).await;
    assert_eq!(refused, Err(StoreError::Full));
    store.remove_webhook(&production().workspace, &hook(1), entry(AuditAction::WebhookRemoved)).await.expect("removed");
    assert_eq!(store.webhooks(&production().workspace).await.expect("read").len(), 19);
}

async fn lines_in_trouble_are_claimed_apart(database: &Database) {
    let store = &database.store;
    webhook(store, 1, &[], &Environment::ALL).await;
    insert(store, &production(), 1, "one").await.expect("inserted");
    let line = claim(store, NOW).await.remove(0);
    store.release_line(line, 3, NOW.plus(8_000)).await.expect("released");
    let in_trouble = async |now: Timestamp| store.claim_lines(now, now.plus(30_000), true, 10).await.expect("claimed");
    assert!(claim(store, NOW.plus(8_000)).await.is_empty());
    assert!(in_trouble(NOW.plus(7_999)).await.is_empty());
    assert_eq!(in_trouble(NOW.plus(8_000)).await.len(), 1);
}

async fn found(store: &Store, number: u8) -> Webhook {
    store.webhook(&production().workspace, &hook(number)).await.expect("read").expect("there")
}

async fn what_an_old_address_said_does_not_count_for_a_new_one(database: &Database) {
    let store = &database.store;
    webhook(store, 1, &[], &Environment::ALL).await;
    insert(store, &production(), 1, "one").await.expect("inserted");
    let under_way = claim(store, NOW).await.remove(0);
    let before = found(store, 1).await;
    let moved = Webhook { url: "https://elsewhere.example/".to_owned(), ..before.clone() };
    store.change_webhook(before, moved, entry(AuditAction::WebhookChanged)).await.expect("changed");
    store.disable_gone(&under_way, entry(AuditAction::WebhookDisabled)).await.expect("passed over");
    assert!(found(store, 1).await.is_enabled);
    let next = claim(store, NOW).await.remove(0);
    store.disable_gone(&next, entry(AuditAction::WebhookDisabled)).await.expect("disabled");
    assert!(!found(store, 1).await.is_enabled);
}

async fn two_changes_at_once_do_not_undo_each_other(database: &Database) {
    let store = &database.store;
    webhook(store, 1, &[], &Environment::ALL).await;
    let before = found(store, 1).await;
    let disabled = Webhook { is_enabled: false, ..before.clone() };
    store.change_webhook(before.clone(), disabled, entry(AuditAction::WebhookChanged)).await.expect("changed");
    let moved = Webhook { url: "https://elsewhere.example/".to_owned(), ..before.clone() };
    let late = store.change_webhook(before, moved, entry(AuditAction::WebhookChanged)).await;
    assert_eq!((late, found(store, 1).await.is_enabled), (Err(StoreError::Stale), false));
}

async fn a_replaced_secret_is_destroyed_once_it_signs_no_more(database: &Database) {
    let store = &database.store;
    webhook(store, 1, &[], &Environment::ALL).await;
    let before = found(store, 1).await;
    let rotated = entry(AuditAction::WebhookSecretRotated);
    store.rotate_webhook(before, b"another".to_vec(), NOW, rotated).await.expect("rotated");
    store.forget_former_secrets(NOW.plus(-1)).await.expect("run");
    assert_eq!(found(store, 1).await.former, b"sealed");
    store.forget_former_secrets(NOW).await.expect("run");
    let left = found(store, 1).await;
    assert_eq!((left.former, left.sealed), (Vec::new(), b"another".to_vec()));
}
