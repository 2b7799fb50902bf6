//! Who may come in: sign-in links, sessions and API keys. With the few reads that no workspace scopes,
//! because they find out which workspace it is about, or concern all of them.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::audit;
use super::keys::key_id;
use super::member::{Member, member, members};
use super::record::{AuditEntry, Claim, Scope};
use super::row::{corrupt, json, moment, parsed, to_json};
use super::{Store, StoreError};
use crate::domain::id::{ApiKeyId, ConnectionId, MemberId, WorkspaceId};
use crate::domain::role::{EnvironmentSet, Permission};
use crate::domain::time::{MINUTE, Timestamp};

/// An API key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub workspace: WorkspaceId,
    pub name: String,
    pub environments: EnvironmentSet,
    pub permissions: Vec<Permission>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// An API key to be stored.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    pub id: ApiKeyId,
    pub workspace: WorkspaceId,
    pub name: String,
    /// SHA-256 of the key.
    pub key_hash: [u8; 32],
    pub environments: EnvironmentSet,
    pub permissions: Vec<Permission>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

impl Store {
    /// Stores a link that signs its member in, once; forgets those that expired by the time this one is made.
    ///
    /// # Errors
    /// `NotFound` where there is no such member, `Unavailable`.
    pub async fn create_sign_in_link(
        &self,
        token_hash: [u8; 32],
        member: &MemberId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let member = member.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let created = sqlx::query(
                    "INSERT INTO sign_in_links (token_hash, workspace, member, expires_at) \
                     SELECT $1, workspace, id, $3 FROM members WHERE id = $2",
                )
                .bind(token_hash.to_vec())
                .bind(member.as_str())
                .bind(expires_at.0)
                .execute(tx)
                .await?;
                if created.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
            })
        })
        .await
    }

    /// Uses a sign-in link up; `None` where it was used, expired or never was.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn use_sign_in_link(&self, token_hash: [u8; 32], now: Timestamp) -> Result<Option<Member>, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM sign_in_links WHERE expires_at <= $1").bind(now.0).execute(&mut *tx).await?;
                let used = sqlx::query("DELETE FROM sign_in_links WHERE token_hash = $1 RETURNING member")
                    .bind(token_hash.to_vec())
                    .fetch_optional(&mut *tx)
                    .await?;
                let Some(used) = used else { return Ok(None) };
                let row = sqlx::query(concat!(members!(), "WHERE m.id = $1"))
                    .bind(used.try_get::<&str, _>("member")?)
                    .fetch_one(tx)
                    .await?;
                member(&row).map(Some)
            })
        })
        .await
    }

    /// Stores a session, and forgets all that are over.
    ///
    /// # Errors
    /// `NotFound` where there is no such member, `Unavailable`.
    pub async fn create_session(
        &self,
        id_hash: [u8; 32],
        member: &MemberId,
        now: Timestamp,
        idle_until: Timestamp,
        absolute_until: Timestamp,
    ) -> Result<(), StoreError> {
        let member = member.clone();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM sessions WHERE idle_until <= $1 OR absolute_until <= $1")
                    .bind(now.0)
                    .execute(&mut *tx)
                    .await?;
                let created = sqlx::query(
                    "INSERT INTO sessions (id_hash, workspace, member, created_at, seen_at, idle_until, \
                     absolute_until) SELECT $1, workspace, id, $3, $3, $4, $5 FROM members WHERE id = $2",
                )
                .bind(id_hash.to_vec())
                .bind(member.as_str())
                .bind(now.0)
                .bind(idle_until.0)
                .bind(absolute_until.0)
                .execute(tx)
                .await?;
                if created.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
            })
        })
        .await
    }

    /// Whose session it is and when it began; `None` where it is over or never was.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn session(&self, id_hash: [u8; 32], now: Timestamp) -> Result<Option<(Member, Timestamp)>, StoreError> {
        let row = sqlx::query(
            "SELECT m.id, m.workspace, w.name AS workspace_name, m.name, m.role, m.environments, m.operator, \
             s.created_at FROM sessions s JOIN members m ON m.id = s.member JOIN workspaces w ON w.id = m.workspace \
             WHERE s.id_hash = $1 AND s.idle_until > $2 AND s.absolute_until > $2",
        )
        .bind(id_hash.to_vec())
        .bind(now.0)
        .fetch_optional(&self.read)
        .await?;
        row.map(|row| Ok((member(&row)?, Timestamp(row.try_get("created_at")?)))).transpose()
    }

    /// Whether anybody is signed in, in any workspace.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn any_session(&self, now: Timestamp) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT id_hash FROM sessions WHERE idle_until > $1 AND absolute_until > $1 LIMIT 1")
            .bind(now.0)
            .fetch_optional(&self.read)
            .await?;
        Ok(row.is_some())
    }

    /// Puts off the idle end of a session; writes at most once a minute.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn touch_session(
        &self,
        id_hash: [u8; 32],
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<(), StoreError> {
        let due = sqlx::query("SELECT seen_at FROM sessions WHERE id_hash = $1 AND seen_at <= $2")
            .bind(id_hash.to_vec())
            .bind(now.plus(-MINUTE).0)
            .fetch_optional(&self.read)
            .await?;
        if due.is_none() {
            return Ok(());
        }
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("UPDATE sessions SET seen_at = $2, idle_until = $3 WHERE id_hash = $1 AND seen_at < $2")
                    .bind(id_hash.to_vec())
                    .bind(now.0)
                    .bind(idle_until.0)
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Ends a session; one that is over already is no error.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn end_session(&self, id_hash: [u8; 32]) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM sessions WHERE id_hash = $1").bind(id_hash.to_vec()).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Ends every session of a member, and every sign-in link that could begin another.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn end_sessions_of(&self, member: &MemberId) -> Result<(), StoreError> {
        let member = member.clone();
        self.write(move |tx| {
            Box::pin(async move {
                for statement in
                    ["DELETE FROM sessions WHERE member = $1", "DELETE FROM sign_in_links WHERE member = $1"]
                {
                    sqlx::query(statement).bind(member.as_str()).execute(&mut *tx).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Stores an API key.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` where there is no such workspace.
    pub async fn create_api_key(&self, key: NewApiKey, entry: AuditEntry) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                audit::append(tx, &key.workspace, None, Some(key.id.as_str()), &entry).await?;
                sqlx::query(
                    "INSERT INTO api_keys (id, workspace, name, key_hash, environments, permissions, created_at, \
                     expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                )
                .bind(key.id.as_str())
                .bind(key.workspace.as_str())
                .bind(key.name.as_str())
                .bind(key.key_hash.to_vec())
                .bind(to_json(&key.environments)?)
                .bind(to_json(&key.permissions)?)
                .bind(key.created_at.0)
                .bind(key.expires_at.0)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// The API key with this hash; `None` where it expired or never was.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn api_key(&self, key_hash: [u8; 32], now: Timestamp) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query(
            "SELECT id, workspace, name, environments, permissions, created_at, expires_at, last_used_at \
             FROM api_keys WHERE key_hash = $1 AND expires_at > $2",
        )
        .bind(key_hash.to_vec())
        .bind(now.0)
        .fetch_optional(&self.read)
        .await?;
        row.as_ref().map(api_key).transpose()
    }

    /// Notes that an API key was used; writes at most once a minute, as `key.last_used_at` tells.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn touch_api_key(&self, key: &ApiKey, now: Timestamp) -> Result<(), StoreError> {
        if key.last_used_at.is_some_and(|at| now.since(at) < MINUTE) {
            return Ok(());
        }
        let (workspace, id) = (key.workspace.clone(), key.id.clone());
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("UPDATE api_keys SET last_used_at = $3 WHERE workspace = $1 AND id = $2")
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
        rows.iter().map(place).collect()
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
                        let (scope, id) = place(row)?;
                        Ok(Claim { scope, id, fence: row.try_get("fence")? })
                    })
                    .collect()
            })
        })
        .await
    }
}

pub(super) fn api_key(row: &AnyRow) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: parsed(row.try_get("id")?)?,
        workspace: parsed(row.try_get("workspace")?)?,
        name: row.try_get("name")?,
        environments: json(row.try_get("environments")?)?,
        permissions: json(row.try_get("permissions")?)?,
        created_at: Timestamp(row.try_get("created_at")?),
        expires_at: Timestamp(row.try_get("expires_at")?),
        last_used_at: moment(row, "last_used_at")?,
    })
}

/// Where a connection lies that was not asked for by its place.
fn place(row: &AnyRow) -> Result<(Scope, ConnectionId), StoreError> {
    let workspace = parsed(row.try_get("workspace")?)?;
    let environment = row.try_get::<&str, _>("environment")?.parse().map_err(corrupt)?;
    Ok((Scope { workspace, environment }, parsed(row.try_get("id")?)?))
}
