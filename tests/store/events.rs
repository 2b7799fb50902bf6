//! Events: whatever changes a connection is told, in the transaction of the change, once and in order.

use patchbay::domain::environment::Environment;
use patchbay::domain::event::EventType;
use patchbay::domain::health::Health;
use patchbay::domain::replacement::Replacement;
use patchbay::domain::role::EnvironmentSet;
use patchbay::domain::time::{DAY, Timestamp};
use patchbay::server::store::record::{AuditAction, Change, Proof};
use patchbay::server::store::{Event, FeedError, NOTICE, Store, StoreError};
use serde_json::Value;

use crate::database::{
    Database, credentials, entry, found, id, insert, name, on_both_engines, production, scope, tags,
};
use crate::workflows::workflow;

on_both_engines!(
    each_change_is_told_once_and_in_order,
    a_change_that_is_refused_tells_nothing,
    a_replacement_tells_the_workflows_and_both_connections,
    an_end_is_foretold_once_and_then_told,
    writers_beside_each_other_leave_no_gap_and_a_reader_skips_none,
    a_feed_that_was_forgotten_says_so,
    environments_are_told_apart,
    a_rare_type_is_found_in_one_look_however_far_it_is,
    connections_of_before_are_no_news,
);

pub async fn all(store: &Store) -> Vec<Event> {
    let read = store.events_after(&production().workspace, EnvironmentSet::EVERY, &[], None, 10_000).await;
    read.expect("read").events
}

async fn kinds(store: &Store) -> Vec<EventType> {
    all(store).await.into_iter().map(|event| event.kind).collect()
}

async fn last(store: &Store) -> Value {
    serde_json::from_str(&all(store).await.last().expect("an event").data).expect("JSON")
}

fn with_health(health: Health) -> Proof {
    Proof { health, ..Proof::default() }
}

