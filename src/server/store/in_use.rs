//! Connections as runtimes use them: found by their id alone, with what is known of their tokens.

use sqlx::Row;

use super::grant::grant;
use super::list::next_revision;
use super::record::{AuditEntry, Grant, Scope, StoredConnection};
use super::row::{corrupt, stored, whole};
use super::{Store, StoreError, audit};
use crate::domain::id::{ConnectionId, WorkspaceId};
use crate::domain::time::Timestamp;

impl Store {
    /// One connection of a workspace, in whatever environment; also a deleted one. With its grant as it was at the same
    /// moment, so that what is told of a token is told of this one.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn in_use(
        &self,
        workspace: &WorkspaceId,
        id: &ConnectionId,
    ) -> Result<Option<(StoredConnection, Option<Grant>)>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT c.environment, ",
            whole!(),
            ", g.client, g.client_id, g.asked, g.granted, g.connected_at, g.issued_at, g.access_expires_at, \
             g.refresh_expires_at, g.refresh_at, g.failures, g.ended \
             FROM connections c JOIN workspaces w ON w.id = c.workspace \
             LEFT JOIN oauth_grants g ON g.workspace = c.workspace AND g.environment = c.environment \
              AND g.connection = c.id \
             WHERE c.workspace = $1 AND c.environment IN ('development', 'staging', 'production') AND c.id = $2"
        ))
        .bind(workspace.as_str())
        .bind(id.as_str())
        .fetch_optional(&self.read)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let environment = row.try_get::<&str, _>("environment")?.parse().map_err(corrupt)?;
        let stored = stored(&Scope::whole(workspace.clone(), environment), &row)?;
        let holds_tokens = row.try_get::<Option<&str>, _>("client")?.is_some();
        let grant = if holds_tokens { Some(grant(&row)?) } else { None };
        Ok(Some((stored, grant)))
    }

    /// Notes when a connection was last used, which lists show. Its version stays: nobody has changed it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn touch_connection(&self, scope: &Scope, id: &ConnectionId, now: Timestamp) -> Result<(), StoreError> {
        let (scope, id) = (scope.clone(), id.clone());
        self.write(move |tx| {
            Box::pin(async move {
                audit::lock(tx, &scope.workspace).await?;
                let revision = next_revision(tx, &scope, now).await?;
                sqlx::query(
                    "UPDATE connections SET last_used_at = $4, revision = $5 \
                     WHERE workspace = $1 AND environment = $2 AND id = $3 AND deleted_at IS NULL",
                )
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(id.as_str())
                .bind(now.0)
                .bind(revision)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Has a connection checked at once, and says whether that was not to happen anyway: only then it is recorded.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn check_soon(
        &self,
        scope: &Scope,
        id: &ConnectionId,
        now: Timestamp,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        let (scope, id) = (scope.clone(), id.clone());
        let asked = self.write(move |tx| {
            Box::pin(async move {
                audit::append_in(tx, &scope, Some(id.as_str()), &entry).await?;
                let moved = sqlx::query(
                    "UPDATE connections SET check_at = $4 WHERE workspace = $1 AND environment = $2 AND id = $3 \
                     AND deleted_at IS NULL AND (check_at IS NULL OR check_at > $4)",
                )
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(id.as_str())
                .bind(now.0)
                .execute(tx)
                .await?;
                if moved.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
            })
        });
        match asked.await {
            Ok(()) => Ok(true),
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
