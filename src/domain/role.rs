//! Who may do what: the one table that handlers ask and the route test reads.

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::owner::Sight;

/// What a member of a workspace may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Viewer,
    Editor,
    Owner,
}

/// What an API key may do; each is granted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Refer to connections, register the workflows that do, and send requests by the proxy.
    Use,
    Read,
    Write,
    /// Read credentials at run time.
    Credentials,
}

/// Everything that can be asked of Patchbay within a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    ViewComponents,
    ViewConnections,
    CreateConnection,
    EditConnection,
    TagConnection,
    TestConnection,
    DeleteConnection,
    /// Let workflows use another connection.
    ReplaceConnection,
    ViewWorkflows,
    RegisterWorkflow,
    ManageOAuthClients,
    /// Read a connection's credentials at run time, and say that its service refused them.
    FetchCredentials,
    /// Send requests by the proxy, which keeps the credentials to itself.
    SendRequest,
    /// See, make and revoke API keys.
    ManageKeys,
    /// See what components of the workspace's own are made of: where they send what, and who described them.
    ViewDefinitions,
    /// Describe components of the workspace's own.
    ManageComponents,
    /// Follow what happens to connections.
    ViewEvents,
    ManageWebhooks,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Owner];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    #[must_use]
    pub fn allows(self, action: Action) -> bool {
        action.least_role().is_some_and(|least| self >= least)
    }

    #[must_use]
    pub fn allows_in_frame(self, action: Action) -> bool {
        action.least_role_in_frame().is_some_and(|least| self >= least)
    }

    /// Whose connections a member sees, and so may use, edit, delete and read as far as the role goes: owners look
    /// after all of them, others after the workspace's. An end user sees the workspace's and their own, whatever their
    /// role; an API key, which acts for the platform, sees all.
    #[must_use]
    pub const fn sight(self) -> Sight {
        match self {
            Self::Owner => Sight::Everybody,
            Self::Viewer | Self::Editor => Sight::Workspace,
        }
    }
}

impl Permission {
    pub const ALL: [Self; 4] = [Self::Use, Self::Read, Self::Write, Self::Credentials];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Use => "use",
            Self::Read => "read",
            Self::Write => "write",
            Self::Credentials => "credentials",
        }
    }

    /// Whether a key for named connections may have it.
    #[must_use]
    pub const fn is_of_named_connections(self) -> bool {
        matches!(self, Self::Use | Self::Credentials)
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == text)
    }
}

impl Action {
    pub const ALL: [Self; 18] = [
        Self::ViewComponents,
        Self::ViewConnections,
        Self::CreateConnection,
        Self::EditConnection,
        Self::TagConnection,
        Self::TestConnection,
        Self::DeleteConnection,
        Self::ReplaceConnection,
        Self::ViewWorkflows,
        Self::RegisterWorkflow,
        Self::ManageOAuthClients,
        Self::FetchCredentials,
        Self::SendRequest,
        Self::ManageKeys,
        Self::ViewDefinitions,
        Self::ManageComponents,
        Self::ViewEvents,
        Self::ManageWebhooks,
    ];

    /// The table, for members: the least role that may; `None`: no person does, whatever their role.
    #[must_use]
    pub const fn least_role(self) -> Option<Role> {
        match self {
            Self::ViewComponents | Self::ViewConnections => Some(Role::Viewer),
            Self::CreateConnection
            | Self::EditConnection
            | Self::TagConnection
            | Self::TestConnection
            | Self::DeleteConnection
            | Self::ReplaceConnection => Some(Role::Editor),
            // What workflows use names everybody's connections.
            Self::ViewWorkflows
            | Self::RegisterWorkflow
            | Self::ManageOAuthClients
            | Self::ManageKeys
            | Self::ViewDefinitions
            | Self::ManageComponents
            | Self::ViewEvents
            | Self::ManageWebhooks => Some(Role::Owner),
            // Secrets never come back to a browser.
            Self::FetchCredentials | Self::SendRequest => None,
        }
    }

    /// The table, for end users in a frame: the least role that may; `None`: the platform does it with a key, or a member.
    #[must_use]
    pub const fn least_role_in_frame(self) -> Option<Role> {
        match self {
            Self::ViewWorkflows
            | Self::RegisterWorkflow
            | Self::ManageKeys
            | Self::ViewDefinitions
            | Self::ManageComponents
            | Self::ViewEvents
            | Self::ManageWebhooks => None,
            _ => self.least_role(),
        }
    }

    /// The table, for API keys: the permission that suffices; `None`: members alone, so that no key makes another.
    #[must_use]
    pub const fn permission(self) -> Option<Permission> {
        Some(match self {
            Self::ManageKeys => return None,
            Self::ViewComponents
            | Self::ViewDefinitions
            | Self::ViewConnections
            | Self::ViewWorkflows
            | Self::ViewEvents => Permission::Read,
            Self::CreateConnection
            | Self::EditConnection
            | Self::TagConnection
            | Self::TestConnection
            | Self::DeleteConnection
            | Self::ReplaceConnection
            | Self::ManageOAuthClients
            | Self::ManageComponents
            | Self::ManageWebhooks => Permission::Write,
            Self::RegisterWorkflow | Self::SendRequest => Permission::Use,
            Self::FetchCredentials => Permission::Credentials,
        })
    }

    /// Whether a key may do this that is for named connections only: what it does touches no other.
    #[must_use]
    pub const fn is_of_named_connections(self) -> bool {
        matches!(self, Self::FetchCredentials | Self::SendRequest)
    }
}

/// The environments somebody may enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Environment>", into = "Vec<Environment>")]
pub struct EnvironmentSet([bool; 3]);

impl EnvironmentSet {
    pub const EVERY: Self = Self([true; 3]);

    #[must_use]
    pub fn contains(self, environment: Environment) -> bool {
        self.0[environment as usize]
    }

    /// What is in both; `None`: nothing.
    #[must_use]
    pub fn within(self, other: Self) -> Option<Self> {
        Self::try_from(self.iter().filter(|environment| other.contains(*environment)).collect::<Vec<_>>()).ok()
    }

    /// Whether all of it is in another.
    #[must_use]
    pub fn is_within(self, other: Self) -> bool {
        self.iter().all(|environment| other.contains(environment))
    }

    pub fn iter(self) -> impl Iterator<Item = Environment> {
        Environment::ALL.into_iter().filter(move |environment| self.contains(*environment))
    }
}

/// A set of environments holds at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name at least one environment: development, staging or production")]
pub struct NoEnvironment;

impl TryFrom<Vec<Environment>> for EnvironmentSet {
    type Error = NoEnvironment;

    fn try_from(list: Vec<Environment>) -> Result<Self, NoEnvironment> {
        if list.is_empty() {
            return Err(NoEnvironment);
        }
        let mut set = [false; 3];
        for environment in list {
            set[environment as usize] = true;
        }
        Ok(Self(set))
    }
}

impl From<EnvironmentSet> for Vec<Environment> {
    fn from(set: EnvironmentSet) -> Self {
        set.iter().collect()
    }
}
