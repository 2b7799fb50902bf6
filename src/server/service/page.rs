//! What the Connections page starts from, and the snapshot that follows.

use std::sync::Arc;

use super::Services;
use super::caller::{Caller, Principal};
use super::rows::badges;
use crate::api::error::ApiError;
use crate::api::page::{FirstPage, PAGE_ROWS, Snapshot};
use crate::api::session::Viewer;
use crate::domain::environment::Environment;
use crate::domain::filter::ListQuery;
use crate::domain::role::{Action, Role};
use crate::domain::selection::{Index, Selection};

impl Services {
    /// The signed-in person, as the page needs to know them.
    ///
    /// # Errors
    /// [`ApiError::SignedOut`] for an API key: pages are for people.
    pub fn viewer(&self, caller: &Caller) -> Result<Viewer, ApiError> {
        let (role, embedded) = match &caller.principal {
            Principal::Member { role, .. } => (role, false),
            Principal::EndUser { role, .. } => (role, true),
            Principal::ApiKey { .. } => return Err(ApiError::SignedOut),
        };
        Ok(Viewer {
            workspace: caller.workspace.clone(),
            workspace_name: caller.workspace_name.clone(),
            name: caller.name().to_owned(),
            role: *role,
            environments: caller.environments,
            operator: caller.operator,
            local: self.setting.local && *role == Role::Owner && !embedded,
            demo: self.setting.demo,
            embedded,
        })
    }

    /// The first rows for a filter, and all counts.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], and [`ApiError::Unavailable`].
    pub async fn connections_page(
        &self,
        caller: &Caller,
        environment: Environment,
        query: ListQuery,
        offset: usize,
    ) -> Result<FirstPage, ApiError> {
        let viewer = self.viewer(caller)?;
        let scope = caller.scope(Action::ViewConnections, environment)?;
        let all = self.rows(&scope).await?;
        let now = self.clock.now();
        let Selection { shown, facets } = Index::new(Arc::clone(&all.rows), query.sort, now).select(&query.filter);
        let rows = shown.iter().skip(offset).take(PAGE_ROWS).map(|index| all.rows[*index].summary.clone()).collect();
        let view = self.view(&scope.workspace).await?;
        // Also of what is asked for and not there yet: it is called by its name.
        let asked = query.filter.component.iter();
        let components = badges(&view, facets.components.iter().map(|(slug, _)| slug).chain(asked));
        Ok(FirstPage {
            viewer,
            environment,
            now,
            revision: all.revision,
            rows,
            offset,
            total: shown.len(),
            facets,
            components,
            deleted: self.store.deleted_count(&scope).await?,
        })
    }

    /// The revision an environment's list is at.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], and [`ApiError::Unavailable`].
    pub async fn revision(&self, caller: &Caller, environment: Environment) -> Result<i64, ApiError> {
        let scope = caller.scope(Action::ViewConnections, environment)?;
        Ok(self.store.revision(&scope).await?)
    }

    /// All rows, or what changed since a revision.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], and [`ApiError::Unavailable`].
    pub async fn snapshot(
        &self,
        caller: &Caller,
        environment: Environment,
        since: Option<i64>,
    ) -> Result<Snapshot, ApiError> {
        let scope = caller.scope(Action::ViewConnections, environment)?;
        let changes = match since {
            Some(since) => self.store.changes_since(&scope, since).await?,
            None => None,
        };
        let whole = changes.is_none();
        let (revision, rows, removed) = if let Some(changes) = changes {
            (changes.revision, changes.changed, changes.removed)
        } else {
            let all = self.rows(&scope).await?;
            (all.revision, all.rows.iter().map(|row| row.summary.clone()).collect(), Vec::new())
        };
        let view = self.view(&scope.workspace).await?;
        Ok(Snapshot {
            revision,
            now: self.clock.now(),
            whole,
            components: badges(&view, rows.iter().map(|row| &row.component)),
            rows,
            removed,
            deleted: self.store.deleted_count(&scope).await?,
        })
    }
}
