//! Who asks, and what they may.

use crate::api::error::ApiError;
use crate::domain::connection_set::ConnectionSet;
use crate::domain::environment::Environment;
use crate::domain::id::{ApiKeyId, ConnectionId, InstanceKeyId, MemberId, WorkspaceId};
use crate::domain::owner::{Audience, EndUser, Sight};
use crate::domain::role::{Action, EnvironmentSet, Permission, Role};
use crate::server::clock::Clock;
use crate::server::store::record::{AuditAction, AuditEntry, Scope};

/// Somebody who was let in by a session cookie, by an API key or by a frame's bearer, never by two of them.
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
    Member {
        id: MemberId,
        name: String,
        role: Role,
    },
    ApiKey {
        id: ApiKeyId,
        name: String,
        permissions: Vec<Permission>,
        /// What it may use at run time; a key for named connections does nothing else.
        connections: ConnectionSet,
    },
    /// In an embedded page, with the role that the platform gave them.
    EndUser {
        user: EndUser,
        role: Role,
    },
}

/// The platform itself, let in by an instance key. It belongs to no workspace and sees no connection.
#[derive(Clone, Debug)]
pub struct Platform {
    pub id: InstanceKeyId,
    pub name: String,
    /// Network address, for the audit trail.
    pub address: Option<String>,
}

impl Platform {
    /// An audit line in the platform's name.
    #[must_use]
    pub fn audit(&self, clock: &Clock, action: AuditAction, about: impl Into<String>) -> AuditEntry {
        AuditEntry {
            at: clock.now(),
            actor: format!("instance key:{}", self.id),
            actor_name: format!("{} (instance key)", self.name),
            address: self.address.clone(),
            action,
            about: about.into(),
        }
    }
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
            Ok(Scope { workspace: self.workspace.clone(), environment, sight: self.sight() })
        } else {
            Err(ApiError::NotFound)
        }
    }

    /// Whose connections this caller sees.
    #[must_use]
    pub fn sight(&self) -> Sight {
        match &self.principal {
            Principal::Member { role, .. } => role.sight(),
            Principal::ApiKey { .. } => Sight::Everybody,
            Principal::EndUser { user, .. } => Sight::User(user.id.clone()),
        }
    }

    /// Whose a connection is that this caller makes for an audience. Where none is told, an editor's own is theirs, and
    /// whoever looks after the workspace makes things for it.
    #[must_use]
    pub fn owner_for(&self, audience: Option<Audience>) -> Option<EndUser> {
        let Principal::EndUser { user, role } = &self.principal else { return None };
        let usual = if *role == Role::Owner { Audience::Workspace } else { Audience::Me };
        (audience.unwrap_or(usual) == Audience::Me).then(|| user.clone())
    }

    /// Whether this caller may do this anywhere.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`].
    pub fn allow(&self, action: Action) -> Result<(), ApiError> {
        let allowed = match &self.principal {
            Principal::Member { role, .. } => role.allows(action),
            Principal::ApiKey { permissions, connections, .. } => {
                let within = connections.is_every() || action.is_of_named_connections();
                within && action.permission().is_some_and(|permission| permissions.contains(&permission))
            }
            Principal::EndUser { role, .. } => role.allows_in_frame(action),
        };
        if allowed { Ok(()) } else { Err(ApiError::Forbidden) }
    }

    /// The API key, for what only one may do to a connection.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`] for people, [`ApiError::NotFound`] where the key is for other connections.
    pub fn key_for(&self, id: &ConnectionId) -> Result<&ApiKeyId, ApiError> {
        match &self.principal {
            Principal::ApiKey { id: key, connections, .. } if connections.contains(id) => Ok(key),
            Principal::ApiKey { .. } => Err(ApiError::NotFound),
            Principal::Member { .. } | Principal::EndUser { .. } => Err(ApiError::Forbidden),
        }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        match &self.principal {
            Principal::Member { name, .. } | Principal::ApiKey { name, .. } => name,
            Principal::EndUser { user, .. } => &user.name,
        }
    }

    /// An audit line in this caller's name.
    #[must_use]
    pub fn audit(&self, clock: &Clock, action: AuditAction, about: impl Into<String>) -> AuditEntry {
        let (actor, actor_name) = match &self.principal {
            Principal::Member { id, name, .. } => (format!("member:{id}"), name.clone()),
            Principal::ApiKey { id, name, .. } => (format!("key:{id}"), format!("{name} (API key)")),
            Principal::EndUser { user, .. } => (format!("user:{}", user.id), user.name.clone()),
        };
        AuditEntry { at: clock.now(), actor, actor_name, address: self.address.clone(), action, about: about.into() }
    }
}
