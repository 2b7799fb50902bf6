//! Workspaces and their members.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::audit::GENESIS;
use super::row::{corrupt, json, parsed, to_json};
use super::{Store, StoreError};
use crate::domain::environment::Environment;
use crate::domain::id::{MemberId, WorkspaceId};
use crate::domain::role::{EnvironmentSet, Role};
use crate::domain::time::Timestamp;

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: MemberId,
    pub workspace: WorkspaceId,
    pub workspace_name: String,
    pub name: String,
    pub role: Role,
    pub environments: EnvironmentSet,
    /// Sees causes of refusal and addresses, in every workspace.
    pub operator: bool,
}

impl Store {
    /// The workspace's name, as people read it.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn workspace_name(&self, workspace: &WorkspaceId) -> Result<String, StoreError> {
        let row = sqlx::query("SELECT name FROM workspaces WHERE id = $1").bind(workspace.as_str());
        Ok(row.fetch_one(&self.read).await?.try_get("name")?)
    }

    /// Makes the default workspace and its owner unless they are there, and returns the owner.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn ensure_default_workspace(&self, at: Timestamp, owner_id: MemberId) -> Result<Member, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let workspace = WorkspaceId::default_workspace();
                if create_workspace(tx, &workspace, "Default", at).await? {
                    create_owner(tx, &workspace, &owner_id, at).await?;
                }
                let row = sqlx::query(concat!(
                    members!(),
                    "WHERE m.workspace = $1 AND m.role = $2 ORDER BY m.created_at, m.id LIMIT 1"
                ))
                .bind(workspace.as_str())
                .bind(Role::Owner.as_str())
                .fetch_one(tx)
                .await?;
                member(&row)
            })
        })
        .await
    }
}

/// Whether the workspace is new.
pub(super) async fn create_workspace(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    name: &str,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let created = sqlx::query(
        "INSERT INTO workspaces (id, name, created_at, audit_hash) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(workspace.as_str())
    .bind(name)
    .bind(at.0)
    .bind(GENESIS.to_vec())
    .execute(&mut *tx)
    .await?;
    if created.rows_affected() == 0 {
        return Ok(false);
    }
    for environment in Environment::ALL {
        sqlx::query("INSERT INTO environments (workspace, environment, revision) VALUES ($1, $2, 1)")
            .bind(workspace.as_str())
            .bind(environment.as_str())
            .execute(&mut *tx)
            .await?;
    }
    Ok(true)
}

async fn create_owner(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    id: &MemberId,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO members (id, workspace, name, role, environments, operator, created_at) \
         VALUES ($1, $2, 'Owner', $3, $4, 1, $5)",
    )
    .bind(id.as_str())
    .bind(workspace.as_str())
    .bind(Role::Owner.as_str())
    .bind(to_json(&EnvironmentSet::EVERY)?)
    .bind(at.0)
    .execute(tx)
    .await?;
    Ok(())
}

macro_rules! members {
    () => {
        "SELECT m.id, m.workspace, w.name AS workspace_name, m.name, m.role, m.environments, m.operator \
         FROM members m JOIN workspaces w ON w.id = m.workspace "
    };
}
pub(super) use members;

pub(super) fn member(row: &AnyRow) -> Result<Member, StoreError> {
    Ok(Member {
        id: parsed(row.try_get("id")?)?,
        workspace: parsed(row.try_get("workspace")?)?,
        workspace_name: row.try_get("workspace_name")?,
        name: row.try_get("name")?,
        role: Role::parse(row.try_get("role")?).ok_or_else(|| corrupt(()))?,
        environments: json(row.try_get("environments")?)?,
        operator: row.try_get::<i64, _>("operator")? == 1,
    })
}