async fn each_change_is_told_once_and_in_order(database: &Database) {
    use EventType::{Activated, Created, Deactivated, Deleted, Undeleted, Updated};
    let (store, here) = (&database.store, production());
    insert(store, &here, 1, "one").await.expect("inserted");
    let valid = with_health(Health::Valid { checked_at: Timestamp(5) });
    store.record_found(&here, &id(1), found(1, valid.clone())).await.expect("recorded").expect("written");
    store.record_found(&here, &id(1), found(1, valid)).await.expect("recorded").expect("written");
    let change = Change { name: Some(name("two")), tags: Some(tags(&["a"])), ..Change::default() };
    store.update(&here, &id(1), 1, change, entry(AuditAction::Edited)).await.expect("updated");
    assert_eq!(last(store).await["changed"], serde_json::json!(["name", "tags"]));
    let rejected = with_health(Health::Rejected { reason: "canary".to_owned(), at: Timestamp(6) });
    store.record_found(&here, &id(1), found(1, rejected)).await.expect("recorded").expect("written");
    let told = last(store).await;
    assert_eq!(
        (&told["reason"], &told["status"], &told["name"]),
        (&"rejected".into(), &"not_active".into(), &"two".into())
    );
    assert!(!told.to_string().contains("canary"), "what a service said is not told");
    store.delete(&here, &id(1), Timestamp(7), entry(AuditAction::Deleted)).await.expect("deleted");
    store.undelete(&here, &id(1), entry(AuditAction::Restored)).await.expect("restored");
    let change = Change { credentials: Some(credentials(b"other")), ..Change::default() };
    store.update(&here, &id(1), 4, change, entry(AuditAction::Edited)).await.expect("updated");
    store.delete(&here, &id(1), Timestamp(7), entry(AuditAction::Deleted)).await.expect("deleted");
    store.purge(&here, &id(1), entry(AuditAction::Purged)).await.expect("purged");
    assert_eq!(kinds(store).await, [Created, Activated, Updated, Deactivated, Deleted, Undeleted, Updated, Deleted]);
    let told = all(store).await;
    assert_eq!(told.iter().map(|event| event.sequence).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    let ids = told.iter().map(|event| event.id.as_str()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(ids.len(), 8);
}

async fn a_change_that_is_refused_tells_nothing(database: &Database) {
    let (store, here) = (&database.store, production());
    insert(store, &here, 1, "one").await.expect("inserted");
    insert(store, &here, 2, "two").await.expect("inserted");
    let taken = Change { name: Some(name("two")), ..Change::default() };
    let refused = store.update(&here, &id(1), 1, taken, entry(AuditAction::Edited)).await;
    assert_eq!(refused.err(), Some(StoreError::NameTaken));
    let same = Change { name: Some(name("one")), ..Change::default() };
    store.update(&here, &id(1), 1, same, entry(AuditAction::Edited)).await.expect("updated");
    assert_eq!(kinds(store).await, [EventType::Created; 2]);
}

async fn a_replacement_tells_the_workflows_and_both_connections(database: &Database) {
    use EventType::{Created, Deleted, Replaced, Undeleted};
    let (store, here) = (&database.store, production());
    for number in 1..=3 {
        insert(store, &here, number, &format!("name {number}")).await.expect("inserted");
    }
    let many = vec![workflow("a", &[1]), workflow("b", &[1]), workflow("c", &[1])];
    store.put_workflows(&here, many, entry(AuditAction::WorkflowRegistered)).await.expect("registered");
    let plan = Replacement { everywhere: Some(id(2)), workflows: [("b".to_owned(), id(3))].into() };
    store.delete_replacing(&here, &id(1), plan, None, entry(AuditAction::Deleted)).await.expect("deleted");
    assert_eq!(kinds(store).await, [Created, Created, Created, Replaced, Replaced, Deleted]);
    let told: Value = serde_json::from_str(&all(store).await[3].data).expect("JSON");
    assert_eq!(told["workflows"], serde_json::json!(["a", "c"]));
    assert_eq!(told["connection"], id(1).as_str());
    assert_eq!(told["replacement"], serde_json::json!({ "connection": id(2), "name": "name 2" }));
    assert_eq!(told["cause"], "deletion");
    store.undelete(&here, &id(1), entry(AuditAction::Restored)).await.expect("restored");
    assert_eq!(kinds(store).await[6..], [Replaced, Replaced, Undeleted]);
}

async fn an_end_is_foretold_once_and_then_told(database: &Database) {
    use EventType::{Activated, Created, Deactivated, Expiring};
    let (store, here) = (&database.store, production());
    insert(store, &here, 1, "one").await.expect("inserted");
    let end = Timestamp(1_000 * DAY);
    let health = Health::Valid { checked_at: Timestamp(5) };
    let ending = Proof { health, expires_at: Some(end), ..Proof::default() };
    let judged = patchbay::server::store::record::Judged { proof: ending, visible: true, entry: None };
    let checked = patchbay::server::store::record::Found {
        at: Timestamp(5),
        secret_version: 1,
        fence: None,
        judge: Box::new(|_| judged),
    };
    store.record_found(&here, &id(1), checked).await.expect("recorded").expect("written");
    assert_eq!(store.tell_due(end.plus(-NOTICE - 1)).await, Ok(0));
    assert_eq!(store.tell_due(end.plus(-NOTICE)).await, Ok(1));
    assert_eq!(store.tell_due(end.plus(-NOTICE + DAY)).await, Ok(0));
    assert_eq!(last(store).await["expires_at"], end.to_rfc3339());
    assert_eq!(store.tell_due(end).await, Ok(1));
    assert_eq!(last(store).await["reason"], "expired");
    assert_eq!(store.tell_due(end.plus(DAY)).await, Ok(0));
    assert_eq!(kinds(store).await, [Created, Activated, Expiring, Deactivated]);
}

async fn writers_beside_each_other_leave_no_gap_and_a_reader_skips_none(database: &Database) {
    let other = Store::open(&database.url).await.expect("opened");
    let writers = (0..8_u32).map(|writer| {
        let store = if writer % 2 == 0 { database.store.clone() } else { other.clone() };
        let here = scope(Environment::ALL[writer as usize % 3]);
        tokio::spawn(async move {
            for n in 0..10 {
                let number = writer * 100 + n;
                insert(&store, &here, number, &format!("name {number}")).await.expect("inserted");
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let (mut after, mut seen) = (None, Vec::new());
    while seen.len() < 80 {
        let read = database.store.events_after(&production().workspace, EnvironmentSet::EVERY, &[], after, 7).await;
        let stretch = read.expect("read");
        after = Some(stretch.until);
        seen.extend(stretch.events.into_iter().map(|event| event.sequence));
    }
    for writer in writers {
        writer.await.expect("written");
    }
    assert_eq!(seen, (1..=80).collect::<Vec<_>>());
}

async fn a_feed_that_was_forgotten_says_so(database: &Database) {
    let (store, here) = (&database.store, production());
    let read = async |after| store.events_after(&here.workspace, EnvironmentSet::EVERY, &[], after, 10).await;
    assert_eq!(read(Some(1)).await.err(), Some(FeedError::Ahead));
    for number in 1..=3 {
        insert(store, &here, number, &format!("name {number}")).await.expect("inserted");
    }
    assert_eq!(read(Some(1)).await.expect("read").events.len(), 2);
    store.forget_events(Timestamp(i64::MAX)).await.expect("forgotten");
    assert_eq!(read(Some(1)).await.err(), Some(FeedError::Forgotten));
    let end = read(Some(3)).await.expect("read");
    assert_eq!((end.events.len(), end.until, end.more), (0, 3, false));
    assert_eq!(read(None).await.expect("read").until, 3);
    insert(store, &here, 4, "name 4").await.expect("inserted");
    assert_eq!(read(Some(3)).await.expect("read").events[0].sequence, 4);
}

async fn environments_are_told_apart(database: &Database) {
    let store = &database.store;
    insert(store, &production(), 1, "one").await.expect("inserted");
    insert(store, &scope(Environment::Staging), 2, "two").await.expect("inserted");
    let staging = EnvironmentSet::try_from(vec![Environment::Staging]).expect("a set");
    let read = store.events_after(&production().workspace, staging, &[], None, 10).await.expect("read");
    assert_eq!((read.events.len(), read.events[0].sequence, read.until), (1, 2, 2));
}

async fn a_rare_type_is_found_in_one_look_however_far_it_is(database: &Database) {
    let (store, here) = (&database.store, production());
    for number in 1..=30 {
        insert(store, &here, number, &format!("name {number}")).await.expect("inserted");
    }
    store.delete(&here, &id(7), Timestamp(5), entry(AuditAction::Deleted)).await.expect("deleted");
    let read = async |kinds: &[EventType]| {
        store.events_after(&here.workspace, EnvironmentSet::EVERY, kinds, None, 1).await.expect("read")
    };
    let rare = read(&[EventType::Deleted]).await;
    assert_eq!(
        (rare.events[0].kind, rare.events[0].sequence, rare.until, rare.more),
        (EventType::Deleted, 31, 31, false)
    );
    let none = read(&[EventType::Expiring]).await;
    assert_eq!((none.events.len(), none.until, none.more), (0, 31, false));
}

/// As after the migration, which takes what it finds as told.
async fn connections_of_before_are_no_news(database: &Database) {
    let (store, here) = (&database.store, production());
    insert(store, &here, 1, "one").await.expect("inserted");
    let valid = with_health(Health::Valid { checked_at: Timestamp(5) });
    store.record_found(&here, &id(1), found(1, valid)).await.expect("recorded").expect("written");
    database.execute("DELETE FROM events").await;
    database.execute("DELETE FROM told_connections").await;
    let migration = include_str!("../../migrations/0010_events.sql");
    let from = migration.find("INSERT INTO told_connections").expect("the statement");
    let until = from + migration[from..].find(';').expect("its end");
    database.execute(&migration[from..until]).await;
    let change = Change { name: Some(name("two")), ..Change::default() };
    store.update(&here, &id(1), 1, change, entry(AuditAction::Edited)).await.expect("updated");
    assert_eq!(kinds(store).await, [EventType::Updated]);
}
