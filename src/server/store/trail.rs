//! The audit trail as it is read, line by line.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError};
use crate::domain::id::WorkspaceId;
use crate::domain::time::Timestamp;

/// One line, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailLine {
    pub sequence: i64,
    pub at: Timestamp,
    /// Who did it: `member:…`, `key:…`, `user:…`, `system`; and how people call them.
    pub actor: String,
    pub actor_name: String,
    /// From where, as far as that is known.
    pub address: Option<String>,
    pub action: String,
    pub about: String,
    pub environment: Option<String>,
    /// What it was done to: the id of a connection, a workflow or another thing of the workspace.
    pub subject: Option<String>,
}

/// Which lines are wanted.
#[derive(Clone, Debug)]
pub struct TrailQuery {
    /// Only those about this.
    pub subject: Option<String>,
    /// None before this moment.
    pub since: Timestamp,
    /// The latest of those.
    pub most: u32,
}

impl Store {
    /// The latest lines of a workspace that a query asks for, the oldest of them first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn trail(&self, workspace: &WorkspaceId, query: &TrailQuery) -> Result<Vec<TrailLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT sequence, at, actor, actor_name, address, action, about, environment, subject FROM audit \
             WHERE workspace = $1 AND at >= $2 AND ($3 = '' OR subject = $3) ORDER BY sequence DESC LIMIT $4",
        )
        .bind(workspace.as_str())
        .bind(query.since.0)
        .bind(query.subject.as_deref().unwrap_or_default())
        .bind(i64::from(query.most))
        .fetch_all(&self.read)
        .await?;
        rows.iter().rev().map(line).collect()
    }
}

fn line(row: &AnyRow) -> Result<TrailLine, StoreError> {
    Ok(TrailLine {
        sequence: row.try_get("sequence")?,
        at: Timestamp(row.try_get("at")?),
        actor: row.try_get("actor")?,
        actor_name: row.try_get("actor_name")?,
        address: row.try_get("address")?,
        action: row.try_get("action")?,
        about: row.try_get("about")?,
        environment: row.try_get("environment")?,
        subject: row.try_get("subject")?,
    })
}
