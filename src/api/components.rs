//! Components that a workspace describes itself.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::transport::Transport;
use crate::domain::component::{ComponentForm, ComponentSlug};
use crate::domain::time::Timestamp;

/// A workspace's own component, as it is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnComponent {
    pub slug: ComponentSlug,
    pub version: i64,
    /// The catalog's format as JSON, its icon as a data URL.
    pub definition: String,
    pub at: Timestamp,
    /// Who gave this version.
    pub by: String,
    /// Connections made with it, also deleted ones that were not destroyed yet.
    pub connections: i64,
}

/// What a registration did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    pub component: OwnComponent,
    pub created: bool,
    /// What its secrets are given for has changed: the connections that there are need theirs again.
    pub asks_again: bool,
}

/// One version, and what it changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentVersion {
    pub version: i64,
    pub at: Timestamp,
    pub by: String,
    /// Against the version before; empty for the first that is kept.
    pub changes: Vec<Difference>,
    /// Connections made before it needed their secrets again.
    pub asks_again: bool,
}

/// A place in a definition that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// JSON pointer (RFC 6901).
    pub pointer: String,
    pub kind: DifferenceKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    Added,
    Removed,
    Changed,
}

/// The workspace's own components, by slug.
#[server(prefix = "/rpc", endpoint = "own_components", input = server_fn::codec::Json, client = Transport)]
pub async fn own_components() -> Result<Vec<OwnComponent>, ApiError> {
    crate::server::rpc::components::own_components().await
}

/// The versions of one that are kept, the latest first.
#[server(prefix = "/rpc", endpoint = "component_versions", input = server_fn::codec::Json, client = Transport)]
pub async fn component_versions(slug: ComponentSlug) -> Result<Vec<ComponentVersion>, ApiError> {
    crate::server::rpc::components::component_versions(slug).await
}

/// What a definition (JSON) would look like, without registering it.
#[server(prefix = "/rpc", endpoint = "preview_component", input = server_fn::codec::Json, client = Transport)]
pub async fn preview_component(definition: String) -> Result<ComponentForm, ApiError> {
    crate::server::rpc::components::preview_component(definition).await
}

/// Registers a definition (JSON) in place of a version; of 0: a new component.
#[server(prefix = "/rpc", endpoint = "put_component", input = server_fn::codec::Json, client = Transport)]
pub async fn put_component(slug: String, definition: String, version: i64) -> Result<Registered, ApiError> {
    crate::server::rpc::components::put_component(slug, definition, version).await
}

/// Removes one that no connection is made with.
#[server(prefix = "/rpc", endpoint = "remove_component", input = server_fn::codec::Json, client = Transport)]
pub async fn remove_component(slug: ComponentSlug, version: i64) -> Result<(), ApiError> {
    crate::server::rpc::components::remove_component(slug, version).await
}
