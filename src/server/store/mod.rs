//! Rows <-> domain; one file an aggregate. The only place with SQL.
//!
//! One SQL text per query serves `SQLite` and `PostgreSQL`. A write locks the workspace's row first (by appending to
//! its audit chain), then the environment's (by taking its next revision): one order, so that no two writers wait for
//! each other, and revisions become visible in the order of their numbers.

mod access;
mod api_keys;
mod audit;
mod checks;
mod connection;
mod engine;
mod error;
mod keys;
mod list;
mod member;
mod page;
pub mod record;
mod removal;
mod row;
mod workflow;

pub use access::{ApiKey, NewApiKey};
pub use audit::AuditVerdict;
pub use error::StoreError;
pub use keys::WrappedKey;
pub use list::Changes;
pub use member::Member;
pub use page::PageQuery;

use futures::future::BoxFuture;
use sqlx::{AnyConnection, AnyPool, Connection};

/// Most connections in one environment, deleted ones not counted.
pub const CAPACITY: i64 = 20_000;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    read: AnyPool,
    write: AnyPool,
    /// The statement that begins a write.
    begin: &'static str,
    capacity: i64,
}

impl Store {
    /// Opens the database and brings its tables up to date.
    ///
    /// `url` is `sqlite:///absolute/path.db` (the file and its folder are made for their owner only) or
    /// `postgres://user:password@host:port/database`.
    ///
    /// # Errors
    /// `Unavailable` where it cannot be reached, `Corrupt` where it was made by another version of Patchbay.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let engine = engine::Engine::open(url).await?;
        sqlx::migrate!().run(&engine.write).await?;
        Ok(Self { read: engine.read, write: engine.write, begin: engine.begin, capacity: CAPACITY })
    }

    /// The same store with another limit of connections in one environment.
    #[must_use]
    pub fn with_capacity(mut self, capacity: i64) -> Self {
        self.capacity = capacity;
        self
    }

    /// Whether the database can be read and written.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn ready(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.read).await?;
        self.write(|_| Box::pin(async { Ok(()) })).await
    }

    /// Runs one transaction to its end, even if whoever waits for it goes away: a transaction dropped half-way would
    /// leave its connection unusable (sqlx issue 4385).
    async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let (pool, begin) = (self.write.clone(), self.begin);
        let transaction = tokio::spawn(async move {
            let mut connection = pool.acquire().await?;
            let mut transaction = connection.begin_with(begin).await?;
            match work(&mut transaction).await {
                Ok(done) => {
                    transaction.commit().await?;
                    Ok(done)
                }
                Err(error) => {
                    transaction.rollback().await?;
                    Err(error)
                }
            }
        });
        transaction.await.unwrap_or_else(|_| {
            tracing::error!("a write ended before its time");
            Err(StoreError::Unavailable)
        })
    }
}
