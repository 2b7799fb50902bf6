//! Behind `api::catalog`.

use crate::api::catalog::LocalService;
use crate::api::error::ApiError;
use crate::domain::component::{ComponentForm, ComponentSlug};
use crate::domain::role::Action;
use crate::server::http::caller::current;

pub async fn components() -> Result<Vec<ComponentForm>, ApiError> {
    let (caller, services) = current().await?;
    Ok(services.components(&caller).await?.forms().into_iter().cloned().collect())
}

/// The ports that the services people run on their own machine listen on.
const LOCAL_PORTS: [(&str, u16); 4] = [("postgresql", 5432), ("mysql", 3306), ("redis", 6379), ("smtp", 1025)];

pub async fn local_services() -> Result<Vec<LocalService>, ApiError> {
    let (caller, services) = current().await?;
    caller.allow(Action::CreateConnection)?;
    if !services.viewer(&caller)?.local {
        return Err(ApiError::Forbidden);
    }
    let mut found = Vec::new();
    for (slug, port) in LOCAL_PORTS {
        let Ok(component) = ComponentSlug::try_from(slug.to_owned()) else { continue };
        if services.catalog.get(&component).is_some() && services.prober.answers_locally(port).await {
            found.push(LocalService { component, port });
        }
    }
    Ok(found)
}
