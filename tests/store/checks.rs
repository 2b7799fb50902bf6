//! Checks that are due: claimed by one, fenced, written down, kept as a timeline.

use patchbay::domain::evidence::{Account, Evidence, Verdict};
use patchbay::domain::health::Health;
use patchbay::domain::time::Timestamp;
use patchbay::server::store::record::{AuditAction, Claim, Found, NewConnection, Proof};
use std::collections::BTreeSet;

use crate::database::{Database, entry, id, new, on_both_engines, production};

on_both_engines!(
    a_due_check_is_claimed_by_one_until_its_lease_ends,
    many_claim_at_once_and_none_gets_the_same,
    what_a_lost_claim_found_is_dropped,
    a_check_that_brings_no_news_leaves_the_revision,
    a_timeline_keeps_the_latest,
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
    };
    let health = Health::Valid { checked_at: Timestamp(at) };
    Proof { health, evidence: Some(evidence), check_at, ..Proof::default() }
}

fn of(claim: &Claim, visible: bool) -> Found {
    let proof = proof(11_000, Some(Timestamp(99_000)));
    Found { proof, secret_version: 1, fence: Some(claim.fence), visible, entry: None }
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
    for at in 0..60 {
        let found = Found { proof: proof(at, None), secret_version: 1, fence: None, visible: false, entry: None };
        store.record_found(&scope, &id(1), found).await.expect("recorded").expect("there");
    }
    let timeline = store.checks_of(&scope, &id(1)).await.expect("a timeline");
    assert_eq!(timeline.iter().map(|check| check.at.0).collect::<Vec<_>>(), (10..60).rev().collect::<Vec<_>>());
    assert_eq!(store.checks_of(&scope, &id(2)).await.expect("a timeline").len(), 1);
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
