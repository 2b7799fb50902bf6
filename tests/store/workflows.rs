//! Workflows and how they are counted.

use patchbay::api::connections::Workflow;
use patchbay::domain::environment::Environment;
use patchbay::domain::time::Timestamp;
use patchbay::server::store::record::{AuditAction, WorkflowUse};
use patchbay::server::store::{Store, StoreError};

use crate::database::{Database, entry, id, insert, on_both_engines, production, scope};

on_both_engines!(
    nobody_knows_until_a_workflow_was_registered,
    registering_again_replaces_and_counts_anew,
    a_workflow_names_only_what_is_there,
);

pub fn workflow(id: &str, connections: &[u32]) -> WorkflowUse {
    let workflow = Workflow { id: id.to_owned(), name: format!("Workflow {id}"), url: None };
    WorkflowUse { workflow, connections: connections.iter().copied().map(crate::database::id).collect() }
}

async fn put(store: &Store, given: WorkflowUse) -> Result<(), StoreError> {
    store.put_workflow(&production(), given, entry(AuditAction::WorkflowRegistered)).await
}

async fn counts(store: &Store) -> Vec<Option<u32>> {
    let (_, mut rows) = store.snapshot(&production()).await.expect("snapshot");
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    rows.into_iter().map(|row| row.workflows).collect()
}

async fn nobody_knows_until_a_workflow_was_registered(database: &Database) {
    let store = &database.store;
    insert(store, &production(), 1, "one").await.expect("inserted");
    insert(store, &production(), 2, "two").await.expect("inserted");
    assert_eq!(store.workflows_using(&production(), &id(1)).await, Ok(None));
    assert_eq!(counts(store).await, [None, None]);
    put(store, workflow("a", &[1])).await.expect("registered");
    assert_eq!(counts(store).await, [Some(1), Some(0)]);
    assert_eq!(store.workflows_using(&production(), &id(2)).await, Ok(Some(Vec::new())));
    let removed = entry(AuditAction::WorkflowRemoved);
    store.remove_workflow(&production(), "a", removed.clone()).await.expect("removed");
    assert_eq!(counts(store).await, [Some(0), Some(0)]);
    assert_eq!(store.remove_workflow(&production(), "a", removed).await, Err(StoreError::NotFound));
}

async fn registering_again_replaces_and_counts_anew(database: &Database) {
    let store = &database.store;
    for number in 1..=3 {
        insert(store, &production(), number, &format!("name {number}")).await.expect("inserted");
    }
    put(store, workflow("a", &[1, 2, 2])).await.expect("registered");
    put(store, workflow("b", &[2])).await.expect("registered");
    assert_eq!(counts(store).await, [Some(1), Some(2), Some(0)]);
    put(store, workflow("a", &[3, 2])).await.expect("registered");
    assert_eq!(counts(store).await, [Some(0), Some(2), Some(1)]);
    let read = store.workflow(&production(), "a").await.expect("read").expect("there");
    assert_eq!(read.connections, [id(2), id(3)]);
    let using = store.workflows_using(&production(), &id(2)).await.expect("read").expect("known");
    assert_eq!(using.into_iter().map(|workflow| workflow.id).collect::<Vec<_>>(), ["a", "b"]);
    for (id, name) in [("a", "Zeta"), ("b", "alpha")] {
        let named = Workflow { id: id.to_owned(), name: name.to_owned(), url: None };
        put(store, WorkflowUse { workflow: named, ..workflow(id, &[2]) }).await.expect("registered");
    }
    let using = store.workflows_using(&production(), &id(2)).await.expect("read").expect("known");
    assert_eq!(using.into_iter().map(|workflow| workflow.name).collect::<Vec<_>>(), ["alpha", "Zeta"]);
}

async fn a_workflow_names_only_what_is_there(database: &Database) {
    let store = &database.store;
    insert(store, &production(), 1, "one").await.expect("inserted");
    insert(store, &scope(Environment::Staging), 2, "two").await.expect("inserted");
    assert_eq!(put(store, workflow("a", &[1, 2])).await, Err(StoreError::NotFound));
    assert_eq!(store.workflows_using(&production(), &id(1)).await, Ok(None));
    assert!(store.workflow(&production(), "a").await.expect("read").is_none());
    put(store, workflow("a", &[1])).await.expect("registered");
    assert!(store.workflow(&scope(Environment::Staging), "a").await.expect("read").is_none());
    store.delete(&production(), &id(1), Timestamp(5), entry(AuditAction::Deleted)).await.expect("deleted");
    assert_eq!(put(store, workflow("b", &[1])).await, Err(StoreError::NotFound));
    store.purge(&production(), &id(1), entry(AuditAction::Purged)).await.expect("purged");
    assert!(store.workflow(&production(), "a").await.expect("read").expect("there").connections.is_empty());
}
