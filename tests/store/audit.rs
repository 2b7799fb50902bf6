//! The audit chain: what was tampered with shows.

use futures::future::join_all;
use patchbay::domain::environment::Environment;
use patchbay::domain::id::WorkspaceId;
use patchbay::server::store::record::AuditAction;
use patchbay::server::store::{AuditVerdict, AuditWriter, Store, StoreError, UseLine};

use crate::database::{Database, entry, id, insert, on_both_engines, production, scope};

on_both_engines!(
    every_change_leaves_a_line,
    a_changed_line_shows,
    a_removed_line_shows,
    lines_in_another_order_show,
    lines_cut_off_at_the_end_show,
    uses_that_come_at_once_are_all_in_the_chain,
    a_use_that_cannot_be_recorded_is_told_and_the_next_one_can,
);

async fn verdict(store: &Store) -> AuditVerdict {
    store.verify_audit(&WorkspaceId::default_workspace()).await.expect("verified")
}

async fn four_lines(database: &Database) {
    for number in 1..=4 {
        insert(&database.store, &production(), number, &format!("name {number}")).await.expect("inserted");
    }
    assert_eq!(verdict(&database.store).await, AuditVerdict::Intact { lines: 4 });
}

async fn every_change_leaves_a_line(database: &Database) {
    let store = &database.store;
    four_lines(database).await;
    insert(store, &production(), 5, "NAME 1").await.expect_err("taken");
    assert_eq!(verdict(store).await, AuditVerdict::Intact { lines: 4 });
    let signed_in = entry(AuditAction::SignedIn);
    store.append_audit(&WorkspaceId::default_workspace(), None, Some("mem"), signed_in).await.expect("appended");
    assert_eq!(verdict(store).await, AuditVerdict::Intact { lines: 5 });
    let lines = store.audit_of(&production(), &id(1), 9).await.expect("read");
    assert_eq!(lines.iter().map(|line| line.what.as_str()).collect::<Vec<_>>(), ["created"]);
}

async fn a_changed_line_shows(database: &Database) {
    four_lines(database).await;
    database.execute("UPDATE audit SET actor_name = 'Nobody' WHERE sequence = 2").await;
    assert_eq!(verdict(&database.store).await, AuditVerdict::Broken { sequence: 2 });
}

async fn a_removed_line_shows(database: &Database) {
    four_lines(database).await;
    database.execute("DELETE FROM audit WHERE sequence = 3").await;
    assert_eq!(verdict(&database.store).await, AuditVerdict::Broken { sequence: 3 });
}

async fn lines_in_another_order_show(database: &Database) {
    four_lines(database).await;
    database.execute("UPDATE audit SET sequence = 99 WHERE sequence = 1").await;
    database.execute("UPDATE audit SET sequence = 1 WHERE sequence = 2").await;
    database.execute("UPDATE audit SET sequence = 2 WHERE sequence = 99").await;
    assert_eq!(verdict(&database.store).await, AuditVerdict::Broken { sequence: 1 });
}

async fn lines_cut_off_at_the_end_show(database: &Database) {
    four_lines(database).await;
    database.execute("DELETE FROM audit WHERE sequence = 4").await;
    assert_eq!(verdict(&database.store).await, AuditVerdict::Broken { sequence: 4 });
    database.execute("UPDATE workspaces SET audit_sequence = 3").await;
    assert_eq!(verdict(&database.store).await, AuditVerdict::Broken { sequence: 3 });
}

fn use_of(number: u32) -> UseLine {
    let scope = if number.is_multiple_of(2) { production() } else { scope(Environment::Staging) };
    UseLine { scope, connection: id(number), entry: entry(AuditAction::HandedOut) }
}

async fn uses_that_come_at_once_are_all_in_the_chain(database: &Database) {
    let writer = AuditWriter::start(database.store.clone());
    let here = production();
    let change = insert(&database.store, &here, 1, "beside them");
    let (appended, inserted) = tokio::join!(join_all((0..200).map(|number| writer.append(use_of(number)))), change);
    inserted.expect("inserted");
    assert!(appended.iter().all(Result::is_ok), "{appended:?}");
    assert_eq!(verdict(&database.store).await, AuditVerdict::Intact { lines: 201 });
}

async fn a_use_that_cannot_be_recorded_is_told_and_the_next_one_can(database: &Database) {
    let writer = AuditWriter::start(database.store.clone());
    database.execute("ALTER TABLE audit RENAME TO away").await;
    assert_eq!(writer.append(use_of(1)).await, Err(StoreError::Unavailable));
    database.execute("ALTER TABLE away RENAME TO audit").await;
    assert_eq!(writer.append(use_of(2)).await, Ok(()));
    assert_eq!(verdict(&database.store).await, AuditVerdict::Intact { lines: 1 });
}
