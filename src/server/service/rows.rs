//! The rows of the environments looked at last, kept until their revision moves on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Services;
use crate::api::error::ApiError;
use crate::domain::component::ComponentBadge;
use crate::domain::connection::Summary;
use crate::domain::filter::Row;
use crate::server::catalog::View;
use crate::server::store::record::Scope;

/// Environments kept at once; 10,000 rows are about 10 MB.
const KEPT: usize = 4;

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
        if kept.len() >= KEPT && !kept.contains_key(scope) {
            kept.clear();
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

/// The badges of the components that occur, each once.
pub(super) fn badges<'a>(view: &View, summaries: impl Iterator<Item = &'a Summary>) -> Vec<ComponentBadge> {
    let mut slugs: Vec<_> = summaries.map(|summary| &summary.component).collect();
    slugs.sort_unstable();
    slugs.dedup();
    slugs.into_iter().filter_map(|slug| view.badge(slug)).collect()
}
