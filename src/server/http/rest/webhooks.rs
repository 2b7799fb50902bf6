//! Webhooks: where the platform is told of events.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{IdOf, JsonBody, QueryOf};
use super::problem::Problem;
use super::words::{EnvironmentWord, environments, event_types};
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::domain::id::{EventId, WebhookId};
use crate::domain::time::Timestamp;
use crate::domain::webhook::DeliveryState;
use crate::server::http::AppState;
use crate::server::service::caller::Caller;
use crate::server::service::webhooks::{Replay, WebhookForm};
use crate::server::store::{Attempt, Delivery, Webhook};

/// What to say of a webhook; what is left out stays as it is, or is the default.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookBody {
    /// Where events are sent: https.
    #[schema(example = "https://platform.example/patchbay")]
    url: Option<String>,
    /// Types of events; an empty list, the default: all.
    types: Option<Vec<String>>,
    /// All that the key may enter unless given.
    #[schema(value_type = Option<Vec<EnvironmentWord>>)]
    environments: Option<Vec<String>>,
    enabled: Option<bool>,
}

/// A webhook.
#[derive(Serialize, ToSchema)]
pub struct WebhookView {
    #[schema(example = "hook_0193e2b1c7f87a3b9d2e4f5061728394")]
    id: String,
    url: String,
    /// An empty list: all.
    types: Vec<&'static str>,
    environments: Vec<&'static str>,
    enabled: bool,
    /// Its endpoint answered 410, and it was disabled because of that.
    gone: bool,
    /// Attempts in a row that failed.
    failures: i64,
    /// Until then messages are signed with the secret before as well; null: with the one in force alone.
    rotated_until: Option<String>,
    created_at: String,
}

/// A webhook and its signing secret, which is told only here.
#[derive(Serialize, ToSchema)]
pub struct SecretWebhookView {
    #[serde(flatten)]
    webhook: WebhookView,
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
}

#[derive(Serialize, ToSchema)]
pub struct WebhookList {
    items: Vec<WebhookView>,
}

/// Which deliveries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryParams {
    /// `waiting`, `delivered` or `failed`.
    state: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 unless given.
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub struct DeliveryList {
    items: Vec<DeliveryView>,
    /// Where the next page begins; null on the last one.
    next: Option<String>,
}

/// One event for one webhook.
#[derive(Serialize, ToSchema)]
pub struct DeliveryView {
    /// The event's id: the header `webhook-id`.
    event: String,
    #[serde(rename = "type")]
    kind: String,
    #[schema(value_type = String)]
    state: DeliveryState,
    queued_at: String,
    /// When it is tried next; null: not by itself.
    next_at: Option<String>,
    /// The latest first; at most 20.
    attempts: Vec<AttemptView>,
}

#[derive(Serialize, ToSchema)]
pub struct AttemptView {
    at: String,
    milliseconds: i64,
    /// Null: no answer.
    status: Option<u16>,
    /// The beginning of the answer, or why there was none.
    said: String,
}

/// What to send again: one event, or all that was given up since a moment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayBody {
    event: Option<String>,
    /// RFC 3339.
    failed_since: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ReplayView {
    replayed: u64,
}

/// An event on its way.
#[derive(Serialize, ToSchema)]
pub struct SentView {
    event: String,
}

impl From<Webhook> for WebhookView {
    fn from(webhook: Webhook) -> Self {
        Self {
            rotated_until: (!webhook.former.is_empty()).then(|| webhook.former_until.to_rfc3339()),
            id: webhook.id.into(),
            url: webhook.url,
            types: webhook.subscription.types.into_iter().map(EventType::as_str).collect(),
            environments: webhook.subscription.environments.iter().map(Environment::as_str).collect(),
            enabled: webhook.is_enabled,
            gone: webhook.is_gone,
            failures: webhook.failures,
            created_at: webhook.created_at.to_rfc3339(),
        }
    }
}

impl From<(Delivery, Vec<Attempt>)> for DeliveryView {
    fn from((delivery, attempts): (Delivery, Vec<Attempt>)) -> Self {
        let waits = delivery.state == DeliveryState::Waiting;
        Self {
            event: delivery.event.into(),
            kind: delivery.kind,
            state: delivery.state,
            queued_at: delivery.created_at.to_rfc3339(),
            next_at: waits.then(|| delivery.next_at.to_rfc3339()),
            attempts: attempts.into_iter().map(AttemptView::from).collect(),
        }
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        let Attempt { at, milliseconds, status, said } = attempt;
        Self { at: at.to_rfc3339(), milliseconds, status, said }
    }
}

impl WebhookBody {
    fn form(self) -> Result<WebhookForm, ApiError> {
        let types = self.types.map(|words| event_types("types", words.iter().map(String::as_str))).transpose()?;
        let environments = self.environments.map(|words| environments(&words)).transpose()?;
        Ok(WebhookForm { url: self.url, types, environments, is_enabled: self.enabled })
    }
}

/// Makes a webhook. Its signing secret stands in this answer and nowhere else.
#[utoipa::path(
    post, path = "/api/v1/webhooks", operation_id = "createWebhook", tag = "webhooks", request_body = WebhookBody,
    responses((status = 201, body = SecretWebhookView), (status = "4XX", body = Problem))
)]
pub async fn create(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    JsonBody(body): JsonBody<WebhookBody>,
) -> Result<(StatusCode, Json<SecretWebhookView>), Problem> {
    let (webhook, secret) = app.services.create_webhook(&caller, body.form()?).await?;
    // Told once, to whoever made it.
    let view = SecretWebhookView { webhook: webhook.into(), secret: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, Json(view)))
}

