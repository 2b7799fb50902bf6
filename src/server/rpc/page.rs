//! Behind `api::page`.

use crate::api::error::ApiError;
use crate::api::page::FirstPage;
use crate::domain::environment::Environment;
use crate::domain::filter::ListQuery;
use crate::server::http::caller::current;

pub async fn connections_page(
    environment: Environment,
    query: ListQuery,
    offset: usize,
) -> Result<FirstPage, ApiError> {
    let (caller, services) = current().await?;
    services.connections_page(&caller, environment, query, offset).await
}
