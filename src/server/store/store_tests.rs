//! What only the store itself can bring about.

use sqlx::AnyConnection;
use std::path::PathBuf;

use super::record::{AuditAction, AuditEntry, Credentials, NewConnection, Proof, Scope};
use super::{Store, StoreError, removal};
use crate::domain::environment::Environment;
use crate::domain::field::FieldValues;
use crate::domain::id::{ConnectionId, MemberId, WorkspaceId};
use crate::domain::tag::TagSet;
use crate::domain::time::Timestamp;

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn store(name: &str) -> (Store, Folder) {
    let folder = Folder(std::env::temp_dir().join(format!("patchbay-store-{name}-{}", std::process::id())));
    let store = Store::open(&format!("sqlite://{}", folder.0.join("patchbay.db").display())).await.expect("a store");
    store.ensure_default_workspace(Timestamp(1), MemberId::from_bytes([9; 16])).await.expect("a workspace");
    (store, folder)
}

async fn note(store: &Store, about: String) -> Result<(), StoreError> {
    let entry = AuditEntry::system(Timestamp(1), AuditAction::Edited, about);
    store.append_audit(&WorkspaceId::default_workspace(), None, None, entry).await
}

async fn limit_pages(tx: &mut AnyConnection) -> Result<(), StoreError> {
    // A limit below the size of the file is raised to that size: no page more.
    sqlx::query("PRAGMA max_page_count = 1").execute(tx).await?;
    Ok(())
}

/// The limit belongs to the writer's connection: whatever takes its place has room again.
#[tokio::test]
async fn writes_go_on_once_a_full_disk_has_room_again() {
    let (store, _folder) = store("full").await;
    note(&store, String::new()).await.expect("room");
    store.write(|tx| Box::pin(limit_pages(tx))).await.expect("limited");
    assert_eq!(note(&store, "x".repeat(100_000)).await, Err(StoreError::Unavailable));
    note(&store, String::new()).await.expect("room again");
}

fn connection() -> NewConnection {
    let (sealed, secrets, proof) = (Vec::new(), Vec::new(), Proof::default());
    let method = "token".to_owned();
    NewConnection {
        own_component: false,
        owner: None,
        id: ConnectionId::from_bytes([1; 16]),
        component: "slack".to_owned().try_into().expect("a slug"),
        name: "one".to_owned().try_into().expect("a name"),
        tags: TagSet::default(),
        credentials: Credentials {
            method,
            config: FieldValues::default(),
            sealed,
            secrets,
            proof,
            destination: None,
            grant: None,
        },
        request_id: None,
        request_digest: None,
    }
}

/// Between the list of what is due and the purge, somebody brought it back and deleted it anew.
#[tokio::test]
async fn a_purge_spares_what_was_deleted_anew() {
    let (store, _folder) = store("anew").await;
    let scope = Scope::whole(WorkspaceId::default_workspace(), Environment::Production);
    let entry = || AuditEntry::system(Timestamp(1), AuditAction::Edited, "");
    let id = store.insert(&scope, connection(), entry()).await.expect("inserted").id;
    store.delete(&scope, &id, Timestamp(9), entry()).await.expect("deleted");
    let purge = |before| {
        let (scope, id) = (scope.clone(), id.clone());
        store.write(move |tx| {
            Box::pin(async move { removal::purge(tx, &scope, &id, Some(Timestamp(before)), &entry()).await })
        })
    };
    assert_eq!(purge(9).await, Err(StoreError::InUse));
    assert_eq!(purge(10).await, Ok(()));
}
