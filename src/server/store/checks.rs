//! What checks found out, and the timeline of it.

use sqlx::{AnyConnection, Row};

use super::connection::current;
use super::list::{next_revision, summary_of};
use super::record::{Claim, Found, Judged, Proof, Scope, StoredConnection};
use super::row::{json, to_json};
use super::{Store, StoreError, audit};
use crate::domain::connection::Summary;
use crate::domain::evidence::Check;
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;

/// Entries of a connection's timeline that are kept.
const KEPT: i64 = 50;

impl Store {
    /// Stores what a check found out; `None`, and nothing is stored, where the connection meanwhile has other secrets or
    /// later evidence, is deleted or gone, or where somebody else has claimed the check since.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn record_found(
        &self,
        scope: &Scope,
        id: &ConnectionId,
        found: Found,
    ) -> Result<Option<Summary>, StoreError> {
        let (scope, id) = (scope.clone(), id.clone());
        let recorded = self.write(move |tx| {
            Box::pin(async move {
                // First, so that nobody writes between reading the row and judging by it.
                audit::lock(tx, &scope.workspace).await?;
                let before = current(&mut *tx, &scope, &id).await?.ok_or(StoreError::NotFound)?;
                let Found { at, secret_version, fence, judge } = found;
                if before.credentials.proof.evidence.as_ref().is_some_and(|known| known.at > at) {
                    return Err(StoreError::Stale);
                }
                let Judged { proof, visible, entry } = judge(&before);
                if let Some(entry) = &entry {
                    audit::append_in(tx, &scope, Some(id.as_str()), entry).await?;
                }
                let revision = if visible { Some(next_revision(tx, &scope, at).await?) } else { None };
                claim_secrets(tx, &before, secret_version, fence, revision).await?;
                set_proof(tx, &scope, &id, &proof).await?;
                summary_of(tx, &scope, &id).await
            })
        });
        match recorded.await {
            Ok(summary) => Ok(Some(summary)),
            Err(StoreError::Stale | StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The timeline of a connection, the latest first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn checks_of(&self, scope: &Scope, id: &ConnectionId) -> Result<Vec<Check>, StoreError> {
        let rows = sqlx::query(
            "SELECT found FROM checks WHERE workspace = $1 AND environment = $2 AND connection = $3 \
             ORDER BY sequence DESC",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(|row| json(row.try_get("found")?)).collect()
    }

    /// Gives a claimed check back, to be made at another time.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn postpone(&self, claim: Claim, to: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE connections SET check_at = $5, lease_until = 0 \
                     WHERE workspace = $1 AND environment = $2 AND id = $3 AND fence = $4",
                )
                .bind(claim.scope.workspace.as_str())
                .bind(claim.scope.environment.as_str())
                .bind(claim.id.as_str())
                .bind(claim.fence)
                .bind(to.0)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

/// Marks a connection that still has the secrets of `secret_version` and is not deleted as changed, if anybody can see
/// a change.
///
/// The version stays: what a service said of a secret must not make the form of somebody who edits it stale.
async fn claim_secrets(
    tx: &mut AnyConnection,
    StoredConnection { scope, summary, .. }: &StoredConnection,
    secret_version: i64,
    fence: Option<i64>,
    revision: Option<i64>,
) -> Result<(), StoreError> {
    let claimed = sqlx::query(
        "UPDATE connections SET revision = CASE WHEN $5 > 0 THEN $5 ELSE revision END \
         WHERE workspace = $1 AND environment = $2 AND id = $3 AND secret_version = $4 AND deleted_at IS NULL \
         AND ($6 < 0 OR fence = $6)",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(summary.id.as_str())
    .bind(secret_version)
    .bind(revision.unwrap_or(0))
    .bind(fence.unwrap_or(-1))
    .execute(tx)
    .await?;
    if claimed.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

/// Writes what is known of a connection, and adds it to the timeline.
pub(super) async fn set_proof(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    proof: &Proof,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE connections SET health = $4, identity = $5, scopes = $6, evidence = $7, expires_at = $8, \
         check_at = $9, subject = $10, lease_until = 0 WHERE workspace = $1 AND environment = $2 AND id = $3",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(to_json(&proof.health)?)
    .bind(proof.account.identity.as_deref())
    .bind(to_json(&proof.account.scopes)?)
    .bind(proof.evidence.as_ref().map(to_json).transpose()?)
    .bind(proof.expires_at.map(|at| at.0))
    .bind(proof.check_at.map(|at| at.0))
    .bind(proof.account.subject.as_deref())
    .execute(&mut *tx)
    .await?;
    match proof.evidence.as_ref().and_then(Check::of) {
        Some(check) => append(tx, scope, id, &check).await,
        None => Ok(()),
    }
}

async fn append(tx: &mut AnyConnection, scope: &Scope, id: &ConnectionId, check: &Check) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO checks (workspace, environment, connection, sequence, found) \
         SELECT $1, $2, $3, COALESCE(MAX(sequence), 0) + 1, $4 FROM checks \
         WHERE workspace = $1 AND environment = $2 AND connection = $3",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(to_json(check)?)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "DELETE FROM checks WHERE workspace = $1 AND environment = $2 AND connection = $3 AND sequence <= \
         (SELECT MAX(sequence) FROM checks WHERE workspace = $1 AND environment = $2 AND connection = $3) - $4",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(KEPT)
    .execute(tx)
    .await?;
    Ok(())
}
