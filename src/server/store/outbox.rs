//! Events, written in the transaction of the change that they tell.
//!
//! No use case has to think of them: at the end of every write, each connection that stands under a revision taken by it
//! is compared with what was told of it before.

use futures::future::BoxFuture;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use std::cell::RefCell;
use std::collections::BTreeMap;
use tokio::task_local;

use super::list::summary_of;
use super::mapping::{Cause, Moved};
use super::record::Scope;
use super::row::{json, moment, parsed, place, summary, summary_columns, to_json};
use super::{Event, Store, StoreError, audit, delivery};
use crate::domain::connection::Summary;
use crate::domain::event::{EventType, News, Part, Standing, Told, news, reason};
use crate::domain::id::{ConnectionId, EventId};
use crate::domain::owner::EndUser;
use crate::domain::time::Timestamp;

task_local! {
    /// The environments that the write under way changes.
    static TOUCHED: RefCell<Vec<Touched>>;
}

/// An environment, and the first of its revisions that a write took.
struct Touched {
    scope: Scope,
    since: i64,
    at: Timestamp,
}

/// Notes that the write under way changes an environment.
pub(super) fn note(scope: &Scope, revision: i64, at: Timestamp) {
    let scope = scope.place();
    TOUCHED.with(|touched| {
        let mut touched = touched.borrow_mut();
        if touched.iter().all(|known| known.scope != scope) {
            touched.push(Touched { scope, since: revision, at });
        }
    });
}

/// Does the work of a write, then tells what it changed.
pub(super) async fn telling<T, W>(tx: &mut AnyConnection, notice: i64, work: W) -> Result<T, StoreError>
where
    W: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, StoreError>>,
{
    let whole = async {
        let done = work(&mut *tx).await?;
        for touched in TOUCHED.with(RefCell::take) {
            tell_changed(tx, &touched, notice).await?;
        }
        Ok(done)
    };
    TOUCHED.scope(RefCell::default(), whole).await
}

/// Connections beside what was told of them.
macro_rules! standings {
    () => {
        concat!(
            "SELECT ",
            summary_columns!(),
            ", c.secret_version, t.version AS told_version, t.secret_version AS told_secret_version, \
             t.name AS told_name, t.tags AS told_tags, t.active, t.deleted, t.expires_at AS told_expires_at, \
             t.foretold, t.awaits FROM connections c JOIN workspaces w ON w.id = c.workspace \
             LEFT JOIN told_connections t ON t.workspace = c.workspace AND t.environment = c.environment \
             AND t.connection = c.id WHERE c.workspace = $1 AND c.environment = $2 "
        )
    };
}

async fn tell_changed(tx: &mut AnyConnection, touched: &Touched, notice: i64) -> Result<(), StoreError> {
    let Touched { scope, since, at } = touched;
    let changed = sqlx::query(concat!(standings!(), "AND c.revision >= $3 ORDER BY c.created_at, c.id"))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(since)
        .fetch_all(&mut *tx)
        .await?;
    tell(tx, scope, &changed, *at, notice).await
}

/// Tells what is new of these connections.
async fn tell(
    tx: &mut AnyConnection,
    scope: &Scope,
    rows: &[AnyRow],
    at: Timestamp,
    notice: i64,
) -> Result<(), StoreError> {
    let mut events = Vec::new();
    for row in rows {
        let is_deleted = moment(row, "deleted_at")?.is_some();
        let standing = Standing { summary: summary(row)?, secret_version: row.try_get("secret_version")?, is_deleted };
        let told = told(row)?;
        let (all, then) = news(told.as_ref(), &standing, at, notice);
        for News { kind, changed } in all {
            let ends = (kind == EventType::Expiring).then_some(standing.summary.expires_at).flatten();
            let data = EventData {
                changed,
                expires_at: ends.map(Timestamp::to_rfc3339),
                ..EventData::of(scope, &standing.summary, at)
            };
            events.push((kind, to_json(&data)?));
        }
        if told.as_ref() != Some(&then) {
            note_told(tx, scope, &standing.summary.id, &then).await?;
        }
    }
    append(tx, scope, at, events).await
}

/// Tells which workflows use another connection than before: one event for each pair.
pub(super) async fn tell_replaced(
    tx: &mut AnyConnection,
    scope: &Scope,
    all: &[Moved],
    cause: Cause,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut pairs: BTreeMap<(&ConnectionId, &ConnectionId), Vec<&str>> = BTreeMap::new();
    // Where nothing was taken from a workflow nothing was replaced.
    for (workflow, from, to) in all.iter().filter_map(|it| Some((&it.workflow, it.from.as_ref()?, &it.to))) {
        pairs.entry((from, to)).or_default().push(workflow);
    }
    let mut events = Vec::new();
    for ((from, to), workflows) in pairs {
        let (from, to) = (summary_of(&mut *tx, scope, from).await?, summary_of(&mut *tx, scope, to).await?);
        let data = EventData {
            replacement: Some(Replacement { connection: to.id.as_str(), name: to.name.as_str() }),
            workflows,
            cause: Some(cause.as_str()),
            ..EventData::of(scope, &from, at)
        };
        events.push((EventType::Replaced, to_json(&data)?));
    }
    append(tx, scope, at, events).await
}

/// What an event says. Never a secret, and nothing that a service said.
#[derive(Serialize)]
struct EventData<'a> {
    workspace: &'a str,
    environment: &'static str,
    connection: &'a str,
    component: &'a str,
    name: &'a str,
    status: &'static str,
    /// Why it is not active.
    reason: Option<&'static str>,
    /// The end user it belongs to; null: the workspace.
    owner: Option<&'a EndUser>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changed: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replacement: Option<Replacement<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    workflows: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
}

