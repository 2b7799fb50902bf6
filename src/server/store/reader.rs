//! Reads, each within its time: an answer that a dead network swallowed must not hold a caller, or a connection.

use futures::future::{BoxFuture, TryFutureExt as _};
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::any::{Any, AnyQueryResult, AnyRow, AnyStatement, AnyTypeInfo};
use sqlx::{AnyConnection, Describe, Either, Error, Execute, Executor, SqlStr};
use std::time::Duration;
use tokio::time::timeout;

use super::pool::Pool;

/// Connections that read. What is not there in time fails like a pool without a free connection.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub pool: Pool,
    pub longest: Duration,
}

type Step = Either<AnyQueryResult, AnyRow>;

impl Reader {
    async fn read<T>(&self, work: impl AsyncFnOnce(&mut AnyConnection) -> Result<T, Error>) -> Result<T, Error> {
        let mut lease = self.pool.lend().await?;
        let answer = timeout(self.longest, work(lease.connection()?)).await.map_err(|_| Error::PoolTimedOut)?;
        match answer {
            Ok(_) => lease.keep(),
            // The database's last word, perhaps: a server that is shut down says so.
            Err(Error::Database(_)) => lease.keep_in_doubt(),
            // It may be broken.
            Err(_) => drop(lease),
        }
        answer
    }
}

impl<'p> Executor<'p> for &'p Reader {
    type Database = Any;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Step, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        let all = self.read(async move |connection| connection.fetch_many(query).try_collect::<Vec<_>>().await);
        let steps = all.map_ok(|all| stream::iter(all.into_iter().map(Ok)));
        stream::once(steps).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<AnyRow>, Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Any>,
    {
        Box::pin(self.read(async move |connection| connection.fetch_optional(query).await))
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [AnyTypeInfo]) -> BoxFuture<'e, Result<AnyStatement, Error>>
    where
        'p: 'e,
    {
        Box::pin(self.read(async move |connection| connection.prepare_with(sql, parameters).await))
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Any>, Error>>
    where
        'p: 'e,
    {
        Box::pin(self.read(async move |connection| connection.describe(sql).await))
    }
}
