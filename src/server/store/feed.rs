//! The feed of events, as the platform follows it.

use sqlx::any::AnyRow;
use sqlx::query::Query;
use sqlx::{AnyConnection, Row};

use super::row::{corrupt, parsed};
use super::{Store, StoreError};
use crate::domain::event::EventType;
use crate::domain::id::{EventId, WorkspaceId};
use crate::domain::role::EnvironmentSet;
use crate::domain::time::Timestamp;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Grows with each event of a workspace, in the order in which they become visible.
    pub sequence: i64,
    pub id: EventId,
    pub kind: EventType,
    pub at: Timestamp,
    /// JSON.
    pub data: String,
}

/// Why a feed cannot be read from a place on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// What follows there was forgotten.
    #[error("the feed no longer reaches back to this place")]
    Forgotten,
    /// The database was restored from a copy that is older than the reader.
    #[error("the feed does not reach this place yet")]
    Ahead,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A part of the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    pub events: Vec<Event>,
    /// Up to where this looked, whatever it found on the way.
    pub until: i64,
    /// Whether there is more behind it.
    pub more: bool,
}

impl Store {
    /// The number of a workspace's latest event; 0: none yet.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` where there is no such workspace.
    pub async fn last_event(&self, workspace: &WorkspaceId) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT event_sequence FROM workspaces WHERE id = $1");
        Ok(row.bind(workspace.as_str()).fetch_one(&self.read).await?.try_get("event_sequence")?)
    }

    /// What happened after an event in some environments, of some types or, with none named, of all: the oldest first;
    /// without an event, from the oldest that is kept.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn events_after(
        &self,
        workspace: &WorkspaceId,
        environments: EnvironmentSet,
        kinds: &[EventType],
        after: Option<i64>,
        limit: u32,
    ) -> Result<Stretch, FeedError> {
        let last = self.last_event(workspace).await?;
        if after.is_some_and(|after| after > last) {
            return Err(FeedError::Ahead);
        }
        let named = |environment| environments.iter().nth(environment).map_or("", |it| it.as_str());
        let rows = sqlx::query(
            "SELECT sequence, id, type, at, data FROM events WHERE workspace = $1 AND sequence > $2 \
             AND sequence <= $3 AND environment IN ($4, $5, $6) \
             AND type IN ($8, $9, $10, $11, $12, $13, $14, $15) ORDER BY sequence LIMIT $7",
        )
        .bind(workspace.as_str())
        .bind(after.unwrap_or_default())
        .bind(last)
        .bind(named(0))
        .bind(named(1))
        .bind(named(2))
        .bind(i64::from(limit));
        let wanted = EventType::OF_CONNECTIONS
            .map(|kind| if kinds.is_empty() || kinds.contains(&kind) { kind.as_str() } else { "" });
        let rows = wanted.into_iter().fold(rows, Query::bind).fetch_all(&self.read).await.map_err(StoreError::from)?;
        // After the rows: what is forgotten meanwhile is noticed.
        if let Some(after) = after {
            let first = self.first_event(workspace).await?.unwrap_or(last + 1);
            if after + 1 < first {
                return Err(FeedError::Forgotten);
            }
        }
        let events = rows.iter().map(event).collect::<Result<Vec<_>, StoreError>>()?;
        let cut = events.len() == limit as usize;
        let until = if cut { events.last().map_or(last, |event| event.sequence) } else { last };
        Ok(Stretch { events, until, more: until < last })
    }

    async fn first_event(&self, workspace: &WorkspaceId) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query("SELECT MIN(sequence) AS first FROM events WHERE workspace = $1");
        Ok(row.bind(workspace.as_str()).fetch_one(&self.read).await?.try_get("first")?)
    }

    /// Forgets events, and lines of the mapping's feed, that are older than a moment. The latest line of each
    /// environment stays: the numbers go on from it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn forget_events(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| Box::pin(async move { forget(tx, before).await })).await
    }
}

async fn forget(tx: &mut AnyConnection, before: Timestamp) -> Result<(), StoreError> {
    let old = sqlx::query("SELECT workspace, MAX(sequence) AS last FROM events WHERE at < $1 GROUP BY workspace");
    for row in old.bind(before.0).fetch_all(&mut *tx).await? {
        let (workspace, last): (String, i64) = (row.try_get("workspace")?, row.try_get("last")?);
        // From the beginning up to the first that is kept: none is missing in the midst where the clocks of replicas
        // differ, and none goes before its time.
        sqlx::query(
            "DELETE FROM events WHERE workspace = $1 AND sequence <= $2 AND sequence < COALESCE(\
             (SELECT MIN(e.sequence) FROM events e WHERE e.workspace = $1 AND e.at >= $3), $2 + 1)",
        )
        .bind(workspace)
        .bind(last)
        .bind(before.0)
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query(
        "DELETE FROM workflow_changes WHERE at < $1 AND sequence < (SELECT MAX(l.sequence) FROM workflow_changes l \
         WHERE l.workspace = workflow_changes.workspace AND l.environment = workflow_changes.environment)",
    )
    .bind(before.0)
    .execute(tx)
    .await?;
    Ok(())
}

fn event(row: &AnyRow) -> Result<Event, StoreError> {
    Ok(Event {
        sequence: row.try_get("sequence")?,
        id: parsed(row.try_get("id")?)?,
        kind: EventType::parse(row.try_get("type")?).ok_or_else(|| corrupt(()))?,
        at: Timestamp(row.try_get("at")?),
        data: row.try_get("data")?,
    })
}
