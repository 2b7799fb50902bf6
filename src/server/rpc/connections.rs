//! Behind `api::connections`.

use crate::api::connections::*;
use crate::api::error::ApiError;
use crate::domain::{component::*, connection::Summary, environment::Environment, filter::ListQuery, id::ConnectionId};
pub async fn connection_detail(environment: Environment, id: ConnectionId) -> Result<Detail, ApiError> {
    todo!()
}
pub async fn set_tags(environment: Environment, id: ConnectionId, version: i64, tags: Vec<String>) -> Result<Summary, ApiError> {
    todo!()
}
pub async fn rename(
    environment: Environment,
    id: ConnectionId,
    version: i64,
    name: String,
    tags: Vec<String>,
) -> Result<Summary, ApiError> {
    todo!()
}
pub async fn impact_of_deletion(environment: Environment, id: ConnectionId) -> Result<DeletionImpact, ApiError> {
    todo!()
}
pub async fn delete(environment: Environment, id: ConnectionId) -> Result<(), ApiError> {
    todo!()
}
pub async fn undelete(environment: Environment, id: ConnectionId) -> Result<Summary, ApiError> {
    todo!()
}
pub async fn purge(environment: Environment, id: ConnectionId) -> Result<(), ApiError> {
    todo!()
}
pub async fn deleted(environment: Environment) -> Result<Vec<DeletedConnection>, ApiError> {
    todo!()
}