/// All webhooks, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/webhooks", operation_id = "listWebhooks", tag = "webhooks",
    responses((status = 200, body = WebhookList), (status = "4XX", body = Problem))
)]
pub async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<WebhookList>, Problem> {
    let all = app.services.webhooks(&caller).await?;
    Ok(Json(WebhookList { items: all.into_iter().map(WebhookView::from).collect() }))
}

/// One webhook.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}", operation_id = "getWebhook", tag = "webhooks", params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, body = WebhookView), (status = "4XX", body = Problem))
)]
pub async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<WebhookId>,
) -> Result<Json<WebhookView>, Problem> {
    let webhook = app.services.webhook(&caller, &id).await.map_err(unknown)?;
    Ok(Json(webhook.into()))
}

/// Changes a webhook. What waits for one that is disabled is sent when it is enabled again.
#[utoipa::path(
    patch, path = "/api/v1/webhooks/{id}", operation_id = "updateWebhook", tag = "webhooks", params(("id" = String, Path, description = "The webhook's id")), request_body = WebhookBody,
    responses((status = 200, body = WebhookView), (status = "4XX", body = Problem))
)]
pub async fn patch(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<WebhookId>,
    JsonBody(body): JsonBody<WebhookBody>,
) -> Result<Json<WebhookView>, Problem> {
    let webhook = app.services.change_webhook(&caller, &id, body.form()?).await.map_err(unknown)?;
    Ok(Json(webhook.into()))
}

/// Removes a webhook, and what waits for it.
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{id}", operation_id = "deleteWebhook", tag = "webhooks", params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 204), (status = "4XX", body = Problem))
)]
pub async fn delete(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<WebhookId>,
) -> Result<StatusCode, Problem> {
    app.services.remove_webhook(&caller, &id).await.map_err(unknown)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook another signing secret. For a day messages are signed with both.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/rotate", operation_id = "rotateWebhookSecret", tag = "webhooks", params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, body = SecretWebhookView), (status = "4XX", body = Problem))
)]
pub async fn rotate(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<WebhookId>,
) -> Result<Json<SecretWebhookView>, Problem> {
    let (webhook, secret) = app.services.rotate_webhook(&caller, &id).await.map_err(unknown)?;
    // Told once, to whoever asked for it.
    Ok(Json(SecretWebhookView { webhook: webhook.into(), secret: secret.reveal().to_owned() }))
}

/// Sends an event of the type `webhook.test`.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/test", operation_id = "testWebhook", tag = "webhooks", params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 202, body = SentView), (status = "4XX", body = Problem))
)]
pub async fn test(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<WebhookId>,
) -> Result<(StatusCode, Json<SentView>), Problem> {
    let event = app.services.test_webhook(&caller, &id).await.map_err(unknown)?;
    Ok((StatusCode::ACCEPTED, Json(SentView { event: event.into() })))
}

/// What was sent or is to be sent, the latest first, with its attempts; kept for 30 days.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}/deliveries", operation_id = "listWebhookDeliveries", tag = "webhooks", params(("id" = String, Path, description = "The webhook's id"), DeliveryParams),
    responses((status = 200, body = DeliveryList), (status = "4XX", body = Problem))
)]
pub async fn deliveries(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<WebhookId>,
    QueryOf(params): QueryOf<DeliveryParams>,
) -> Result<Json<DeliveryList>, Problem> {
    let wrong = || ApiError::field("state", "The state is one of waiting, delivered, failed.");
    let state = params.state.map(|word| DeliveryState::parse(&word).ok_or_else(wrong)).transpose()?;
    let after = params.cursor.as_deref().map(place).transpose()?;
    let found = app.services.deliveries(&caller, &id, state, after, params.limit).await;
    let (found, more) = found.map_err(unknown)?;
    let last = found.last().map(|(last, _)| format!("{}-{}", last.created_at.0, last.event));
    let items = found.into_iter().map(DeliveryView::from).collect();
    Ok(Json(DeliveryList { items, next: last.filter(|_| more) }))
}

fn place(cursor: &str) -> Result<(Timestamp, EventId), ApiError> {
    let read = || {
        let (at, event) = cursor.split_once('-')?;
        Some((Timestamp(at.parse().ok()?), event.parse().ok()?))
    };
    read().ok_or_else(|| ApiError::field("cursor", "This cursor is not from the list. Take it from “next” as it is."))
}

/// Sends again: one event, whatever became of it, or all that was given up since a moment.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/replay", operation_id = "replayWebhookEvents", tag = "webhooks", params(("id" = String, Path, description = "The webhook's id")),
    request_body = ReplayBody, responses((status = 202, body = ReplayView), (status = "4XX", body = Problem))
)]
pub async fn replay(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<WebhookId>,
    JsonBody(body): JsonBody<ReplayBody>,
) -> Result<(StatusCode, Json<ReplayView>), Problem> {
    let what = match (body.event, body.failed_since) {
        (Some(event), None) => {
            let unknown = "There is no such delivery. GET …/deliveries lists them.";
            Replay::One(event.parse().map_err(|_| ApiError::field("event", unknown))?)
        }
        (None, Some(since)) => {
            let wrong = || ApiError::field("failed_since", "Give a moment such as 2026-11-22T14:28:22Z.");
            Replay::FailedSince(Timestamp::parse(&since).ok_or_else(wrong)?)
        }
        _ => {
            return Err(ApiError::field("event", "Name one event, or since when all that failed is sent again.").into());
        }
    };
    let replayed = app.services.replay_deliveries(&caller, &id, what).await.map_err(unknown)?;
    Ok((StatusCode::ACCEPTED, Json(ReplayView { replayed })))
}

fn unknown(error: ApiError) -> Problem {
    let unknown = error == ApiError::NotFound;
    let problem = Problem::of(error);
    if unknown { problem.with_detail("There is no such webhook, or no such delivery of it.") } else { problem }
}
