//! Keys of the platform itself. They belong to no workspace; what is done with them is told where it is done, and that
//! one was made or revoked in the default workspace.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::record::AuditEntry;
use super::row::{moment, parsed};
use super::{Store, StoreError, audit};
use crate::domain::id::{InstanceKeyId, WorkspaceId};
use crate::domain::time::Timestamp;

/// An instance key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceKey {
    pub id: InstanceKeyId,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// An instance key to be stored, made when its audit entry says.
#[derive(Clone, Debug)]
pub struct NewInstanceKey {
    pub id: InstanceKeyId,
    pub name: String,
    /// SHA-256 of the key.
    pub key_hash: [u8; 32],
}

impl Store {
    /// Stores an instance key.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` before the first start has made the default workspace.
    pub async fn create_instance_key(&self, key: NewInstanceKey, entry: AuditEntry) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let home = WorkspaceId::default_workspace();
                audit::append(tx, &home, None, Some(key.id.as_str()), &entry).await?;
                sqlx::query("INSERT INTO instance_keys (id, name, key_hash, created_at) VALUES ($1, $2, $3, $4)")
                    .bind(key.id.as_str())
                    .bind(key.name.as_str())
                    .bind(key.key_hash.to_vec())
                    .bind(entry.at.0)
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// All instance keys, the oldest first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn instance_keys(&self) -> Result<Vec<InstanceKey>, StoreError> {
        let rows = sqlx::query("SELECT id, name, created_at, last_used_at FROM instance_keys ORDER BY created_at, id");
        rows.fetch_all(&self.read).await?.iter().map(instance_key).collect()
    }

    /// The instance key with this hash.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn instance_key(&self, hash: [u8; 32]) -> Result<Option<InstanceKey>, StoreError> {
        let row = sqlx::query("SELECT id, name, created_at, last_used_at FROM instance_keys WHERE key_hash = $1")
            .bind(hash.to_vec())
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(instance_key).transpose()
    }

    /// Notes that an instance key was used.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn touch_instance_key(&self, id: &InstanceKeyId, now: Timestamp) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("UPDATE instance_keys SET last_used_at = $2 WHERE id = $1")
                    .bind(id.as_str())
                    .bind(now.0)
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Destroys an instance key: from now on it lets nobody in, nor do the tickets made with it and what they were
    /// traded for.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn revoke_instance_key(&self, id: &InstanceKeyId, entry: AuditEntry) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let home = WorkspaceId::default_workspace();
                audit::append(tx, &home, None, Some(id.as_str()), &entry).await?;
                let revoked =
                    sqlx::query("DELETE FROM instance_keys WHERE id = $1").bind(id.as_str()).execute(tx).await?;
                if revoked.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
            })
        })
        .await
    }
}

fn instance_key(row: &AnyRow) -> Result<InstanceKey, StoreError> {
    Ok(InstanceKey {
        id: parsed(row.try_get("id")?)?,
        name: row.try_get("name")?,
        created_at: Timestamp(row.try_get("created_at")?),
        last_used_at: moment(row, "last_used_at")?,
    })
}
