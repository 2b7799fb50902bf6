//! Who asks, and what they may.

use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::id::{ApiKeyId, MemberId, WorkspaceId};
use crate::domain::role::{Action, EnvironmentSet, Permission, Role};
use crate::server::clock::Clock;
use crate::server::store::record::{AuditAction, AuditEntry, Scope};

/// Somebody who was let in by a session cookie or by an API key, never by both.
#[derive(Clone, Debug)]
pub struct Caller {
    pub workspace: WorkspaceId,
    pub workspace_name: String,
    pub principal: Principal,
    pub environments: EnvironmentSet,
    /// Sees causes of refusal and addresses.
    pub operator: bool,
    /// Network address, for the audit trail.
    pub address: Option<String>,
}

#[derive(Clone, Debug)]
pub enum Principal {
    Member { id: MemberId, name: String, role: Role },
    ApiKey { id: ApiKeyId, name: String, permissions: Vec<Permission> },
}

impl Caller {
    /// The scope to work in, if this caller may do this there.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`] for an action, [`ApiError::NotFound`] for an environment: what lies in an
    /// environment one may not enter does not exist for one.
    pub fn scope(&self, action: Action, environment: Environment) -> Result<Scope, ApiError> {
        self.allow(action)?;
        if self.environments.contains(environment) {
            Ok(Scope { workspace: self.workspace.clone(), environment })
        } else {
            Err(ApiError::NotFound)
        }
    }

    /// Whether this caller may do this anywhere.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`].
    pub fn allow(&self, action: Action) -> Result<(), ApiError> {
        let allowed = match &self.principal {
            Principal::Member { role, .. } => role.allows(action),
            Principal::ApiKey { permissions, .. } => permissions.contains(&action.permission()),
        };
        if allowed { Ok(()) } else { Err(ApiError::Forbidden) }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        match &self.principal {
            Principal::Member { name, .. } | Principal::ApiKey { name, .. } => name,
        }
    }

    /// An audit line in this caller's name.
    #[must_use]
    pub fn audit(&self, clock: &Clock, action: AuditAction, about: impl Into<String>) -> AuditEntry {
        let (actor, actor_name) = match &self.principal {
            Principal::Member { id, name, .. } => (format!("member:{id}"), name.clone()),
            Principal::ApiKey { id, name, .. } => (format!("key:{id}"), format!("{name} (API key)")),
        };
        AuditEntry { at: clock.now(), actor, actor_name, address: self.address.clone(), action, about: about.into() }
    }
}
