//! Behind `api::catalog`.

use crate::api::catalog::*;
use crate::api::error::ApiError;
use crate::domain::{component::*, connection::Summary, environment::Environment, filter::ListQuery, id::ConnectionId};
pub async fn components() -> Result<Vec<ComponentForm>, ApiError> {
    todo!()
}
pub async fn local_services() -> Result<Vec<LocalService>, ApiError> {
    todo!()
}
