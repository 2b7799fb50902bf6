//! Workflows: registered by the platform, so that Patchbay knows what a deletion breaks.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AnyConnection, Row};

use super::connection::MANY;
use super::list::next_revision;
use super::record::{AuditEntry, Scope, WorkflowUse};
use super::row::{parsed, seen};
use super::{Store, StoreError, audit};
use crate::api::connections::Workflow;
use crate::domain::environment::Environment;
use crate::domain::fold::fold;
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;

impl Store {
    /// Registers a workflow and the connections it uses, or replaces what was registered under its id.
    ///
    /// # Errors
    /// `NotFound` where a connection is deleted or not of this environment; `Unavailable`.
    pub async fn put_workflow(
        &self,
        scope: &Scope,
        workflow: WorkflowUse,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let missing = self.put_workflows(scope, vec![workflow], entry).await?;
        if missing.is_empty() { Ok(()) } else { Err(StoreError::NotFound) }
    }

    /// Registers workflows, all or none: the places are told, by workflow and by connection of it, of connections that
    /// are deleted or not of this environment. What is registered already as it is given leaves no line.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn put_workflows(
        &self,
        scope: &Scope,
        many: Vec<WorkflowUse>,
        entry: AuditEntry,
    ) -> Result<Vec<(usize, usize)>, StoreError> {
        let scope = scope.clone();
        self.write_within(MANY, move |tx| {
            Box::pin(async move {
                audit::lock(tx, &scope.workspace).await?;
                let missing = missing(tx, &scope, &many).await?;
                if !missing.is_empty() {
                    return Ok(missing);
                }
                let mut changed = Vec::new();
                for given in many {
                    if current(&mut *tx, &scope, &given.workflow.id).await?.is_none_or(|known| !same(&known, &given)) {
                        changed.push(given);
                    }
                }
                if changed.is_empty() {
                    return Ok(missing);
                }
                start_counting(tx, &scope, entry.at).await?;
                let revision = next_revision(tx, &scope, entry.at).await?;
                for given in changed {
                    register(tx, &scope, given, revision, &entry).await?;
                }
                Ok(missing)
            })
        })
        .await
    }

    /// Forgets a workflow.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn remove_workflow(&self, scope: &Scope, id: &str, entry: AuditEntry) -> Result<(), StoreError> {
        let (scope, id) = (scope.clone(), id.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                audit::append_in(tx, &scope, Some(&id), &entry).await?;
                let revision = next_revision(tx, &scope, entry.at).await?;
                for connection in &linked(tx, &scope, &id).await? {
                    count(tx, &scope, connection, -1, revision).await?;
                }
                let removed =
                    sqlx::query("DELETE FROM workflows WHERE workspace = $1 AND environment = $2 AND id = $3")
                        .bind(scope.workspace.as_str())
                        .bind(scope.environment.as_str())
                        .bind(id.as_str())
                        .execute(tx)
                        .await?;
                if removed.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
            })
        })
        .await
    }

    /// The workflows that use a connection, by name; `None` while the workspace has registered none ever.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` where there is no such workspace.
    pub async fn workflows_using(&self, scope: &Scope, id: &ConnectionId) -> Result<Option<Vec<Workflow>>, StoreError> {
        let row = sqlx::query("SELECT knows_workflows FROM workspaces WHERE id = $1")
            .bind(scope.workspace.as_str())
            .fetch_one(&self.read)
            .await?;
        if row.try_get::<i64, _>("knows_workflows")? == 0 {
            return Ok(None);
        }
        let rows = sqlx::query(
            "SELECT f.id, f.name, f.url FROM workflow_connections l JOIN workflows f \
             ON f.workspace = l.workspace AND f.environment = l.environment AND f.id = l.workflow \
             WHERE l.workspace = $1 AND l.environment = $2 AND l.connection = $3",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .fetch_all(&self.read)
        .await?;
        let mut workflows: Vec<Workflow> = rows.iter().map(read).collect::<Result<_, _>>()?;
        // Engines order text each in its own way.
        workflows.sort_by_cached_key(|it| (fold(&it.name), it.id.clone()));
        Ok(Some(workflows))
    }

    /// One workflow and the connections it uses, deleted ones included.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn workflow(&self, scope: &Scope, id: &str) -> Result<Option<WorkflowUse>, StoreError> {
        current(&self.read, scope, id).await
    }

    /// Workflows in the order of their ids, and the connections they use, deleted ones included; of one connection
    /// where one is told. `after`: the id that the page before ended with.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn workflows(
        &self,
        scope: &Scope,
        using: Option<&ConnectionId>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<WorkflowUse>, StoreError> {
        let rows = sqlx::query(
            "SELECT f.id, f.name, f.url, l.connection FROM (SELECT id, name, url FROM workflows \
             WHERE workspace = $1 AND environment = $2 AND id > $3 AND ($4 = '' OR id IN \
             (SELECT workflow FROM workflow_connections WHERE workspace = $1 AND environment = $2 AND connection = $4)) \
             ORDER BY id LIMIT $5) f LEFT JOIN workflow_connections l \
             ON l.workspace = $1 AND l.environment = $2 AND l.workflow = f.id ORDER BY f.id, l.connection",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(after)
        .bind(using.map_or("", ConnectionId::as_str))
        .bind(i64::from(limit))
        .fetch_all(&self.read)
        .await?;
        gathered(&rows)
    }
}

