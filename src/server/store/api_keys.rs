//! API keys: what programs come in with. How one is found by its hash stands in `access`.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::record::AuditEntry;
use super::row::{json, moment, parsed, to_json};
use super::{Store, StoreError, audit};
use crate::domain::connection_set::ConnectionSet;
use crate::domain::id::{ApiKeyId, WorkspaceId};
use crate::domain::role::{EnvironmentSet, Permission};
use crate::domain::time::Timestamp;

/// An API key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub workspace: WorkspaceId,
    pub name: String,
    /// Its first characters, and who made it; unknown of keys made by older versions.
    pub prefix: Option<String>,
    pub created_by: Option<String>,
    pub environments: EnvironmentSet,
    pub permissions: Vec<Permission>,
    /// What it may use at run time.
    pub connections: ConnectionSet,
    pub created_at: Timestamp,
    /// `None`: it has no end.
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// An API key to be stored.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    pub id: ApiKeyId,
    pub workspace: WorkspaceId,
    pub name: String,
    pub prefix: String,
    pub created_by: String,
    /// SHA-256 of the key.
    pub key_hash: [u8; 32],
    pub environments: EnvironmentSet,
    pub permissions: Vec<Permission>,
    /// What it may use at run time.
    pub connections: ConnectionSet,
    /// `None`: it has no end.
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// Stands in the column of a key that has no end: it compares as the others do.
const NEVER: Timestamp = Timestamp(i64::MAX);

/// The columns of an [`ApiKey`].
macro_rules! api_keys {
    () => {
        "SELECT id, workspace, name, prefix, created_by, environments, permissions, connections, created_at, expires_at, \
         last_used_at FROM api_keys "
    };
}
pub(super) use api_keys;

impl Store {
    /// Stores an API key.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` where there is no such workspace.
    pub async fn create_api_key(&self, key: NewApiKey, entry: AuditEntry) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                audit::append(tx, &key.workspace, None, Some(key.id.as_str()), &entry).await?;
                sqlx::query(
                    "INSERT INTO api_keys (id, workspace, name, key_hash, environments, permissions, connections, \
                     created_at, expires_at, prefix, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                )
                .bind(key.id.as_str())
                .bind(key.workspace.as_str())
                .bind(key.name.as_str())
                .bind(key.key_hash.to_vec())
                .bind(to_json(&key.environments)?)
                .bind(to_json(&key.permissions)?)
                .bind(named(&key.connections)?)
                .bind(key.created_at.0)
                .bind(key.expires_at.unwrap_or(NEVER).0)
                .bind(key.prefix.as_str())
                .bind(key.created_by.as_str())
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// A workspace's API keys, expired ones too, the oldest first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn api_keys(&self, workspace: &WorkspaceId) -> Result<Vec<ApiKey>, StoreError> {
        let rows = sqlx::query(concat!(api_keys!(), "WHERE workspace = $1 ORDER BY created_at, id"))
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

/// `None` stands for every connection.
fn named(connections: &ConnectionSet) -> Result<Option<String>, StoreError> {
    if connections.is_every() { Ok(None) } else { to_json(connections).map(Some) }
}

pub(super) fn api_key(row: &AnyRow) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: parsed(row.try_get("id")?)?,
        workspace: parsed(row.try_get("workspace")?)?,
        name: row.try_get("name")?,
        prefix: row.try_get("prefix")?,
        created_by: row.try_get("created_by")?,
        environments: json(row.try_get("environments")?)?,
        permissions: json(row.try_get("permissions")?)?,
        connections: row.try_get::<Option<&str>, _>("connections")?.map(json).transpose()?.unwrap_or_default(),
        created_at: Timestamp(row.try_get("created_at")?),
        expires_at: Some(Timestamp(row.try_get("expires_at")?)).filter(|end| *end != NEVER),
        last_used_at: moment(row, "last_used_at")?,
    })
}
