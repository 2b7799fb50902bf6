//! Workspaces as the platform looks after them.

use serde_json::{Map, Value};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::member::create_workspace;
use super::record::AuditEntry;
use super::row::{json, parsed, to_json};
use super::{Store, StoreError, audit};
use crate::domain::embedding::{HostTheme, Origin};
use crate::domain::id::WorkspaceId;
use crate::domain::time::Timestamp;

macro_rules! workspaces {
    () => {
        "SELECT id, name, allowed_origins, theme, settings, created_at, updated_at FROM workspaces "
    };
}
/// What the platform says of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkspaceSettings {
    pub name: String,
    /// Who may frame its embedded pages.
    pub allowed_origins: Vec<Origin>,
    pub theme: HostTheme,
    /// Kept for the platform as it gave them.
    pub settings: Map<String, Value>,
}

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub settings: WorkspaceSettings,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Store {
    /// Makes a workspace with its environments, or replaces what was said of it; says whether it is new.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn put_workspace(
        &self,
        id: &WorkspaceId,
        settings: WorkspaceSettings,
        entry: AuditEntry,
    ) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let created = create_workspace(tx, &id, &settings.name, entry.at).await?;
                audit::append(tx, &id, None, None, &entry).await?;
                sqlx::query(
                    "UPDATE workspaces SET name = $2, allowed_origins = $3, theme = $4, settings = $5, \
                     updated_at = $6 WHERE id = $1",
                )
                .bind(id.as_str())
                .bind(settings.name.as_str())
                .bind(to_json(&settings.allowed_origins)?)
                .bind(to_json(&settings.theme)?)
                .bind(to_json(&settings.settings)?)
                .bind(entry.at.0)
                .execute(tx)
                .await?;
                Ok(created)
            })
        })
        .await
    }

    /// One workspace.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn workspace(&self, id: &WorkspaceId) -> Result<Option<Workspace>, StoreError> {
        let row =
            sqlx::query(concat!(workspaces!(), "WHERE id = $1")).bind(id.as_str()).fetch_optional(&self.read).await?;
        row.as_ref().map(workspace).transpose()
    }

    /// Workspaces by their ids, from behind one on; at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn workspaces(&self, after: Option<&WorkspaceId>, limit: u32) -> Result<Vec<Workspace>, StoreError> {
        let rows = sqlx::query(concat!(workspaces!(), "WHERE id > $1 ORDER BY id LIMIT $2"))
            .bind(after.map_or("", WorkspaceId::as_str))
            .bind(i64::from(limit))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(workspace).collect()
    }
}

fn workspace(row: &AnyRow) -> Result<Workspace, StoreError> {
    let settings = WorkspaceSettings {
        name: row.try_get("name")?,
        allowed_origins: json(row.try_get("allowed_origins")?)?,
        theme: json(row.try_get("theme")?)?,
        settings: json(row.try_get("settings")?)?,
    };
    let created_at = Timestamp(row.try_get("created_at")?);
    let updated_at = created_at.max(Timestamp(row.try_get("updated_at")?));
    Ok(Workspace { id: parsed(row.try_get("id")?)?, settings, created_at, updated_at })
}
