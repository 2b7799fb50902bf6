//! Connections that answer. sqlx's pool asks each connection whether it still does, before it lends it or when it gets it
//! back, and waits for that until TCP gives up, which takes a quarter of an hour; each question is also a round trip of
//! its own. Here one that has just answered is lent again at once, and a dead one is just dropped; sqlx only opens them.

use sqlx::any::{Any, AnyPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{AnyConnection, AnyPool, Connection as _, Error};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// A connection that says nothing for so long is taken for dead.
const PING_TIME: Duration = Duration::from_secs(2);
/// Whoever answered so short a time ago is not asked again.
const FRESH: Duration = Duration::from_millis(100);

/// Connections to one database, with the same settings.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    opens: AnyPool,
    patience: Duration,
    turns: Arc<Semaphore>,
    /// The last one used is the next one lent.
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: PoolConnection<Any>,
    /// `None`: it has to be asked, however short a time ago that was.
    answered: Option<Instant>,
}

impl Pool {
    /// As many connections as the options say. Whoever waits longer than they say for a turn, or then for a connection to
    /// be opened, gets none. The first is opened at once, and by this pool: one that lies idle in sqlx's would be lent
    /// without being asked.
    pub(super) async fn open(options: AnyPoolOptions, url: &str) -> Result<Self, Error> {
        let (most, patience) = (options.get_max_connections() as usize, options.get_acquire_timeout());
        let (opens, turns) = (options.connect_lazy(url)?, Arc::new(Semaphore::new(most)));
        let pool = Self(Arc::new(Shared { opens, patience, turns, idle: Mutex::default() }));
        pool.lend().await?.keep();
        Ok(pool)
    }

    pub(super) async fn lend(&self) -> Result<Lease, Error> {
        let turn = timeout(self.0.patience, Arc::clone(&self.0.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| Error::PoolTimedOut)?.map_err(|_| Error::PoolClosed)?;
        let mut lease = Lease { pool: self.clone(), connection: None, _turn: turn };
        if let Some(Idle { connection, answered }) = self.0.pop() {
            let connection = lease.connection.insert(connection);
            let is_fresh = answered.is_some_and(|at| at.elapsed() < FRESH);
            if is_fresh || timeout(PING_TIME, connection.ping()).await.is_ok_and(|it| it.is_ok()) {
                return Ok(lease);
            }
            lease.end();
            // What broke one has most likely broken the others, and each would take its time to be found out.
            while let Some(idle) = self.0.pop() {
                drop(idle.connection.detach());
            }
        }
        lease.connection = Some(self.0.opens.acquire().await?);
        Ok(lease)
    }
}

impl Shared {
    fn pop(&self) -> Option<Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// Given back to sqlx they would be asked whether they answer, by a task of a runtime that may have ended.
impl Drop for Shared {
    fn drop(&mut self) {
        while let Some(idle) = self.pop() {
            drop(idle.connection.detach());
        }
    }
}

/// A connection that is closed unless it is kept: whoever was interrupted leaves it in a state that nobody knows.
pub(super) struct Lease {
    pool: Pool,
    connection: Option<PoolConnection<Any>>,
    /// Given up last, after the connection was closed or given back.
    _turn: OwnedSemaphorePermit,
}

impl Lease {
    /// # Errors
    /// Never: a lease holds its connection until it is kept.
    pub(super) fn connection(&mut self) -> Result<&mut AnyConnection, Error> {
        self.connection.as_deref_mut().ok_or(Error::PoolClosed)
    }

    /// Gives a connection back that has just answered, to be lent again.
    pub(super) fn keep(self) {
        self.give_back(Some(Instant::now()));
    }

    /// Gives a connection back that is asked whether it answers before it is lent again.
    pub(super) fn keep_in_doubt(self) {
        self.give_back(None);
    }

    fn give_back(mut self, answered: Option<Instant>) {
        let Some(connection) = self.connection.take() else { return };
        let idle = Idle { connection, answered };
        self.pool.0.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
    }

    fn end(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.end();
    }
}
