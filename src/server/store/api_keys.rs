//! API keys as whoever runs Patchbay looks after them.

use super::access::{ApiKey, api_key};
use super::record::AuditEntry;
use super::{Store, StoreError, audit};
use crate::domain::id::{ApiKeyId, WorkspaceId};

impl Store {
    /// A workspace's API keys, expired ones too, the oldest first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn api_keys(&self, workspace: &WorkspaceId) -> Result<Vec<ApiKey>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, workspace, name, environments, permissions, connections, created_at, expires_at, last_used_at \
             FROM api_keys WHERE workspace = $1 ORDER BY created_at, id",
        )
        .bind(workspace.as_str())
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(api_key).collect()
    }

    /// Destroys an API key: from now on it lets nobody in.
    ///
    /// # Errors
    /// `NotFound` where the workspace has no such key, `Unavailable`.
    pub async fn revoke_api_key(
        &self,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let (workspace, id) = (workspace.clone(), id.clone());
        self.write(move |tx| {
            Box::pin(async move {
                audit::append(tx, &workspace, None, Some(id.as_str()), &entry).await?;
                let revoked = sqlx::query("DELETE FROM api_keys WHERE workspace = $1 AND id = $2")
                    .bind(workspace.as_str())
                    .bind(id.as_str())
                    .execute(tx)
                    .await?;
                if revoked.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
            })
        })
        .await
    }
}
