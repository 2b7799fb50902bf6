//! What the Connections page starts from, and the snapshot that follows.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::session::Viewer;
use super::transport::Transport;
use crate::domain::component::ComponentBadge;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::filter::ListQuery;
use crate::domain::id::ConnectionId;
use crate::domain::selection::Facets;
use crate::domain::time::Timestamp;

/// Rows in a server-rendered page.
pub const PAGE_ROWS: usize = 50;

/// The first rows for the URL's filter, and all counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstPage {
    pub viewer: Viewer,
    pub environment: Environment,
    /// The server's clock: relative times are reckoned from it, so that both renderings are equal.
    pub now: Timestamp,
    pub revision: i64,
    /// At most [`PAGE_ROWS`], beginning at `offset`.
    pub rows: Vec<Summary>,
    pub offset: usize,
    /// How many match the filter.
    pub total: usize,
    pub facets: Facets,
    /// The components that occur in this environment.
    pub components: Vec<ComponentBadge>,
    /// How many wait in *Recently deleted*.
    pub deleted: usize,
}

/// Everything the list needs of an environment, or what changed since a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub revision: i64,
    pub now: Timestamp,
    /// `false`: `rows` and `removed` are changes since the revision asked for.
    pub whole: bool,
    pub rows: Vec<Summary>,
    pub removed: Vec<ConnectionId>,
    pub components: Vec<ComponentBadge>,
    pub deleted: usize,
}

/// The page for an environment and a filter.
#[server(prefix = "/rpc", endpoint = "first_page", input = server_fn::codec::Json, client = Transport)]
pub async fn connections_page(
    environment: Environment,
    query: ListQuery,
    offset: usize,
) -> Result<FirstPage, ApiError> {
    crate::server::rpc::page::connections_page(environment, query, offset).await
}
