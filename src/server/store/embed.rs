//! Tickets that sign end users in to frames, and the bearers that frames get for them.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::record::AuditEntry;
use super::row::{corrupt, json, moment, parsed, to_json};
use super::{Store, StoreError, audit};
use crate::domain::embedding::Origin;
use crate::domain::id::{InstanceKeyId, WorkspaceId};
use crate::domain::owner::EndUser;
use crate::domain::role::{EnvironmentSet, Role};
use crate::domain::time::Timestamp;

/// The columns of an [`EmbedGrant`], and what its workspace says. Where its key was revoked there is none.
macro_rules! grants {
    ($table:literal) => {
        grants!($table, "")
    };
    ($table:literal, $more:literal) => {
        concat!(
            "SELECT t.workspace, t.user_id, t.user_name, t.role, t.environments, t.origin, \
             w.name AS workspace_name, w.allowed_origins",
            $more,
            " FROM ",
            $table,
            " t JOIN workspaces w ON w.id = t.workspace JOIN instance_keys k ON k.id = t.instance_key "
        )
    };
}

/// Whom a ticket or a bearer lets in, where, and on which page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedGrant {
    pub workspace: WorkspaceId,
    pub user: EndUser,
    pub role: Role,
    pub environments: EnvironmentSet,
    pub origin: Origin,
}

/// A ticket to be stored.
#[derive(Clone, Debug)]
pub struct NewTicket {
    pub token_hash: [u8; 32],
    /// What it was made with; with the key end the ticket and what it was traded for.
    pub key: InstanceKeyId,
    pub grant: EmbedGrant,
    pub expires_at: Timestamp,
}

/// A bearer to be given for a ticket.
#[derive(Clone, Copy, Debug)]
pub struct NewBearer {
    pub token_hash: [u8; 32],
    pub at: Timestamp,
    pub expires_at: Timestamp,
}

/// What a ticket was good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeemed {
    pub grant: EmbedGrant,
    pub workspace_name: String,
}

/// Why a ticket is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketRefused {
    /// There is none like it, or it has long expired.
    Unknown,
    Used,
    Expired,
    /// Another page shows it than the one it was made for.
    OtherOrigin,
    /// The workspace does not allow the page any more.
    OriginNotAllowed,
}

impl Store {
    /// Stores a ticket.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` where there is no such workspace.
    pub async fn create_ticket(&self, ticket: NewTicket, entry: AuditEntry) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let NewTicket { token_hash, key, grant, expires_at } = ticket;
                audit::append(tx, &grant.workspace, None, None, &entry).await?;
                sqlx::query(
                    "INSERT INTO embed_tickets (token_hash, workspace, user_id, user_name, role, environments, origin, \
                     expires_at, instance_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                )
                .bind(token_hash.to_vec())
                .bind(grant.workspace.as_str())
                .bind(grant.user.id.as_str())
                .bind(grant.user.name.as_str())
                .bind(grant.role.as_str())
                .bind(to_json(&grant.environments)?)
                .bind(grant.origin.as_str())
                .bind(expires_at.0)
                .bind(key.as_str())
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Uses a ticket up and stores the bearer given for it, both or neither.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn redeem_ticket(
        &self,
        token_hash: [u8; 32],
        shown_by: Origin,
        bearer: NewBearer,
        entry: impl FnOnce(&EmbedGrant) -> AuditEntry + Send + 'static,
    ) -> Result<Result<Redeemed, TicketRefused>, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let redeemed = match ticket(tx, token_hash, &shown_by, bearer.at).await? {
                    Ok(redeemed) => redeemed,
                    Err(refused) => return Ok(Err(refused)),
                };
                audit::append(tx, &redeemed.grant.workspace, None, None, &entry(&redeemed.grant)).await?;
                let used =
                    sqlx::query("UPDATE embed_tickets SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL")
                        .bind(token_hash.to_vec())
                        .bind(bearer.at.0)
                        .execute(&mut *tx)
                        .await?;
                // Somebody else was faster: the audit line goes with the transaction.
                if used.rows_affected() == 0 {
                    return Err(StoreError::Stale);
                }
                sqlx::query(
                    "INSERT INTO embed_bearers (token_hash, workspace, user_id, user_name, role, environments, origin, \
                     expires_at, instance_key) SELECT $1, workspace, user_id, user_name, role, environments, origin, \
                     $2, instance_key FROM embed_tickets WHERE token_hash = $3",
                )
                .bind(bearer.token_hash.to_vec())
                .bind(bearer.expires_at.0)
                .bind(token_hash.to_vec())
                .execute(tx)
                .await?;
                Ok(Ok(redeemed))
            })
        })
        .await
        .or_else(|error| if error == StoreError::Stale { Ok(Err(TicketRefused::Used)) } else { Err(error) })
    }

    /// Whom a bearer lets in, and the workspace's name; `None` where it is over, or its page is allowed no more.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn embed_bearer(
        &self,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<(EmbedGrant, String)>, StoreError> {
        let row = sqlx::query(concat!(grants!("embed_bearers"), "WHERE t.token_hash = $1 AND t.expires_at > $2"))
            .bind(hash.to_vec())
            .bind(now.0)
            .fetch_optional(&self.read)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let grant = grant(&row)?;
        Ok(allowed(&row)?.contains(&grant.origin).then_some((grant, row.try_get("workspace_name")?)))
    }

    /// Forgets tickets and bearers that are over; says how many.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn purge_embedding(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let mut gone = 0;
                for statement in [
                    "DELETE FROM embed_tickets WHERE expires_at <= $1",
                    "DELETE FROM embed_bearers WHERE expires_at <= $1",
                ] {
                    gone += sqlx::query(statement).bind(before.0).execute(&mut *tx).await?.rows_affected();
                }
                Ok(gone)
            })
        })
        .await
    }
}

/// Reads a ticket and judges it.
async fn ticket(
    tx: &mut AnyConnection,
    hash: [u8; 32],
    shown_by: &Origin,
    now: Timestamp,
) -> Result<Result<Redeemed, TicketRefused>, StoreError> {
    let row = sqlx::query(concat!(grants!("embed_tickets", ", t.used_at, t.expires_at"), "WHERE t.token_hash = $1"))
        .bind(hash.to_vec())
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else { return Ok(Err(TicketRefused::Unknown)) };
    let grant = grant(&row)?;
    if moment(&row, "used_at")?.is_some() {
        return Ok(Err(TicketRefused::Used));
    }
    if row.try_get::<i64, _>("expires_at")? <= now.0 {
        return Ok(Err(TicketRefused::Expired));
    }
    if grant.origin != *shown_by {
        return Ok(Err(TicketRefused::OtherOrigin));
    }
    if !allowed(&row)?.contains(shown_by) {
        return Ok(Err(TicketRefused::OriginNotAllowed));
    }
    Ok(Ok(Redeemed { grant, workspace_name: row.try_get("workspace_name")? }))
}

fn allowed(row: &AnyRow) -> Result<Vec<Origin>, StoreError> {
    json(row.try_get("allowed_origins")?)
}

fn grant(row: &AnyRow) -> Result<EmbedGrant, StoreError> {
    Ok(EmbedGrant {
        workspace: parsed(row.try_get("workspace")?)?,
        user: EndUser { id: parsed(row.try_get("user_id")?)?, name: row.try_get("user_name")? },
        role: Role::parse(row.try_get("role")?).ok_or_else(|| corrupt(()))?,
        environments: json(row.try_get("environments")?)?,
        origin: parsed(row.try_get("origin")?)?,
    })
}
