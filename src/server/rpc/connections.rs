//! Behind `api::connections`.

use crate::api::connections::{DeletedConnection, DeletionImpact, Detail, Moves, Restored};
use crate::api::error::ApiError;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::replacement::Replacement;
use crate::server::http::caller::current;
use crate::server::store::Moved;

pub async fn connection_detail(environment: Environment, id: ConnectionId) -> Result<Detail, ApiError> {
    let (caller, services) = current().await?;
    services.detail(&caller, environment, id).await
}

pub async fn set_tags(
    environment: Environment,
    id: ConnectionId,
    version: i64,
    tags: Vec<String>,
) -> Result<Summary, ApiError> {
    let (caller, services) = current().await?;
    services.set_tags(&caller, environment, id, version, tags).await
}

pub async fn rename(
    environment: Environment,
    id: ConnectionId,
    version: i64,
    name: String,
    tags: Vec<String>,
) -> Result<Summary, ApiError> {
    let (caller, services) = current().await?;
    services.rename(&caller, environment, id, version, name, tags).await
}

pub async fn impact_of_deletion(environment: Environment, id: ConnectionId) -> Result<DeletionImpact, ApiError> {
    let (caller, services) = current().await?;
    services.impact(&caller, environment, id).await
}

pub async fn delete(
    environment: Environment,
    id: ConnectionId,
    replacement: Replacement,
    foreseen: Vec<String>,
) -> Result<Moves, ApiError> {
    let (caller, services) = current().await?;
    Ok(moves(services.delete(&caller, environment, id, replacement, Some(foreseen)).await?))
}

pub async fn replace(environment: Environment, id: ConnectionId, replacement: Replacement) -> Result<Moves, ApiError> {
    let (caller, services) = current().await?;
    Ok(moves(services.replace(&caller, environment, id, replacement).await?))
}

fn moves(moved: Vec<Moved>) -> Moves {
    moved.into_iter().map(|moved| (moved.workflow, moved.to)).collect()
}

pub async fn undelete(environment: Environment, id: ConnectionId) -> Result<Restored, ApiError> {
    let (caller, services) = current().await?;
    services.undelete(&caller, environment, id).await
}

pub async fn purge(environment: Environment, id: ConnectionId) -> Result<(), ApiError> {
    let (caller, services) = current().await?;
    services.purge(&caller, environment, id).await
}

pub async fn deleted(environment: Environment) -> Result<Vec<DeletedConnection>, ApiError> {
    let (caller, services) = current().await?;
    services.deleted(&caller, environment).await
}
