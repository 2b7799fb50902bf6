//! Accounts being connected: from the click until the page has learned how it ended.
//!
//! A flow is found by its id within a scope, or, without any, by the hash of a code or a state that nobody can guess.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::record::{AuditEntry, EndingFlow, FlowRequest, FlowStage, Scope};
use super::row::{corrupt, json, parsed, scope, to_json};
use super::{Store, StoreError, audit};
use crate::domain::id::{ConnectionId, FlowId};
use crate::domain::owner::{EndUserId, Sight};
use crate::domain::time::Timestamp;

/// A flow about to begin.
#[derive(Clone, Debug)]
pub struct NewFlow {
    pub id: FlowId,
    pub scope: Scope,
    /// The connection to be reconnected; `None`: a new one.
    pub connection: Option<ConnectionId>,
    pub actor: String,
    pub actor_name: String,
    /// The end user who asked, if it is one: nobody else follows it.
    pub owner: Option<EndUserId>,
    pub code_hash: [u8; 32],
    pub request: FlowRequest,
    /// Sealed for version 1.
    pub sealed: Vec<u8>,
    pub stage: FlowStage,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A flow under way.
#[derive(Clone, Debug)]
pub struct StoredFlow {
    pub id: FlowId,
    pub scope: Scope,
    pub connection: Option<ConnectionId>,
    pub actor: String,
    pub actor_name: String,
    pub browser_hash: Option<[u8; 32]>,
    pub request: FlowRequest,
    pub sealed: Vec<u8>,
    /// Grows with each change; part of what the secrets are sealed for.
    pub version: i64,
    pub stage: FlowStage,
    pub expires_at: Timestamp,
}

/// What the opening of the page adds.
#[derive(Clone, Debug)]
pub struct Opening {
    pub state_hash: [u8; 32],
    pub browser_hash: [u8; 32],
    /// Sealed for the next version.
    pub sealed: Vec<u8>,
    /// Until when the provider may answer with that state.
    pub state_expires_at: Timestamp,
    /// Until when the page may be opened again.
    pub expires_at: Timestamp,
}

macro_rules! flows {
    () => {
        "SELECT id, workspace, environment, connection, actor, actor_name, browser_hash, request, sealed, version, \
         stage, expires_at FROM oauth_flows "
    };
}

impl Store {
    /// Begins a flow; forgets those that are over.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn begin_flow(&self, new: NewFlow, entry: Option<AuditEntry>) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                if let Some(entry) = &entry {
                    let connection = new.connection.as_ref().map(ConnectionId::as_str);
                    audit::append_in(tx, &new.scope, connection, entry).await?;
                }
                forget_flows(tx, new.created_at).await?;
                sqlx::query(
                    "INSERT INTO oauth_flows (id, workspace, environment, connection, actor, actor_name, code_hash, \
                     request, sealed, version, stage, created_at, expires_at, owner) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $12, $13)",
                )
                .bind(new.id.as_str())
                .bind(new.scope.workspace.as_str())
                .bind(new.scope.environment.as_str())
                .bind(new.connection.as_ref().map(ConnectionId::as_str))
                .bind(new.actor)
                .bind(new.actor_name)
                .bind(new.code_hash.to_vec())
                .bind(to_json(&new.request)?)
                .bind(new.sealed)
                .bind(to_json(&new.stage)?)
                .bind(new.created_at.0)
                .bind(new.expires_at.0)
                .bind(new.owner.as_ref().map_or("", EndUserId::as_str))
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Forgets the flows that ended a day ago, and what is sealed in them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn forget_flows(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| Box::pin(forget_flows(tx, now))).await
    }

    /// The latest flow that brought another account back for this connection, while nobody has decided. Who sees it:
    /// as with [`Store::flow`].
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn undecided_flow(
        &self,
        scope: &Scope,
        connection: &ConnectionId,
        now: Timestamp,
    ) -> Result<Option<StoredFlow>, StoreError> {
        let rows = sqlx::query(concat!(
            flows!(),
            "WHERE workspace = $1 AND environment = $2 AND connection = $3 AND owner = $4 AND expires_at > $5 \
             ORDER BY created_at DESC, id DESC LIMIT 20"
        ))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(connection.as_str())
        .bind(owner_seen(scope))
        .bind(now.0)
        .fetch_all(&self.read)
        .await?;
        let flows = rows.iter().map(flow).collect::<Result<Vec<_>, _>>()?;
        Ok(flows.into_iter().find(|flow| matches!(flow.stage, FlowStage::OtherAccount { .. })))
    }

    /// The flow of this id. End users see their own alone, and members none of an end user's.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn flow(&self, scope: &Scope, id: &FlowId) -> Result<Option<StoredFlow>, StoreError> {
        let row =
            sqlx::query(concat!(flows!(), "WHERE workspace = $1 AND environment = $2 AND id = $3 AND owner = $4"))
                .bind(scope.workspace.as_str())
                .bind(scope.environment.as_str())
                .bind(id.as_str())
                .bind(owner_seen(scope))
                .fetch_optional(&self.read)
                .await?;
        row.as_ref().map(flow).transpose()
    }

    /// A flow as it stands now, whosever it is: for what the server does with it, not for whoever asks.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn flow_now(&self, before: &StoredFlow) -> Result<Option<StoredFlow>, StoreError> {
        let row = sqlx::query(concat!(flows!(), "WHERE workspace = $1 AND environment = $2 AND id = $3"))
            .bind(before.scope.workspace.as_str())
            .bind(before.scope.environment.as_str())
            .bind(before.id.as_str())
            .fetch_optional(&self.read)
            .await?;
        row.as_ref().map(flow).transpose()
    }

    /// The flow whose page this code opens.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn flow_by_code(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<StoredFlow>, StoreError> {
        self.flow_by(concat!(flows!(), "WHERE code_hash = $1 AND expires_at > $2"), hash, now).await
    }

    /// The flow that sent this state to a provider.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn flow_by_state(&self, hash: [u8; 32], now: Timestamp) -> Result<Option<StoredFlow>, StoreError> {
        self.flow_by(concat!(flows!(), "WHERE state_hash = $1 AND state_expires_at > $2"), hash, now).await
    }

    async fn flow_by(
        &self,
        text: &'static str,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<StoredFlow>, StoreError> {
        let row = sqlx::query(text).bind(hash.to_vec()).bind(now.0).fetch_optional(&self.read).await?;
        row.as_ref().map(flow).transpose()
    }

    /// Notes that the page was opened, by which browser, and the state it is about to send. Opening it again in the
    /// same browser makes another state, and the one before worth nothing.
    ///
    /// # Errors
    /// `Stale` where it went on meanwhile, `Unavailable`.
    pub async fn open_flow(&self, flow: &StoredFlow, opening: Opening) -> Result<(), StoreError> {
        let (id, version) = (flow.id.clone(), flow.version);
        self.write(move |tx| {
            Box::pin(async move {
                let opened = sqlx::query(
                    "UPDATE oauth_flows SET state_hash = $3, browser_hash = $4, sealed = $5, stage = $6, \
                     expires_at = $7, state_expires_at = $8, version = version + 1 WHERE id = $1 AND version = $2",
                )
                .bind(id.as_str())
                .bind(version)
                .bind(opening.state_hash.to_vec())
                .bind(opening.browser_hash.to_vec())
                .bind(opening.sealed)
                .bind(to_json(&FlowStage::Opened)?)
                .bind(opening.expires_at.0)
                .bind(opening.state_expires_at.0)
                .execute(tx)
                .await?;
                if opened.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
            })
        })
        .await
    }

    /// Moves a flow on, until its `expires_at`. The state it may have sent is worth nothing any more; what is sealed is
    /// replaced, with nothing unless something is given for the next version.
    ///
    /// # Errors
    /// `Stale` where it went on meanwhile, `Unavailable`.
    pub async fn advance_flow(
        &self,
        flow: &StoredFlow,
        stage: FlowStage,
        sealed: Vec<u8>,
    ) -> Result<StoredFlow, StoreError> {
        let mut after = flow.clone();
        let (id, version, expires_at) = (flow.id.clone(), flow.version, flow.expires_at);
        let (text, content) = (to_json(&stage)?, sealed.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let advanced = sqlx::query(
                    "UPDATE oauth_flows SET state_hash = NULL, stage = $3, sealed = $4, expires_at = $5, \
                     version = version + 1 WHERE id = $1 AND version = $2",
                )
                .bind(id.as_str())
                .bind(version)
                .bind(text)
                .bind(content)
                .bind(expires_at.0)
                .execute(tx)
                .await?;
                if advanced.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
            })
        })
        .await?;
        after.version += 1;
        (after.stage, after.sealed) = (stage, sealed);
        Ok(after)
    }
}

