//! Behind `api::page`.

use crate::api::page::*;
use crate::api::error::ApiError;
use crate::domain::{component::*, connection::Summary, environment::Environment, filter::ListQuery, id::ConnectionId};
pub async fn connections_page(environment: Environment, query: ListQuery, offset: usize) -> Result<FirstPage, ApiError> {
    todo!()
}
