//! Components that workspaces describe themselves, with their versions.

use serde_json::json;

use patchbay::domain::component::ComponentSlug;
use patchbay::domain::environment::Environment;
use patchbay::domain::id::WorkspaceId;
use patchbay::domain::role::EnvironmentSet;
use patchbay::domain::time::Timestamp;
use patchbay::server::store::record::{AuditAction, NewConnection};
use patchbay::server::store::{IconChange, NewComponent, Store, StoreError, StoredIcon, WorkspaceSettings};

use crate::database::{Database, entry, id, new, on_both_engines, production};

on_both_engines!(
    each_version_is_kept_and_the_latest_in_force,
    a_workspace_has_its_own_and_no_others,
    a_component_in_use_is_not_removed,
    a_connection_is_made_only_with_a_component_that_is_there,
    a_change_of_where_secrets_go_has_connections_checked_at_once,
    a_hundred_versions_are_kept,
);

fn acme() -> ComponentSlug {
    "acme".to_owned().try_into().expect("a slug")
}

fn here() -> WorkspaceId {
    production().workspace
}

fn version(name: &str, replaces: Option<i64>) -> NewComponent {
    let definition = json!({ "name": name });
    NewComponent { slug: acme(), definition, icon: IconChange::None, replaces, moves: false }
}

async fn put(store: &Store, given: NewComponent) -> Result<i64, StoreError> {
    store.put_component(&here(), given, entry(AuditAction::ComponentRegistered)).await
}

async fn remove(store: &Store, expected: Option<i64>) -> Result<(), StoreError> {
    store.remove_component(&here(), &acme(), expected, entry(AuditAction::ComponentRemoved)).await
}

fn own(number: u32) -> NewConnection {
    NewConnection { component: acme(), own_component: true, ..new(number, &format!("connection {number}")) }
}

async fn each_version_is_kept_and_the_latest_in_force(database: &Database) {
    let store = &database.store;
    assert_eq!(store.components_revision(&here()).await, Ok(0));
    let icon = StoredIcon { name: "n".to_owned(), media_type: "image/png".to_owned(), bytes: vec![1, 2] };
    let first = NewComponent { icon: IconChange::New(icon.clone()), ..version("One", Some(0)) };
    assert_eq!(put(store, first).await, Ok(1));
    let second = NewComponent { icon: IconChange::Keep("n".to_owned()), ..version("Two", Some(1)) };
    assert_eq!(put(store, second).await, Ok(2));
    assert_eq!(put(store, version("Three", Some(1))).await, Err(StoreError::Stale));
    assert_eq!(store.components_revision(&here()).await, Ok(2));
    let in_force = store.component(&here(), &acme()).await.expect("read").expect("there");
    assert_eq!((in_force.version, &in_force.definition), (2, &json!({ "name": "Two" })));
    let versions = store.component_versions(&here(), &acme()).await.expect("read");
    assert_eq!(versions.iter().map(|it| it.version).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(store.component_icon(&here(), "n").await, Ok(Some(icon)));
    assert_eq!(remove(store, Some(1)).await, Err(StoreError::Stale));
    assert_eq!(remove(store, Some(2)).await, Ok(()));
    assert_eq!(remove(store, None).await, Err(StoreError::NotFound));
    assert_eq!(store.component_icon(&here(), "n").await, Ok(None));
    assert_eq!(store.components(&here()).await, Ok(Vec::new()));
    assert_eq!(store.components_revision(&here()).await, Ok(3));
}

async fn a_workspace_has_its_own_and_no_others(database: &Database) {
    let store = &database.store;
    let other = WorkspaceId::try_from("other".to_owned()).expect("an id");
    let settings = WorkspaceSettings::default();
    store.put_workspace(&other, settings, entry(AuditAction::WorkspaceStored)).await.expect("made");
    put(store, version("Mine", None)).await.expect("registered");
    assert_eq!(store.component(&other, &acme()).await, Ok(None));
    store
        .put_component(&other, version("Theirs", Some(0)), entry(AuditAction::ComponentRegistered))
        .await
        .expect("two");
    let mine = store.component(&here(), &acme()).await.expect("read").expect("there");
    assert_eq!(mine.definition, json!({ "name": "Mine" }));
}

async fn a_component_in_use_is_not_removed(database: &Database) {
    let store = &database.store;
    put(store, version("One", None)).await.expect("registered");
    store.insert(&production(), own(1), entry(AuditAction::Created)).await.expect("inserted");
    assert_eq!(remove(store, None).await, Err(StoreError::InUse));
    store.delete(&production(), &id(1), Timestamp(5), entry(AuditAction::Deleted)).await.expect("deleted");
    assert_eq!(remove(store, None).await, Err(StoreError::InUse), "it may come back");
    let used = store.component_use(&here(), &acme()).await.expect("read");
    let staging = EnvironmentSet::try_from(vec![Environment::Staging]).expect("a set");
    assert_eq!((used.within(EnvironmentSet::EVERY), used.within(staging)), (1, 0));
    store.purge(&production(), &id(1), entry(AuditAction::Purged)).await.expect("purged");
    assert_eq!(remove(store, None).await, Ok(()));
}

async fn a_connection_is_made_only_with_a_component_that_is_there(database: &Database) {
    let store = &database.store;
    let made = store.insert(&production(), own(1), entry(AuditAction::Created)).await;
    assert_eq!(made.expect_err("refused"), StoreError::NotFound);
}

async fn a_change_of_where_secrets_go_has_connections_checked_at_once(database: &Database) {
    let store = &database.store;
    put(store, version("One", None)).await.expect("registered");
    store.insert(&production(), own(1), entry(AuditAction::Created)).await.expect("inserted");
    let due = async || store.claim_checks(Timestamp(i64::MAX - 1), Timestamp(i64::MAX), 9).await.expect("read").len();
    assert_eq!(due().await, 0);
    put(store, version("Two", None)).await.expect("registered");
    assert_eq!(due().await, 0);
    put(store, NewComponent { moves: true, ..version("Three", None) }).await.expect("registered");
    assert_eq!(due().await, 1);
}

async fn a_hundred_versions_are_kept(database: &Database) {
    let store = &database.store;
    for number in 1..=103 {
        assert_eq!(put(store, version(&format!("Version {number}"), None)).await, Ok(number));
    }
    let versions = store.component_versions(&here(), &acme()).await.expect("read");
    assert_eq!((versions.len(), versions.last().map(|it| it.version)), (100, Some(4)));
}
