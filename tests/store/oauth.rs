//! Accounts being connected, tokens that are renewed by one at a time, and what is left to be revoked.

use patchbay::domain::environment::Environment;
use patchbay::domain::evidence::Verdict;
use patchbay::domain::field::FieldValues;
use patchbay::domain::health::Health;
use patchbay::domain::id::FlowId;
use patchbay::domain::owner::{EndUserId, Sight};
use patchbay::domain::tag::TagSet;
use patchbay::domain::time::{DAY, Timestamp};
use patchbay::server::store::record::{
    AuditAction, Change, Credentials, EndingFlow, FlowRequest, FlowStage, Grant, NewConnection, RenewalClaim, Scope,
};
use patchbay::server::store::{NewFlow, Opening, RenewalChange, Renewed, Setback, StoreError, StoredClient};
use std::collections::BTreeSet;

use crate::database::{Database, credentials, entry, id, name, new, on_both_engines, production, scope};

on_both_engines!(
    a_due_renewal_is_claimed_by_one_until_its_lease_ends,
    many_claim_renewals_at_once_and_none_gets_the_same,
    what_is_due_of_a_client_without_places_holds_up_no_others,
    new_tokens_replace_the_old_ones_and_end_the_claim,
    tokens_are_stored_whatever_became_of_the_claim,
    a_setback_of_a_lost_claim_counts_for_nothing,
    tokens_alone_make_nothing_active_and_have_the_service_asked,
    what_an_account_brings_is_saved_only_while_its_flow_goes_on,
    an_end_users_flow_is_found_again_by_the_server_and_not_by_members,
    an_edit_sealed_before_a_renewal_is_told_so,
    a_setback_leaves_the_tokens_and_counts,
    a_renewal_can_be_made_due_at_once_unless_there_is_nothing_left_to_renew,
    what_is_deleted_is_not_renewed,
    a_purge_keeps_the_tokens_until_they_are_revoked,
    what_has_no_tokens_leaves_nothing_to_revoke,
    a_state_is_good_once_and_a_code_for_one_browser,
    a_flow_of_another_environment_is_not_there,
    flows_that_are_over_are_forgotten_after_a_day,
    an_own_client_is_replaced_by_whoever_knew_the_last_one,
);

const NOW: Timestamp = Timestamp(10_000);
const LEASE: Timestamp = Timestamp(20_000);

fn grant(refresh_at: i64) -> Grant {
    Grant {
        client: "google".to_owned(),
        client_id: Some("client-a".to_owned()),
        asked: vec!["mail".to_owned()],
        granted: None,
        connected_at: Timestamp(1),
        issued_at: Timestamp(1),
        access_expires_at: Some(Timestamp(refresh_at + 5)),
        refresh_expires_at: None,
        refresh_at: Some(Timestamp(refresh_at)),
        failures: 0,
        ended: false,
    }
}

fn with_tokens(sealed: &[u8], refresh_at: i64) -> Credentials {
    Credentials { grant: Some(grant(refresh_at)), ..credentials(sealed) }
}

/// Connections whose tokens are due at their number.
async fn due(database: &Database, numbers: impl Iterator<Item = u32>) {
    for number in numbers {
        let credentials = with_tokens(b"first", i64::from(number));
        let given = NewConnection { credentials, ..new(number, &format!("connection {number}")) };
        database.store.insert(&production(), given, entry(AuditAction::Created)).await.expect("inserted");
    }
}

async fn claim(database: &Database, now: Timestamp) -> RenewalClaim {
    database.store.claim_renewals(now, now.plus(10_000), 1, Default::default()).await.expect("claims").remove(0)
}

fn renewed(claim: &RenewalClaim, secret_version: i64) -> Renewed {
    let change = RenewalChange::Tokens(Box::new(with_tokens(b"second", 90_000)));
    Renewed {
        claim: Some(claim.clone()),
        scope: claim.scope.clone(),
        id: claim.id.clone(),
        secret_version,
        change,
        entry: entry(AuditAction::Renewed),
    }
}

