//! What Patchbay itself changed in the mapping of workflows to connections: a feed that the platform follows.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::record::{AuditEntry, Scope};
use super::row::{corrupt, parsed};
use super::{FeedError, Store, StoreError, outbox};
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;

/// A workflow that uses another connection than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub workflow: String,
    /// `None`: it uses `to` as well, and what it used before still.
    pub from: Option<ConnectionId>,
    pub to: ConnectionId,
}

/// By what a mapping changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its connection was deleted, and another one offered.
    Deletion,
    /// Its connection was replaced, and stays.
    Replacement,
    /// The deletion was undone.
    Undo,
}

impl Cause {
    pub const ALL: [Self; 3] = [Self::Deletion, Self::Replacement, Self::Undo];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deletion => "deletion",
            Self::Replacement => "replacement",
            Self::Undo => "undo",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text).ok_or_else(|| corrupt(()))
    }
}

/// One line of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingChange {
    /// Grows by one with each line of an environment, in the order in which they become visible.
    pub sequence: i64,
    pub at: Timestamp,
    pub moved: Moved,
    pub cause: Cause,
    /// Who did it, as people read it.
    pub by: String,
}

impl Store {
    /// What changed after a line of the feed, the oldest first; without one, from the oldest that is kept.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn mapping_changes(
        &self,
        scope: &Scope,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<MappingChange>, FeedError> {
        let (first, last) = self.mapping_ends(scope).await?;
        if after.is_some_and(|after| after > last) {
            return Err(FeedError::Ahead);
        }
        if after.is_some_and(|after| after + 1 < first) {
            return Err(FeedError::Forgotten);
        }
        let rows = sqlx::query(
            "SELECT sequence, at, workflow, from_connection, to_connection, cause, actor_name FROM workflow_changes \
             WHERE workspace = $1 AND environment = $2 AND sequence > $3 ORDER BY sequence LIMIT $4",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(after.unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(&self.read)
        .await
        .map_err(StoreError::from)?;
        Ok(rows.iter().map(read).collect::<Result<_, StoreError>>()?)
    }

    /// The first and the last line that is kept; 0: none was ever written.
    async fn mapping_ends(&self, scope: &Scope) -> Result<(i64, i64), StoreError> {
        let row = sqlx::query(
            "SELECT CAST(COALESCE(MIN(sequence), 0) AS BIGINT) AS first, \
             CAST(COALESCE(MAX(sequence), 0) AS BIGINT) AS last FROM workflow_changes \
             WHERE workspace = $1 AND environment = $2",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .fetch_one(&self.read)
        .await?;
        Ok((row.try_get("first")?, row.try_get("last")?))
    }
}

const LAST: &str = "SELECT CAST(COALESCE(MAX(sequence), 0) AS BIGINT) AS last FROM workflow_changes \
                    WHERE workspace = $1 AND environment = $2";

fn read(row: &AnyRow) -> Result<MappingChange, StoreError> {
    let from: String = row.try_get("from_connection")?;
    let moved = Moved {
        workflow: row.try_get("workflow")?,
        from: if from.is_empty() { None } else { Some(parsed(from)?) },
        to: parsed(row.try_get("to_connection")?)?,
    };
    Ok(MappingChange {
        sequence: row.try_get("sequence")?,
        at: Timestamp(row.try_get("at")?),
        moved,
        cause: Cause::parse(row.try_get("cause")?)?,
        by: row.try_get("actor_name")?,
    })
}

/// Writes lines of the feed, and tells them as events. The environment is locked, so that nobody else takes their numbers.
pub(super) async fn append(
    tx: &mut AnyConnection,
    scope: &Scope,
    all: &[Moved],
    cause: Cause,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let last =
        sqlx::query(LAST).bind(scope.workspace.as_str()).bind(scope.environment.as_str()).fetch_one(&mut *tx).await?;
    let first = last.try_get::<i64, _>("last")? + 1;
    for (sequence, moved) in (first..).zip(all) {
        sqlx::query(
            "INSERT INTO workflow_changes (workspace, environment, sequence, at, workflow, from_connection, \
             to_connection, cause, actor_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(sequence)
        .bind(entry.at.0)
        .bind(moved.workflow.as_str())
        .bind(moved.from.as_ref().map_or("", ConnectionId::as_str))
        .bind(moved.to.as_str())
        .bind(cause.as_str())
        .bind(entry.actor_name.as_str())
        .execute(&mut *tx)
        .await?;
    }
    outbox::tell_replaced(tx, scope, all, cause, entry.at).await
}
