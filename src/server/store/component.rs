//! Components that workspaces describe themselves, with all their versions.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::component_use::clients_of;
use super::record::AuditEntry;
use super::row::{json, parsed, to_json};
use super::{Store, StoreError, audit};
use crate::domain::component::ComponentSlug;
use crate::domain::id::WorkspaceId;
use crate::domain::time::Timestamp;

/// Most components that a workspace describes.
pub const COMPONENTS_LIMIT: i64 = 100;
/// Versions of one component that are kept, the latest.
const VERSIONS_KEPT: i64 = 100;

/// One version of a workspace's own component.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredComponent {
    pub slug: ComponentSlug,
    pub version: i64,
    /// As it was given, without its icon.
    pub definition: serde_json::Value,
    /// The name of its icon; empty: none.
    pub icon: String,
    pub at: Timestamp,
    /// Who gave it, as people read it.
    pub by: String,
}

/// A new version.
#[derive(Clone, Debug)]
pub struct NewComponent {
    pub slug: ComponentSlug,
    pub definition: serde_json::Value,
    pub icon: IconChange,
    /// The version it replaces, where that matters; 0: there is none yet.
    pub replaces: Option<i64>,
    /// What its secrets are given for is another than before: its connections are looked at soon.
    pub moves: bool,
}

