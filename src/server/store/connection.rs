//! One connection: read, insert, update.

use sqlx::{Any, AnyConnection, Executor};
use std::time::Duration;

use super::capacity::{check_capacity, check_own};
use super::checks::set_proof;
use super::error::name_taken;
use super::flow::end_flow;
use super::grant::set_grant;
use super::list::{next_revision, summary_of};
use super::record::{AuditEntry, Change, Credentials, EndingFlow, NewConnection, Scope, StoredConnection};
use super::row::{seen, stored, to_json, whole};
use super::{Store, StoreError, audit, component};
use crate::domain::connection::Summary;
use crate::domain::id::ConnectionId;
use crate::domain::name::ConnectionName;
use crate::domain::tag::TagSet;
use crate::domain::time::Timestamp;

/// Until many rows at once have to be written.
pub(super) const MANY: Duration = Duration::from_mins(5);

impl Store {
    /// One connection, whole but sealed; also a deleted one, as its `deleted_at` tells.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn connection(&self, scope: &Scope, id: &ConnectionId) -> Result<Option<StoredConnection>, StoreError> {
        current(&self.read, scope, id).await
    }

    /// Inserts a connection, created when the audit entry says. A repeated request inserts nothing and returns what
    /// its first run made, unless that is deleted.
    ///
    /// # Errors
    /// `NameTaken`, `Full`, `Unavailable`; `NotFound` where there is no such workspace, or its own component is gone.
    pub async fn insert(&self, scope: &Scope, new: NewConnection, entry: AuditEntry) -> Result<Summary, StoreError> {
        self.insert_ending(scope, new, entry, None).await
    }

    /// The same for an account just connected.
    ///
    /// # Errors
    /// Also `Stale` where the flow was called off, or carried through, meanwhile.
    pub async fn insert_connected(
        &self,
        scope: &Scope,
        new: NewConnection,
        entry: AuditEntry,
        flow: EndingFlow,
    ) -> Result<Summary, StoreError> {
        self.insert_ending(scope, new, entry, Some(flow)).await
    }

    async fn insert_ending(
        &self,
        scope: &Scope,
        new: NewConnection,
        entry: AuditEntry,
        flow: Option<EndingFlow>,
    ) -> Result<Summary, StoreError> {
        let (here, capacity) = (scope.clone(), self.capacity);
        let (request_id, digest) = (new.request_id.clone(), new.request_digest.clone());
        let inserted = self.write(move |tx| {
            Box::pin(async move {
                audit::append_in(tx, &here, Some(new.id.as_str()), &entry).await?;
                let revision = next_revision(tx, &here, entry.at).await?;
                check_capacity(tx, &here, 1, capacity).await?;
                if new.own_component {
                    component::check_present(tx, &here.workspace, &new.component).await?;
                }
                insert_row(tx, &here, &new, entry.at, revision).await?;
                if new.owner.is_some() {
                    check_own(tx, &here, &new.id).await?;
                }
                if let Some(flow) = &flow {
                    end_flow(tx, flow, &new.id).await?;
                }
                summary_of(tx, &here, &new.id).await
            })
        });
        match (inserted.await, request_id) {
            // A repeated request meets the unique index of request ids, or before it what its first run left behind.
            (Err(refusal @ (StoreError::NameTaken | StoreError::Full | StoreError::OwnFull)), Some(request_id)) => {
                let earlier = self.by_request_id(scope, &request_id).await?;
                let repeated = earlier.filter(|it| !it.is_deleted && it.is_repeated_by(digest.as_deref()));
                repeated.map(|earlier| earlier.summary).ok_or(refusal)
            }
            (inserted, _) => inserted,
        }
    }

    /// Inserts many connections at once, under one audit entry.
    ///
    /// # Errors
    /// As [`Store::insert`]; then none is inserted.
    pub async fn insert_many(
        &self,
        scope: &Scope,
        many: Vec<(NewConnection, Timestamp)>,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let (scope, capacity) = (scope.clone(), self.capacity);
        self.write_within(MANY, move |tx| {
            Box::pin(async move {
                audit::append_in(tx, &scope, None, &entry).await?;
                let revision = next_revision(tx, &scope, entry.at).await?;
                check_capacity(tx, &scope, many.len(), capacity).await?;
                for (new, created_at) in &many {
                    insert_row(tx, &scope, new, *created_at, revision).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Changes a connection that still has `version`.
    ///
    /// # Errors
    /// `Stale`, also where the flow that it ends has ended otherwise, `NameTaken`, `Unavailable`, `Corrupt`; `NotFound`
    /// also where it is deleted.
    pub async fn update(
        &self,
        scope: &Scope,
        id: &ConnectionId,
        version: i64,
        change: Change,
        entry: AuditEntry,
    ) -> Result<Summary, StoreError> {
        let (scope, id) = (scope.clone(), id.clone());
        self.write(move |tx| {
            Box::pin(async move {
                audit::append_in(tx, &scope, Some(id.as_str()), &entry).await?;
                let revision = next_revision(tx, &scope, entry.at).await?;
                claim_version(tx, &scope, &id, version, change.replaces, revision).await?;
                if let Some(flow) = &change.ends {
                    end_flow(tx, flow, &id).await?;
                }
                if let Some(name) = &change.name {
                    set_name(tx, &scope, &id, name).await?;
                }
                if let Some(tags) = &change.tags {
                    set_tags(tx, &scope, &id, tags).await?;
                }
                if let Some(credentials) = &change.credentials {
                    set_credentials(tx, &scope, &id, credentials).await?;
                    set_proof(tx, &scope, &id, &credentials.proof).await?;
                }
                summary_of(tx, &scope, &id).await
            })
        })
        .await
    }

    /// Notes where the secrets of a version are sent, if nothing is noted yet; says whether it did. Nobody sees a
    /// change.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note_destination(
        &self,
        scope: &Scope,
        id: &ConnectionId,
        secret_version: i64,
        destination: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let (scope, id) = (scope.clone(), id.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let noted = sqlx::query(
                    "UPDATE connections SET destination = $5 WHERE workspace = $1 AND environment = $2 AND id = $3 \
                     AND secret_version = $4 AND destination IS NULL",
                )
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(id.as_str())
                .bind(secret_version)
                .bind(destination)
                .execute(tx)
                .await?;
                Ok(noted.rows_affected() == 1)
            })
        })
        .await
    }
}

/// One connection as it is now, without its grant.
pub(super) async fn current<'e>(
    executor: impl Executor<'e, Database = Any>,
    scope: &Scope,
    id: &ConnectionId,
) -> Result<Option<StoredConnection>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT ",
        whole!(),
        "FROM connections c JOIN workspaces w ON w.id = c.workspace \
         WHERE c.workspace = $1 AND c.environment = $2 AND c.id = $3 ",
        seen!("$4")
    ))
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(scope.sight.limit())
    .fetch_optional(executor)
    .await?;
    row.map(|row| stored(scope, &row)).transpose()
}

