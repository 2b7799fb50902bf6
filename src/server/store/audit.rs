//! The audit trail: one hash chain a workspace, written in the transaction of what it tells.

use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::record::{AuditAction, AuditEntry, Scope};
use super::row::corrupt;
use super::{Store, StoreError};
use crate::api::connections::AuditLine;
use crate::domain::environment::Environment;
use crate::domain::id::{ConnectionId, WorkspaceId};
use crate::domain::time::Timestamp;

/// What the chain before its first line is taken to end in.
pub(super) const GENESIS: [u8; 32] = [0; 32];

/// Whether a workspace's audit trail is what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditVerdict {
    Intact {
        lines: i64,
    },
    /// The first line that was changed, removed, moved or cut off.
    Broken {
        sequence: i64,
    },
}

/// What a line's hash covers, besides the line before.
struct Line<'a> {
    workspace: &'a str,
    sequence: i64,
    environment: Option<&'a str>,
    subject: Option<&'a str>,
    at: i64,
    actor: &'a str,
    actor_name: &'a str,
    address: Option<&'a str>,
    action: &'a str,
    about: &'a str,
}

impl Line<'_> {
    /// Every field is preceded by its length, so that nothing can move from one into the next.
    fn hash(&self, previous: &[u8]) -> Vec<u8> {
        let mut hash = Sha256::new();
        let mut add = |field: Option<&[u8]>| {
            hash.update([u8::from(field.is_some())]);
            let bytes = field.unwrap_or_default();
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        add(Some(previous));
        add(Some(self.workspace.as_bytes()));
        add(Some(&self.sequence.to_be_bytes()));
        add(self.environment.map(str::as_bytes));
        add(self.subject.map(str::as_bytes));
        add(Some(&self.at.to_be_bytes()));
        add(Some(self.actor.as_bytes()));
        add(Some(self.actor_name.as_bytes()));
        add(self.address.map(str::as_bytes));
        add(Some(self.action.as_bytes()));
        add(Some(self.about.as_bytes()));
        hash.finalize().to_vec()
    }

    fn read(row: &AnyRow) -> Result<Line<'_>, StoreError> {
        Ok(Line {
            workspace: row.try_get("workspace")?,
            sequence: row.try_get("sequence")?,
            environment: row.try_get("environment")?,
            subject: row.try_get("subject")?,
            at: row.try_get("at")?,
            actor: row.try_get("actor")?,
            actor_name: row.try_get("actor_name")?,
            address: row.try_get("address")?,
            action: row.try_get("action")?,
            about: row.try_get("about")?,
        })
    }
}

