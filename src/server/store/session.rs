//! Sign-in links and the sessions they begin.

use sqlx::{AnyConnection, Row};

use super::audit;
use super::member::{Member, member, members};
use super::record::AuditEntry;
use super::{Store, StoreError};
use crate::domain::id::{MemberId, WorkspaceId};
use crate::domain::time::{MINUTE, Timestamp};

/// A session about to begin.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    pub id_hash: [u8; 32],
    /// The one there was: it ends. An id planted before sign-in is worth nothing after it.
    pub before: Option<[u8; 32]>,
    pub at: Timestamp,
    pub idle_until: Timestamp,
    pub absolute_until: Timestamp,
}

/// Which sessions a sign-out ends.
#[derive(Clone, Debug)]
pub enum SignOut {
    Session([u8; 32]),
    /// Every session of the member, and every sign-in link that could begin another.
    Everywhere(MemberId),
}

impl Store {
    /// Stores a link that signs its member in, once.
    ///
    /// # Errors
    /// `NotFound` where there is no such member, `Unavailable`.
    pub async fn create_sign_in_link(
        &self,
        token_hash: [u8; 32],
        member: &MemberId,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let member = member.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let created = sqlx::query(
                    "INSERT INTO sign_in_links (token_hash, workspace, member, expires_at) \
                     SELECT $1, workspace, id, $3 FROM members WHERE id = $2",
                )
                .bind(token_hash.to_vec())
                .bind(member.as_str())
                .bind(expires_at.0)
                .execute(tx)
                .await?;
                if created.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
            })
        })
        .await
    }

    /// Uses a link up and begins a session, both or neither; `None` where the link was used, expired or never was.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn sign_in(
        &self,
        token_hash: [u8; 32],
        session: NewSession,
        entry: impl FnOnce(&Member) -> AuditEntry + Send + 'static,
    ) -> Result<Option<Member>, StoreError> {
        let signed_in = self.write(move |tx| {
            Box::pin(async move {
                let member = member_of_link(tx, token_hash, session.at).await?;
                audit::append(tx, &member.workspace, None, None, &entry(&member)).await?;
                use_link(tx, token_hash, session.at).await?;
                begin_session(tx, &member.id, &session).await?;
                Ok(member)
            })
        });
        match signed_in.await {
            Err(StoreError::NotFound) => Ok(None),
            signed_in => signed_in.map(Some),
        }
    }

    /// Whose session it is and when it was last seen; `None` where it is over or never was.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn session(&self, id_hash: [u8; 32], now: Timestamp) -> Result<Option<(Member, Timestamp)>, StoreError> {
        let row = sqlx::query(
            "SELECT m.id, m.workspace, w.name AS workspace_name, m.name, m.role, m.environments, m.operator, \
             s.seen_at FROM sessions s JOIN members m ON m.id = s.member JOIN workspaces w ON w.id = m.workspace \
             WHERE s.id_hash = $1 AND s.idle_until > $2 AND s.absolute_until > $2",
        )
        .bind(id_hash.to_vec())
        .bind(now.0)
        .fetch_optional(&self.read)
        .await?;
        row.map(|row| Ok((member(&row)?, Timestamp(row.try_get("seen_at")?)))).transpose()
    }

    /// Whether anybody is signed in, in any workspace.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn any_session(&self, now: Timestamp) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT id_hash FROM sessions WHERE idle_until > $1 AND absolute_until > $1 LIMIT 1")
            .bind(now.0)
            .fetch_optional(&self.read)
            .await?;
        Ok(row.is_some())
    }

    /// Puts off the idle end of a session that was not seen for a minute.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn touch_session(
        &self,
        id_hash: [u8; 32],
        now: Timestamp,
        idle_until: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("UPDATE sessions SET seen_at = $2, idle_until = $3 WHERE id_hash = $1 AND seen_at <= $4")
                    .bind(id_hash.to_vec())
                    .bind(now.0)
                    .bind(idle_until.0)
                    .bind(now.plus(-MINUTE).0)
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Ends sessions and says so in the audit trail, both or neither. One that is over already is no error.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` where there is no such workspace.
    pub async fn sign_out(&self, workspace: &WorkspaceId, which: SignOut, entry: AuditEntry) -> Result<(), StoreError> {
        let workspace = workspace.clone();
        self.write(move |tx| {
            Box::pin(async move {
                audit::append(tx, &workspace, None, None, &entry).await?;
                match which {
                    SignOut::Session(id_hash) => end_session(tx, id_hash).await,
                    SignOut::Everywhere(member) => end_sessions_of(tx, &member).await,
                }
            })
        })
        .await
    }
}

async fn member_of_link(tx: &mut AnyConnection, token_hash: [u8; 32], at: Timestamp) -> Result<Member, StoreError> {
    let row = sqlx::query(concat!(
        members!(),
        "JOIN sign_in_links l ON l.member = m.id WHERE l.token_hash = $1 AND l.expires_at > $2"
    ))
    .bind(token_hash.to_vec())
    .bind(at.0)
    .fetch_one(tx)
    .await?;
    member(&row)
}

/// `NotFound` where somebody else used it meanwhile. Forgets all links that are over, too.
async fn use_link(tx: &mut AnyConnection, token_hash: [u8; 32], at: Timestamp) -> Result<(), StoreError> {
    let used = sqlx::query("DELETE FROM sign_in_links WHERE token_hash = $1")
        .bind(token_hash.to_vec())
        .execute(&mut *tx)
        .await?;
    if used.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    sqlx::query("DELETE FROM sign_in_links WHERE expires_at <= $1").bind(at.0).execute(tx).await?;
    Ok(())
}

/// Stores a session; forgets the one before, and all that are over.
async fn begin_session(tx: &mut AnyConnection, member: &MemberId, session: &NewSession) -> Result<(), StoreError> {
    if let Some(before) = session.before {
        end_session(tx, before).await?;
    }
    sqlx::query("DELETE FROM sessions WHERE idle_until <= $1 OR absolute_until <= $1")
        .bind(session.at.0)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO sessions (id_hash, workspace, member, created_at, seen_at, idle_until, absolute_until) \
         SELECT $1, workspace, id, $3, $3, $4, $5 FROM members WHERE id = $2",
    )
    .bind(session.id_hash.to_vec())
    .bind(member.as_str())
    .bind(session.at.0)
    .bind(session.idle_until.0)
    .bind(session.absolute_until.0)
    .execute(tx)
    .await?;
    Ok(())
}

async fn end_session(tx: &mut AnyConnection, id_hash: [u8; 32]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM sessions WHERE id_hash = $1").bind(id_hash.to_vec()).execute(tx).await?;
    Ok(())
}

async fn end_sessions_of(tx: &mut AnyConnection, member: &MemberId) -> Result<(), StoreError> {
    for statement in ["DELETE FROM sessions WHERE member = $1", "DELETE FROM sign_in_links WHERE member = $1"] {
        sqlx::query(statement).bind(member.as_str()).execute(&mut *tx).await?;
    }
    Ok(())
}