/// Whose flows this scope sees: an end user's own, or those of members.
fn owner_seen(scope: &Scope) -> &str {
    match &scope.sight {
        Sight::User(id) => id.as_str(),
        Sight::Everybody | Sight::Workspace => "",
    }
}

async fn forget_flows(tx: &mut AnyConnection, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM oauth_flows WHERE expires_at <= $1").bind(now.plus(-KEPT).0).execute(tx).await?;
    Ok(())
}

/// Ends a flow in the transaction that saves what it brings.
pub(super) async fn end_flow(
    tx: &mut AnyConnection,
    flow: &EndingFlow,
    connection: &ConnectionId,
) -> Result<(), StoreError> {
    let ended = sqlx::query(
        "UPDATE oauth_flows SET state_hash = NULL, stage = $3, sealed = $4, version = version + 1 \
         WHERE id = $1 AND version = $2",
    )
    .bind(flow.id.as_str())
    .bind(flow.version)
    .bind(to_json(&FlowStage::Connected { connection: connection.clone() })?)
    .bind(Vec::new())
    .execute(tx)
    .await?;
    if ended.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

/// How long a flow that is over can still be asked how it ended, in milliseconds.
const KEPT: i64 = crate::domain::time::DAY;

fn flow(row: &AnyRow) -> Result<StoredFlow, StoreError> {
    let connection: Option<String> = row.try_get("connection")?;
    let browser_hash: Option<Vec<u8>> = row.try_get("browser_hash")?;
    Ok(StoredFlow {
        id: parsed(row.try_get("id")?)?,
        scope: scope(row)?,
        connection: connection.map(parsed).transpose()?,
        actor: row.try_get("actor")?,
        actor_name: row.try_get("actor_name")?,
        browser_hash: browser_hash.map(|hash| hash.try_into().map_err(corrupt)).transpose()?,
        request: json(row.try_get("request")?)?,
        sealed: row.try_get("sealed")?,
        version: row.try_get("version")?,
        stage: json(row.try_get("stage")?)?,
        expires_at: Timestamp(row.try_get("expires_at")?),
    })
}
