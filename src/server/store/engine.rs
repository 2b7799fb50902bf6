//! The two engines: their URLs, pools and settings.

use percent_encoding::percent_decode_str;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, Executor, Row};
use std::collections::HashSet;
use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

use super::StoreError;
use super::error::no_such_table;
use super::pool::Pool;
use super::reader::Reader;

/// Reads beside each other on `SQLite`; each costs a thread and a page cache.
const SQLITE_READERS: u32 = 4;
/// Connections of each of the two pools on `PostgreSQL`.
const POSTGRES_CONNECTIONS: u32 = 8;
/// Waiting longer for a connection is an error. More than `busy_timeout` below, so that a writer outside this
/// process is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// `synchronous = FULL`: what was acknowledged survives a power cut (<https://www.sqlite.org/pragma.html>).
const WRITER_SETTINGS: &str = "PRAGMA busy_timeout = 8000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON";
const READER_SETTINGS: &str = "PRAGMA busy_timeout = 8000; PRAGMA query_only = ON";

/// What the server ends by itself, so that a client it lost holds no lock for long: statements, waits for locks,
/// transactions nobody goes on with, and connections whose other end answers no more
/// (<https://www.postgresql.org/docs/current/runtime-config-client.html>).
const POSTGRES_LIMITS: &str = "SET statement_timeout = '10s'; SET lock_timeout = '8s'; \
     SET idle_in_transaction_session_timeout = '10s'; \
     SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3";
const POSTGRES_READ_ONLY: &str = "SET default_transaction_read_only = on";
/// Bringing the tables up to date may take longer, and waits for another instance that does the same.
const POSTGRES_NO_LIMITS: &str = "SET statement_timeout = 0; SET lock_timeout = 0; \
     SET idle_in_transaction_session_timeout = 0";
/// A read, and a transaction: more than the limits above, whose errors say more.
pub(super) const LONGEST: Duration = Duration::from_secs(15);

/// Connections to one database.
pub(super) struct Engine {
    pub read: Reader,
    pub write: Pool,
    /// The statement that begins a write.
    pub begin: &'static str,
    /// The statements that lift the limits of a connection.
    no_limits: &'static str,
}

impl Engine {
    /// Makes the database's file where it is missing.
    pub(super) fn create(url: &str) -> Result<(), StoreError> {
        let Some(path) = file_of(url) else { return Ok(()) };
        create_private(&path).map_err(|error| {
            tracing::error!(kind = ?error.kind(), "the database file cannot be made");
            StoreError::Unavailable
        })
    }

    /// `Missing` where the database's file is.
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        if file_of(url).is_some_and(|path| !path.exists()) {
            return Err(StoreError::Missing);
        }
        sqlx::any::install_default_drivers();
        match url.strip_prefix("sqlite://") {
            Some(_) => Self::sqlite(url).await,
            None => Self::postgres(url).await,
        }
    }

    async fn sqlite(url: &str) -> Result<Self, StoreError> {
        // The writer first: readers cannot turn the write-ahead log on.
        let write = Pool::open(pool(1, &[WRITER_SETTINGS]), url).await?;
        let read = Pool::open(pool(SQLITE_READERS, &[READER_SETTINGS]), url).await?;
        Ok(Self { read: Reader { pool: read, longest: LONGEST }, write, begin: "BEGIN IMMEDIATE", no_limits: "" })
    }

    async fn postgres(url: &str) -> Result<Self, StoreError> {
        let url = explicit(url).ok_or_else(|| {
            tracing::error!("the database URL is none: postgres://user:password@host:port/database is expected");
            StoreError::Unavailable
        })?;
        let write = Pool::open(pool(POSTGRES_CONNECTIONS, &[POSTGRES_LIMITS]), url.as_str()).await?;
        let limits = &[POSTGRES_LIMITS, POSTGRES_READ_ONLY];
        let read = Pool::open(pool(POSTGRES_CONNECTIONS, limits), url.as_str()).await?;
        let read = Reader { pool: read, longest: LONGEST };
        Ok(Self { read, write, begin: "BEGIN", no_limits: POSTGRES_NO_LIMITS })
    }

    /// Whether the database holds what this version needs, and nothing that it does not know.
    ///
    /// # Errors
    /// `Missing`, `Outdated`; `Corrupt` where the tables are a newer version's.
    pub(super) async fn check_migrated(&self) -> Result<(), StoreError> {
        let applied = sqlx::query("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(&self.read).await;
        let applied =
            applied.map_err(|error| if no_such_table(&error) { StoreError::Missing } else { error.into() })?;
        let applied = applied.iter().map(|row| row.try_get("version")).collect::<Result<HashSet<i64>, _>>()?;
        let known: HashSet<i64> = sqlx::migrate!().iter().map(|migration| migration.version).collect();
        if !applied.is_subset(&known) {
            tracing::error!("the database was made by a newer version of Patchbay");
            return Err(StoreError::Corrupt);
        }
        if applied == known { Ok(()) } else { Err(StoreError::Outdated) }
    }

    /// Brings the tables up to date.
    pub(super) async fn migrate(&self) -> Result<(), StoreError> {
        // Not kept: it has other limits than the rest.
        let mut lease = self.write.lend().await?;
        let connection = lease.connection()?;
        connection.execute(sqlx::raw_sql(self.no_limits)).await?;
        Ok(sqlx::migrate!().run(connection).await?)
    }
}

