//! Why the store did not do what it was asked.

use sqlx::migrate::MigrateError;

/// Closed: what the database itself said stays in the log, and there without values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Locked, full, gone or too slow: may work again by itself.
    #[error("the database cannot be reached")]
    Unavailable,
    /// No such record here, or no longer.
    #[error("no such record")]
    NotFound,
    /// The record has another version than the one the change was made from.
    #[error("the record was changed meanwhile")]
    Stale,
    #[error("the name is taken")]
    NameTaken,
    /// The environment holds as many connections as it may.
    #[error("the environment is full")]
    Full,
    /// An end user keeps as many connections to themselves as one may.
    #[error("the user has too many connections")]
    OwnFull,
    /// What is stored cannot be read; nothing mends this by itself.
    #[error("the database holds something that cannot be read")]
    Corrupt,
    /// There is no database, or none of Patchbay's.
    #[error("there is no database of Patchbay's")]
    Missing,
    /// It lacks what this version added; the next start of the server adds it.
    #[error("the database was made by an older version of Patchbay")]
    Outdated,
    /// Only what was deleted can be purged.
    #[error("the record is still in use")]
    InUse,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let (class, code) = describe(&error);
        let mapped = match &error {
            sqlx::Error::RowNotFound => return Self::NotFound,
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::Decode(_)
            | sqlx::Error::TypeNotFound { .. } => Self::Corrupt,
            sqlx::Error::Database(database) if is_damaged(database.code().as_deref()) => Self::Corrupt,
            _ => Self::Unavailable,
        };
        tracing::error!(class, code, "the database refused");
        mapped
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => {
                tracing::error!(error = %other, "the database's migrations do not fit this version of Patchbay");
                Self::Corrupt
            }
        }
    }
}

/// Of a statement that writes a name: a violated unique index means that the name is taken.
pub(super) fn name_taken(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(database) if database.is_unique_violation() => StoreError::NameTaken,
        _ => error.into(),
    }
}

/// `PostgreSQL`'s codes have five characters, `SQLite`'s are numbers.
const POSTGRES_CODE: usize = 5;

/// `SQLITE_CORRUPT`, `SQLITE_NOTADB` and their kinds, which stand in the upper bits
/// (<https://www.sqlite.org/rescode.html>), and `PostgreSQL`'s class `XX`.
fn is_damaged(code: Option<&str>) -> bool {
    let Some(code) = code else { return false };
    if code.len() == POSTGRES_CODE {
        return code.starts_with("XX00");
    }
    code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 11 | 26))
}

/// Whether a statement failed for want of a table.
pub(super) fn no_such_table(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    matches!(error.code().as_deref(), Some("1" | "42P01"))
}

/// Class and code for the log: messages of a database may quote values.
fn describe(error: &sqlx::Error) -> (&'static str, String) {
    match error {
        sqlx::Error::Database(database) => ("database", database.code().unwrap_or_default().into_owned()),
        sqlx::Error::Io(error) => ("io", format!("{:?}", error.kind())),
        sqlx::Error::Tls(_) => ("tls", String::new()),
        sqlx::Error::Configuration(_) => ("configuration", String::new()),
        sqlx::Error::PoolTimedOut => ("pool timed out", String::new()),
        sqlx::Error::ColumnDecode { index, .. } => ("column", index.clone()),
        sqlx::Error::ColumnNotFound(column) => ("column", column.clone()),
        _ => ("other", String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::is_damaged;

    #[test]
    fn damage_is_known_in_all_its_kinds() {
        // SQLITE_CORRUPT, SQLITE_CORRUPT_INDEX, SQLITE_NOTADB; data_corrupted.
        for code in ["11", "779", "26", "XX001"] {
            assert!(is_damaged(Some(code)), "{code}");
        }
        // SQLITE_FULL, SQLITE_BUSY_SNAPSHOT; what would be SQLITE_CORRUPT if it were a number of SQLite's.
        for code in ["13", "517", "42507"] {
            assert!(!is_damaged(Some(code)), "{code}");
        }
        assert!(!is_damaged(None));
    }
}
