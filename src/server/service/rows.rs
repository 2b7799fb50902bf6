//! The rows of the environments looked at last, kept until their revision moves on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Services;
use crate::api::error::ApiError;
use crate::domain::component::{ComponentBadge, ComponentSlug};
use crate::domain::connection::Summary;
use crate::domain::filter::Row;
use crate::server::catalog::View;
use crate::server::store::record::Scope;

/// Rows kept at once, over all environments and all who see them; 10,000 are about 10 MB.
const KEPT: usize = 40_000;
/// What an entry counts for beside its rows, so that empty ones have a limit, too.
const ENTRY: usize = 100;

/// All rows of an environment at one revision.
#[expect(clippy::struct_field_names, reason = "the rows are what it is about")]
#[derive(Clone)]
pub struct Rows {
    pub revision: i64,
    /// The revision of the workspace's own components, whose names are part of what is found and sorted.
    own: i64,
    pub rows: Arc<Vec<Row>>,
}

#[derive(Clone, Default)]
pub struct RowCache(Arc<Mutex<HashMap<Scope, Rows>>>);

impl RowCache {
    fn get(&self, scope: &Scope, revision: i64, own: i64) -> Option<Rows> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(scope).filter(|rows| (rows.revision, rows.own) == (revision, own)).cloned()
    }

    fn keep(&self, scope: &Scope, rows: Rows) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let weight = |rows: &Rows| rows.rows.len() + ENTRY;
        kept.remove(scope);
        let mut room = KEPT.saturating_sub(kept.values().map(weight).sum());
        // Any other goes for it, and no more than have to.
        while room < weight(&rows) {
            let Some(other) = kept.keys().next().cloned() else { break };
            room += kept.remove(&other).as_ref().map_or(0, weight);
        }
        kept.insert(scope.clone(), rows);
    }
}

impl Services {
    /// All rows of an environment, from memory where nothing changed since.
    pub(super) async fn rows(&self, scope: &Scope) -> Result<Rows, ApiError> {
        let revision = self.store.revision(scope).await?;
        let view = self.view(&scope.workspace).await?;
        if let Some(rows) = self.rows.get(scope, revision, view.revision()) {
            return Ok(rows);
        }
        let (revision, summaries) = self.store.snapshot(scope).await?;
        let row = |summary: Summary| {
            let badge = view.badge(&summary.component);
            Row::new(summary, badge.as_ref())
        };
        let rows = summaries.into_iter().map(row).collect();
        let rows = Rows { revision, own: view.revision(), rows: Arc::new(rows) };
        self.rows.keep(scope, rows.clone());
        Ok(rows)
    }
}

/// The badges of the components that are known, each once.
pub(super) fn badges<'a>(view: &View, slugs: impl Iterator<Item = &'a ComponentSlug>) -> Vec<ComponentBadge> {
    let mut slugs: Vec<_> = slugs.collect();
    slugs.sort_unstable();
    slugs.dedup();
    slugs.into_iter().filter_map(|slug| view.badge(slug)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::environment::Environment;
    use crate::domain::id::WorkspaceId;
    use crate::domain::owner::{EndUserId, Sight};

    #[test]
    fn many_people_are_kept_beside_each_other_and_not_without_end() {
        let cache = RowCache::default();
        let seen_by = |number: usize| {
            let user = EndUserId::try_from(format!("user {number}")).expect("an id");
            let whole = Scope::whole(WorkspaceId::default_workspace(), Environment::Development);
            Scope { sight: Sight::User(user), ..whole }
        };
        for number in 0..50 {
            cache.keep(&seen_by(number), Rows { revision: 7, own: 0, rows: Arc::default() });
        }
        assert!((0..50).all(|number| cache.get(&seen_by(number), 7, 0).is_some()));
        for number in 50..1_000 {
            cache.keep(&seen_by(number), Rows { revision: 7, own: 0, rows: Arc::default() });
        }
        assert!(cache.get(&seen_by(999), 7, 0).is_some());
        assert_eq!((0..1_000).filter(|number| cache.get(&seen_by(*number), 7, 0).is_some()).count(), KEPT / ENTRY);
    }
}