fn setback(health: Option<Verdict>, refresh_at: Option<i64>, failures: i64, ended: bool) -> RenewalChange {
    let refresh_at = refresh_at.map(Timestamp);
    RenewalChange::Setback(Setback { at: NOW, verdict: health, refresh_at, failures, presented: 0, ended })
}

async fn sealed(database: &Database) -> (Vec<u8>, i64) {
    let stored = database.store.connection(&production(), &id(1)).await.expect("read").expect("there");
    (stored.credentials.sealed, stored.secret_version)
}

async fn a_due_renewal_is_claimed_by_one_until_its_lease_ends(database: &Database) {
    let store = &database.store;
    due(database, 1..4).await;
    let first = store.claim_renewals(NOW, LEASE, 2, Default::default()).await.expect("claims");
    assert_eq!(first.iter().map(|claim| &claim.id).collect::<BTreeSet<_>>(), BTreeSet::from([&id(1), &id(2)]));
    assert!(first.iter().all(|claim| claim.presented == 1));
    let other = store.claim_renewal(&production(), &id(1), NOW, LEASE).await;
    assert_eq!(other, Ok(None), "somebody is at it");
    assert_eq!(store.claim_renewals(NOW, LEASE, 9, Default::default()).await.map(|claims| claims.len()), Ok(1));
    let again = store.claim_renewals(LEASE, Timestamp(30_000), 9, Default::default()).await.expect("claims");
    assert_eq!(again.len(), 3);
    assert!(again.iter().all(|claim| (claim.fence, claim.presented) == (2, 2)), "an answer was lost");
}

async fn many_claim_renewals_at_once_and_none_gets_the_same(database: &Database) {
    due(database, 1..41).await;
    let claimers = (0..8).map(|_| {
        let store = database.store.clone();
        tokio::spawn(async move { store.claim_renewals(NOW, LEASE, 7, Default::default()).await.expect("claims") })
    });
    let mut claimed = Vec::new();
    for claimer in claimers.collect::<Vec<_>>() {
        claimed.extend(claimer.await.expect("a claimer").into_iter().map(|claim| claim.id));
    }
    let different: BTreeSet<_> = claimed.iter().collect();
    assert_eq!(different.len(), claimed.len());
}

async fn what_is_due_of_a_client_without_places_holds_up_no_others(database: &Database) {
    let store = &database.store;
    due(database, 1..30).await;
    let grant = Some(Grant { client: "slack".to_owned(), ..grant(99) });
    let credentials = Credentials { grant, ..credentials(b"first") };
    let given = NewConnection { credentials, ..new(30, "the last one") };
    store.insert(&production(), given, entry(AuditAction::Created)).await.expect("inserted");
    let full = ["google".to_owned(), String::new()];
    let claimed = store.claim_renewals(NOW, LEASE, 9, full).await.expect("claims");
    assert_eq!(claimed.iter().map(|claim| &claim.id).collect::<Vec<_>>(), [&id(30)]);
    let both = ["google", "slack"].map(str::to_owned);
    assert_eq!(store.claim_renewals(LEASE, Timestamp(30_000), 9, both).await, Ok(Vec::new()));
}

async fn new_tokens_replace_the_old_ones_and_end_the_claim(database: &Database) {
    let store = &database.store;
    due(database, 1..2).await;
    let claim = claim(database, NOW).await;
    let before = store.connection(&production(), &id(1)).await.expect("read").expect("there").summary;
    let after = store.record_renewed(renewed(&claim, 1)).await.expect("recorded");
    assert_eq!(after.version, before.version, "a renewal makes no form stale");
    assert_eq!(sealed(database).await, (b"second".to_vec(), 2));
    let stored = store.grant(&production(), &id(1)).await.expect("read").expect("a grant");
    assert_eq!(stored, Grant { refresh_at: Some(Timestamp(90_000)), ..grant(90_000) });
    let next = store
        .claim_renewals(Timestamp(90_000), Timestamp(99_000), 1, Default::default())
        .await
        .expect("claims")
        .remove(0);
    assert_eq!(next.presented, 1, "a new token was never shown");
}