fn pool(connections: u32, settings: &'static [&'static str]) -> AnyPoolOptions {
    let options = AnyPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE);
    options.test_before_acquire(false).after_connect(move |connection: &mut AnyConnection, _| {
        Box::pin(async move {
            for settings in settings {
                connection.execute(sqlx::raw_sql(*settings)).await?;
            }
            Ok(())
        })
    })
}

/// The file of a `SQLite` URL, without the options behind it.
fn file_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://")?.split('?').next()?;
    Some(PathBuf::from(percent_decode_str(path).decode_utf8_lossy().as_ref()))
}

/// Makes the file, and its folder where that is missing, readable by their owner only. `SQLite` gives its side files
/// the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// The same URL with everything said that sqlx would otherwise take from `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`,
/// `PGDATABASE`, `PGSSLMODE`, `PGAPPNAME` or `~/.pgpass`. What remains to the environment: `PGOPTIONS` and the
/// certificate files of `PGSSLROOTCERT`, `PGSSLCERT` and `PGSSLKEY`.
fn explicit(url: &str) -> Option<Url> {
    let mut url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "postgres" | "postgresql"))?;
    let says = |url: &Url, key: &str| url.query_pairs().any(|(name, _)| name == key);
    if url.host_str().is_none_or(str::is_empty) || url.username().is_empty() || url.path().len() < 2 {
        return None;
    }
    let defaults = [("port", "5432"), ("password", ""), ("sslmode", "prefer"), ("application_name", "patchbay")];
    for (key, value) in defaults {
        let said = says(&url, key)
            || (key == "port" && url.port().is_some())
            || (key == "password" && url.password().is_some());
        if !said {
            url.query_pairs_mut().append_pair(key, value);
        }
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::explicit;

    #[test]
    fn what_the_url_leaves_out_is_said_and_not_left_to_the_environment() {
        let url = explicit("postgres://ann@db.example/patchbay").expect("a whole URL");
        assert_eq!(url.query(), Some("port=5432&password=&sslmode=prefer&application_name=patchbay"));
        let url = explicit("postgres://ann:pw@db.example:6000/patchbay?sslmode=require").expect("a whole URL");
        assert_eq!(url.query(), Some("sslmode=require&application_name=patchbay"));
        assert!(explicit("postgres://ann@localhost/patchbay?host=/run/postgresql").is_some());
    }

    #[test]
    fn a_url_without_host_user_or_database_is_refused() {
        for url in ["postgres://", "postgres://db.example/x", "postgres://ann@db.example", "mysql://a@b/c", "x"] {
            assert!(explicit(url).is_none(), "{url}");
        }
    }
}
