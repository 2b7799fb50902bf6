//! Checks that are due: claimed by one, fenced, written down, kept as a timeline.

use patchbay::domain::evidence::{Account, Evidence, Verdict};
use patchbay::domain::health::Health;
use patchbay::domain::time::Timestamp;
use patchbay::server::store::record::{AuditAction, Claim, Found, Judged, NewConnection, Proof, StoredConnection};
use std::collections::BTreeSet;

use crate::database::{Database, entry, found, id, new, on_both_engines, production};

on_both_engines!(
    a_due_check_is_claimed_by_one_until_its_lease_ends,
    many_claim_at_once_and_none_gets_the_same,
    what_a_lost_claim_found_is_dropped,
    a_check_that_brings_no_news_leaves_the_revision,
    a_timeline_keeps_the_latest,
    a_slow_silent_check_leaves_a_refusal_that_came_meanwhile,
    what_was_found_earlier_than_what_is_known_is_dropped,
    silence_found_by_many_at_once_is_counted_by_each,
    what_is_deleted_is_not_due_and_what_comes_back_is,
);

const NOW: Timestamp = Timestamp(10_000);
const LEASE: Timestamp = Timestamp(20_000);

fn proof(at: i64, check_at: Option<Timestamp>) -> Proof {
    let evidence = Evidence {
        at: Timestamp(at),
        steps: Vec::new(),
        verdict: Verdict::Valid,
        account: Account::default(),
        expires_at: None,
        not_before: None,
        host_key: None,
    };
    let health = Health::Valid { checked_at: Timestamp(at) };
    Proof { health, evidence: Some(evidence), check_at, ..Proof::default() }
}

fn of(claim: &Claim, visible: bool) -> Found {
    let judged = Judged { proof: proof(11_000, Some(Timestamp(99_000))), visible, entry: None };
    Found { at: Timestamp(11_000), secret_version: 1, fence: Some(claim.fence), judge: Box::new(|_| judged) }
}

/// Connections that are due at their number.
async fn due(database: &Database, numbers: impl Iterator<Item = u32>) {
    for number in numbers {
        let mut given = NewConnection { ..new(number, &format!("connection {number}")) };
        given.credentials.proof = proof(1, Some(Timestamp(i64::from(number))));
        database.store.insert(&production(), given, entry(AuditAction::Created)).await.expect("inserted");
    }
}

async fn a_due_check_is_claimed_by_one_until_its_lease_ends(database: &Database) {
    let store = &database.store;
    due(database, 1..4).await;
    let first = store.claim_checks(NOW, LEASE, 2).await.expect("claims");
    assert_eq!(first.iter().map(|claim| &claim.id).collect::<BTreeSet<_>>(), BTreeSet::from([&id(1), &id(2)]));
    let rest = store.claim_checks(NOW, LEASE, 9).await.expect("claims");
    assert_eq!(rest.iter().map(|claim| &claim.id).collect::<Vec<_>>(), [&id(3)]);
    assert_eq!(store.claim_checks(NOW, LEASE, 9).await, Ok(Vec::new()));
    let again = store.claim_checks(LEASE, Timestamp(30_000), 9).await.expect("claims");
    assert_eq!(again.len(), 3);
    assert!(again.iter().all(|claim| claim.fence == 2));
}

async fn many_claim_at_once_and_none_gets_the_same(database: &Database) {
    due(database, 1..41).await;
    let claimers = (0..8).map(|_| {
        let store = database.store.clone();
        tokio::spawn(async move { store.claim_checks(NOW, LEASE, 7).await.expect("claims") })
    });
    let mut claimed = Vec::new();
    for claimer in claimers.collect::<Vec<_>>() {
        claimed.extend(claimer.await.expect("a claimer").into_iter().map(|claim| claim.id));
    }
    let different: BTreeSet<_> = claimed.iter().collect();
    assert_eq!(different.len(), claimed.len());
}

async fn what_a_lost_claim_found_is_dropped(database: &Database) {
    let (store, scope) = (&database.store, production());
    due(database, 1..2).await;
    let late = store.claim_checks(NOW, LEASE, 1).await.expect("claims").remove(0);
    let current = store.claim_checks(LEASE, Timestamp(30_000), 1).await.expect("claims").remove(0);
    assert_eq!(store.record_found(&scope, &late.id, of(&late, true)).await, Ok(None));
    store.postpone(late, Timestamp(0)).await.expect("nothing to give back");
    assert_eq!(store.claim_checks(LEASE, Timestamp(30_000), 1).await, Ok(Vec::new()));
    assert!(store.record_found(&scope, &current.id, of(&current, true)).await.expect("recorded").is_some());
    assert_eq!(store.claim_checks(Timestamp(98_999), Timestamp(100_000), 1).await, Ok(Vec::new()));
    assert_eq!(store.claim_checks(Timestamp(99_000), Timestamp(100_000), 1).await.map(|claims| claims.len()), Ok(1));
}

