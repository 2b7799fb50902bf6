//! The few reads that no workspace scopes, because they find out which workspace it is about, or concern all of them:
//! whose an API key is among them.

use sqlx::Row;

use super::api_keys::{ApiKey, api_key, api_keys};
use super::keys::key_id;
use super::record::{Claim, Scope};
use super::row::{moment, parsed, place};
use super::{Store, StoreError};
use crate::domain::component::ComponentSlug;
use crate::domain::id::{ApiKeyId, ConnectionId, WorkspaceId};
use crate::domain::time::Timestamp;

impl Store {
    /// The API key with this hash; `None` where it expired or never was.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn api_key(&self, key_hash: [u8; 32], now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query(concat!(api_keys!(), "WHERE key_hash = $1 AND expires_at > $2"))
            .bind(key_hash.to_vec())
            .bind(now.0)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(api_key).transpose()
    }

    /// Notes that an API key was used.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn touch_api_key(
        &self,
        workspace: &WorkspaceId,
        id: &ApiKeyId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (workspace, id) = (workspace.clone(), id.clone());
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE api_keys SET last_used_at = $3 WHERE workspace = $1 AND id = $2 \
                     AND (last_used_at IS NULL OR last_used_at < $3)",
                )
                .bind(workspace.as_str())
                .bind(id.as_str())
                .bind(now.0)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Whether anything sealed is stored, in any workspace: then the key that sealed it must exist.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn any_sealed(&self) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT key_id FROM data_keys LIMIT 1").fetch_optional(&self.read).await?;
        Ok(row.is_some())
    }

    /// Which key-encryption key is in use, if any yet.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn key_canary(&self) -> Result<Option<[u8; 16]>, StoreError> {
        let row = sqlx::query("SELECT key_id FROM key_canary").fetch_optional(&self.read).await?;
        row.as_ref().map(key_id).transpose()
    }

    /// Notes which key-encryption key is in use, and returns the one in force: the first writer wins.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn insert_key_canary(&self, id: [u8; 16]) -> Result<[u8; 16], StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("INSERT INTO key_canary (one, key_id) VALUES (1, $1) ON CONFLICT DO NOTHING")
                    .bind(id.to_vec())
                    .execute(&mut *tx)
                    .await?;
                key_id(&sqlx::query("SELECT key_id FROM key_canary").fetch_one(tx).await?)
            })
        })
        .await
    }

    /// What was deleted before a moment, in every workspace, the oldest first; at most a thousand.
    pub(super) async fn deleted_before(&self, before: Timestamp) -> Result<Vec<(Scope, ConnectionId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT workspace, environment, id FROM connections WHERE deleted_at IS NOT NULL AND deleted_at < $1 \
             ORDER BY deleted_at LIMIT 1000",
        )
        .bind(before.0)
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(|row| place(row, "id")).collect()
    }

    /// The newest moment that anything was written down at, in any workspace.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn newest_moment(&self) -> Result<Option<Timestamp>, StoreError> {
        let seen = sqlx::query("SELECT MAX(seen_at) AS newest FROM sessions").fetch_one(&self.read).await?;
        let made = sqlx::query("SELECT MAX(created_at) AS newest FROM connections").fetch_one(&self.read).await?;
        let told = [moment(&seen, "newest")?, moment(&made, "newest")?, self.latest_audit().await?];
        Ok(told.into_iter().flatten().max())
    }

    /// The components that connections of any workspace belong to, those with most connections first; at most ten.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn components_in_use(&self) -> Result<Vec<ComponentSlug>, StoreError> {
        let rows = sqlx::query(
            "SELECT component, COUNT(*) AS uses FROM connections WHERE deleted_at IS NULL \
             GROUP BY component ORDER BY uses DESC, component LIMIT 10",
        );
        rows.fetch_all(&self.read).await?.iter().map(|row| parsed(row.try_get("component")?)).collect()
    }

    /// Connections with secrets of which it is not noted where these are sent, in every workspace, by their ids after
    /// one; at most two hundred. Deleted ones may come back, so they are among them.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn without_destination(
        &self,
        after: Option<&ConnectionId>,
    ) -> Result<Vec<(Scope, ConnectionId)>, StoreError> {
        let rows = sqlx::query(
            "SELECT workspace, environment, id FROM connections \
             WHERE destination IS NULL AND length(sealed) > 0 AND id > $1 ORDER BY id LIMIT 200",
        )
        .bind(after.map_or("", ConnectionId::as_str))
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(|row| place(row, "id")).collect()
    }

    /// Claims checks that are due, the longest due first, until `lease`. What somebody else holds is left alone: the
    /// condition stands twice, so that the one who waited for the other's transaction looks again.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn claim_checks(&self, now: Timestamp, lease: Timestamp, most: i64) -> Result<Vec<Claim>, StoreError> {
        // Read first: most of the time nothing is due, and nobody shall wait for the writer because of that.
        let due = sqlx::query(
            "SELECT id FROM connections WHERE check_at <= $1 AND lease_until <= $1 AND deleted_at IS NULL LIMIT 1",
        );
        if due.bind(now.0).fetch_optional(&self.read).await?.is_none() {
            return Ok(Vec::new());
        }
        self.write(move |tx| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "UPDATE connections SET lease_until = $2, fence = fence + 1 WHERE id IN \
                     (SELECT id FROM connections WHERE check_at <= $1 AND lease_until <= $1 AND deleted_at IS NULL \
                      ORDER BY check_at LIMIT $3) \
                     AND check_at <= $1 AND lease_until <= $1 AND deleted_at IS NULL \
                     RETURNING workspace, environment, id, fence",
                )
                .bind(now.0)
                .bind(lease.0)
                .bind(most)
                .fetch_all(tx)
                .await?;
                rows.iter()
                    .map(|row| {
                        let (scope, id) = place(row, "id")?;
                        Ok(Claim { scope, id, fence: row.try_get("fence")?, until: lease })
                    })
                    .collect()
            })
        })
        .await
    }
}
