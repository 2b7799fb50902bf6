//! Behind `api::session`.

use crate::api::error::ApiError;
use crate::server::http::session::end_current;

pub async fn sign_out(everywhere: bool) -> Result<(), ApiError> {
    end_current(everywhere).await
}
