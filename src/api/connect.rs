//! Connecting an account by OAuth 2.0: begun here, carried on in a window of its own, its outcome asked for here.

use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::transport::Transport;
use crate::domain::component::ComponentSlug;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::field::FieldValues;
use crate::domain::id::{ConnectionId, FlowId};
use crate::domain::owner::Audience;
use crate::domain::time::Timestamp;
use leptos::prelude::*;

/// An account to be connected.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectRequest {
    pub environment: Environment,
    pub component: ComponentSlug,
    pub method: String,
    pub name: String,
    #[serde(default)]
    pub tags: Vec<String>,
    /// What has to be known before: a subdomain, say.
    pub values: FieldValues,
    /// The optional scopes the person wants beside the required ones.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The connection to be reconnected: it keeps id, tags, workflows. Fields left empty keep what is stored.
    #[serde(default)]
    pub reconnect: Option<ConnectionId>,
    pub by: Way,
    /// For whom a new connection is; left out: as suits who asks.
    #[serde(default)]
    pub audience: Option<Audience>,
}

/// Where the account's owner gives consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// In a window of this browser.
    Window,
    /// In any browser, by a link that works once, for seven days.
    Link,
    /// By a code that is entered at the service's page (RFC 8628).
    Device,
}

/// A flow that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    pub flow: FlowId,
    /// The page to open. What authorises it stands behind the `#`, which browsers send to nobody.
    pub url: String,
    pub expires_at: Timestamp,
    pub device: Option<DeviceCode>,
}

/// What a person enters at the service's page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCode {
    pub user_code: String,
    pub verification_url: String,
    /// The same page with the code filled in, where the service has one.
    pub complete_url: Option<String>,
}

/// How far a flow is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// The page has not been opened yet.
    Waiting,
    /// Somebody is at the service's page, or its answer is being looked at.
    Opened,
    Connected {
        summary: Box<Summary>,
    },
    /// Another account came back than the one connected before; decide with [`decide_connect`].
    OtherAccount {
        was: String,
        is: String,
    },
    /// It did not work; nothing was changed.
    Failed {
        message: String,
    },
    /// Nobody finished it in time.
    Expired,
}

/// The OAuth client a method uses, as people may know it. Its secret never comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSetup {
    pub origin: ClientOrigin,
    /// What to enter as redirect URL at the vendor.
    pub redirect_url: String,
    /// The vendor's page where a client is made; empty: none is known.
    pub help_url: String,
    /// What the service last said against it.
    pub problem: Option<String>,
    /// Whether the service makes a client on demand (RFC 7591).
    pub can_register: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientOrigin {
    /// There is none: bring one.
    None,
    /// The operator's.
    Operator,
    /// The environment's own.
    Own { client_id: String, stored_at: Timestamp, has_secret: bool },
    /// Given in the form, with the connection.
    Form,
}

#[server(prefix = "/rpc", endpoint = "begin_connect", input = server_fn::codec::Json, client = Transport)]
pub async fn begin_connect(request: ConnectRequest) -> Result<Begun, ApiError> {
    crate::server::rpc::connect::begin_connect(request).await
}

/// Asked every second or two while a flow is under way.
#[server(prefix = "/rpc", endpoint = "connect_progress", input = server_fn::codec::Json, client = Transport)]
pub async fn connect_progress(environment: Environment, flow: FlowId) -> Result<Progress, ApiError> {
    crate::server::rpc::connect::connect_progress(environment, flow).await
}

/// Another account came back: puts it in the place of the one before, or drops it.
#[server(prefix = "/rpc", endpoint = "decide_connect", input = server_fn::codec::Json, client = Transport)]
pub async fn decide_connect(environment: Environment, flow: FlowId, replace: bool) -> Result<Progress, ApiError> {
    crate::server::rpc::connect::decide_connect(environment, flow, replace).await
}

/// Gives a flow up: what comes back later is refused.
#[server(prefix = "/rpc", endpoint = "cancel_connect", input = server_fn::codec::Json, client = Transport)]
pub async fn cancel_connect(environment: Environment, flow: FlowId) -> Result<(), ApiError> {
    crate::server::rpc::connect::cancel_connect(environment, flow).await
}

#[server(prefix = "/rpc", endpoint = "oauth_client", input = server_fn::codec::Json, client = Transport)]
pub async fn oauth_client(
    environment: Environment,
    component: ComponentSlug,
    method: String,
) -> Result<ClientSetup, ApiError> {
    crate::server::rpc::connect::oauth_client(environment, component, method).await
}

/// Stores the environment's own client; an empty secret keeps the stored one where the id is the same, else there is
/// none.
#[server(prefix = "/rpc", endpoint = "store_oauth_client", input = server_fn::codec::Json, client = Transport)]
pub async fn store_oauth_client(
    environment: Environment,
    component: ComponentSlug,
    method: String,
    client_id: String,
    client_secret: String,
) -> Result<ClientSetup, ApiError> {
    crate::server::rpc::connect::store_oauth_client(environment, component, method, client_id, client_secret).await
}

/// Has the service make a client (RFC 7591) and stores it.
#[server(prefix = "/rpc", endpoint = "register_oauth_client", input = server_fn::codec::Json, client = Transport)]
pub async fn register_oauth_client(
    environment: Environment,
    component: ComponentSlug,
    method: String,
    values: FieldValues,
) -> Result<ClientSetup, ApiError> {
    crate::server::rpc::connect::register_oauth_client(environment, component, method, values).await
}

#[server(prefix = "/rpc", endpoint = "remove_oauth_client", input = server_fn::codec::Json, client = Transport)]
pub async fn remove_oauth_client(
    environment: Environment,
    component: ComponentSlug,
    method: String,
) -> Result<ClientSetup, ApiError> {
    crate::server::rpc::connect::remove_oauth_client(environment, component, method).await
}
