//! What a page holds after any run of changes, by deltas alone, is what a fresh snapshot says.

use patchbay::domain::connection::Summary;
use patchbay::domain::environment::Environment;
use patchbay::domain::id::ConnectionId;
use patchbay::domain::time::Timestamp;
use patchbay::server::store::Store;
use patchbay::server::store::record::{AuditAction, Change, Proof, Scope, WorkflowUse};
use std::collections::BTreeMap;

use crate::database::{
    Database, credentials, entry, found, id, insert, name, on_both_engines, production, scope, tags,
};
use crate::workflows::workflow;

on_both_engines!(deltas_equal_a_fresh_snapshot, a_page_newer_than_the_database_gets_no_delta);

/// Numbers that look random and are the same each time (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).expect("31 bits") % sides
    }
}

/// A page that only ever asks for what changed.
#[derive(Default)]
struct Page {
    revision: i64,
    rows: BTreeMap<ConnectionId, Summary>,
}

impl Page {
    async fn refresh(&mut self, store: &Store, scope: &Scope) {
        let changes = store.changes_since(scope, self.revision).await.expect("read").expect("changes");
        self.revision = changes.revision;
        for id in changes.removed {
            self.rows.remove(&id);
        }
        self.rows.extend(changes.changed.into_iter().map(|row| (row.id.clone(), row)));
    }
}

async fn change_something(store: &Store, scope: &Scope, dice: &mut Dice) -> bool {
    let (number, version) = (dice.roll(8), i64::from(dice.roll(4)) + 1);
    let connection = id(number);
    let (text, at) = (format!("name {}", dice.roll(8)), Timestamp(i64::from(dice.roll(100))));
    let uses = WorkflowUse { connections: vec![connection.clone(), id(dice.roll(8))], ..workflow("wf", &[]) };
    match dice.roll(10) {
        0..=2 => insert(store, scope, number, &text).await.is_ok(),
        3 => {
            let change = Change {
                name: Some(name(&text)),
                tags: Some(tags(&[&text])),
                credentials: Some(credentials(b"x")),
                ..Change::default()
            };
            store.update(scope, &connection, version, change, entry(AuditAction::Edited)).await.is_ok()
        }
        4 => {
            let proof = Proof { expires_at: Some(at), ..Proof::default() };
            store.record_found(scope, &connection, found(1, proof)).await.is_ok()
        }
        5 => store.delete(scope, &connection, at, entry(AuditAction::Deleted)).await.is_ok(),
        6 => store.undelete(scope, &connection, entry(AuditAction::Restored)).await.is_ok(),
        7 => store.purge(scope, &connection, entry(AuditAction::Purged)).await.is_ok(),
        8 => store.put_workflow(scope, uses, entry(AuditAction::WorkflowRegistered)).await.is_ok(),
        _ => store.remove_workflow(scope, "wf", entry(AuditAction::WorkflowRemoved)).await.is_ok(),
    }
}

async fn deltas_equal_a_fresh_snapshot(database: &Database) {
    let (store, here) = (&database.store, production());
    let staging = scope(Environment::Staging);
    insert(store, &staging, 100, "apart").await.expect("inserted");
    let (mut dice, mut often, mut seldom, mut apart) = (Dice(42), Page::default(), Page::default(), Page::default());
    apart.refresh(store, &staging).await;
    let mut changes = 0;
    for turn in 0..240 {
        let before = store.revision(&here).await.expect("revision");
        let accepted = change_something(store, &here, &mut dice).await;
        changes += u32::from(accepted);
        let now = store.revision(&here).await.expect("revision");
        assert!(accepted || now == before, "a refused change moved the revision");
        often.refresh(store, &here).await;
        if turn % 17 == 0 {
            seldom.refresh(store, &here).await;
        }
        let (revision, rows) = store.snapshot(&here).await.expect("snapshot");
        let rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect::<BTreeMap<_, _>>();
        assert_eq!((often.revision, &often.rows), (revision, &rows), "turn {turn}");
    }
    assert!(changes > 60, "only {changes} changes took place");
    seldom.refresh(store, &here).await;
    assert_eq!(seldom.rows, often.rows);
    apart.refresh(store, &staging).await;
    let (_, rows) = store.snapshot(&staging).await.expect("snapshot");
    assert_eq!(apart.rows.into_values().collect::<Vec<_>>(), rows);
}

/// As after the database was restored from a copy.
async fn a_page_newer_than_the_database_gets_no_delta(database: &Database) {
    let (store, scope) = (&database.store, production());
    insert(store, &scope, 1, "one").await.expect("inserted");
    let revision = store.revision(&scope).await.expect("read");
    assert!(store.changes_since(&scope, revision).await.expect("read").is_some());
    assert_eq!(store.changes_since(&scope, revision + 1).await, Ok(None));
}
