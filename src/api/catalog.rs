//! The components one can connect to.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::transport::Transport;
use crate::domain::component::{ComponentForm, ComponentSlug};

/// All forms, most used first. The browser fetches them when the first dialog opens.
#[server(prefix = "/rpc", endpoint = "components", input = server_fn::codec::Json, client = Transport)]
pub async fn components() -> Result<Vec<ComponentForm>, ApiError> {
    crate::server::rpc::catalog::components().await
}

/// A service that answers on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalService {
    pub component: ComponentSlug,
    pub port: u16,
}

/// Looks which known local ports answer; refused unless the server listens on loopback only.
#[server(prefix = "/rpc", endpoint = "local_services", input = server_fn::codec::Json, client = Transport)]
pub async fn local_services() -> Result<Vec<LocalService>, ApiError> {
    crate::server::rpc::catalog::local_services().await
}