async fn tokens_are_stored_whatever_became_of_the_claim(database: &Database) {
    let store = &database.store;
    due(database, 1..2).await;
    let late = claim(database, NOW).await;
    let current = claim(database, LEASE).await;
    store.record_renewed(renewed(&late, 1)).await.expect("the only good ones there are");
    assert_eq!(sealed(database).await, (b"second".to_vec(), 2));
    assert_eq!(store.record_renewed(renewed(&current, 1)).await.err(), Some(StoreError::Stale), "other secrets by now");
    let refused = Renewed { change: setback(Some(refusal()), None, 0, true), ..renewed(&current, 1) };
    assert_eq!(store.record_renewed(refused).await.err(), Some(StoreError::Stale), "who lost the race adopts");
    let from_journal = Renewed { claim: None, ..renewed(&late, 1) };
    assert_eq!(store.record_renewed(from_journal).await.err(), Some(StoreError::Stale));
}

async fn a_setback_of_a_lost_claim_counts_for_nothing(database: &Database) {
    let store = &database.store;
    due(database, 1..2).await;
    let late = claim(database, NOW).await;
    claim(database, LEASE).await;
    let refused = Renewed { change: setback(Some(refusal()), None, 0, true), ..renewed(&late, 1) };
    assert_eq!(store.record_renewed(refused).await.err(), Some(StoreError::Stale));
    let stored = store.grant(&production(), &id(1)).await.expect("read").expect("a grant");
    assert!(!stored.ended && stored.refresh_at.is_some());
}

async fn tokens_alone_make_nothing_active_and_have_the_service_asked(database: &Database) {
    let store = &database.store;
    let here = production();
    let mut given = with_tokens(b"first", 1);
    given.proof.health = Health::Rejected { reason: "Organisation gone.".to_owned(), at: Timestamp(1) };
    let health = given.proof.health.clone();
    let new = NewConnection { credentials: given, ..new(1, "rejected") };
    store.insert(&here, new, entry(AuditAction::Created)).await.expect("inserted");
    let claim = claim(database, NOW).await;
    let before = store.revision(&here).await.expect("read");
    assert_eq!(store.record_renewed(renewed(&claim, 1)).await.expect("recorded").health, health);
    let stored = store.connection(&here, &id(1)).await.expect("read").expect("there");
    assert_eq!(stored.credentials.proof.check_at, Some(Timestamp(1)), "asked at once");
    assert_eq!(store.revision(&here).await, Ok(before), "lists show nothing else");
}

fn refusal() -> Verdict {
    Verdict::Rejected { reason: "Refused.".to_owned(), field: None }
}

async fn an_edit_sealed_before_a_renewal_is_told_so(database: &Database) {
    let store = &database.store;
    due(database, 1..2).await;
    let claim = claim(database, NOW).await;
    store.record_renewed(renewed(&claim, 1)).await.expect("recorded");
    let change = |replaces| Change {
        credentials: Some(with_tokens(b"edited", 1)),
        replaces: Some(replaces),
        ..Change::default()
    };
    let late = store.update(&production(), &id(1), 1, change(1), entry(AuditAction::Edited)).await;
    assert_eq!(late.err(), Some(StoreError::Stale));
    store.update(&production(), &id(1), 1, change(2), entry(AuditAction::Edited)).await.expect("updated");
    assert_eq!(sealed(database).await, (b"edited".to_vec(), 3));
}

async fn a_setback_leaves_the_tokens_and_counts(database: &Database) {
    let store = &database.store;
    due(database, 1..2).await;
    let claim = claim(database, NOW).await;
    let health = Health::Rejected { reason: "Refused.".to_owned(), at: NOW };
    let setback = Renewed { change: setback(Some(refusal()), None, 3, true), ..renewed(&claim, 1) };
    assert_eq!(store.record_renewed(setback).await.expect("recorded").health, health);
    assert_eq!(sealed(database).await, (b"first".to_vec(), 1));
    let stored = store.grant(&production(), &id(1)).await.expect("read").expect("a grant");
    assert_eq!((stored.failures, stored.refresh_at, stored.ended), (3, None, true));
    assert_eq!(
        store.claim_renewals(Timestamp(i64::MAX), Timestamp(i64::MAX), 1, Default::default()).await,
        Ok(Vec::new())
    );
}