#[derive(Serialize)]
struct Replacement<'a> {
    connection: &'a str,
    name: &'a str,
}

impl<'a> EventData<'a> {
    fn of(scope: &'a Scope, summary: &'a Summary, at: Timestamp) -> Self {
        Self {
            workspace: scope.workspace.as_str(),
            environment: scope.environment.as_str(),
            connection: summary.id.as_str(),
            component: summary.component.as_str(),
            name: summary.name.as_str(),
            status: summary.status_at(at).as_str(),
            reason: reason(summary, at),
            owner: summary.owner.as_ref(),
            changed: Vec::new(),
            expires_at: None,
            replacement: None,
            workflows: Vec::new(),
            cause: None,
        }
    }
}

/// Appends events, and queues them for webhooks. The workspace is locked, so that nobody else takes their numbers.
async fn append(
    tx: &mut AnyConnection,
    scope: &Scope,
    at: Timestamp,
    news: Vec<(EventType, String)>,
) -> Result<(), StoreError> {
    if news.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(news.len()).map_err(|_| StoreError::Full)?;
    let last = sqlx::query(
        "UPDATE workspaces SET event_sequence = event_sequence + $2 WHERE id = $1 RETURNING event_sequence",
    )
    .bind(scope.workspace.as_str())
    .bind(count)
    .fetch_one(&mut *tx)
    .await?;
    let first = last.try_get::<i64, _>("event_sequence")? - count + 1;
    let named = |(sequence, (kind, data)): (i64, (EventType, String))| Event {
        id: name_of(scope, sequence, at, &data),
        sequence,
        kind,
        at,
        data,
    };
    let events: Vec<_> = (first..).zip(news).map(named).collect();
    for event in &events {
        insert(tx, scope, event).await?;
    }
    delivery::queue(tx, &scope.workspace, scope.environment, &events).await
}

async fn insert(tx: &mut AnyConnection, scope: &Scope, event: &Event) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO events (workspace, sequence, id, environment, type, at, data) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(scope.workspace.as_str())
    .bind(event.sequence)
    .bind(event.id.as_str())
    .bind(scope.environment.as_str())
    .bind(event.kind.as_str())
    .bind(event.at.0)
    .bind(event.data.as_str())
    .execute(tx)
    .await?;
    Ok(())
}

/// An id that follows from the event: after a database was restored from an older copy, a number may come again, but
/// not with the same moment and words.
fn name_of(scope: &Scope, sequence: i64, at: Timestamp, data: &str) -> EventId {
    let mut hash = Sha256::new();
    hash.update(scope.workspace.as_str());
    hash.update([0]);
    hash.update(sequence.to_be_bytes());
    hash.update(at.0.to_be_bytes());
    hash.update(data);
    let digest: [u8; 32] = hash.finalize().into();
    EventId::from_bytes(std::array::from_fn(|n| digest[n]))
}

fn told(row: &AnyRow) -> Result<Option<Told>, StoreError> {
    let Some(version) = row.try_get("told_version")? else { return Ok(None) };
    Ok(Some(Told {
        version,
        secret_version: row.try_get("told_secret_version")?,
        name: parsed(row.try_get("told_name")?)?,
        tags: json(row.try_get("told_tags")?)?,
        is_active: row.try_get::<i64, _>("active")? == 1,
        is_deleted: row.try_get::<i64, _>("deleted")? == 1,
        expires_at: moment(row, "told_expires_at")?,
        foretold: moment(row, "foretold")?,
        awaits: row.try_get::<i64, _>("awaits")? == 1,
    }))
}

async fn note_told(tx: &mut AnyConnection, scope: &Scope, id: &ConnectionId, told: &Told) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO told_connections (workspace, environment, connection, version, secret_version, name, tags, active, \
         deleted, expires_at, foretold, awaits) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (workspace, environment, connection) DO UPDATE SET version = $4, secret_version = $5, name = $6, \
         tags = $7, active = $8, deleted = $9, expires_at = $10, foretold = $11, awaits = $12",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(told.version)
    .bind(told.secret_version)
    .bind(told.name.as_str())
    .bind(to_json(&told.tags)?)
    .bind(i64::from(told.is_active))
    .bind(i64::from(told.is_deleted))
    .bind(told.expires_at.map(|at| at.0))
    .bind(told.foretold.map(|at| at.0))
    .bind(i64::from(told.awaits))
    .execute(tx)
    .await?;
    Ok(())
}

impl Store {
    /// Tells what time alone makes news: credentials that end soon, and those that have ended. Says of how many
    /// connections; at most two hundred at once.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn tell_due(&self, now: Timestamp) -> Result<usize, StoreError> {
        let due = sqlx::query(
            "SELECT workspace, environment, connection FROM told_connections WHERE awaits = 1 AND (expires_at <= $1 OR \
             (expires_at <= $2 AND (foretold IS NULL OR foretold <> expires_at))) ORDER BY expires_at LIMIT 200",
        )
        .bind(now.0)
        .bind(now.plus(self.notice).0)
        .fetch_all(&self.read)
        .await?;
        let mut first = None;
        for row in &due {
            let ((scope, id), notice) = (place(row, "connection")?, self.notice);
            let told =
                self.write(move |tx| Box::pin(async move { tell_one(tx, &scope, &id, now, notice).await })).await;
            // One that cannot be told stands in the way of no other.
            first = first.or(told.err());
        }
        first.map_or(Ok(due.len()), Err)
    }
}

async fn tell_one(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    now: Timestamp,
    notice: i64,
) -> Result<(), StoreError> {
    audit::lock(tx, &scope.workspace).await?;
    let rows = sqlx::query(concat!(standings!(), "AND c.id = $3"))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .fetch_all(&mut *tx)
        .await?;
    tell(tx, scope, &rows, now, notice).await
}
