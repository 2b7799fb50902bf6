//! Webhooks, for the owners of a workspace.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::transport::Transport;
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::domain::id::{EventId, WebhookId};
use crate::domain::role::EnvironmentSet;
use crate::domain::time::Timestamp;
use crate::domain::webhook::DeliveryState;

/// A webhook, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookLine {
    pub id: WebhookId,
    pub url: String,
    /// Empty: all.
    pub types: Vec<EventType>,
    pub environments: EnvironmentSet,
    pub enabled: bool,
    /// Its endpoint answered that it is gone, and it was disabled because of that.
    pub gone: bool,
    /// Attempts in a row that failed.
    pub failures: i64,
    pub created_at: Timestamp,
}

/// The webhooks of the workspace, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookList {
    /// The server's clock.
    pub now: Timestamp,
    pub webhooks: Vec<WebhookLine>,
}

/// What a webhook is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRequest {
    pub url: String,
    /// Empty: all.
    pub types: Vec<EventType>,
    pub environments: Vec<Environment>,
    pub enabled: bool,
}

/// A signing secret that was made. It is shown this once.
#[derive(Clone, Serialize, Deserialize)]
pub struct MadeSecret {
    pub url: String,
    pub secret: String,
}

/// One event for one webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryLine {
    pub event: EventId,
    pub kind: String,
    pub state: DeliveryState,
    pub created_at: Timestamp,
    pub next_at: Timestamp,
    /// The latest first.
    pub attempts: Vec<AttemptLine>,
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptLine {
    pub at: Timestamp,
    pub milliseconds: i64,
    /// `None`: no answer.
    pub status: Option<u16>,
    pub said: String,
}

/// The latest deliveries of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliveries {
    /// The server's clock.
    pub now: Timestamp,
    pub deliveries: Vec<DeliveryLine>,
}

#[server(prefix = "/rpc", endpoint = "webhooks", input = server_fn::codec::Json, client = Transport)]
pub async fn webhooks() -> Result<WebhookList, ApiError> {
    crate::server::rpc::webhooks::webhooks().await
}

#[server(prefix = "/rpc", endpoint = "create_webhook", input = server_fn::codec::Json, client = Transport)]
pub async fn create_webhook(request: WebhookRequest) -> Result<MadeSecret, ApiError> {
    crate::server::rpc::webhooks::create_webhook(request).await
}

#[server(prefix = "/rpc", endpoint = "change_webhook", input = server_fn::codec::Json, client = Transport)]
pub async fn change_webhook(id: WebhookId, request: WebhookRequest) -> Result<(), ApiError> {
    crate::server::rpc::webhooks::change_webhook(id, request).await
}

/// Makes another signing secret; the one before signs as well for a day.
#[server(prefix = "/rpc", endpoint = "rotate_webhook", input = server_fn::codec::Json, client = Transport)]
pub async fn rotate_webhook(id: WebhookId) -> Result<MadeSecret, ApiError> {
    crate::server::rpc::webhooks::rotate_webhook(id).await
}

/// Has no undo.
#[server(prefix = "/rpc", endpoint = "remove_webhook", input = server_fn::codec::Json, client = Transport)]
pub async fn remove_webhook(id: WebhookId) -> Result<(), ApiError> {
    crate::server::rpc::webhooks::remove_webhook(id).await
}

#[server(prefix = "/rpc", endpoint = "test_webhook", input = server_fn::codec::Json, client = Transport)]
pub async fn test_webhook(id: WebhookId) -> Result<(), ApiError> {
    crate::server::rpc::webhooks::test_webhook(id).await
}

#[server(prefix = "/rpc", endpoint = "webhook_deliveries", input = server_fn::codec::Json, client = Transport)]
pub async fn webhook_deliveries(id: WebhookId, failed: bool) -> Result<Deliveries, ApiError> {
    crate::server::rpc::webhooks::webhook_deliveries(id, failed).await
}

/// Sends one event again, or all that were given up; says how many.
#[server(prefix = "/rpc", endpoint = "replay_webhook", input = server_fn::codec::Json, client = Transport)]
pub async fn replay_webhook(id: WebhookId, event: Option<EventId>) -> Result<u64, ApiError> {
    crate::server::rpc::webhooks::replay_webhook(id, event).await
}
