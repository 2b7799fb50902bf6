//! What an environment holds: whole, since a revision, and recently deleted.

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};
use std::collections::HashMap;

use super::record::{Earlier, Scope};
use super::row::{json, moment, parsed, seen, summaries, summary};
use super::{Store, StoreError, outbox};
use crate::domain::connection::Summary;
use crate::domain::field::FieldValues;
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;

/// What changed since a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub revision: i64,
    pub changed: Vec<Summary>,
    pub removed: Vec<ConnectionId>,
}

impl Store {
    /// The environment's revision: it grows with every change to what the environment holds.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` where there is no such workspace.
    pub async fn revision(&self, scope: &Scope) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT revision FROM environments WHERE workspace = $1 AND environment = $2")
            .bind(scope.workspace.as_str())
            .bind(scope.environment.as_str())
            .fetch_one(&self.read)
            .await?;
        Ok(row.try_get("revision")?)
    }

    /// Everything an environment holds, in no order, and a revision that is not newer than it.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`; `NotFound` where there is no such workspace.
    pub async fn snapshot(&self, scope: &Scope) -> Result<(i64, Vec<Summary>), StoreError> {
        // First the revision: what is committed between the two reads is then told again, never missed.
        let revision = self.revision(scope).await?;
        let rows = sqlx::query(concat!(
            summaries!(),
            "WHERE c.workspace = $1 AND c.environment = $2 AND c.deleted_at IS NULL ",
            seen!("$3")
        ))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(scope.sight.limit())
        .fetch_all(&self.read)
        .await?;
        Ok((revision, rows.iter().map(summary).collect::<Result<_, _>>()?))
    }

    /// What changed after `revision`: applied to what a page held then, it gives the snapshot of now. `None` for a
    /// revision that is still to come: the database was restored from a copy that is older than the page.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`; `NotFound` where there is no such workspace.
    pub async fn changes_since(&self, scope: &Scope, revision: i64) -> Result<Option<Changes>, StoreError> {
        let now = self.revision(scope).await?;
        if revision > now {
            return Ok(None);
        }
        let mut changes = Changes { revision: now, ..Changes::default() };
        // Before the rows: whatever is purged meanwhile is still seen as deleted or, next time, as purged.
        let purged = sqlx::query(concat!(
            "SELECT c.id FROM purged_connections c WHERE c.workspace = $1 AND c.environment = $2 AND c.revision > $3 ",
            seen!("$4")
        ))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(revision)
        .bind(scope.sight.limit())
        .fetch_all(&self.read)
        .await?;
        for row in &purged {
            changes.removed.push(parsed(row.try_get("id")?)?);
        }
        let rows = sqlx::query(concat!(
            summaries!(),
            "WHERE c.workspace = $1 AND c.environment = $2 AND c.revision > $3 ",
            seen!("$4")
        ))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(revision)
        .bind(scope.sight.limit())
        .fetch_all(&self.read)
        .await?;
        for row in &rows {
            match moment(row, "deleted_at")? {
                Some(_) => changes.removed.push(parsed(row.try_get("id")?)?),
                None => changes.changed.push(summary(row)?),
            }
        }
        Ok(Some(changes))
    }

    /// How many wait in *Recently deleted*.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn deleted_count(&self, scope: &Scope) -> Result<usize, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT COUNT(*) AS total FROM connections c \
             WHERE c.workspace = $1 AND c.environment = $2 AND c.deleted_at IS NOT NULL ",
            seen!("$3")
        ))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(scope.sight.limit())
        .fetch_one(&self.read)
        .await?;
        usize::try_from(row.try_get::<i64, _>("total")?).map_err(super::row::corrupt)
    }

    /// What waits in *Recently deleted*, the latest first, and since when.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn deleted(&self, scope: &Scope) -> Result<Vec<(Summary, Timestamp)>, StoreError> {
        let rows = sqlx::query(concat!(
            summaries!(),
            "WHERE c.workspace = $1 AND c.environment = $2 AND c.deleted_at IS NOT NULL ",
            seen!("$3"),
            "ORDER BY c.deleted_at DESC, c.id DESC"
        ))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(scope.sight.limit())
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(|row| Ok((summary(row)?, moment(row, "deleted_at")?.unwrap_or_default()))).collect()
    }

    /// By what method, and with which fields, those in *Recently deleted* hold OAuth tokens.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn deleted_with_tokens(
        &self,
        scope: &Scope,
    ) -> Result<HashMap<ConnectionId, (String, FieldValues)>, StoreError> {
        let rows = sqlx::query(
            "SELECT c.id, c.method, c.config FROM connections c JOIN oauth_grants g \
             ON g.workspace = c.workspace AND g.environment = c.environment AND g.connection = c.id \
             WHERE c.workspace = $1 AND c.environment = $2 AND c.deleted_at IS NOT NULL",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .fetch_all(&self.read)
        .await?;
        let held =
            |row: &AnyRow| Ok((parsed(row.try_get("id")?)?, (row.try_get("method")?, json(row.try_get("config")?)?)));
        rows.iter().map(held).collect()
    }

    /// What a request with this id created.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn by_request_id(&self, scope: &Scope, request_id: &str) -> Result<Option<Earlier>, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT c.id, c.deleted_at, c.request_digest FROM connections c \
             WHERE c.workspace = $1 AND c.environment = $2 AND c.request_id = $3 ",
            seen!("$4")
        ))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(request_id)
        .bind(scope.sight.limit())
        .fetch_optional(&self.read)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let summary = summary_of(&self.read, scope, &parsed(row.try_get("id")?)?).await?;
        Ok(Some(Earlier::new(summary, moment(&row, "deleted_at")?.is_some(), row.try_get("request_digest")?)))
    }
}

/// One connection's summary within a write.
pub(super) async fn summary_of(
    executor: impl AnyExecutor<'_>,
    scope: &Scope,
    id: &ConnectionId,
) -> Result<Summary, StoreError> {
    let row = sqlx::query(concat!(summaries!(), "WHERE c.workspace = $1 AND c.environment = $2 AND c.id = $3"))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .fetch_one(executor)
        .await?;
    summary(&row)
}

/// Takes the environment's next revision and so locks it: the second step of every write in it. What the write changes
/// is told as events when it is done.
pub(super) async fn next_revision(tx: &mut AnyConnection, scope: &Scope, at: Timestamp) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "UPDATE environments SET revision = revision + 1 WHERE workspace = $1 AND environment = $2 RETURNING revision",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .fetch_one(tx)
    .await?;
    let revision = row.try_get("revision")?;
    outbox::note(scope, revision, at);
    Ok(revision)
}
