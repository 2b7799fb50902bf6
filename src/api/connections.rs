//! What can be done to a connection without asking its service.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::transport::Transport;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::evidence::{Account, Check, Evidence};
use crate::domain::field::FieldValues;
use crate::domain::id::{ConnectionId, FlowId};
use crate::domain::replacement::Replacement;
use crate::domain::time::Timestamp;

/// Everything the detail view shows. Secrets are named, never sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    pub summary: Summary,
    pub method: String,
    /// The values of the fields that are not secret.
    pub config: FieldValues,
    pub secrets: Vec<StoredSecret>,
    pub account: Account,
    pub evidence: Option<Evidence>,
    /// The outcomes of the latest checks, the newest first.
    pub timeline: Vec<Check>,
    /// What this component's check rests on.
    pub basis: Basis,
    pub workflows: Vec<Workflow>,
    pub audit: Vec<AuditLine>,
    /// A sign-in that brought another account back, and nobody has said yet which one to keep.
    pub undecided: Option<Undecided>,
}

/// Another account came back than the one connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undecided {
    pub flow: FlowId,
    pub was: String,
    pub is: String,
}

/// What a component's check rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The vendor's documentation.
    Documented,
    /// It was tried against the service itself on this day (`YYYY-MM-DD`).
    TriedLive { day: String },
    /// What the workspace itself has written down.
    Own,
}

/// A secret that is stored: which, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    pub field: String,
    pub stored_at: Timestamp,
}

/// Something on the platform that uses the connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// The platform's own id.
    pub id: String,
    pub name: String,
    pub url: Option<String>,
}

/// One line of the audit trail, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    pub at: Timestamp,
    pub who: String,
    /// `created`, `tested`, `edited`, `tagged`, `deleted`, `restored`, ...
    pub what: String,
    /// Field names, never values.
    pub about: String,
}

/// A connection in *Recently deleted*.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedConnection {
    pub summary: Summary,
    pub deleted_at: Timestamp,
    /// When its ciphertext is destroyed.
    pub purge_at: Timestamp,
    /// The access is then revoked at the service, too.
    pub is_revoked: bool,
}

/// What the delete dialog has to say before it asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionImpact {
    /// `None`: the workspace registers no workflows, so nobody knows.
    pub workflows: Option<Vec<Workflow>>,
    /// What could replace it: those that work first, then by name. Empty where there is nothing to replace.
    pub offers: Vec<Offer>,
    /// The access can be revoked at the service.
    pub revocable: bool,
}

/// A connection that could replace another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub id: ConnectionId,
    pub name: String,
    pub account: Option<String>,
    pub active: bool,
}

/// A connection that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    pub summary: Summary,
    /// Ids of the workflows that use it again.
    pub returned: Vec<String>,
    /// Workflows that somebody changed since it was deleted: they keep what they use now.
    pub kept: Vec<Workflow>,
}

#[server(prefix = "/rpc", endpoint = "detail", input = server_fn::codec::Json, client = Transport)]
pub async fn connection_detail(environment: Environment, id: ConnectionId) -> Result<Detail, ApiError> {
    crate::server::rpc::connections::connection_detail(environment, id).await
}

/// Replaces the tags, and nothing else.
#[server(prefix = "/rpc", endpoint = "set_tags", input = server_fn::codec::Json, client = Transport)]
pub async fn set_tags(
    environment: Environment,
    id: ConnectionId,
    version: i64,
    tags: Vec<String>,
) -> Result<Summary, ApiError> {
    crate::server::rpc::connections::set_tags(environment, id, version, tags).await
}

/// Name and tags, without touching a secret or asking the service.
#[server(prefix = "/rpc", endpoint = "rename", input = server_fn::codec::Json, client = Transport)]
pub async fn rename(
    environment: Environment,
    id: ConnectionId,
    version: i64,
    name: String,
    tags: Vec<String>,
) -> Result<Summary, ApiError> {
    crate::server::rpc::connections::rename(environment, id, version, name, tags).await
}

#[server(prefix = "/rpc", endpoint = "deletion_impact", input = server_fn::codec::Json, client = Transport)]
pub async fn impact_of_deletion(environment: Environment, id: ConnectionId) -> Result<DeletionImpact, ApiError> {
    crate::server::rpc::connections::impact_of_deletion(environment, id).await
}

/// Workflows that use another connection now, by their id.
pub type Moves = Vec<(String, ConnectionId)>;

/// Moves to *Recently deleted*, where it waits seven days, after workflows were given their replacement. `foreseen`: the
/// workflows that the person was shown.
#[server(prefix = "/rpc", endpoint = "delete", input = server_fn::codec::Json, client = Transport)]
pub async fn delete(
    environment: Environment,
    id: ConnectionId,
    replacement: Replacement,
    foreseen: Vec<String>,
) -> Result<Moves, ApiError> {
    crate::server::rpc::connections::delete(environment, id, replacement, foreseen).await
}

/// Lets workflows use another connection.
#[server(prefix = "/rpc", endpoint = "replace", input = server_fn::codec::Json, client = Transport)]
pub async fn replace(environment: Environment, id: ConnectionId, replacement: Replacement) -> Result<Moves, ApiError> {
    crate::server::rpc::connections::replace(environment, id, replacement).await
}

/// Brings it back as unproven, and to the workflows that used it; the page then tests it.
#[server(prefix = "/rpc", endpoint = "undelete", input = server_fn::codec::Json, client = Transport)]
pub async fn undelete(environment: Environment, id: ConnectionId) -> Result<Restored, ApiError> {
    crate::server::rpc::connections::undelete(environment, id).await
}

/// Destroys a deleted connection's ciphertext at once. Has no undo.
#[server(prefix = "/rpc", endpoint = "purge", input = server_fn::codec::Json, client = Transport)]
pub async fn purge(environment: Environment, id: ConnectionId) -> Result<(), ApiError> {
    crate::server::rpc::connections::purge(environment, id).await
}

#[server(prefix = "/rpc", endpoint = "deleted", input = server_fn::codec::Json, client = Transport)]
pub async fn deleted(environment: Environment) -> Result<Vec<DeletedConnection>, ApiError> {
    crate::server::rpc::connections::deleted(environment).await
}
