//! What is known of the OAuth tokens sealed in a connection, and whose turn it is to renew them.

use sqlx::any::AnyRow;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, Executor, Row};

use super::connection::{current, set_credentials};
use super::list::{next_revision, summary_of};
use super::record::{AuditEntry, Credentials, Grant, Proof, RenewalClaim, Scope, StoredConnection};
use super::row::{json, moment, place, to_json};
use super::{Store, StoreError, audit};
use crate::domain::connection::Summary;
use crate::domain::evidence::Verdict;
use crate::domain::health::{Health, Status};
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
    /// What the audit trail says where lists show something else now.
    pub entry: AuditEntry,
}

#[derive(Clone, Debug)]
pub enum RenewalChange {
    /// New tokens: sealed for the next secret version, with what is known of them in the credentials' grant. Of the
    /// proof its end counts, and a health only where there is no service to be asked: tokens alone prove no access.
    Tokens(Box<Credentials>),
    /// No tokens.
    Setback(Setback),
}

/// What follows from a renewal that brought no tokens.
#[derive(Clone, Debug)]
pub struct Setback {
    pub at: Timestamp,
    /// What it says of the connection; `None`: nothing, as long as the token in force works.
    pub verdict: Option<Verdict>,
    /// When it is tried again; `None`: not by itself.
    pub refresh_at: Option<Timestamp>,
    pub failures: i64,
    /// How often the refresh token was presented with the answer lost.
    pub presented: i64,
    /// The provider has ended the grant.
    pub ended: bool,
}

/// How many clients a claim can leave out.
pub const FULL_CLIENTS: usize = 2;

impl Store {
    /// What is known of a connection's tokens; `None` where it holds none.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn grant(&self, scope: &Scope, id: &ConnectionId) -> Result<Option<Grant>, StoreError> {
        grant_of(&self.read, scope, id).await
    }

    /// Claims what is due for renewal until the lease ends, but for the clients that have no place left.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn claim_renewals(
        &self,
        now: Timestamp,
        lease: Timestamp,
        most: i64,
        full: [String; FULL_CLIENTS],
    ) -> Result<Vec<RenewalClaim>, StoreError> {
        // Read first: most of the time nothing is due, and nobody shall wait for the writer because of that.
        let due = sqlx::query(
            "SELECT connection FROM oauth_grants \
             WHERE refresh_at <= $1 AND lease_until <= $1 AND client NOT IN ($2, $3) LIMIT 1",
        );
        let due = full.iter().fold(due.bind(now.0), |due, client| due.bind(client.clone()));
        if due.fetch_optional(&self.read).await?.is_none() {
            return Ok(Vec::new());
        }
        self.write(move |tx| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "UPDATE oauth_grants SET lease_until = $2, fence = fence + 1, presented = presented + 1 \
                     WHERE connection IN (SELECT g.connection FROM oauth_grants g JOIN connections c \
                      ON c.workspace = g.workspace AND c.environment = g.environment AND c.id = g.connection \
                      WHERE g.refresh_at <= $1 AND g.lease_until <= $1 AND c.deleted_at IS NULL \
                      AND g.client NOT IN ($4, $5) ORDER BY g.refresh_at LIMIT $3) \
                     AND refresh_at <= $1 AND lease_until <= $1 \
                     RETURNING workspace, environment, connection, fence, presented, client, lease_until",
                )
                .bind(now.0)
                .bind(lease.0)
                .bind(most);
                let rows = full.into_iter().fold(rows, Query::bind).fetch_all(tx).await?;
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

    /// Makes a renewal due at once, where there is anything to renew.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn renew_now(&self, scope: &Scope, id: &ConnectionId, now: Timestamp) -> Result<(), StoreError> {
        let (scope, id) = (scope.clone(), id.clone());
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE oauth_grants SET refresh_at = $4 \
                     WHERE workspace = $1 AND environment = $2 AND connection = $3 AND refresh_at > $4",
                )
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(id.as_str())
                .bind(now.0)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Writes what a renewal ended in. New tokens are stored wherever the secrets are still those they were asked for
    /// with: a provider gives them only once, so neither a lost claim nor a deletion, which may be undone, is in their way.
    ///
    /// # Errors
    /// `Stale` where the connection has other secrets by now; a setback also where somebody else claimed it since, or the
    /// connection is deleted. `Unavailable`, `Corrupt`, `NotFound`.
    pub async fn record_renewed(&self, renewed: Renewed) -> Result<Summary, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let Renewed { scope, id, claim, secret_version, change, entry } = renewed;
                let (scope, id) = (&scope, &id);
                audit::lock(tx, &scope.workspace).await?;
                let before = current(&mut *tx, scope, id).await?.ok_or(StoreError::NotFound)?;
                if before.secret_version != secret_version {
                    return Err(StoreError::Stale);
                }
                let after = match change {
                    RenewalChange::Tokens(credentials) => take_tokens(tx, &before, *credentials).await?,
                    RenewalChange::Setback(_) if before.deleted_at.is_some() => return Err(StoreError::Stale),
                    RenewalChange::Setback(setback) => {
                        hold_claim(tx, claim.as_ref().ok_or(StoreError::Stale)?).await?;
                        take_setback(tx, &before, setback).await?
                    }
                };
                show(tx, &before, after, &entry).await?;
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

