//! Behind `api::components`.

use serde_json::Value;

use crate::api::components::{ComponentVersion, OwnComponent, Registered};
use crate::api::error::ApiError;
use crate::domain::component::{ComponentForm, ComponentSlug};
use crate::domain::expected::Expected;
use crate::server::http::caller::current;
use crate::server::service::components::document;

pub async fn own_components() -> Result<Vec<OwnComponent>, ApiError> {
    let (caller, services) = current().await?;
    services.own_components(&caller).await
}

pub async fn component_versions(slug: ComponentSlug) -> Result<Vec<ComponentVersion>, ApiError> {
    let (caller, services) = current().await?;
    services.component_history(&caller, &slug).await
}

pub async fn preview_component(definition: String) -> Result<ComponentForm, ApiError> {
    let (caller, services) = current().await?;
    services.preview_component(&caller, document(&definition)?).await
}

pub async fn put_component(slug: String, definition: String, version: i64) -> Result<Registered, ApiError> {
    let (caller, services) = current().await?;
    let slug = ComponentSlug::try_from(slug).map_err(|error| ApiError::field("slug", format!("{error}.")))?;
    let document: Value = document(&definition)?;
    let expected = if version == 0 { Expected::Nothing } else { Expected::Version(version) };
    services.put_component(&caller, &slug, document, expected).await
}

pub async fn remove_component(slug: ComponentSlug, version: i64) -> Result<(), ApiError> {
    let (caller, services) = current().await?;
    services.remove_component(&caller, &slug, Some(version)).await
}
