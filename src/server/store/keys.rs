//! Data keys, wrapped by the vault's key-encryption key: one for each environment of each workspace.

use sqlx::Row;
use sqlx::any::{AnyExecutor, AnyRow};

use super::record::Scope;
use super::row::corrupt;
use super::{Store, StoreError};

/// A key that seals secrets, itself sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    pub id: [u8; 16],
    pub wrapped: Vec<u8>,
}

impl Store {
    /// The environment's data key, if it has one yet.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn data_key(&self, scope: &Scope) -> Result<Option<WrappedKey>, StoreError> {
        data_key(&self.read, scope).await
    }

    /// Stores the environment's data key unless it has one, and returns the one in force: the first writer wins.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn insert_data_key(&self, scope: &Scope, key: WrappedKey) -> Result<WrappedKey, StoreError> {
        let scope = scope.clone();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO data_keys (workspace, environment, key_id, wrapped) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT DO NOTHING",
                )
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(key.id.to_vec())
                .bind(key.wrapped)
                .execute(&mut *tx)
                .await?;
                data_key(tx, &scope).await?.ok_or(StoreError::NotFound)
            })
        })
        .await
    }
}

async fn data_key(reader: impl AnyExecutor<'_>, scope: &Scope) -> Result<Option<WrappedKey>, StoreError> {
    let row = sqlx::query("SELECT key_id, wrapped FROM data_keys WHERE workspace = $1 AND environment = $2")
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .fetch_optional(reader)
        .await?;
    row.map(|row| Ok(WrappedKey { id: key_id(&row)?, wrapped: row.try_get("wrapped")? })).transpose()
}

pub(super) fn key_id(row: &AnyRow) -> Result<[u8; 16], StoreError> {
    row.try_get::<&[u8], _>("key_id")?.try_into().map_err(corrupt)
}