async fn a_renewal_can_be_made_due_at_once_unless_there_is_nothing_left_to_renew(database: &Database) {
    let store = &database.store;
    due(database, 1..2).await;
    let first = claim(database, NOW).await;
    store.record_renewed(renewed(&first, 1)).await.expect("recorded");
    assert_eq!(store.claim_renewals(LEASE, Timestamp(30_000), 1, Default::default()).await, Ok(Vec::new()));
    store.renew_now(&production(), &id(1), LEASE).await.expect("due now");
    let second = claim(database, LEASE).await;
    let ended = Renewed { change: setback(Some(refusal()), None, 0, true), ..renewed(&second, 2) };
    store.record_renewed(ended).await.expect("recorded");
    store.renew_now(&production(), &id(1), LEASE).await.expect("nothing to do");
    let stored = store.grant(&production(), &id(1)).await.expect("read").expect("a grant");
    assert_eq!((stored.refresh_at, stored.ended), (None, true));
}

async fn what_is_deleted_is_not_renewed(database: &Database) {
    let store = &database.store;
    due(database, 1..2).await;
    let claim = claim(database, NOW).await;
    store.delete(&production(), &id(1), NOW, entry(AuditAction::Deleted)).await.expect("deleted");
    assert_eq!(store.claim_renewals(LEASE, Timestamp(30_000), 9, Default::default()).await, Ok(Vec::new()));
    store.record_renewed(renewed(&claim, 1)).await.expect("what was under way is kept: the deletion may be undone");
    assert_eq!(sealed(database).await, (b"second".to_vec(), 2));
    store.undelete(&production(), &id(1), entry(AuditAction::Restored)).await.expect("restored");
    let later = Timestamp(95_000);
    assert_eq!(
        store.claim_renewals(later, Timestamp(99_000), 9, Default::default()).await.map(|claims| claims.len()),
        Ok(1)
    );
}

/// A connect that is called off while the provider's answer is on its way, and one that is not.
async fn what_an_account_brings_is_saved_only_while_its_flow_goes_on(database: &Database) {
    let (store, here) = (&database.store, production());
    for number in [1, 2] {
        store.begin_flow(flow(number, NOW), None).await.expect("begun");
    }
    let ending = |number: u8| EndingFlow { id: FlowId::from_bytes([number; 16]), version: 1 };
    let called_off = store.flow(&here, &ending(1).id).await.expect("read").expect("there");
    let stage = FlowStage::Failed { message: "Called off.".to_owned() };
    store.advance_flow(&called_off, stage, Vec::new()).await.expect("called off");
    let refused = store.insert_connected(&here, new(1, "late"), entry(AuditAction::Created), ending(1)).await;
    assert_eq!(refused.err(), Some(StoreError::Stale));
    assert!(store.connection(&here, &id(1)).await.expect("read").is_none(), "nothing was saved");
    store.insert_connected(&here, new(2, "in time"), entry(AuditAction::Created), ending(2)).await.expect("inserted");
    let ended = store.flow(&here, &ending(2).id).await.expect("read").expect("there");
    assert_eq!(ended.stage, FlowStage::Connected { connection: id(2) });
    let change = Change { credentials: Some(with_tokens(b"late", 1)), ends: Some(ending(1)), ..Change::default() };
    let refused = store.update(&here, &id(2), 1, change, entry(AuditAction::Reconnected)).await;
    assert_eq!(refused.err(), Some(StoreError::Stale), "what was connected before stays");
}

async fn an_end_users_flow_is_found_again_by_the_server_and_not_by_members(database: &Database) {
    let store = &database.store;
    let ada = EndUserId::try_from("ada".to_owned()).expect("an id");
    store.begin_flow(NewFlow { owner: Some(ada), ..flow(1, NOW) }, None).await.expect("begun");
    let opened = store.flow_by_code([1; 32], NOW).await.expect("read").expect("there");
    assert!(store.flow(&production(), &opened.id).await.expect("read").is_none());
    let now = store.flow_now(&opened).await.expect("read").expect("there");
    assert_eq!((now.id, now.version), (opened.id, opened.version));
}