/// What becomes of a component's icon.
#[derive(Clone, Debug)]
pub enum IconChange {
    None,
    Keep(String),
    New(StoredIcon),
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIcon {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

macro_rules! versions {
    () => {
        "SELECT v.slug, v.version, v.definition, v.icon, v.at, v.actor_name FROM component_versions v "
    };
}
macro_rules! in_force {
    () => {
        concat!(
            versions!(),
            "JOIN components c ON c.workspace = v.workspace AND c.slug = v.slug AND c.version = v.version "
        )
    };
}

impl Store {
    /// Grows with every change of a workspace's own components; 0: it never had any.
    ///
    /// # Errors
    /// `NotFound` where there is no such workspace, `Unavailable`.
    pub async fn components_revision(&self, workspace: &WorkspaceId) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT components_revision FROM workspaces WHERE id = $1")
            .bind(workspace.as_str())
            .fetch_one(&self.read)
            .await?;
        Ok(row.try_get("components_revision")?)
    }

    /// A workspace's own components as they are in force, by slug.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn components(&self, workspace: &WorkspaceId) -> Result<Vec<StoredComponent>, StoreError> {
        let rows = sqlx::query(concat!(in_force!(), "WHERE v.workspace = $1 ORDER BY v.slug"))
            .bind(workspace.as_str())
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The version in force of one component.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn component(
        &self,
        workspace: &WorkspaceId,
        slug: &ComponentSlug,
    ) -> Result<Option<StoredComponent>, StoreError> {
        let row = sqlx::query(concat!(in_force!(), "WHERE v.workspace = $1 AND v.slug = $2"))
            .bind(workspace.as_str())
            .bind(slug.as_str())
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The versions of one component that are kept, the latest first; empty where there is no such component.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn component_versions(
        &self,
        workspace: &WorkspaceId,
        slug: &ComponentSlug,
    ) -> Result<Vec<StoredComponent>, StoreError> {
        let rows = sqlx::query(concat!(
            versions!(),
            "WHERE v.workspace = $1 AND v.slug = $2 ORDER BY v.version DESC LIMIT $3"
        ))
        .bind(workspace.as_str())
        .bind(slug.as_str())
        .bind(VERSIONS_KEPT)
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(read).collect()
    }

    /// One version that is kept.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn component_version(
        &self,
        workspace: &WorkspaceId,
        slug: &ComponentSlug,
        version: i64,
    ) -> Result<Option<StoredComponent>, StoreError> {
        let row = sqlx::query(concat!(versions!(), "WHERE v.workspace = $1 AND v.slug = $2 AND v.version = $3"))
            .bind(workspace.as_str())
            .bind(slug.as_str())
            .bind(version)
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// A picture of a workspace's components.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn component_icon(&self, workspace: &WorkspaceId, name: &str) -> Result<Option<StoredIcon>, StoreError> {
        let row = sqlx::query("SELECT name, media_type, bytes FROM component_icons WHERE workspace = $1 AND name = $2")
            .bind(workspace.as_str())
            .bind(name)
            .fetch_optional(&self.read)
            .await?;
        let icon = |row: AnyRow| {
            let (name, media_type) = (row.try_get("name")?, row.try_get("media_type")?);
            Ok(StoredIcon { name, media_type, bytes: row.try_get("bytes")? })
        };
        row.map(icon).transpose()
    }

    /// Registers a component, or its next version, which is returned.
    ///
    /// # Errors
    /// `Stale` where another version is in force than the one it replaces, `Full`, `Unavailable`.
    pub async fn put_component(
        &self,
        workspace: &WorkspaceId,
        new: NewComponent,
        entry: AuditEntry,
    ) -> Result<i64, StoreError> {
        let workspace = workspace.clone();
        self.write(move |tx| {
            Box::pin(async move {
                audit::append(tx, &workspace, None, Some(new.slug.as_str()), &entry).await?;
                let before = version_of(tx, &workspace, &new.slug).await?;
                if new.replaces.is_some_and(|replaces| replaces != before) {
                    return Err(StoreError::Stale);
                }
                if before == 0 {
                    check_room(tx, &workspace).await?;
                }
                let version = before + 1;
                set_version(tx, &workspace, &new.slug, version, entry.at).await?;
                insert_version(tx, &workspace, &new, version, &entry).await?;
                forget_oldest(tx, &workspace, &new.slug, version).await?;
                if new.moves {
                    look_again(tx, &workspace, &new.slug, entry.at).await?;
                }
                next_revision(tx, &workspace).await?;
                Ok(version)
            })
        })
        .await
    }

    /// Removes a component with all its versions, and the OAuth clients set up for it.
    ///
    /// # Errors
    /// `InUse` where connections are made with it, `Stale` where another version is in force, `NotFound`, `Unavailable`.
    pub async fn remove_component(
        &self,
        workspace: &WorkspaceId,
        slug: &ComponentSlug,
        expected: Option<i64>,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let (workspace, slug) = (workspace.clone(), slug.clone());
        self.write(move |tx| {
            Box::pin(async move {
                audit::append(tx, &workspace, None, Some(slug.as_str()), &entry).await?;
                let before = version_of(tx, &workspace, &slug).await?;
                if before == 0 {
                    return Err(StoreError::NotFound);
                }
                if expected.is_some_and(|expected| expected != before) {
                    return Err(StoreError::Stale);
                }
                let used = sqlx::query(
                    "SELECT (SELECT COUNT(*) FROM connections WHERE workspace = $1 AND component = $2) \
                     + (SELECT COUNT(*) FROM oauth_revocations WHERE workspace = $1 AND component = $2) AS total",
                )
                .bind(workspace.as_str())
                .bind(slug.as_str())
                .fetch_one(&mut *tx)
                .await?;
                if used.try_get::<i64, _>("total")? > 0 {
                    return Err(StoreError::InUse);
                }
                // Whatever version they were for.
                sqlx::query("DELETE FROM oauth_clients WHERE workspace = $1 AND SUBSTR(client, 1, LENGTH($2)) = $2")
                    .bind(workspace.as_str())
                    .bind(clients_of(&slug))
                    .execute(&mut *tx)
                    .await?;
                sqlx::query("DELETE FROM components WHERE workspace = $1 AND slug = $2")
                    .bind(workspace.as_str())
                    .bind(slug.as_str())
                    .execute(&mut *tx)
                    .await?;
                next_revision(tx, &workspace).await
            })
        })
        .await
    }
}

/// A connection is made only with a component that is still there. The workspace is locked, so that nobody removes it.
pub(super) async fn check_present(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    slug: &ComponentSlug,
) -> Result<(), StoreError> {
    if version_of(tx, workspace, slug).await? == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}

/// 0: there is no such component.
async fn version_of(tx: &mut AnyConnection, workspace: &WorkspaceId, slug: &ComponentSlug) -> Result<i64, StoreError> {
    let row = sqlx::query("SELECT version FROM components WHERE workspace = $1 AND slug = $2")
        .bind(workspace.as_str())
        .bind(slug.as_str())
        .fetch_optional(tx)
        .await?;
    row.map_or(Ok(0), |row| Ok(row.try_get("version")?))
}

async fn check_room(tx: &mut AnyConnection, workspace: &WorkspaceId) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT COUNT(*) AS total FROM components WHERE workspace = $1")
        .bind(workspace.as_str())
        .fetch_one(tx)
        .await?;
    if row.try_get::<i64, _>("total")? >= COMPONENTS_LIMIT { Err(StoreError::Full) } else { Ok(()) }
}

