//! OAuth clients that workspaces bring themselves.

use sqlx::{AnyConnection, Row};

use super::record::{AuditEntry, Scope};
use super::row::{moment, seen};
use super::{Store, StoreError, audit};
use crate::domain::time::Timestamp;

/// An OAuth client of one environment, its secret sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredClient {
    pub client_id: String,
    /// Empty for a public client.
    pub sealed: Vec<u8>,
    /// Grows with each change; part of what the secret is sealed for.
    pub version: i64,
    pub stored_at: Timestamp,
    /// What the provider last said against it, in words.
    pub problem: Option<String>,
}

impl Store {
    /// The environment's client of this name, if it brings one.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn oauth_client(&self, scope: &Scope, client: &str) -> Result<Option<StoredClient>, StoreError> {
        let row = sqlx::query(
            "SELECT client_id, sealed, version, stored_at, problem FROM oauth_clients \
             WHERE workspace = $1 AND environment = $2 AND client = $3",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(client)
        .fetch_optional(&self.read)
        .await?;
        row.map(|row| {
            Ok(StoredClient {
                client_id: row.try_get("client_id")?,
                sealed: row.try_get("sealed")?,
                version: row.try_get("version")?,
                stored_at: moment(&row, "stored_at")?.unwrap_or_default(),
                problem: row.try_get("problem")?,
            })
        })
        .transpose()
    }

    /// Stores a client in place of the one of `version - 1`, and lets what waited for a better one be renewed now.
    ///
    /// # Errors
    /// `Stale` where somebody else stored another meanwhile, `Unavailable`.
    pub async fn store_oauth_client(
        &self,
        scope: &Scope,
        client: &str,
        new: StoredClient,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let (scope, client) = (scope.clone(), client.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                audit::append_in(tx, &scope, None, &entry).await?;
                let stored = sqlx::query(
                    "INSERT INTO oauth_clients (workspace, environment, client, client_id, sealed, version, stored_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7) \
                     ON CONFLICT (workspace, environment, client) DO UPDATE SET client_id = $4, sealed = $5, \
                     version = $6, stored_at = $7, problem = NULL WHERE oauth_clients.version = $6 - 1",
                )
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(client.as_str())
                .bind(new.client_id.as_str())
                .bind(new.sealed)
                .bind(new.version)
                .bind(new.stored_at.0)
                .execute(&mut *tx)
                .await?;
                if stored.rows_affected() != 1 {
                    return Err(StoreError::Stale);
                }
                wake(tx, &scope, &client, new.stored_at).await
            })
        })
        .await
    }

    /// Removes a client; connections made with it stay, and cannot be renewed until it is back. What was connected with
    /// the operator's can be renewed again.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn remove_oauth_client(&self, scope: &Scope, client: &str, entry: AuditEntry) -> Result<(), StoreError> {
        let (scope, client) = (scope.clone(), client.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                audit::append_in(tx, &scope, None, &entry).await?;
                let removed =
                    sqlx::query("DELETE FROM oauth_clients WHERE workspace = $1 AND environment = $2 AND client = $3")
                        .bind(scope.workspace.as_str())
                        .bind(scope.environment.as_str())
                        .bind(client.as_str())
                        .execute(&mut *tx)
                        .await?;
                if removed.rows_affected() == 1 {
                    wake(tx, &scope, &client, entry.at).await
                } else {
                    Err(StoreError::NotFound)
                }
            })
        })
        .await
    }

    /// How many connections hold tokens that were given to another client than the one of this id.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn of_other_clients(&self, scope: &Scope, client: &str, client_id: &str) -> Result<i64, StoreError> {
        let row = sqlx::query(concat!(
            "SELECT COUNT(*) AS total FROM oauth_grants g JOIN connections c \
             ON c.workspace = g.workspace AND c.environment = g.environment AND c.id = g.connection \
             WHERE g.workspace = $1 AND g.environment = $2 AND g.client = $3 AND g.client_id <> $4 \
             AND g.refresh_at IS NOT NULL AND c.deleted_at IS NULL ",
            seen!("$5")
        ))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(client)
        .bind(client_id)
        .bind(scope.sight.limit())
        .fetch_one(&self.read)
        .await?;
        Ok(row.try_get("total")?)
    }

    /// Notes what the provider said against a client, or that it is content with it; `false` where the environment
    /// brings none of this name.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note_client_problem(
        &self,
        scope: &Scope,
        client: &str,
        problem: Option<String>,
    ) -> Result<bool, StoreError> {
        let (scope, client) = (scope.clone(), client.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let noted = sqlx::query(
                    "UPDATE oauth_clients SET problem = $4 WHERE workspace = $1 AND environment = $2 AND client = $3",
                )
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(client.as_str())
                .bind(problem)
                .execute(tx)
                .await?;
                Ok(noted.rows_affected() == 1)
            })
        })
        .await
    }
}

/// Lets what waited for a better client be renewed now.
async fn wake(tx: &mut AnyConnection, scope: &Scope, client: &str, at: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE oauth_grants SET refresh_at = $4, failures = 0 WHERE workspace = $1 AND environment = $2 \
         AND client = $3 AND failures > 0 AND refresh_at IS NOT NULL",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(client)
    .bind(at.0)
    .execute(tx)
    .await?;
    Ok(())
}