async fn a_purge_keeps_the_tokens_until_they_are_revoked(database: &Database) {
    let (store, here) = (&database.store, production());
    due(database, 1..2).await;
    store.delete(&here, &id(1), NOW, entry(AuditAction::Deleted)).await.expect("deleted");
    store.purge(&here, &id(1), entry(AuditAction::Purged)).await.expect("purged");
    assert_eq!(store.connection(&here, &id(1)).await.expect("read").map(drop), None);
    let taken = store.take_revocations(NOW, LEASE, 9).await.expect("taken");
    assert_eq!((taken.len(), taken[0].sealed.as_slice(), taken[0].attempts), (1, b"first".as_slice(), 1));
    assert_eq!(store.take_revocations(NOW, LEASE, 9).await.map(|taken| taken.len()), Ok(0));
    store.put_off_revocation(&here, &id(1), NOW).await.expect("put off");
    assert_eq!(store.take_revocations(NOW, LEASE, 9).await.map(|taken| taken[0].attempts), Ok(2));
    store.end_revocation(&here, &id(1), entry(AuditAction::Revoked)).await.expect("ended");
    assert_eq!(store.take_revocations(Timestamp(i64::MAX), LEASE, 9).await.map(|taken| taken.len()), Ok(0));
}

async fn what_has_no_tokens_leaves_nothing_to_revoke(database: &Database) {
    let (store, here) = (&database.store, production());
    store.insert(&here, new(1, "plain"), entry(AuditAction::Created)).await.expect("inserted");
    store.delete(&here, &id(1), NOW, entry(AuditAction::Deleted)).await.expect("deleted");
    store.purge(&here, &id(1), entry(AuditAction::Purged)).await.expect("purged");
    assert_eq!(store.take_revocations(NOW, LEASE, 9).await.map(|taken| taken.len()), Ok(0));
}

fn flow(number: u8, created_at: Timestamp) -> NewFlow {
    NewFlow {
        id: FlowId::from_bytes([number; 16]),
        scope: production(),
        connection: None,
        actor: "member:test".to_owned(),
        actor_name: "Test".to_owned(),
        owner: None,
        code_hash: [number; 32],
        request: FlowRequest {
            component: "gmail".to_owned().try_into().expect("a slug"),
            method: "oauth".to_owned(),
            name: name("Mail"),
            tags: TagSet::default(),
            config: FieldValues::default(),
            scopes: vec!["mail".to_owned()],
            by_link: false,
            owner: None,
            destination: None,
        },
        sealed: b"first".to_vec(),
        stage: FlowStage::Asked,
        created_at,
        expires_at: created_at.plus(5_000),
    }
}

fn opening(state: u8) -> Opening {
    let sealed = b"second".to_vec();
    Opening {
        state_hash: [state; 32],
        browser_hash: [7; 32],
        sealed,
        state_expires_at: Timestamp(20_000),
        expires_at: Timestamp(20_000),
    }
}

async fn a_state_is_good_once_and_a_code_for_one_browser(database: &Database) {
    let store = &database.store;
    store.begin_flow(flow(1, NOW), None).await.expect("begun");
    let asked = store.flow_by_code([1; 32], NOW).await.expect("read").expect("there");
    assert_eq!((&asked.stage, asked.version, asked.browser_hash), (&FlowStage::Asked, 1, None));
    assert!(store.flow_by_code([1; 32], Timestamp(15_000)).await.expect("read").is_none(), "over");
    store.open_flow(&asked, opening(2)).await.expect("opened");
    assert_eq!(store.open_flow(&asked, opening(3)).await, Err(StoreError::Stale));
    let opened = store.flow_by_state([2; 32], NOW).await.expect("read").expect("there");
    assert_eq!((opened.browser_hash, opened.sealed.as_slice()), (Some([7; 32]), b"second".as_slice()));
    let onward = store.advance_flow(&opened, FlowStage::Exchanging, b"third".to_vec()).await.expect("advanced");
    assert!(store.flow_by_state([2; 32], NOW).await.expect("read").is_none(), "used up");
    assert_eq!(store.advance_flow(&opened, FlowStage::Exchanging, Vec::new()).await.err(), Some(StoreError::Stale));
    let failed = FlowStage::Failed { message: "No.".to_owned() };
    store.advance_flow(&onward, failed.clone(), Vec::new()).await.expect("advanced");
    let ended = store.flow(&production(), &opened.id).await.expect("read").expect("there");
    assert_eq!((ended.stage, ended.sealed.len()), (failed, 0));
}

