//! Behind `api::session`.

use crate::api::error::ApiError;
use crate::api::session::Viewer;
use crate::server::http::caller::current;
use crate::server::http::session::end_current;

pub async fn current_viewer() -> Result<Viewer, ApiError> {
    let (caller, services) = current().await?;
    services.viewer(&caller)
}

pub async fn sign_out(everywhere: bool) -> Result<(), ApiError> {
    end_current(everywhere).await
}