async fn current(executor: impl AnyExecutor<'_>, scope: &Scope, id: &str) -> Result<Option<WorkflowUse>, StoreError> {
    let rows = sqlx::query(
        "SELECT f.id, f.name, f.url, l.connection FROM workflows f LEFT JOIN workflow_connections l \
         ON l.workspace = f.workspace AND l.environment = f.environment AND l.workflow = f.id \
         WHERE f.workspace = $1 AND f.environment = $2 AND f.id = $3 ORDER BY l.connection",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id)
    .fetch_all(executor)
    .await?;
    Ok(gathered(&rows)?.pop())
}

/// Workflows from rows that name one connection each, or none.
fn gathered(rows: &[AnyRow]) -> Result<Vec<WorkflowUse>, StoreError> {
    let mut all: Vec<WorkflowUse> = Vec::new();
    for row in rows {
        let workflow = read(row)?;
        if all.last().is_none_or(|last| last.workflow.id != workflow.id) {
            all.push(WorkflowUse { workflow, connections: Vec::new() });
        }
        if let (Some(last), Some(connection)) = (all.last_mut(), row.try_get::<Option<String>, _>("connection")?) {
            last.connections.push(parsed(connection)?);
        }
    }
    Ok(all)
}

fn same(known: &WorkflowUse, given: &WorkflowUse) -> bool {
    let set = |it: &WorkflowUse| it.connections.iter().cloned().collect::<BTreeSet<_>>();
    known.workflow == given.workflow && set(known) == set(given)
}

/// The places of connections that are deleted or not of this environment.
async fn missing(
    tx: &mut AnyConnection,
    scope: &Scope,
    many: &[WorkflowUse],
) -> Result<Vec<(usize, usize)>, StoreError> {
    let (mut known, mut missing) = (BTreeMap::new(), Vec::new());
    for (at, given) in many.iter().enumerate() {
        for (place, connection) in given.connections.iter().enumerate() {
            let alive = if let Some(alive) = known.get(connection) {
                *alive
            } else {
                let alive = is_alive(tx, scope, connection).await?;
                known.insert(connection, alive);
                alive
            };
            if !alive {
                missing.push((at, place));
            }
        }
    }
    Ok(missing)
}