async fn a_flow_of_another_environment_is_not_there(database: &Database) {
    let store = &database.store;
    store.begin_flow(flow(1, NOW), None).await.expect("begun");
    let elsewhere = scope(Environment::Staging);
    assert!(store.flow(&elsewhere, &FlowId::from_bytes([1; 16])).await.expect("read").is_none());
}

async fn flows_that_are_over_are_forgotten_after_a_day(database: &Database) {
    let store = &database.store;
    store.begin_flow(flow(1, NOW), None).await.expect("begun");
    store.begin_flow(flow(2, NOW.plus(DAY)), None).await.expect("begun");
    assert!(store.flow(&production(), &FlowId::from_bytes([1; 16])).await.expect("read").is_some());
    store.begin_flow(flow(3, NOW.plus(DAY + 5_000)), None).await.expect("begun");
    assert!(store.flow(&production(), &FlowId::from_bytes([1; 16])).await.expect("read").is_none());
    assert!(store.flow(&production(), &FlowId::from_bytes([2; 16])).await.expect("read").is_some());
}

async fn an_own_client_is_replaced_by_whoever_knew_the_last_one(database: &Database) {
    let (store, here) = (&database.store, production());
    due(database, 1..2).await;
    let client = |id: &str, version| StoredClient {
        client_id: id.to_owned(),
        sealed: Vec::new(),
        version,
        stored_at: Timestamp(5_000),
        problem: None,
    };
    let put = |new: StoredClient| store.store_oauth_client(&here, "google", new, entry(AuditAction::ClientStored));
    put(client("first", 1)).await.expect("stored");
    assert_eq!(put(client("late", 1)).await, Err(StoreError::Stale));
    store.note_client_problem(&here, "google", Some("Refused.".to_owned())).await.expect("noted");
    let known = store.oauth_client(&here, "google").await.expect("read").expect("there");
    assert_eq!(known.problem.as_deref(), Some("Refused."));
    let claim = claim(database, NOW).await;
    assert_eq!(store.of_other_clients(&here, "google", "client-a").await, Ok(0));
    assert_eq!(store.of_other_clients(&here, "google", "client-b").await, Ok(1));
    let private = format!("UPDATE connections SET owner = 'ada' WHERE id = '{}'", id(1));
    sqlx::query(sqlx::AssertSqlSafe(private)).execute(&mut database.raw().await).await.expect("owned");
    let others = Scope { sight: Sight::Workspace, ..here.clone() };
    assert_eq!(store.of_other_clients(&others, "google", "client-b").await, Ok(0), "somebody's own");
    let change = setback(None, Some(99_000), 1, false);
    store.record_renewed(Renewed { change, ..renewed(&claim, 1) }).await.expect("recorded");
    put(client("second", 2)).await.expect("stored");
    let known = store.oauth_client(&here, "google").await.expect("read").expect("there");
    assert_eq!((known.client_id.as_str(), known.problem), ("second", None));
    let waiting = store.grant(&here, &id(1)).await.expect("read").expect("a grant");
    assert_eq!(waiting.refresh_at, Some(Timestamp(5_000)), "what waited for it is tried now");
    assert_eq!(store.oauth_client(&scope(Environment::Staging), "google").await, Ok(None));
    store.remove_oauth_client(&here, "google", entry(AuditAction::ClientRemoved)).await.expect("removed");
    assert_eq!(store.oauth_client(&here, "google").await, Ok(None));
}
