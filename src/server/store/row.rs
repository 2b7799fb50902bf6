//! Reading rows in the domain's words. What cannot be read is `Corrupt`, never a default.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::StoreError;
use super::record::{Credentials, Proof, Scope, StoredConnection};
use crate::domain::connection::Summary;
use crate::domain::evidence::Account;
use crate::domain::id::ConnectionId;
use crate::domain::owner::EndUser;
use crate::domain::time::Timestamp;

/// The columns of a [`Summary`].
macro_rules! summary_columns {
    () => {
        "c.id, c.owner, c.owner_name, c.component, c.name, c.identity, c.health, c.tags, c.created_at, c.last_used_at, c.expires_at, \
         c.version, c.deleted_at, CASE WHEN w.knows_workflows = 1 THEN c.workflows END AS workflows "
    };
}
pub(super) use summary_columns;

/// The same, and what they are read from.
macro_rules! summaries {
    () => {
        concat!(
            "SELECT ",
            crate::server::store::row::summary_columns!(),
            "FROM connections c JOIN workspaces w ON w.id = c.workspace "
        )
    };
}
pub(super) use summaries;

/// The columns of a [`StoredConnection`], of the connection `c` and its workspace `w`.
macro_rules! whole {
    () => {
        "c.id, c.owner, c.owner_name, c.component, c.name, c.identity, c.health, c.tags, c.created_at, c.last_used_at, \
         c.expires_at, c.version, c.deleted_at, CASE WHEN w.knows_workflows = 1 THEN c.workflows END AS workflows, \
         c.method, c.config, c.sealed, c.secrets, c.secret_version, c.scopes, c.evidence, c.check_at, \
         c.destination, c.subject "
    };
}
pub(super) use whole;

/// The condition that a row `c` is seen, by the parameter that [`Sight::limit`] is bound to.
///
/// [`Sight::limit`]: crate::domain::owner::Sight::limit
macro_rules! seen {
    ($limit:literal) => {
        concat!("AND (", $limit, " IS NULL OR c.owner = '' OR c.owner = ", $limit, ") ")
    };
}
pub(super) use seen;

pub(super) fn summary(row: &AnyRow) -> Result<Summary, StoreError> {
    Ok(Summary {
        id: parsed(row.try_get("id")?)?,
        owner: owner(row)?,
        component: parsed(row.try_get("component")?)?,
        name: parsed(row.try_get("name")?)?,
        account: row.try_get("identity")?,
        health: json(row.try_get("health")?)?,
        tags: json(row.try_get("tags")?)?,
        workflows: row.try_get::<Option<i64>, _>("workflows")?.map(u32::try_from).transpose().map_err(corrupt)?,
        created_at: Timestamp(row.try_get("created_at")?),
        last_used_at: moment(row, "last_used_at")?,
        expires_at: moment(row, "expires_at")?,
        version: row.try_get("version")?,
    })
}

fn owner(row: &AnyRow) -> Result<Option<EndUser>, StoreError> {
    let id: String = row.try_get("owner")?;
    if id.is_empty() {
        return Ok(None);
    }
    Ok(Some(EndUser { id: parsed(id)?, name: row.try_get("owner_name")? }))
}

pub(super) fn stored(scope: &Scope, row: &AnyRow) -> Result<StoredConnection, StoreError> {
    let summary = summary(row)?;
    let account = Account {
        identity: summary.account.clone(),
        subject: row.try_get("subject")?,
        scopes: json(row.try_get("scopes")?)?,
    };
    let proof = Proof {
        health: summary.health.clone(),
        account,
        evidence: row.try_get::<Option<&str>, _>("evidence")?.map(json).transpose()?,
        expires_at: summary.expires_at,
        check_at: moment(row, "check_at")?,
    };
    let credentials = Credentials {
        method: row.try_get("method")?,
        config: json(row.try_get("config")?)?,
        sealed: row.try_get("sealed")?,
        secrets: json(row.try_get("secrets")?)?,
        destination: row.try_get("destination")?,
        grant: None,
        proof,
    };
    let secret_version = row.try_get("secret_version")?;
    let deleted_at = moment(row, "deleted_at")?;
    Ok(StoredConnection { scope: scope.clone(), summary, credentials, secret_version, deleted_at })
}

pub(super) fn moment(row: &AnyRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp))
}

/// Text that was written from a type of the domain.
pub(super) fn parsed<T: TryFrom<String>>(text: String) -> Result<T, StoreError> {
    T::try_from(text).map_err(corrupt)
}

pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(corrupt)
}

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Corrupt)
}

/// Says nothing of the reason, which may quote the value.
pub(super) fn corrupt<E>(_: E) -> StoreError {
    tracing::error!("a row cannot be read");
    StoreError::Corrupt
}

/// Where a row's connection lives, and its id.
pub(super) fn place(row: &AnyRow, id: &str) -> Result<(Scope, ConnectionId), StoreError> {
    Ok((scope(row)?, parsed(row.try_get(id)?)?))
}

pub(super) fn scope(row: &AnyRow) -> Result<Scope, StoreError> {
    let workspace = parsed(row.try_get("workspace")?)?;
    let environment = row.try_get::<&str, _>("environment")?.parse().map_err(corrupt)?;
    Ok(Scope::whole(workspace, environment))
}
