//! How many connections an environment holds, and how many of them one end user may keep.

use sqlx::{AnyConnection, Row};

use super::StoreError;
use super::record::Scope;
use crate::domain::id::ConnectionId;

/// Looks whether there is room.
///
/// # Errors
/// `Full` where `more` connections would not fit.
pub(super) async fn check_capacity(
    tx: &mut AnyConnection,
    scope: &Scope,
    more: usize,
    capacity: i64,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS total FROM connections WHERE workspace = $1 AND environment = $2 AND deleted_at IS NULL",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .fetch_one(tx)
    .await?;
    let room = capacity - row.try_get::<i64, _>("total")?;
    if i64::try_from(more).is_ok_and(|more| more <= room) { Ok(()) } else { Err(StoreError::Full) }
}

/// Most connections that an end user keeps to themselves in an environment: nobody fills it for all.
const OWN_LIMIT: i64 = 500;

/// Looks, once a connection was put in or brought back, how many its end user has.
///
/// # Errors
/// `OwnFull` where that is more than one may keep.
pub(super) async fn check_own(tx: &mut AnyConnection, scope: &Scope, id: &ConnectionId) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS total FROM connections WHERE workspace = $1 AND environment = $2 AND deleted_at IS NULL \
         AND owner <> '' AND owner = \
         (SELECT owner FROM connections WHERE workspace = $1 AND environment = $2 AND id = $3)",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .fetch_one(tx)
    .await?;
    if row.try_get::<i64, _>("total")? <= OWN_LIMIT { Ok(()) } else { Err(StoreError::OwnFull) }
}
