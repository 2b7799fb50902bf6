//! What only the store itself can bring about.

use sqlx::AnyConnection;
use std::path::PathBuf;

use super::record::{AuditAction, AuditEntry};
use super::{Store, StoreError};
use crate::domain::id::{MemberId, WorkspaceId};
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
