//! Tokens of purged connections that the provider has still to be told of.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::record::{AuditEntry, Scope};
use super::row::{json, moment, parsed, place};
use super::{Store, StoreError, audit};
use crate::domain::component::ComponentSlug;
use crate::domain::field::FieldValues;
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;

/// What is left of a purged connection until its tokens are revoked.
#[derive(Clone, Debug)]
pub struct Revocation {
    pub scope: Scope,
    pub connection: ConnectionId,
    pub component: ComponentSlug,
    pub method: String,
    pub config: FieldValues,
    /// As the connection held it.
    pub sealed: Vec<u8>,
    pub secret_version: i64,
    /// A digest of where `sealed` is sent, as the connection had it.
    pub destination: Option<Vec<u8>>,
    pub purged_at: Timestamp,
    pub attempts: i64,
    /// The client's name in the catalog.
    pub client: String,
    /// As the service named it; empty: unknown.
    pub account: String,
}

impl Store {
    /// Takes what is due and puts each off until `again`, so that nobody else takes it meanwhile.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn take_revocations(
        &self,
        now: Timestamp,
        again: Timestamp,
        most: i64,
    ) -> Result<Vec<Revocation>, StoreError> {
        let due = sqlx::query("SELECT connection FROM oauth_revocations WHERE retry_at <= $1 LIMIT 1");
        if due.bind(now.0).fetch_optional(&self.read).await?.is_none() {
            return Ok(Vec::new());
        }
        self.write(move |tx| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "UPDATE oauth_revocations SET retry_at = $2, attempts = attempts + 1 WHERE connection IN \
                     (SELECT connection FROM oauth_revocations WHERE retry_at <= $1 ORDER BY retry_at LIMIT $3) \
                     AND retry_at <= $1 RETURNING workspace, environment, connection, component, method, config, \
                     sealed, secret_version, destination, purged_at, attempts, client, account",
                )
                .bind(now.0)
                .bind(again.0)
                .bind(most)
                .fetch_all(tx)
                .await?;
                rows.iter().map(revocation).collect()
            })
        })
        .await
    }

    /// Whether a connection anywhere, a deleted one that can be brought back too, holds tokens of this client and
    /// account. An account that is not known may be any.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn is_shared(&self, client: &str, account: &str) -> Result<bool, StoreError> {
        let other = sqlx::query(
            "SELECT c.id FROM connections c JOIN oauth_grants g \
             ON g.workspace = c.workspace AND g.environment = c.environment AND g.connection = c.id \
             WHERE g.client = $1 AND (c.subject IS NULL OR c.subject = $2 OR $2 = '') LIMIT 1",
        );
        Ok(other.bind(client).bind(account).fetch_optional(&self.read).await?.is_some())
    }

    /// Puts the next attempt off.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn put_off_revocation(
        &self,
        scope: &Scope,
        connection: &ConnectionId,
        to: Timestamp,
    ) -> Result<(), StoreError> {
        let (scope, connection) = (scope.clone(), connection.clone());
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE oauth_revocations SET retry_at = $4 \
                     WHERE workspace = $1 AND environment = $2 AND connection = $3",
                )
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(connection.as_str())
                .bind(to.0)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Puts tokens just renewed in the place of those kept.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn keep_renewed(
        &self,
        scope: &Scope,
        connection: &ConnectionId,
        sealed: Vec<u8>,
    ) -> Result<(), StoreError> {
        let (scope, connection) = (scope.clone(), connection.clone());
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE oauth_revocations SET sealed = $4 \
                     WHERE workspace = $1 AND environment = $2 AND connection = $3",
                )
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(connection.as_str())
                .bind(sealed)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Destroys what was kept for a revocation, and says in the audit trail how it ended.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn end_revocation(
        &self,
        scope: &Scope,
        connection: &ConnectionId,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let (scope, connection) = (scope.clone(), connection.clone());
        self.write(move |tx| {
            Box::pin(async move {
                audit::append_in(tx, &scope, Some(connection.as_str()), &entry).await?;
                sqlx::query(
                    "DELETE FROM oauth_revocations WHERE workspace = $1 AND environment = $2 AND connection = $3",
                )
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(connection.as_str())
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

/// Keeps the sealed tokens of a connection that is about to be purged, until the provider was told.
pub(super) async fn keep_for_revocation(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO oauth_revocations (workspace, environment, connection, component, method, config, sealed, \
         secret_version, destination, purged_at, retry_at, client, account) \
         SELECT c.workspace, c.environment, c.id, c.component, c.method, c.config, c.sealed, c.secret_version, \
         c.destination, $4, $4, g.client, COALESCE(c.subject, '') \
         FROM connections c JOIN oauth_grants g \
         ON g.workspace = c.workspace AND g.environment = c.environment AND g.connection = c.id \
         WHERE c.workspace = $1 AND c.environment = $2 AND c.id = $3",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(at.0)
    .execute(tx)
    .await?;
    Ok(())
}

fn revocation(row: &AnyRow) -> Result<Revocation, StoreError> {
    let (scope, connection) = place(row, "connection")?;
    Ok(Revocation {
        scope,
        connection,
        component: parsed(row.try_get("component")?)?,
        method: row.try_get("method")?,
        config: json(row.try_get("config")?)?,
        sealed: row.try_get("sealed")?,
        secret_version: row.try_get("secret_version")?,
        destination: row.try_get("destination")?,
        purged_at: moment(row, "purged_at")?.unwrap_or_default(),
        attempts: row.try_get("attempts")?,
        client: row.try_get("client")?,
        account: row.try_get("account")?,
    })
}
