//! Where a method sends its secrets, told by what its component's file and the fields say. A digest of it is kept beside
//! the secrets, so that a file edited later sends them nowhere else; of secrets stored before this was done, it is noted.

use sha2::{Digest, Sha256};

use super::Services;
use crate::api::error::ApiError;
use crate::domain::field::FieldValues;
use crate::server::catalog::Catalog;
use crate::server::catalog::definition::Method;
use crate::server::oauth;
use crate::server::probe;
use crate::server::store::{Store, StoreError};

/// The digest of where a method's secrets are sent, given what its other fields hold.
#[must_use]
pub fn destination(method: &Method, config: &FieldValues) -> Vec<u8> {
    let mut places = probe::places(method, config);
    places.extend(oauth::places(method, config));
    places.extend(method.fingerprint.as_ref().map(|fingerprint| format!("as {}", fingerprint.requests)));
    let text = places.into_iter().collect::<Vec<_>>().join("\n");
    Sha256::digest(text).to_vec()
}

/// The answer where a component was removed while a connection with it was being made.
pub(super) fn component_gone() -> ApiError {
    ApiError::field("component", "This component was removed meanwhile. Choose another one.")
}

impl Services {
    /// Notes where stored secrets are sent, of each connection that lacks such a note, and says of how many.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`; what was noted until then stays.
    pub async fn note_destinations(&self) -> Result<usize, StoreError> {
        note_destinations(&self.store, &self.catalog).await
    }
}

/// The same. What a component's file says now is taken for what it said when the secret was stored: nobody can know
/// better any more. A connection whose component or method is gone is left as it is, and so is one of a workspace's own
/// component, whose secrets never were without such a note. Safe to run again and beside
/// itself.
///
/// # Errors
/// As [`Services::note_destinations`].
pub async fn note_destinations(store: &Store, catalog: &Catalog) -> Result<usize, StoreError> {
    let (mut noted, mut after) = (0, None);
    loop {
        let page = store.without_destination(after.as_ref()).await?;
        let Some((_, last)) = page.last() else { return Ok(noted) };
        after = Some(last.clone());
        for (scope, id) in page {
            let Some(stored) = store.connection(&scope, &id).await? else { continue };
            let credentials = &stored.credentials;
            let Some(method) = catalog.method(&stored.summary.component, &credentials.method) else { continue };
            let digest = destination(method, &credentials.config);
            noted += usize::from(store.note_destination(&scope, &id, stored.secret_version, digest).await?);
        }
    }
}
