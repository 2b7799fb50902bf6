//! Components that a workspace describes itself.

use serde::{Deserialize, Serialize};

use crate::domain::component::ComponentSlug;
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