async fn register(
    tx: &mut AnyConnection,
    scope: &Scope,
    given: WorkflowUse,
    revision: i64,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let id = given.workflow.id.as_str();
    let line = AuditEntry { about: id.to_owned(), ..entry.clone() };
    audit::append_in(tx, scope, Some(id), &line).await?;
    upsert(tx, scope, &given.workflow).await?;
    let before = linked(tx, scope, id).await?;
    let after = given.connections.into_iter().collect::<BTreeSet<_>>();
    for connection in before.difference(&after) {
        unlink(tx, scope, id, connection).await?;
        count(tx, scope, connection, -1, revision).await?;
    }
    for connection in after.difference(&before) {
        link(tx, scope, id, connection).await?;
        count(tx, scope, connection, 1, revision).await?;
    }
    Ok(())
}

fn read(row: &AnyRow) -> Result<Workflow, StoreError> {
    Ok(Workflow { id: row.try_get("id")?, name: row.try_get("name")?, url: row.try_get("url")? })
}

/// With the first workflow ever, "nobody knows" turns into a number on every connection of the workspace.
async fn start_counting(tx: &mut AnyConnection, scope: &Scope, at: Timestamp) -> Result<(), StoreError> {
    let first = sqlx::query("UPDATE workspaces SET knows_workflows = 1 WHERE id = $1 AND knows_workflows = 0")
        .bind(scope.workspace.as_str())
        .execute(&mut *tx)
        .await?;
    if first.rows_affected() == 0 {
        return Ok(());
    }
    for environment in Environment::ALL {
        let revision = next_revision(tx, &Scope::whole(scope.workspace.clone(), environment), at).await?;
        sqlx::query("UPDATE connections SET revision = $3 WHERE workspace = $1 AND environment = $2")
            .bind(scope.workspace.as_str())
            .bind(environment.as_str())
            .bind(revision)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

async fn upsert(tx: &mut AnyConnection, scope: &Scope, workflow: &Workflow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO workflows (workspace, environment, id, name, url) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (workspace, environment, id) DO UPDATE SET name = $4, url = $5",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(workflow.id.as_str())
    .bind(workflow.name.as_str())
    .bind(workflow.url.as_deref())
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn linked(
    tx: &mut AnyConnection,
    scope: &Scope,
    workflow: &str,
) -> Result<BTreeSet<ConnectionId>, StoreError> {
    let rows = sqlx::query(
        "SELECT connection FROM workflow_connections WHERE workspace = $1 AND environment = $2 AND workflow = $3",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(workflow)
    .fetch_all(tx)
    .await?;
    rows.iter().map(|row| parsed(row.try_get("connection")?)).collect()
}

pub(super) async fn link(
    tx: &mut AnyConnection,
    scope: &Scope,
    workflow: &str,
    connection: &ConnectionId,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO workflow_connections (workspace, environment, workflow, connection) VALUES ($1, $2, $3, $4)",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(workflow)
    .bind(connection.as_str())
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn unlink(
    tx: &mut AnyConnection,
    scope: &Scope,
    workflow: &str,
    connection: &ConnectionId,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM workflow_connections \
         WHERE workspace = $1 AND environment = $2 AND workflow = $3 AND connection = $4",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(workflow)
    .bind(connection.as_str())
    .execute(tx)
    .await?;
    Ok(())
}

/// Counts one workflow more or less on a connection.
pub(super) async fn count(
    tx: &mut AnyConnection,
    scope: &Scope,
    connection: &ConnectionId,
    by: i64,
    revision: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE connections SET workflows = workflows + $4, revision = $5 \
         WHERE workspace = $1 AND environment = $2 AND id = $3",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(connection.as_str())
    .bind(by)
    .bind(revision)
    .execute(tx)
    .await?;
    Ok(())
}

async fn is_alive(tx: &mut AnyConnection, scope: &Scope, connection: &ConnectionId) -> Result<bool, StoreError> {
    let found = sqlx::query(concat!(
        "SELECT c.id FROM connections c WHERE c.workspace = $1 AND c.environment = $2 AND c.id = $3 \
         AND c.deleted_at IS NULL ",
        seen!("$4")
    ))
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(connection.as_str())
    .bind(scope.sight.limit())
    .fetch_optional(tx)
    .await?;
    Ok(found.is_some())
}
