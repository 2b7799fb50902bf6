//! API keys, for the owners of a workspace.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::transport::Transport;
use crate::domain::component::ComponentSlug;
use crate::domain::environment::Environment;
use crate::domain::id::{ApiKeyId, ConnectionId};
use crate::domain::role::{EnvironmentSet, Permission};
use crate::domain::time::Timestamp;

/// A key, without the key itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLine {
    pub id: ApiKeyId,
    pub name: String,
    /// Its first characters; unknown of keys made by older versions.
    pub prefix: Option<String>,
    pub permissions: Vec<Permission>,
    pub environments: EnvironmentSet,
    /// What it is limited to; `None`: every connection.
    pub connections: Option<Vec<NamedConnection>>,
    pub created_at: Timestamp,
    pub created_by: Option<String>,
    /// `None`: it has no end.
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// A connection as a key's limits name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedConnection {
    pub id: ConnectionId,
    pub name: String,
    pub component: ComponentSlug,
    pub environment: Environment,
}

/// The keys of the workspace, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyList {
    /// The server's clock.
    pub now: Timestamp,
    pub keys: Vec<KeyLine>,
}

/// A key to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRequest {
    pub name: String,
    pub permissions: Vec<Permission>,
    pub environments: Vec<Environment>,
    /// Empty: every connection.
    pub connections: Vec<ConnectionId>,
    /// `None`: it has no end.
    pub days: Option<u32>,
}

/// A key that was made. The key itself is shown this once.
#[derive(Clone, Serialize, Deserialize)]
pub struct MadeKey {
    pub name: String,
    pub key: String,
}

#[server(prefix = "/rpc", endpoint = "api_keys", input = server_fn::codec::Json, client = Transport)]
pub async fn api_keys() -> Result<KeyList, ApiError> {
    crate::server::rpc::keys::api_keys().await
}

#[server(prefix = "/rpc", endpoint = "create_api_key", input = server_fn::codec::Json, client = Transport)]
pub async fn create_api_key(request: KeyRequest) -> Result<MadeKey, ApiError> {
    crate::server::rpc::keys::create_api_key(request).await
}

/// From now on it lets nobody in. Has no undo.
#[server(prefix = "/rpc", endpoint = "revoke_api_key", input = server_fn::codec::Json, client = Transport)]
pub async fn revoke_api_key(id: ApiKeyId) -> Result<(), ApiError> {
    crate::server::rpc::keys::revoke_api_key(id).await
}

/// A few connections whose name, component or tags hold the words, for a key's limits.
#[server(prefix = "/rpc", endpoint = "connections_for_key", input = server_fn::codec::Json, client = Transport)]
pub async fn connections_for_key(
    environments: Vec<Environment>,
    words: String,
) -> Result<Vec<NamedConnection>, ApiError> {
    crate::server::rpc::keys::connections_for_key(environments, words).await
}
