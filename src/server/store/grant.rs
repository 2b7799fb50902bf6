//! What is known of the OAuth tokens sealed in a connection, and whose turn it is to renew them.

use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Executor, Row};

use super::connection::{current, set_credentials};
use super::list::{next_revision, summary_of};
use super::record::{AuditEntry, Credentials, Grant, Proof, RenewalClaim, Scope};
use super::row::{json, moment, place, to_json};
use super::{Store, StoreError, audit};
use crate::domain::connection::Summary;
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;

/// What a renewal ended in, to be written where claim and secrets are still the ones it began with.
#[derive(Clone, Debug)]
pub struct Renewed {
    pub scope: Scope,
    pub id: ConnectionId,
    /// `None`: replayed from the journal, after the claim was lost with the process that held it.
    pub claim: Option<RenewalClaim>,
    /// The secrets it began with.
    pub secret_version: i64,
    pub change: RenewalChange,
    /// What the audit trail says; only where lists show something else now.
    pub entry: Option<AuditEntry>,
}

#[derive(Clone, Debug)]
pub enum RenewalChange {
    /// New tokens: sealed for the next secret version, with what is known of them in the credentials' grant.
    Tokens(Box<Credentials>),
    /// No tokens: what is known of the connection now, and when it is tried again.
    Setback { health: Health, refresh_at: Option<Timestamp>, failures: i64, presented: i64 },
}

impl Store {
    /// What is known of a connection's tokens; `None` where it holds none.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn grant(&self, scope: &Scope, id: &ConnectionId) -> Result<Option<Grant>, StoreError> {
        grant_of(&self.read, scope, id).await
    }

    /// Claims what is due for renewal until the lease ends.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn claim_renewals(
        &self,
        now: Timestamp,
        lease: Timestamp,
        most: i64,
    ) -> Result<Vec<RenewalClaim>, StoreError> {
        // Read first: most of the time nothing is due, and nobody shall wait for the writer because of that.
        let due =
            sqlx::query("SELECT connection FROM oauth_grants WHERE refresh_at <= $1 AND lease_until <= $1 LIMIT 1");
        if due.bind(now.0).fetch_optional(&self.read).await?.is_none() {
            return Ok(Vec::new());
        }
        self.write(move |tx| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "UPDATE oauth_grants SET lease_until = $2, fence = fence + 1, presented = presented + 1 \
                     WHERE connection IN (SELECT g.connection FROM oauth_grants g JOIN connections c \
                      ON c.workspace = g.workspace AND c.environment = g.environment AND c.id = g.connection \
                      WHERE g.refresh_at <= $1 AND g.lease_until <= $1 AND c.deleted_at IS NULL \
                      ORDER BY g.refresh_at LIMIT $3) \
                     AND refresh_at <= $1 AND lease_until <= $1 \
                     RETURNING workspace, environment, connection, fence, presented, client, lease_until",
                )
                .bind(now.0)
                .bind(lease.0)
                .bind(most)
                .fetch_all(tx)
                .await?;
                rows.iter().map(claim).collect()
            })
        })
        .await
    }

    /// Claims one connection's renewal, due or not; `None` where somebody else is at it.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn claim_renewal(
        &self,
        scope: &Scope,
        id: &ConnectionId,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Option<RenewalClaim>, StoreError> {
        let (scope, id) = (scope.clone(), id.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let row = sqlx::query(
                    "UPDATE oauth_grants SET lease_until = $5, fence = fence + 1, presented = presented + 1 \
                     WHERE workspace = $1 AND environment = $2 AND connection = $3 AND lease_until <= $4 \
                     RETURNING workspace, environment, connection, fence, presented, client, lease_until",
                )
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(id.as_str())
                .bind(now.0)
                .bind(lease.0)
                .fetch_optional(tx)
                .await?;
                row.as_ref().map(claim).transpose()
            })
        })
        .await
    }

    /// Gives a claimed renewal back that was not begun: nothing was presented. With a moment, it is due again then.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn release_renewal(&self, claim: RenewalClaim, again: Option<Timestamp>) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE oauth_grants SET lease_until = 0, presented = presented - 1, \
                     refresh_at = CASE WHEN $5 > 0 THEN $5 ELSE refresh_at END \
                     WHERE workspace = $1 AND environment = $2 AND connection = $3 AND fence = $4",
                )
                .bind(claim.scope.workspace.as_str())
                .bind(claim.scope.environment.as_str())
                .bind(claim.id.as_str())
                .bind(claim.fence)
                .bind(again.map_or(0, |at| at.0))
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Writes what a renewal ended in.
    ///
    /// # Errors
    /// `Stale` where somebody else claimed it since, or the connection has other secrets by now, or is deleted;
    /// `Unavailable`, `Corrupt`, `NotFound`.
    pub async fn record_renewed(&self, renewed: Renewed) -> Result<Summary, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let Renewed { scope, id, claim, secret_version, change, entry } = renewed;
                let (scope, id) = (&scope, &id);
                match &entry {
                    Some(entry) => audit::append_in(tx, scope, Some(id.as_str()), entry).await?,
                    None => audit::lock(tx, &scope.workspace).await?,
                }
                let before = current(&mut *tx, scope, id).await?.ok_or(StoreError::NotFound)?;
                if before.secret_version != secret_version || before.deleted_at.is_some() {
                    return Err(StoreError::Stale);
                }
                if let Some(claim) = &claim {
                    hold_claim(tx, claim).await?;
                }
                let revision = if entry.is_some() { Some(next_revision(tx, scope).await?) } else { None };
                write_change(tx, scope, id, change, revision).await?;
                summary_of(tx, scope, id).await
            })
        })
        .await
    }
}

