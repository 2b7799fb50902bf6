//! Connections that answer. sqlx's pool looks whether one does, before it lends one and when it gets one back, and
//! closes politely one that does not, but waits each time until TCP gives up, which takes a quarter of an hour; here a
//! dead connection is just dropped.

use sqlx::any::Any;
use sqlx::pool::PoolConnection;
use sqlx::{AnyConnection, AnyPool, Connection as _, Error};
use std::time::Duration;
use tokio::time::timeout;

/// A connection that says nothing for so long is taken for dead.
const PING_TIME: Duration = Duration::from_secs(2);

/// Connections to one database, with the same settings.
#[derive(Clone, Debug)]
pub(super) struct Pool(AnyPool);

impl Pool {
    /// `pool` does not test its connections before it lends them.
    pub(super) const fn of(pool: AnyPool) -> Self {
        Self(pool)
    }

    pub(super) async fn lend(&self) -> Result<Lease, Error> {
        let mut lease = Lease(Some(self.0.acquire().await?));
        if timeout(PING_TIME, lease.connection()?.ping()).await.is_ok_and(|answer| answer.is_ok()) {
            return Ok(lease);
        }
        drop(lease);
        // What broke one has most likely broken the others, and each would take its time to be found out.
        while let Some(idle) = self.0.try_acquire() {
            drop(idle.detach());
        }
        Ok(Lease(Some(self.0.acquire().await?)))
    }
}

/// A connection that is closed unless it is kept: whoever was interrupted leaves it in a state that nobody knows.
pub(super) struct Lease(Option<PoolConnection<Any>>);

impl Lease {
    /// # Errors
    /// Never: a lease holds its connection until it is kept.
    pub(super) fn connection(&mut self) -> Result<&mut AnyConnection, Error> {
        self.0.as_deref_mut().ok_or(Error::PoolClosed)
    }

    /// Gives the connection back, to be lent again. The pool asks it once more whether it answers, and would ask for as
    /// long as a drop of the connection lets it: what it does then is bounded here.
    pub(super) fn keep(mut self) {
        let Some(mut connection) = self.0.take() else { return };
        let returned = timeout(PING_TIME, connection.return_to_pool());
        tokio::spawn(async move {
            if returned.await.is_err() {
                tracing::warn!("a connection to the database did not answer when it was given back, and is dropped");
            }
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}