async fn insert_row(
    tx: &mut AnyConnection,
    scope: &Scope,
    new: &NewConnection,
    created_at: Timestamp,
    revision: i64,
) -> Result<(), StoreError> {
    let credentials = &new.credentials;
    let proof = &credentials.proof;
    sqlx::query(
        "INSERT INTO connections (workspace, environment, id, owner, component, name, name_key, tags, method, config, \
         sealed, secrets, secret_version, health, identity, scopes, created_at, version, revision, request_id, \
         request_digest, destination, owner_name) \
         VALUES ($1, $2, $3, $19, $4, $5, $6, '[]', $7, $8, $9, $10, 1, $11, $12, $13, $14, 1, $15, $16, $17, $18, $20)",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(new.id.as_str())
    .bind(new.component.as_str())
    .bind(new.name.as_str())
    .bind(new.name.key().into_bytes())
    .bind(credentials.method.as_str())
    .bind(to_json(&credentials.config)?)
    .bind(credentials.sealed.clone())
    .bind(to_json(&credentials.secrets)?)
    .bind(to_json(&proof.health)?)
    .bind(proof.account.identity.as_deref())
    .bind(to_json(&proof.account.scopes)?)
    .bind(created_at.0)
    .bind(revision)
    .bind(new.request_id.as_deref())
    .bind(new.request_digest.as_deref())
    .bind(credentials.destination.as_deref())
    .bind(new.owner.as_ref().map_or("", |owner| owner.id.as_str()))
    .bind(new.owner.as_ref().map_or("", |owner| owner.name.as_str()))
    .execute(&mut *tx)
    .await
    .map_err(name_taken)?;
    set_proof(tx, scope, &new.id, proof).await?;
    set_grant(tx, scope, &new.id, credentials.grant.as_ref()).await?;
    if new.tags.is_empty() { Ok(()) } else { set_tags(tx, scope, &new.id, &new.tags).await }
}

/// Raises the version of a connection that still has `version`, and these secrets where told, and is not deleted.
async fn claim_version(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    version: i64,
    secret_version: Option<i64>,
    revision: i64,
) -> Result<(), StoreError> {
    let claimed = sqlx::query(concat!(
        "UPDATE connections AS c SET version = version + 1, revision = $5 \
         WHERE c.workspace = $1 AND c.environment = $2 AND c.id = $3 AND c.version = $4 AND c.deleted_at IS NULL \
         AND ($6 < 0 OR c.secret_version = $6) ",
        seen!("$7")
    ))
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(version)
    .bind(revision)
    .bind(secret_version.unwrap_or(-1))
    .bind(scope.sight.limit())
    .execute(&mut *tx)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(());
    }
    let current = sqlx::query(concat!(
        "SELECT c.version FROM connections c WHERE c.workspace = $1 AND c.environment = $2 AND c.id = $3 \
         AND c.deleted_at IS NULL ",
        seen!("$4")
    ))
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(scope.sight.limit())
    .fetch_optional(tx)
    .await?;
    Err(if current.is_some() { StoreError::Stale } else { StoreError::NotFound })
}