/// Ends the lease; `Stale` where the claim is somebody else's by now.
async fn hold_claim(tx: &mut AnyConnection, claim: &RenewalClaim) -> Result<(), StoreError> {
    let held = sqlx::query(
        "UPDATE oauth_grants SET lease_until = 0 \
         WHERE workspace = $1 AND environment = $2 AND connection = $3 AND fence = $4",
    )
    .bind(claim.scope.workspace.as_str())
    .bind(claim.scope.environment.as_str())
    .bind(claim.id.as_str())
    .bind(claim.fence)
    .execute(tx)
    .await?;
    if held.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

/// The version stays: a renewal must not make the form of somebody who edits the connection stale.
async fn write_change(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    change: RenewalChange,
    revision: Option<i64>,
) -> Result<(), StoreError> {
    match change {
        RenewalChange::Tokens(credentials) => {
            set_credentials(tx, scope, id, &credentials).await?;
            let Proof { health, expires_at, .. } = &credentials.proof;
            set_health(tx, scope, id, health, revision).await?;
            set_end(tx, scope, id, *expires_at).await
        }
        RenewalChange::Setback { health, refresh_at, failures, presented } => {
            sqlx::query(
                "UPDATE oauth_grants SET refresh_at = $4, failures = $5, presented = $6 \
                 WHERE workspace = $1 AND environment = $2 AND connection = $3",
            )
            .bind(scope.workspace.as_str())
            .bind(scope.environment.as_str())
            .bind(id.as_str())
            .bind(refresh_at.map(|at| at.0))
            .bind(failures)
            .bind(presented)
            .execute(&mut *tx)
            .await?;
            set_health(tx, scope, id, &health, revision).await
        }
    }
}

async fn set_health(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    health: &Health,
    revision: Option<i64>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE connections SET health = $4, revision = CASE WHEN $5 > 0 THEN $5 ELSE revision END \
         WHERE workspace = $1 AND environment = $2 AND id = $3",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(to_json(health)?)
    .bind(revision.unwrap_or(0))
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes when the credential ends.
async fn set_end(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    expires_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE connections SET expires_at = $4 WHERE workspace = $1 AND environment = $2 AND id = $3")
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .bind(expires_at.map(|at| at.0))
        .execute(tx)
        .await?;
    Ok(())
}

/// Writes what is known of a connection's tokens, in place of what was; the fence goes on.
pub(super) async fn set_grant(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    grant: Option<&Grant>,
) -> Result<(), StoreError> {
    let Some(grant) = grant else {
        sqlx::query("DELETE FROM oauth_grants WHERE workspace = $1 AND environment = $2 AND connection = $3")
            .bind(scope.workspace.as_str())
            .bind(scope.environment.as_str())
            .bind(id.as_str())
            .execute(tx)
            .await?;
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO oauth_grants (workspace, environment, connection, client, asked, issued_at, access_expires_at, \
         refresh_expires_at, refresh_at, connected_at, granted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (workspace, environment, connection) DO UPDATE SET client = $4, asked = $5, issued_at = $6, \
         access_expires_at = $7, refresh_expires_at = $8, refresh_at = $9, connected_at = $10, granted = $11, lease_until = 0, \
         fence = oauth_grants.fence + 1, presented = 0, failures = 0",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(grant.client.as_str())
    .bind(to_json(&grant.asked)?)
    .bind(grant.issued_at.0)
    .bind(grant.access_expires_at.map(|at| at.0))
    .bind(grant.refresh_expires_at.map(|at| at.0))
    .bind(grant.refresh_at.map(|at| at.0))
    .bind(grant.connected_at.0)
    .bind(grant.granted.as_ref().map(to_json).transpose()?)
    .execute(tx)
    .await?;
    Ok(())
}

async fn grant_of(
    executor: impl Executor<'_, Database = Any>,
    scope: &Scope,
    id: &ConnectionId,
) -> Result<Option<Grant>, StoreError> {
    let row = sqlx::query(
        "SELECT client, asked, granted, connected_at, issued_at, access_expires_at, refresh_expires_at, refresh_at, failures \
         FROM oauth_grants WHERE workspace = $1 AND environment = $2 AND connection = $3",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .fetch_optional(executor)
    .await?;
    row.map(|row| {
        Ok(Grant {
            client: row.try_get("client")?,
            asked: json(row.try_get("asked")?)?,
            granted: row.try_get::<Option<&str>, _>("granted")?.map(json).transpose()?,
            connected_at: Timestamp(row.try_get("connected_at")?),
            issued_at: Timestamp(row.try_get("issued_at")?),
            access_expires_at: moment(&row, "access_expires_at")?,
            refresh_expires_at: moment(&row, "refresh_expires_at")?,
            refresh_at: moment(&row, "refresh_at")?,
            failures: row.try_get("failures")?,
        })
    })
    .transpose()
}

fn claim(row: &AnyRow) -> Result<RenewalClaim, StoreError> {
    let (scope, id) = place(row, "connection")?;
    let (fence, presented) = (row.try_get("fence")?, row.try_get("presented")?);
    let until = Timestamp(row.try_get("lease_until")?);
    Ok(RenewalClaim { scope, id, client: row.try_get("client")?, fence, presented, until })
}
