//! The catalog as each workspace has it, kept in memory and looked at again once a second, however many ask.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Services;
use crate::api::error::ApiError;
use crate::domain::component::ComponentSlug;
use crate::domain::id::WorkspaceId;
use crate::domain::time::{SECOND, Timestamp};
use crate::server::catalog::{Chosen, Unknown, View, own};
use crate::server::store::{StoreError, StoredComponent};

/// How long a view counts before its revision is read again.
const FRESH: i64 = SECOND;
/// Workspaces kept at once; a view without components of its own is a few words.
const KEPT: usize = 1_000;

/// The views that were looked at last.
#[derive(Clone, Default)]
pub struct Views(Arc<Mutex<HashMap<WorkspaceId, Kept>>>);

#[derive(Clone)]
struct Kept {
    view: View,
    read_at: Timestamp,
}

impl Views {
    fn get(&self, workspace: &WorkspaceId) -> Option<Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(workspace).cloned()
    }

    fn keep(&self, workspace: &WorkspaceId, kept: Kept) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT && !all.contains_key(workspace) {
            all.clear();
        }
        all.insert(workspace.clone(), kept);
    }

    /// Has a view's revision read again: something in it was changed here, or is missed.
    pub(super) fn expire(&self, workspace: &WorkspaceId) {
        if let Some(kept) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(workspace) {
            kept.read_at = Timestamp(i64::MIN);
        }
    }
}

impl Services {
    /// All that a workspace can connect to: the server's components and its own, as they were a second ago at most.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] where the database is away and nothing is known from before.
    pub async fn view(&self, workspace: &WorkspaceId) -> Result<View, ApiError> {
        let now = self.clock.now();
        let kept = self.views.get(workspace);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.read_at <= now && now < kept.read_at.plus(FRESH)) {
            return Ok(kept.view.clone());
        }
        match (self.read_view(workspace, kept.as_ref().map(|kept| &kept.view)).await, kept) {
            (Ok(view), _) => {
                self.views.keep(workspace, Kept { view: view.clone(), read_at: now });
                Ok(view)
            }
            // Secrets go where they were given for, whatever the version: an older one does no harm for a while.
            (Err(StoreError::Unavailable), Some(kept)) => Ok(kept.view),
            (Err(error), _) => Err(error.into()),
        }
    }

    async fn read_view(&self, workspace: &WorkspaceId, known: Option<&View>) -> Result<View, StoreError> {
        let revision = match self.store.components_revision(workspace).await {
            Err(StoreError::NotFound) => 0,
            revision => revision?,
        };
        if let Some(known) = known.filter(|known| known.revision() == revision) {
            return Ok(known.clone());
        }
        let bare = View::of(self.catalog.clone());
        if revision == 0 {
            return Ok(bare);
        }
        // Read after its revision, it is no older than that.
        let stored = self.store.components(workspace).await?;
        let own = stored.into_iter().filter_map(|stored| {
            let StoredComponent { slug, version, definition, icon, .. } = stored;
            let component = own::component(&definition, icon_path(workspace, &icon));
            let told = component.inspect_err(|problem| {
                tracing::error!(%workspace, component = %slug, %problem, "a stored component cannot be read");
            });
            Some((version, told.ok()?))
        });
        Ok(bare.with_own(revision, own))
    }

    /// The same; a component that is not known may have been registered with another replica just now: it is looked for
    /// once more.
    ///
    /// # Errors
    /// As [`Services::view`].
    pub async fn view_with(&self, workspace: &WorkspaceId, component: &ComponentSlug) -> Result<View, ApiError> {
        let view = self.view(workspace).await?;
        if view.get(component).is_some() {
            return Ok(view);
        }
        self.views.expire(workspace);
        self.view(workspace).await
    }

    /// A component and one of its methods, as a workspace has them now.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] where there is none, [`ApiError::Unavailable`].
    pub(super) async fn find(
        &self,
        workspace: &WorkspaceId,
        component: &ComponentSlug,
        method: &str,
    ) -> Result<Chosen, ApiError> {
        self.view_with(workspace, component).await?.choose(component, method).map_err(|unknown| match unknown {
            Unknown::Component => {
                ApiError::field("component", "There is no such component. Choose one from the list of components.")
            }
            Unknown::Method(name) => ApiError::field("method", format!("{name} has no such way of authenticating.")),
        })
    }
}

/// Where a picture is fetched, below the site's base; empty for none.
pub(super) fn icon_path(workspace: &WorkspaceId, icon: &str) -> String {
    if icon.is_empty() { String::new() } else { format!("icons/own/{workspace}/{icon}") }
}
