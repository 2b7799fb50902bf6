//! Workflows: registered by the platform, so that Patchbay knows what a deletion breaks.

use std::collections::BTreeSet;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::list::next_revision;
use super::record::{AuditEntry, Scope, WorkflowUse};
use super::row::{parsed, seen};
use super::{Store, StoreError, audit};
use crate::api::connections::Workflow;
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;

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
        let scope = scope.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let id = workflow.workflow.id.as_str();
                audit::append_in(tx, &scope, Some(id), &entry).await?;
                start_counting(tx, &scope).await?;
                let revision = next_revision(tx, &scope).await?;
                upsert(tx, &scope, &workflow.workflow).await?;
                let before = linked(tx, &scope, id).await?;
                let after = workflow.connections.into_iter().collect::<BTreeSet<_>>();
                for connection in before.difference(&after) {
                    unlink(tx, &scope, id, connection).await?;
                    count(tx, &scope, connection, -1, revision).await?;
                }
                for connection in &after {
                    check_alive(tx, &scope, connection).await?;
                }
                for connection in after.difference(&before) {
                    link(tx, &scope, id, connection).await?;
                    count(tx, &scope, connection, 1, revision).await?;
                }
                Ok(())
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
                let revision = next_revision(tx, &scope).await?;
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
             WHERE l.workspace = $1 AND l.environment = $2 AND l.connection = $3 ORDER BY f.name, f.id",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .fetch_all(&self.read)
        .await?;
        Ok(Some(rows.iter().map(read).collect::<Result<_, _>>()?))
    }

    /// One workflow and the connections it uses, deleted ones included.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn workflow(&self, scope: &Scope, id: &str) -> Result<Option<WorkflowUse>, StoreError> {
        let row =
            sqlx::query("SELECT id, name, url FROM workflows WHERE workspace = $1 AND environment = $2 AND id = $3")
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(id)
                .fetch_optional(&self.read)
                .await?;
        let Some(row) = row else { return Ok(None) };
        let links = sqlx::query(
            "SELECT connection FROM workflow_connections \
             WHERE workspace = $1 AND environment = $2 AND workflow = $3 ORDER BY connection",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id)
        .fetch_all(&self.read)
        .await?;
        let connections =
            links.iter().map(|row| parsed(row.try_get("connection")?)).collect::<Result<_, StoreError>>()?;
        Ok(Some(WorkflowUse { workflow: read(&row)?, connections }))
    }
}

fn read(row: &AnyRow) -> Result<Workflow, StoreError> {
    Ok(Workflow { id: row.try_get("id")?, name: row.try_get("name")?, url: row.try_get("url")? })
}

/// With the first workflow ever, "nobody knows" turns into a number on every connection of the workspace.
async fn start_counting(tx: &mut AnyConnection, scope: &Scope) -> Result<(), StoreError> {
    let first = sqlx::query("UPDATE workspaces SET knows_workflows = 1 WHERE id = $1 AND knows_workflows = 0")
        .bind(scope.workspace.as_str())
        .execute(&mut *tx)
        .await?;
    if first.rows_affected() == 0 {
        return Ok(());
    }
    for environment in Environment::ALL {
        let revision = next_revision(tx, &Scope::whole(scope.workspace.clone(), environment)).await?;
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

async fn linked(tx: &mut AnyConnection, scope: &Scope, workflow: &str) -> Result<BTreeSet<ConnectionId>, StoreError> {
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

async fn link(
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

async fn unlink(
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
async fn count(
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

async fn check_alive(tx: &mut AnyConnection, scope: &Scope, connection: &ConnectionId) -> Result<(), StoreError> {
    sqlx::query(concat!(
        "SELECT c.id FROM connections c WHERE c.workspace = $1 AND c.environment = $2 AND c.id = $3 \
         AND c.deleted_at IS NULL ",
        seen!("$4")
    ))
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(connection.as_str())
    .bind(scope.sight.limit())
    .fetch_one(tx)
    .await?;
    Ok(())
}
