//! Behind `api::webhooks`.

use crate::api::error::ApiError;
use crate::api::webhooks::{
    AttemptLine, Deliveries, DeliveryLine, MadeSecret, WebhookLine, WebhookList, WebhookRequest,
};
use crate::domain::id::{EventId, WebhookId};
use crate::domain::role::EnvironmentSet;
use crate::domain::time::Timestamp;
use crate::domain::webhook::DeliveryState;
use crate::server::http::caller::current;
use crate::server::service::webhooks::{Replay, WebhookForm};
use crate::server::store::{Attempt, Delivery, Webhook};
use crate::server::vault::SecretText;

pub async fn webhooks() -> Result<WebhookList, ApiError> {
    let (caller, services) = current().await?;
    let webhooks = services.webhooks(&caller).await?.into_iter().map(line).collect();
    Ok(WebhookList { now: services.clock.now(), webhooks })
}

pub async fn create_webhook(request: WebhookRequest) -> Result<MadeSecret, ApiError> {
    let (caller, services) = current().await?;
    services.create_webhook(&caller, form(request)?).await.map(made)
}

pub async fn change_webhook(id: WebhookId, request: WebhookRequest) -> Result<(), ApiError> {
    let (caller, services) = current().await?;
    services.change_webhook(&caller, &id, form(request)?).await.map(drop)
}

pub async fn rotate_webhook(id: WebhookId) -> Result<MadeSecret, ApiError> {
    let (caller, services) = current().await?;
    services.rotate_webhook(&caller, &id).await.map(made)
}

pub async fn remove_webhook(id: WebhookId) -> Result<(), ApiError> {
    let (caller, services) = current().await?;
    services.remove_webhook(&caller, &id).await
}

pub async fn test_webhook(id: WebhookId) -> Result<(), ApiError> {
    let (caller, services) = current().await?;
    services.test_webhook(&caller, &id).await.map(drop)
}

pub async fn webhook_deliveries(id: WebhookId, failed: bool) -> Result<Deliveries, ApiError> {
    let (caller, services) = current().await?;
    let state = failed.then_some(DeliveryState::Failed);
    let (found, _) = services.deliveries(&caller, &id, state, None, None).await?;
    Ok(Deliveries { now: services.clock.now(), deliveries: found.into_iter().map(delivery).collect() })
}

pub async fn replay_webhook(id: WebhookId, event: Option<EventId>) -> Result<u64, ApiError> {
    let (caller, services) = current().await?;
    let what = event.map_or(Replay::FailedSince(Timestamp(0)), Replay::One);
    services.replay_deliveries(&caller, &id, what).await
}

fn form(request: WebhookRequest) -> Result<WebhookForm, ApiError> {
    let environments = EnvironmentSet::try_from(request.environments);
    let environments = environments.map_err(|error| ApiError::field("environments", format!("{error}.")))?;
    Ok(WebhookForm {
        url: Some(request.url),
        types: Some(request.types),
        environments: Some(environments),
        is_enabled: Some(request.enabled),
    })
}

fn line(webhook: Webhook) -> WebhookLine {
    WebhookLine {
        id: webhook.id,
        url: webhook.url,
        types: webhook.subscription.types,
        environments: webhook.subscription.environments,
        enabled: webhook.is_enabled,
        gone: webhook.is_gone,
        failures: webhook.failures,
        created_at: webhook.created_at,
    }
}

/// Told once, to whoever made it.
fn made((webhook, secret): (Webhook, SecretText)) -> MadeSecret {
    MadeSecret { url: webhook.url, secret: secret.reveal().to_owned() }
}

fn delivery((delivery, attempts): (Delivery, Vec<Attempt>)) -> DeliveryLine {
    let attempt = |Attempt { at, milliseconds, status, said }: Attempt| AttemptLine { at, milliseconds, status, said };
    DeliveryLine {
        event: delivery.event,
        kind: delivery.kind,
        state: delivery.state,
        created_at: delivery.created_at,
        next_at: delivery.next_at,
        attempts: attempts.into_iter().map(attempt).collect(),
    }
}