async fn a_check_that_brings_no_news_leaves_the_revision(database: &Database) {
    let (store, scope) = (&database.store, production());
    due(database, 1..2).await;
    let revision = store.revision(&scope).await.expect("a revision");
    let claim = store.claim_checks(NOW, LEASE, 1).await.expect("claims").remove(0);
    store.record_found(&scope, &claim.id, of(&claim, false)).await.expect("recorded").expect("there");
    assert_eq!(store.revision(&scope).await, Ok(revision));
    let stored = store.connection(&scope, &claim.id).await.expect("read").expect("there");
    assert_eq!(stored.summary.health, Health::Valid { checked_at: Timestamp(11_000) });
    let claim = store.claim_checks(Timestamp(99_000), Timestamp(100_000), 1).await.expect("claims").remove(0);
    store.record_found(&scope, &claim.id, of(&claim, true)).await.expect("recorded").expect("there");
    assert_eq!(store.changes_since(&scope, revision).await.expect("read").expect("changes").changed.len(), 1);
}

async fn a_timeline_keeps_the_latest(database: &Database) {
    let (store, scope) = (&database.store, production());
    due(database, 1..3).await;
    for at in 1..60 {
        store.record_found(&scope, &id(1), found(1, proof(at, None))).await.expect("recorded").expect("there");
    }
    let timeline = store.checks_of(&scope, &id(1)).await.expect("a timeline");
    assert_eq!(timeline.iter().map(|check| check.at.0).collect::<Vec<_>>(), (10..60).rev().collect::<Vec<_>>());
    assert_eq!(store.checks_of(&scope, &id(2)).await.expect("a timeline").len(), 1);
}

/// What a check makes of a connection whose service answered with this verdict at a moment.
fn answered(verdict: Verdict, at: i64) -> Found {
    let judge = move |before: &StoredConnection| {
        let health = before.summary.health.clone().after(&verdict, Timestamp(at));
        let evidence = Evidence { verdict, ..Evidence::none(Timestamp(at), "") };
        Judged { proof: Proof { health, evidence: Some(evidence), ..Proof::default() }, visible: true, entry: None }
    };
    Found { at: Timestamp(at), secret_version: 1, fence: None, judge: Box::new(judge) }
}

fn silence() -> Verdict {
    Verdict::NoEvidence { reason: "No answer within 10 seconds.".to_owned(), field: None }
}

fn refusal() -> Verdict {
    Verdict::Rejected { reason: "The service refused this password.".to_owned(), field: None }
}

async fn a_slow_silent_check_leaves_a_refusal_that_came_meanwhile(database: &Database) {
    let (store, scope) = (&database.store, production());
    due(database, 1..2).await;
    let slow = answered(silence(), 12_000);
    let refused = store.record_found(&scope, &id(1), answered(refusal(), 11_000)).await;
    let after = store.record_found(&scope, &id(1), slow).await;
    for summary in [refused, after] {
        let health = summary.expect("recorded").expect("there").health;
        assert!(matches!(health, Health::Rejected { at: Timestamp(11_000), .. }), "{health:?}");
    }
}

async fn what_was_found_earlier_than_what_is_known_is_dropped(database: &Database) {
    let (store, scope) = (&database.store, production());
    due(database, 1..2).await;
    store.record_found(&scope, &id(1), answered(refusal(), 12_000)).await.expect("recorded").expect("there");
    assert_eq!(store.record_found(&scope, &id(1), answered(Verdict::Valid, 11_000)).await, Ok(None));
    let health = store.connection(&scope, &id(1)).await.expect("read").expect("there").summary.health;
    assert!(matches!(health, Health::Rejected { .. }), "{health:?}");
    assert_eq!(store.checks_of(&scope, &id(1)).await.expect("a timeline").len(), 2);
}

async fn silence_found_by_many_at_once_is_counted_by_each(database: &Database) {
    due(database, 1..2).await;
    let checks = (0..8).map(|_| {
        let store = database.store.clone();
        tokio::spawn(async move { store.record_found(&production(), &id(1), answered(silence(), 11_000)).await })
    });
    for check in checks.collect::<Vec<_>>() {
        check.await.expect("finished").expect("recorded").expect("there");
    }
    let health = database.store.connection(&production(), &id(1)).await.expect("read").expect("there").summary.health;
    assert!(matches!(health, Health::Unreachable { failures: 8, .. }), "{health:?}");
}

async fn what_is_deleted_is_not_due_and_what_comes_back_is(database: &Database) {
    let (store, scope) = (&database.store, production());
    due(database, 1..2).await;
    store.delete(&scope, &id(1), NOW, entry(AuditAction::Deleted)).await.expect("deleted");
    assert_eq!(store.claim_checks(NOW, LEASE, 9).await, Ok(Vec::new()));
    store.undelete(&scope, &id(1), entry(AuditAction::Restored)).await.expect("restored");
    assert_eq!(store.claim_checks(NOW, LEASE, 9).await.map(|claims| claims.len()), Ok(1));
    store.delete(&scope, &id(1), NOW, entry(AuditAction::Deleted)).await.expect("deleted");
    store.purge(&scope, &id(1), entry(AuditAction::Purged)).await.expect("purged");
    assert_eq!(store.checks_of(&scope, &id(1)).await, Ok(Vec::new()));
}
