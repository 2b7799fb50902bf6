//! Behind `api::session`.

use crate::api::session::*;
use crate::api::error::ApiError;
use crate::domain::{component::*, connection::Summary, environment::Environment, filter::ListQuery, id::ConnectionId};
pub async fn sign_out(everywhere: bool) -> Result<(), ApiError> {
    todo!()
}