/// What is known of a connection after a renewal.
struct After {
    health: Health,
    expires_at: Option<Timestamp>,
    /// When the service is to be asked, where a renewal makes that worth while now.
    check_at: Option<Timestamp>,
}

async fn take_tokens(
    tx: &mut AnyConnection,
    before: &StoredConnection,
    credentials: Credentials,
) -> Result<After, StoreError> {
    set_credentials(tx, &before.scope, &before.summary.id, &credentials).await?;
    let issued_at = credentials.grant.map(|grant| grant.issued_at);
    let Proof { health: told, expires_at, .. } = credentials.proof;
    let known = before.summary.health.clone();
    let health = if before.deleted_at.is_none() && told.status() == Status::Active { told } else { known };
    // Whether they mend what was wrong, only the service can tell.
    let unsure = before.deleted_at.is_none() && !matches!(health, Health::Valid { .. } | Health::Vouched { .. });
    Ok(After { health, expires_at, check_at: issued_at.filter(|_| unsure) })
}

async fn take_setback(
    tx: &mut AnyConnection,
    before: &StoredConnection,
    setback: Setback,
) -> Result<After, StoreError> {
    let Setback { at, verdict, refresh_at, failures, presented, ended } = setback;
    sqlx::query(
        "UPDATE oauth_grants SET refresh_at = $4, failures = $5, presented = $6, ended = $7 \
         WHERE workspace = $1 AND environment = $2 AND connection = $3",
    )
    .bind(before.scope.workspace.as_str())
    .bind(before.scope.environment.as_str())
    .bind(before.summary.id.as_str())
    .bind(refresh_at.map(|at| at.0))
    .bind(failures)
    .bind(presented)
    .bind(i64::from(ended))
    .execute(tx)
    .await?;
    let known = before.summary.health.clone();
    let health = verdict.map_or_else(|| known.clone(), |verdict| known.clone().after(&verdict, at));
    Ok(After { health, expires_at: before.summary.expires_at, check_at: None })
}

/// Writes what lists show, under a new revision where it differs. The version stays: a renewal must not make the form of
/// somebody who edits the connection stale.
async fn show(
    tx: &mut AnyConnection,
    before: &StoredConnection,
    after: After,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let (scope, id) = (&before.scope, &before.summary.id);
    let otherwise = !before.summary.health.shows_like(&after.health);
    if otherwise {
        audit::append_in(tx, scope, Some(id.as_str()), entry).await?;
    }
    let visible = otherwise || before.summary.expires_at != after.expires_at;
    let revision = if visible { next_revision(tx, scope, entry.at).await? } else { 0 };
    sqlx::query(
        "UPDATE connections SET health = $4, expires_at = $5, revision = CASE WHEN $6 > 0 THEN $6 ELSE revision END, \
         check_at = CASE WHEN $7 > 0 THEN $7 ELSE check_at END \
         WHERE workspace = $1 AND environment = $2 AND id = $3",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(to_json(&after.health)?)
    .bind(after.expires_at.map(|at| at.0))
    .bind(revision)
    .bind(after.check_at.map_or(0, |at| at.0))
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
         refresh_expires_at, refresh_at, connected_at, granted, client_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         ON CONFLICT (workspace, environment, connection) DO UPDATE SET client = $4, asked = $5, issued_at = $6, \
         access_expires_at = $7, refresh_expires_at = $8, refresh_at = $9, connected_at = $10, granted = $11, \
         client_id = $12, lease_until = 0, fence = oauth_grants.fence + 1, presented = 0, failures = 0, ended = 0",
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
    .bind(grant.client_id.as_deref())
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
        "SELECT client, client_id, asked, granted, connected_at, issued_at, access_expires_at, refresh_expires_at, \
         refresh_at, failures, ended FROM oauth_grants WHERE workspace = $1 AND environment = $2 AND connection = $3",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .fetch_optional(executor)
    .await?;
    row.as_ref().map(grant).transpose()
}

pub(super) fn grant(row: &AnyRow) -> Result<Grant, StoreError> {
    Ok(Grant {
        client: row.try_get("client")?,
        client_id: row.try_get("client_id")?,
        asked: json(row.try_get("asked")?)?,
        granted: row.try_get::<Option<&str>, _>("granted")?.map(json).transpose()?,
        connected_at: Timestamp(row.try_get("connected_at")?),
        issued_at: Timestamp(row.try_get("issued_at")?),
        access_expires_at: moment(row, "access_expires_at")?,
        refresh_expires_at: moment(row, "refresh_expires_at")?,
        refresh_at: moment(row, "refresh_at")?,
        failures: row.try_get("failures")?,
        ended: row.try_get::<i64, _>("ended")? == 1,
    })
}

fn claim(row: &AnyRow) -> Result<RenewalClaim, StoreError> {
    let (scope, id) = place(row, "connection")?;
    let (fence, presented) = (row.try_get("fence")?, row.try_get("presented")?);
    let until = Timestamp(row.try_get("lease_until")?);
    Ok(RenewalClaim { scope, id, client: row.try_get("client")?, fence, presented, until })
}
