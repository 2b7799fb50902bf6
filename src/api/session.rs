//! Who is looking at the page.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::transport::Transport;
use crate::domain::id::WorkspaceId;
use crate::domain::role::{Action, EnvironmentSet, Role};

/// The signed-in person, as the page needs to know them.
#[expect(clippy::struct_excessive_bools, reason = "facts that are independent of each other")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    pub workspace: WorkspaceId,
    pub workspace_name: String,
    pub name: String,
    pub role: Role,
    pub environments: EnvironmentSet,
    /// Sees causes of refusal and addresses.
    pub operator: bool,
    /// The server listens on loopback only: looking for local services may be offered.
    pub local: bool,
    /// The data folder holds a sample workspace, never checked against vendors.
    pub demo: bool,
    /// In an embedded page: may keep connections to themselves.
    #[serde(default)]
    pub embedded: bool,
}

impl Viewer {
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        if self.embedded { self.role.allows_in_frame(action) } else { self.role.allows(action) }
    }
}

/// Whoever is signed in.
#[server(prefix = "/rpc", endpoint = "viewer", input = server_fn::codec::Json, client = Transport)]
pub async fn current_viewer() -> Result<Viewer, ApiError> {
    crate::server::rpc::session::current_viewer().await
}

/// Ends this session, or every session of this person.
#[server(prefix = "/rpc", endpoint = "sign_out", input = server_fn::codec::Json, client = Transport)]
pub async fn sign_out(everywhere: bool) -> Result<(), ApiError> {
    crate::server::rpc::session::sign_out(everywhere).await
}
