//! A creation that is sent again creates nothing twice, and one that only bears the id of another is refused.

use zeroize::Zeroizing;

use super::Services;
use crate::api::error::ApiError;
use crate::api::stream::CreateRequest;
use crate::domain::connection::Summary;
use crate::domain::owner::Sight;
use crate::server::store::record::Scope;

/// Longest id of a request, in bytes.
const ID_LIMIT: usize = 200;

/// What a creation is known by when it is sent again.
#[derive(Clone, Debug)]
pub(super) struct Repeatable {
    pub id: String,
    /// Of all that the request asks for, secrets too; it tells nothing without the vault's key.
    pub digest: Vec<u8>,
}

impl Services {
    pub(super) async fn repeatable(&self, scope: &Scope, request: &CreateRequest) -> Result<Repeatable, ApiError> {
        if request.request_id.is_empty() || request.request_id.len() > ID_LIMIT {
            return Err(ApiError::field("request_id", "Give an id of 1 to 200 characters."));
        }
        let CreateRequest { component, method, name, tags, values, audience, .. } = request;
        let text =
            serde_json::to_vec(&(component, method, name, tags, values, audience)).map_err(|_| ApiError::Internal)?;
        // One end user's ids are no other's: no control character stands in either part.
        let id = match &scope.sight {
            Sight::User(user) => format!("{user}\n{}", request.request_id),
            Sight::Everybody | Sight::Workspace => request.request_id.clone(),
        };
        let digest = self.vault.digest_of_request(scope, &Zeroizing::new(text)).await?;
        Ok(Repeatable { id, digest })
    }

    /// What an earlier run of the same request created.
    ///
    /// # Errors
    /// [`ApiError::Reused`] where the id stands for another request, [`ApiError::Gone`] where it was deleted since.
    pub(super) async fn created_before(
        &self,
        scope: &Scope,
        request: &Repeatable,
    ) -> Result<Option<Summary>, ApiError> {
        match self.store.by_request_id(scope, &request.id).await? {
            None => Ok(None),
            Some(earlier) if !earlier.is_repeated_by(Some(&request.digest)) => Err(ApiError::Reused),
            Some(earlier) if earlier.is_deleted => Err(ApiError::Gone),
            Some(earlier) => Ok(Some(earlier.summary)),
        }
    }
}
