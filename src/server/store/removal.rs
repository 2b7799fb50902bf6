//! Deleting, bringing back, and destroying for good.

use sqlx::{AnyConnection, Row};

use super::capacity::{check_capacity, check_own};
use super::error::name_taken;
use super::list::{next_revision, summary_of};
use super::record::{AuditAction, AuditEntry, Scope};
use super::replacement::{GivenBack, give_back};
use super::revocation::keep_for_revocation;
use super::row::{moment, parsed, seen, to_json};
use super::{Store, StoreError, audit};
use crate::domain::connection::Summary;
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;

impl Store {
    /// Moves a connection to *Recently deleted*. Its secrets stay sealed, and workflows keep naming it, so that it can
    /// come back whole.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` also where it is deleted already.
    pub async fn delete(
        &self,
        scope: &Scope,
        id: &ConnectionId,
        at: Timestamp,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let (scope, id) = (scope.clone(), id.clone());
        self.write(move |tx| {
            Box::pin(async move {
                audit::append_in(tx, &scope, Some(id.as_str()), &entry).await?;
                let revision = next_revision(tx, &scope, entry.at).await?;
                mark_deleted(tx, &scope, &id, at, revision).await
            })
        })
        .await
    }

    /// Brings a deleted connection back; its health is unproven, and its service is asked soon. Workflows that still
    /// use what replaced it when it was deleted use it again.
    ///
    /// # Errors
    /// `NameTaken` where its name was given away meanwhile, `Full`, `OwnFull`, `Unavailable`, `Corrupt`; `NotFound`
    /// also where it is not deleted.
    pub async fn undelete(
        &self,
        scope: &Scope,
        id: &ConnectionId,
        entry: AuditEntry,
    ) -> Result<(Summary, GivenBack), StoreError> {
        let (scope, id, capacity) = (scope.clone(), id.clone(), self.capacity);
        self.write(move |tx| {
            Box::pin(async move {
                audit::append_in(tx, &scope, Some(id.as_str()), &entry).await?;
                let revision = next_revision(tx, &scope, entry.at).await?;
                check_capacity(tx, &scope, 1, capacity).await?;
                let restored = sqlx::query(concat!(
                    "UPDATE connections AS c SET deleted_at = NULL, health = $4, revision = $5, version = version + 1, \
                     check_at = $6, lease_until = 0 \
                     WHERE c.workspace = $1 AND c.environment = $2 AND c.id = $3 AND c.deleted_at IS NOT NULL ",
                    seen!("$7")
                ))
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(id.as_str())
                .bind(to_json(&Health::Unproven)?)
                .bind(revision)
                .bind(entry.at.0)
                .bind(scope.sight.limit())
                .execute(&mut *tx)
                .await
                .map_err(name_taken)?;
                found(restored.rows_affected())?;
                check_own(tx, &scope, &id).await?;
                let given = give_back(tx, &scope, &id, revision, &entry).await?;
                Ok((summary_of(tx, &scope, &id).await?, given))
            })
        })
        .await
    }

    /// Destroys a deleted connection and its sealed secrets. Has no undo.
    ///
    /// # Errors
    /// `InUse` where it is not deleted, `NotFound`, `Unavailable`.
    pub async fn purge(&self, scope: &Scope, id: &ConnectionId, entry: AuditEntry) -> Result<(), StoreError> {
        let (scope, id) = (scope.clone(), id.clone());
        self.write(move |tx| Box::pin(async move { purge(tx, &scope, &id, None, &entry).await })).await
    }

    /// Destroys what was deleted before a moment, each in a transaction of its own; says how many.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`; what was purged until then stays purged.
    pub async fn purge_due(&self, before: Timestamp, now: Timestamp) -> Result<usize, StoreError> {
        let mut purged = 0;
        for (scope, id) in self.deleted_before(before).await? {
            let entry = AuditEntry::system(now, AuditAction::Purged, "");
            let purged_one =
                self.write(move |tx| Box::pin(async move { purge(tx, &scope, &id, Some(before), &entry).await }));
            match purged_one.await {
                Ok(()) => purged += 1,
                // Brought back, deleted anew, or purged by somebody else, since the list was read.
                Err(StoreError::InUse | StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(purged)
    }

    /// Forgets what was purged before a moment: no page that is older can still be open.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn forget_purged(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "DELETE FROM purged_connections WHERE EXISTS (SELECT 1 FROM audit a \
                     WHERE a.workspace = purged_connections.workspace AND a.environment = purged_connections.environment \
                     AND a.subject = purged_connections.id AND a.action = $1 AND a.at < $2)",
                )
                .bind(AuditAction::Purged.as_str())
                .bind(before.0)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

/// `InUse` where it is not deleted, or, with a moment, not since before it.
pub(super) async fn purge(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    before: Option<Timestamp>,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    audit::append_in(tx, scope, Some(id.as_str()), entry).await?;
    let revision = next_revision(tx, scope, entry.at).await?;
    let row = sqlx::query(concat!(
        "SELECT c.id, c.owner, c.deleted_at FROM connections c \
         WHERE c.workspace = $1 AND c.environment = $2 AND c.id = $3 ",
        seen!("$4")
    ))
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(scope.sight.limit())
    .fetch_one(&mut *tx)
    .await?;
    let due = |deleted_at| before.is_none_or(|before| deleted_at < before);
    if !moment(&row, "deleted_at")?.is_some_and(due) {
        return Err(StoreError::InUse);
    }
    let id: ConnectionId = parsed(row.try_get("id")?)?;
    keep_for_revocation(tx, scope, &id, entry.at).await?;
    sqlx::query("DELETE FROM connections WHERE workspace = $1 AND environment = $2 AND id = $3")
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO purged_connections (workspace, environment, id, revision, owner) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(revision)
    .bind(row.try_get::<String, _>("owner")?)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn mark_deleted(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    at: Timestamp,
    revision: i64,
) -> Result<(), StoreError> {
    let deleted = sqlx::query(concat!(
        "UPDATE connections AS c SET deleted_at = $4, revision = $5, version = version + 1 \
         WHERE c.workspace = $1 AND c.environment = $2 AND c.id = $3 AND c.deleted_at IS NULL ",
        seen!("$6")
    ))
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(at.0)
    .bind(revision)
    .bind(scope.sight.limit())
    .execute(tx)
    .await?;
    found(deleted.rows_affected())
}

fn found(rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}