async fn set_name(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    name: &ConnectionName,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE connections SET name = $4, name_key = $5 WHERE workspace = $1 AND environment = $2 AND id = $3",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(name.as_str())
    .bind(name.key().into_bytes())
    .execute(tx)
    .await
    .map_err(name_taken)?;
    Ok(())
}

async fn set_tags(tx: &mut AnyConnection, scope: &Scope, id: &ConnectionId, tags: &TagSet) -> Result<(), StoreError> {
    sqlx::query("UPDATE connections SET tags = $4 WHERE workspace = $1 AND environment = $2 AND id = $3")
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .bind(to_json(tags)?)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM connection_tags WHERE workspace = $1 AND environment = $2 AND connection = $3")
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
    for tag in tags {
        sqlx::query(
            "INSERT INTO connection_tags (workspace, environment, connection, tag_key, tag) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .bind(tag.key().into_bytes())
        .bind(tag.as_str())
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

pub(super) async fn set_credentials(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    credentials: &Credentials,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE connections SET method = $4, config = $5, sealed = $6, secrets = $7, destination = $8, \
         secret_version = secret_version + 1 WHERE workspace = $1 AND environment = $2 AND id = $3",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(credentials.method.as_str())
    .bind(to_json(&credentials.config)?)
    .bind(credentials.sealed.clone())
    .bind(to_json(&credentials.secrets)?)
    .bind(credentials.destination.as_deref())
    .execute(&mut *tx)
    .await?;
    set_grant(tx, scope, id, credentials.grant.as_ref()).await
}
