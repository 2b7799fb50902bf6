//! What the platform does with an instance key, and how a frame signs its user in.

use super::Services;
use super::caller::{Caller, Platform, Principal};
use crate::api::error::ApiError;
use crate::domain::embedding::Origin;
use crate::domain::id::WorkspaceId;
use crate::domain::line::is_line;
use crate::domain::owner::EndUser;
use crate::domain::time::{MINUTE, Timestamp};
use crate::server::store::record::{AuditAction, AuditEntry};
use crate::server::store::{EmbedGrant, NewBearer, NewTicket, Redeemed, TicketRefused, Workspace, WorkspaceSettings};
use crate::server::token;
use crate::server::vault::SecretText;

/// How long a ticket can be traded, in milliseconds.
pub const TICKET_LIFE: i64 = 2 * MINUTE;
/// How long a frame's bearer lives, in milliseconds.
pub const BEARER_LIFE: i64 = 15 * MINUTE;
/// Longest name of a workspace, in characters.
const NAME_LIMIT: usize = 120;
/// Most origins that may frame one workspace: they stand in one header.
const ORIGIN_LIMIT: usize = 50;
/// Most bytes of the platform's own settings.
const SETTINGS_LIMIT: usize = 16 * 1024;
/// Most workspaces in one answer.
pub const WORKSPACES_LIMIT: u32 = 200;

/// A token and until when it lives.
pub struct Issued {
    pub token: SecretText,
    pub expires_at: Timestamp,
}

/// A frame that was signed in.
pub struct SignedIn {
    pub bearer: Issued,
    pub redeemed: Redeemed,
}

impl Services {
    /// Makes a workspace, or replaces what was said of it; says whether it is new.
    ///
    /// # Errors
    /// [`ApiError::Invalid`], [`ApiError::Unavailable`].
    pub async fn put_workspace(
        &self,
        platform: &Platform,
        id: &WorkspaceId,
        settings: WorkspaceSettings,
    ) -> Result<bool, ApiError> {
        check(&settings)?;
        let origins: Vec<&str> = settings.allowed_origins.iter().map(Origin::as_str).collect();
        let entry = platform.audit(&self.clock, AuditAction::WorkspaceStored, origins.join(", "));
        Ok(self.store.put_workspace(id, settings, entry).await?)
    }

    /// One workspace.
    ///
    /// # Errors
    /// [`ApiError::NotFound`], [`ApiError::Unavailable`].
    pub async fn workspace(&self, id: &WorkspaceId) -> Result<Workspace, ApiError> {
        self.store.workspace(id).await?.ok_or(ApiError::NotFound)
    }

    /// Makes a ticket that signs one end user in to a frame on one page, once.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] for an origin that the workspace does not allow, [`ApiError::NotFound`] for a workspace
    /// that there is not.
    pub async fn make_ticket(&self, platform: &Platform, grant: EmbedGrant) -> Result<Issued, ApiError> {
        let workspace = self.workspace(&grant.workspace).await?;
        if !workspace.settings.allowed_origins.contains(&grant.origin) {
            return Err(ApiError::field(
                "origin",
                format!(
                    "The workspace “{}” does not allow this origin. Add it to allowed_origins by \
                     PUT /api/v1/workspaces/{}.",
                    workspace.id, workspace.id
                ),
            ));
        }
        let ticket = token::draw(&self.random, token::TICKET_PREFIX)?;
        let expires_at = self.clock.now().plus(TICKET_LIFE);
        let EndUser { id, name } = &grant.user;
        let about = format!("for {id} ({name}) as {} at {}", grant.role.as_str(), grant.origin);
        let entry = platform.audit(&self.clock, AuditAction::TicketMade, about);
        let new = NewTicket { token_hash: token::hash(ticket.reveal()), key: platform.id.clone(), grant, expires_at };
        self.store.create_ticket(new, entry).await?;
        Ok(Issued { token: ticket, expires_at })
    }

    /// Trades a ticket for a bearer.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`] without random bytes.
    pub async fn sign_in_frame(
        &self,
        ticket: &str,
        origin: Origin,
        address: Option<String>,
    ) -> Result<Result<SignedIn, TicketRefused>, ApiError> {
        let (bearer, now) = (token::draw(&self.random, token::BEARER_PREFIX)?, self.clock.now());
        let expires_at = now.plus(BEARER_LIFE);
        let new = NewBearer { token_hash: token::hash(bearer.reveal()), at: now, expires_at };
        let entry = move |grant: &EmbedGrant| signed_in(grant, now, address);
        let redeemed = self.store.redeem_ticket(token::hash(ticket), origin, new, entry).await?;
        Ok(redeemed.map(|redeemed| SignedIn { bearer: Issued { token: bearer, expires_at }, redeemed }))
    }

    /// Whoever a frame's bearer lets in.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`].
    pub async fn of_bearer(&self, bearer: &str, address: Option<String>) -> Result<Option<Caller>, ApiError> {
        let found = self.store.embed_bearer(token::hash(bearer), self.clock.now()).await?;
        Ok(found.map(|(grant, workspace_name)| Caller {
            workspace: grant.workspace,
            workspace_name,
            principal: Principal::EndUser { user: grant.user, role: grant.role },
            environments: grant.environments,
            operator: false,
            address,
        }))
    }
}

fn signed_in(grant: &EmbedGrant, at: Timestamp, address: Option<String>) -> AuditEntry {
    AuditEntry {
        at,
        actor: format!("user:{}", grant.user.id),
        actor_name: grant.user.name.clone(),
        address,
        action: AuditAction::FrameSignedIn,
        about: grant.origin.to_string(),
    }
}

fn check(settings: &WorkspaceSettings) -> Result<(), ApiError> {
    if !is_line(&settings.name, NAME_LIMIT) {
        return Err(ApiError::field("name", "A workspace's name has 1 to 120 characters on one line."));
    }
    if settings.allowed_origins.len() > ORIGIN_LIMIT {
        return Err(ApiError::field("allowed_origins", "At most 50 origins may embed one workspace."));
    }
    if let Some((member, words)) = settings.theme.problem() {
        return Err(ApiError::field(member, words));
    }
    let size = serde_json::to_vec(&settings.settings).map_or(usize::MAX, |text| text.len());
    if size > SETTINGS_LIMIT {
        return Err(ApiError::field("settings", "A workspace's settings take at most 16 KB."));
    }
    Ok(())
}