/// Locks the workspace, as [`append`] does, for a write that may leave no line.
pub(super) async fn lock(tx: &mut AnyConnection, workspace: &WorkspaceId) -> Result<(), StoreError> {
    sqlx::query("UPDATE workspaces SET audit_sequence = audit_sequence WHERE id = $1")
        .bind(workspace.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// What is appended to a workspace's chain.
pub(super) struct Addition<'a> {
    pub environment: Option<Environment>,
    pub subject: Option<&'a str>,
    pub entry: &'a AuditEntry,
}

/// Lines of a connection that are looked through for changes: beside one that is used often, older ones stay unread.
const LOOKED_THROUGH: i64 = 2_000;
/// Lines that one statement inserts at most.
const TOGETHER: usize = 16;

/// Appends a line and so locks the workspace: the first step of every write in it.
pub(super) async fn append(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    environment: Option<Environment>,
    subject: Option<&str>,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    append_all(tx, workspace, &[Addition { environment, subject, entry }]).await
}

/// The same for several lines, in their order.
pub(super) async fn append_all(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    additions: &[Addition<'_>],
) -> Result<(), StoreError> {
    let more = i64::try_from(additions.len()).map_err(corrupt)?;
    let head = sqlx::query(
        "UPDATE workspaces SET audit_sequence = audit_sequence + $2 WHERE id = $1 \
         RETURNING audit_sequence, audit_hash",
    )
    .bind(workspace.as_str())
    .bind(more)
    .fetch_one(&mut *tx)
    .await?;
    let mut sequence = head.try_get::<i64, _>("audit_sequence")? - more;
    let mut hash: Vec<u8> = head.try_get("audit_hash")?;
    for together in additions.chunks(TOGETHER) {
        let mut insert = sqlx::query(AssertSqlSafe(insertion(together.len())));
        for Addition { environment, subject, entry } in together {
            sequence += 1;
            let line = Line {
                workspace: workspace.as_str(),
                sequence,
                environment: environment.map(Environment::as_str),
                subject: *subject,
                at: entry.at.0,
                actor: &entry.actor,
                actor_name: &entry.actor_name,
                address: entry.address.as_deref(),
                action: entry.action.as_str(),
                about: &entry.about,
            };
            hash = line.hash(&hash);
            insert = insert.bind(line.workspace).bind(line.sequence).bind(line.environment).bind(line.subject);
            insert = insert.bind(line.at).bind(line.actor).bind(line.actor_name).bind(line.address);
            insert = insert.bind(line.action).bind(line.about).bind(hash.clone());
        }
        insert.execute(&mut *tx).await?;
    }
    sqlx::query("UPDATE workspaces SET audit_hash = $2 WHERE id = $1")
        .bind(workspace.as_str())
        .bind(hash)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// The statement that inserts so many lines: a text of our own, with nothing in it but numbers.
fn insertion(lines: usize) -> String {
    const COLUMNS: usize = 11;
    let row = |line: usize| {
        let places: Vec<_> = (1..=COLUMNS).map(|column| format!("${}", line * COLUMNS + column)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<_> = (0..lines).map(row).collect();
    format!(
        "INSERT INTO audit (workspace, sequence, environment, subject, at, actor, actor_name, address, action, about, \
         hash) VALUES {}",
        rows.join(", ")
    )
}

/// Appends a line about a connection or a workflow of an environment.
pub(super) async fn append_in(
    tx: &mut AnyConnection,
    scope: &Scope,
    subject: Option<&str>,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    append(tx, &scope.workspace, Some(scope.environment), subject, entry).await
}

impl Store {
    /// What was done to a connection, the latest first. Its uses at run time are left out: they would hide all else.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn audit_of(&self, scope: &Scope, id: &ConnectionId, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT at, actor_name, action, about FROM (SELECT sequence, at, actor_name, action, about FROM audit \
              WHERE workspace = $1 AND environment = $2 AND subject = $3 ORDER BY sequence DESC LIMIT $7) AS latest \
             WHERE action <> $5 AND action <> $6 ORDER BY sequence DESC LIMIT $4",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .bind(i64::from(limit))
        .bind(AuditAction::HandedOut.as_str())
        .bind(AuditAction::Proxied.as_str())
        .bind(LOOKED_THROUGH)
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditLine {
                    at: Timestamp(row.try_get("at")?),
                    who: row.try_get("actor_name")?,
                    what: row.try_get("action")?,
                    about: row.try_get("about")?,
                })
            })
            .collect()
    }

    /// Records what changes no connection, such as a sign-in.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` where there is no such workspace.
    pub async fn append_audit(
        &self,
        workspace: &WorkspaceId,
        environment: Option<Environment>,
        subject: Option<&str>,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let (workspace, subject) = (workspace.clone(), subject.map(str::to_owned));
        self.write(move |tx| {
            Box::pin(async move { append(tx, &workspace, environment, subject.as_deref(), &entry).await })
        })
        .await
    }

    /// When the latest line was written, in any workspace.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn latest_audit(&self) -> Result<Option<Timestamp>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.at FROM workspaces w JOIN audit a ON a.workspace = w.id AND a.sequence = w.audit_sequence",
        );
        let rows = rows.fetch_all(&self.read).await?;
        let times = rows.iter().map(|row| Ok(Timestamp(row.try_get("at")?))).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(times.into_iter().max())
    }

    /// Reads a workspace's whole audit trail and checks every hash, a thousand lines at a time.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`; `NotFound` where there is no such workspace.
    pub async fn verify_audit(&self, workspace: &WorkspaceId) -> Result<AuditVerdict, StoreError> {
        let head = sqlx::query("SELECT audit_sequence, audit_hash FROM workspaces WHERE id = $1")
            .bind(workspace.as_str())
            .fetch_one(&self.read)
            .await?;
        let (last, end): (i64, Vec<u8>) = (head.try_get("audit_sequence")?, head.try_get("audit_hash")?);
        let (mut verified, mut previous) = (0, GENESIS.to_vec());
        while verified < last {
            let rows = sqlx::query(
                "SELECT * FROM audit WHERE workspace = $1 AND sequence > $2 AND sequence <= $3 \
                 ORDER BY sequence LIMIT 1000",
            )
            .bind(workspace.as_str())
            .bind(verified)
            .bind(last)
            .fetch_all(&self.read)
            .await?;
            if rows.is_empty() {
                return Ok(AuditVerdict::Broken { sequence: verified + 1 });
            }
            for row in &rows {
                let line = Line::read(row)?;
                let hash = line.hash(&previous);
                if line.sequence != verified + 1 || row.try_get::<&[u8], _>("hash")? != hash {
                    return Ok(AuditVerdict::Broken { sequence: verified + 1 });
                }
                (verified, previous) = (line.sequence, hash);
            }
        }
        let intact = previous == end;
        Ok(if intact { AuditVerdict::Intact { lines: last } } else { AuditVerdict::Broken { sequence: last } })
    }
}
