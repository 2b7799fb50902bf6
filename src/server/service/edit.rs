//! Name and tags: changed without touching a secret or asking the service.

use super::Services;
use super::audit::renamed;
use super::caller::Caller;
use super::candidate::name_and_tags;
use crate::api::error::ApiError;
use crate::domain::component::ComponentSlug;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::domain::tag::TagSet;
use crate::server::store::StoreError;
use crate::server::store::record::{AuditAction, AuditEntry, Change, Scope};

impl Services {
    /// Replaces the tags, and nothing else.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::Invalid`], [`ApiError::Conflict`], [`ApiError::NotFound`].
    pub async fn set_tags(
        &self,
        caller: &Caller,
        environment: Environment,
        id: ConnectionId,
        version: i64,
        tags: Vec<String>,
    ) -> Result<Summary, ApiError> {
        let scope = caller.scope(Action::TagConnection, environment)?;
        let tags = TagSet::parse(tags).map_err(|error| ApiError::field("tags", error.to_string()))?;
        let words: Vec<&str> = tags.iter().map(crate::domain::tag::Tag::as_str).collect();
        let audit = caller.audit(&self.clock, AuditAction::Tagged, words.join(", "));
        let change = Change { tags: Some(tags), ..Change::default() };
        self.change(&scope, &id, version, change, audit).await
    }

    /// Replaces name and tags, and nothing else.
    ///
    /// # Errors
    /// As [`Services::set_tags`], and [`ApiError::NameTaken`].
    pub async fn rename(
        &self,
        caller: &Caller,
        environment: Environment,
        id: ConnectionId,
        version: i64,
        name: String,
        tags: Vec<String>,
    ) -> Result<Summary, ApiError> {
        let scope = caller.scope(Action::EditConnection, environment)?;
        let mut problems = Vec::new();
        let Some((name, tags)) = name_and_tags(&name, &tags, &mut problems) else {
            return Err(ApiError::Invalid { problems });
        };
        let stored = self.present(&scope, &id).await?;
        let audit = caller.audit(&self.clock, AuditAction::Edited, renamed(&stored, &name, &tags).join(", "));
        let change = Change { name: Some(name), tags: Some(tags), ..Change::default() };
        self.change(&scope, &id, version, change, audit).await
    }

    async fn change(
        &self,
        scope: &Scope,
        id: &ConnectionId,
        version: i64,
        change: Change,
        audit: AuditEntry,
    ) -> Result<Summary, ApiError> {
        let name = change.name.clone();
        match self.store.update(scope, id, version, change, audit).await {
            Err(StoreError::Stale) => Err(self.conflict(scope, id).await?),
            Err(StoreError::NameTaken) => {
                let component = self.present(scope, id).await?.summary.component;
                Err(self.name_taken(scope, &component, name.map(String::from).unwrap_or_default()).await)
            }
            result => Ok(result?),
        }
    }

    /// The refusal of a name that another connection of the component bears.
    pub(super) async fn name_taken(&self, scope: &Scope, component: &ComponentSlug, name: String) -> ApiError {
        let badge = self.view(&scope.workspace).await.ok().and_then(|view| view.badge(component));
        ApiError::NameTaken { component: badge.map_or_else(|| component.to_string(), |badge| badge.name), name }
    }
}
