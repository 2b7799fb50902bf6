//! Behind `api::connect`.

use crate::api::connect::{Begun, ClientSetup, ConnectRequest, Progress};
use crate::api::error::ApiError;
use crate::domain::component::ComponentSlug;
use crate::domain::environment::Environment;
use crate::domain::field::FieldValues;
use crate::domain::id::FlowId;
use crate::server::http::caller::current;

pub async fn begin_connect(request: ConnectRequest) -> Result<Begun, ApiError> {
    let (caller, services) = current().await?;
    services.begin_connect(&caller, request).await
}

pub async fn connect_progress(environment: Environment, flow: FlowId) -> Result<Progress, ApiError> {
    let (caller, services) = current().await?;
    services.connect_progress(&caller, environment, flow).await
}

pub async fn decide_connect(environment: Environment, flow: FlowId, replace: bool) -> Result<Progress, ApiError> {
    let (caller, services) = current().await?;
    services.decide_connect(&caller, environment, flow, replace).await
}

pub async fn cancel_connect(environment: Environment, flow: FlowId) -> Result<(), ApiError> {
    let (caller, services) = current().await?;
    services.cancel_connect(&caller, environment, flow).await
}

pub async fn oauth_client(
    environment: Environment,
    component: ComponentSlug,
    method: String,
) -> Result<ClientSetup, ApiError> {
    let (caller, services) = current().await?;
    services.oauth_client(&caller, environment, &component, &method).await
}

pub async fn store_oauth_client(
    environment: Environment,
    component: ComponentSlug,
    method: String,
    client_id: String,
    client_secret: String,
) -> Result<ClientSetup, ApiError> {
    let (caller, services) = current().await?;
    services.store_oauth_client(&caller, environment, &component, &method, client_id, client_secret).await
}

pub async fn register_oauth_client(
    environment: Environment,
    component: ComponentSlug,
    method: String,
    values: FieldValues,
) -> Result<ClientSetup, ApiError> {
    let (caller, services) = current().await?;
    services.register_oauth_client(&caller, environment, &component, &method, &values).await
}

pub async fn remove_oauth_client(
    environment: Environment,
    component: ComponentSlug,
    method: String,
) -> Result<ClientSetup, ApiError> {
    let (caller, services) = current().await?;
    services.remove_oauth_client(&caller, environment, &component, &method).await
}
