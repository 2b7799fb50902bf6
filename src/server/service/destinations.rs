//! Where secrets are sent that were stored before this was noted.

use super::Services;
use crate::server::catalog::Catalog;
use crate::server::probe::destination;
use crate::server::store::{Store, StoreError};

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
/// better any more. A connection whose component or method is gone is left as it is. Safe to run again and beside
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