async fn set_version(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    slug: &ComponentSlug,
    version: i64,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO components (workspace, slug, version, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (workspace, slug) DO UPDATE SET version = $3",
    )
    .bind(workspace.as_str())
    .bind(slug.as_str())
    .bind(version)
    .bind(at.0)
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_version(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    new: &NewComponent,
    version: i64,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let icon = match &new.icon {
        IconChange::None => "",
        IconChange::Keep(name) => name,
        IconChange::New(icon) => {
            sqlx::query(
                "INSERT INTO component_icons (workspace, slug, name, media_type, bytes) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(workspace.as_str())
            .bind(new.slug.as_str())
            .bind(icon.name.as_str())
            .bind(icon.media_type.as_str())
            .bind(icon.bytes.clone())
            .execute(&mut *tx)
            .await?;
            icon.name.as_str()
        }
    };
    sqlx::query(
        "INSERT INTO component_versions (workspace, slug, version, definition, icon, at, actor_name) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(workspace.as_str())
    .bind(new.slug.as_str())
    .bind(version)
    .bind(to_json(&new.definition)?)
    .bind(icon)
    .bind(entry.at.0)
    .bind(entry.actor_name.as_str())
    .execute(tx)
    .await?;
    Ok(())
}

/// Drops the versions that are too old to be kept, and the pictures that none needs any more.
async fn forget_oldest(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    slug: &ComponentSlug,
    latest: i64,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM component_versions WHERE workspace = $1 AND slug = $2 AND version <= $3")
        .bind(workspace.as_str())
        .bind(slug.as_str())
        .bind(latest - VERSIONS_KEPT)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "DELETE FROM component_icons WHERE workspace = $1 AND slug = $2 AND name NOT IN \
         (SELECT v.icon FROM component_versions v WHERE v.workspace = $1 AND v.slug = $2)",
    )
    .bind(workspace.as_str())
    .bind(slug.as_str())
    .execute(tx)
    .await?;
    Ok(())
}

/// Has its connections checked at once: a check under way began with what the component said before, and counts no more.
async fn look_again(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    slug: &ComponentSlug,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE connections SET check_at = $3, lease_until = 0, fence = fence + 1 \
         WHERE workspace = $1 AND component = $2 AND deleted_at IS NULL",
    )
    .bind(workspace.as_str())
    .bind(slug.as_str())
    .bind(at.0)
    .execute(tx)
    .await?;
    Ok(())
}

async fn next_revision(tx: &mut AnyConnection, workspace: &WorkspaceId) -> Result<(), StoreError> {
    sqlx::query("UPDATE workspaces SET components_revision = components_revision + 1 WHERE id = $1")
        .bind(workspace.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<StoredComponent, StoreError> {
    Ok(StoredComponent {
        slug: parsed(row.try_get("slug")?)?,
        version: row.try_get("version")?,
        definition: json(row.try_get("definition")?)?,
        icon: row.try_get("icon")?,
        at: Timestamp(row.try_get("at")?),
        by: row.try_get("actor_name")?,
    })
}
