//! The audit trail: one hash chain a workspace, written in the transaction of what it tells.

use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::record::{AuditEntry, Scope};
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

/// Appends a line and so locks the workspace: the first step of every write in it.
pub(super) async fn append(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    environment: Option<Environment>,
    subject: Option<&str>,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let head = sqlx::query(
        "UPDATE workspaces SET audit_sequence = audit_sequence + 1 WHERE id = $1 RETURNING audit_sequence, audit_hash",
    )
    .bind(workspace.as_str())
    .fetch_one(&mut *tx)
    .await?;
    let line = Line {
        workspace: workspace.as_str(),
        sequence: head.try_get("audit_sequence")?,
        environment: environment.map(Environment::as_str),
        subject,
        at: entry.at.0,
        actor: &entry.actor,
        actor_name: &entry.actor_name,
        address: entry.address.as_deref(),
        action: entry.action.as_str(),
        about: &entry.about,
    };
    let hash = line.hash(head.try_get("audit_hash")?);
    sqlx::query(
        "INSERT INTO audit (workspace, sequence, environment, subject, at, actor, actor_name, address, action, about, \
         hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(line.workspace)
    .bind(line.sequence)
    .bind(line.environment)
    .bind(line.subject)
    .bind(line.at)
    .bind(line.actor)
    .bind(line.actor_name)
    .bind(line.address)
    .bind(line.action)
    .bind(line.about)
    .bind(hash.clone())
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE workspaces SET audit_hash = $2 WHERE id = $1")
        .bind(workspace.as_str())
        .bind(hash)
        .execute(&mut *tx)
        .await?;
    Ok(())
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
    /// What was done to a connection, the latest first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn audit_of(&self, scope: &Scope, id: &ConnectionId, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT at, actor_name, action, about FROM audit \
             WHERE workspace = $1 AND environment = $2 AND subject = $3 ORDER BY sequence DESC LIMIT $4",
        )
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .bind(i64::from(limit))
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
