//! Behind `api::keys`.

use crate::api::error::ApiError;
use crate::api::keys::{KeyList, KeyRequest, MadeKey, NamedConnection};
use crate::domain::environment::Environment;
use crate::domain::id::ApiKeyId;
use crate::server::http::caller::current;

pub async fn api_keys() -> Result<KeyList, ApiError> {
    let (caller, services) = current().await?;
    services.api_keys(&caller).await
}

pub async fn create_api_key(request: KeyRequest) -> Result<MadeKey, ApiError> {
    let (caller, services) = current().await?;
    let (name, key) = services.create_api_key(&caller, request).await?;
    // Shown to whoever asked for it; only its hash is stored.
    Ok(MadeKey { name, key: key.reveal().to_owned() })
}

pub async fn revoke_api_key(id: ApiKeyId) -> Result<(), ApiError> {
    let (caller, services) = current().await?;
    services.revoke_api_key(&caller, &id).await
}

pub async fn connections_for_key(
    environments: Vec<Environment>,
    words: String,
) -> Result<Vec<NamedConnection>, ApiError> {
    let (caller, services) = current().await?;
    services.connections_for_key(&caller, &environments, words).await
}
