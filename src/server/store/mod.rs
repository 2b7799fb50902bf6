//! Rows <-> domain; one file an aggregate. The only place with SQL.
//!
//! One SQL text per query serves `SQLite` and `PostgreSQL`. A write locks the workspace's row first (by appending to
//! its audit chain), then the environment's (by taking its next revision): one order, so that no two writers wait for
//! each other, and revisions become visible in the order of their numbers. What changed under a new revision is told as
//! events at the end of the same transaction, whoever changed it.

mod access;
mod api_keys;
mod audit;
mod audit_writer;
mod capacity;
mod checks;
mod client;
mod component;
mod component_use;
mod connection;
mod delivery;
mod embed;
mod engine;
mod error;
mod feed;
mod flow;
mod grant;
mod in_use;
mod instance_key;
mod keys;
mod line;
mod list;
mod mapping;
mod member;
mod outbox;
mod page;
mod pool;
mod reader;
pub mod record;
mod removal;
mod replacement;
mod revocation;
mod row;
mod session;
mod trail;
mod webhook;
mod workflow;
mod workspace;

pub use api_keys::{ApiKey, NewApiKey};
pub use audit::AuditVerdict;
pub use audit_writer::{AuditWriter, UseLine};
pub use client::StoredClient;
pub use component::{COMPONENTS_LIMIT, IconChange, NewComponent, StoredComponent, StoredIcon};
pub use component_use::ComponentUse;
pub use delivery::{Attempt, Delivery, body_of};
pub use embed::{EmbedGrant, NewBearer, NewTicket, Redeemed, TicketRefused};
pub use error::StoreError;
pub use feed::{Event, FeedError, Stretch};
pub use flow::{NewFlow, Opening, StoredFlow};
pub use grant::{FULL_CLIENTS, RenewalChange, Renewed, Setback};
pub use instance_key::{InstanceKey, NewInstanceKey};
pub use keys::WrappedKey;
pub use line::{LineClaim, Outcome};
pub use list::Changes;
pub use mapping::{Cause, MappingChange, Moved};
pub use member::Member;
pub use page::PageQuery;
pub use replacement::{GivenBack, Reason, Replacing, Unfit};
pub use revocation::Revocation;
pub use session::{NewSession, SignOut};
pub use trail::{TrailLine, TrailQuery};
pub use webhook::{MOST_WEBHOOKS, Webhook};
pub use workspace::{Workspace, WorkspaceSettings};

use crate::domain::time::DAY;
use engine::Engine;
use futures::future::{BoxFuture, try_join};
use pool::Pool;
use reader::Reader;
use sqlx::{AnyConnection, Connection};
use std::time::Duration;
use tokio::time::timeout;

/// Most connections in one environment, deleted ones not counted.
pub const CAPACITY: i64 = 20_000;
/// How long before its end a credential's expiry is told, unless the operator says otherwise; in milliseconds.
pub const NOTICE: i64 = 7 * DAY;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    read: Reader,
    write: Pool,
    /// The statement that begins a write.
    begin: &'static str,
    capacity: i64,
    notice: i64,
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
        Engine::create(url)?;
        let engine = Engine::open(url).await?;
        engine.migrate().await?;
        Ok(Self::of(engine))
    }

    /// Opens a database that is there and up to date: makes nothing and changes no table.
    ///
    /// # Errors
    /// `Missing`, `Outdated`, `Unavailable`; `Corrupt` where it was made by another version of Patchbay.
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        let engine = Engine::open(url).await?;
        engine.check_migrated().await?;
        Ok(Self::of(engine))
    }

    fn of(engine: Engine) -> Self {
        Self { read: engine.read, write: engine.write, begin: engine.begin, capacity: CAPACITY, notice: NOTICE }
    }

    /// The same store with another limit of connections in one environment.
    #[must_use]
    pub fn with_capacity(mut self, capacity: i64) -> Self {
        self.capacity = capacity;
        self
    }

    /// The same with another notice of a credential's expiry, in milliseconds.
    #[must_use]
    pub fn with_notice(mut self, notice: i64) -> Self {
        self.notice = notice;
        self
    }

    /// Whether the database can be read and written.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let read = async { Ok(sqlx::query("SELECT 1").execute(&self.read).await.map(drop)?) };
        try_join(read, self.write(|_| Box::pin(async { Ok(()) }))).await.map(drop)
    }

    /// Runs one transaction to its end, even if whoever waits for it goes away: a transaction dropped half-way would
    /// leave its connection unusable (sqlx issue 4385).
    async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.write_within(engine::LONGEST, work).await
    }

    /// The same with another limit than most writes have.
    async fn write_within<T, W>(&self, longest: Duration, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let (pool, begin, notice) = (self.write.clone(), self.begin, self.notice);
        let transaction = tokio::spawn(async move {
            let mut lease = pool.lend().await?;
            let ended = timeout(longest, transact(lease.connection()?, begin, notice, work)).await;
            let result = ended.unwrap_or(Err(StoreError::Unavailable))?;
            lease.keep();
            result
        });
        transaction.await.unwrap_or_else(|_| {
            tracing::error!("a write ended before its time");
            Err(StoreError::Unavailable)
        })
    }
}

/// The inner error was rolled back. After the outer one nobody knows what state the connection is in: `SQLite`, for
/// one, rolls back by itself where the disk is full, and sqlx then counts a transaction that there is not.
async fn transact<T, W>(
    connection: &mut AnyConnection,
    begin: &'static str,
    notice: i64,
    work: W,
) -> Result<Result<T, StoreError>, StoreError>
where
    W: for<'c> FnOnce(&'c mut AnyConnection) -> BoxFuture<'c, Result<T, StoreError>>,
{
    let mut transaction = connection.begin_with(begin).await?;
    match outbox::telling(&mut transaction, notice, work).await {
        Ok(done) => {
            transaction.commit().await?;
            Ok(Ok(done))
        }
        Err(error) => match transaction.rollback().await {
            Ok(()) => Ok(Err(error)),
            Err(_) => Err(error),
        },
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
