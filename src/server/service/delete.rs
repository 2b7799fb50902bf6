//! Deletion: first to *Recently deleted*, seven days later, or on demand, for good.

use super::Services;
use super::caller::Caller;
use crate::api::connections::{DeletedConnection, DeletionImpact};
use crate::api::error::ApiError;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::domain::time::{DAY, Timestamp};
use crate::server::store::StoreError;
use crate::server::store::record::AuditAction;

/// How long an undo is promised, in milliseconds.
pub const UNDO: i64 = 7 * DAY;

impl Services {
    /// What the delete dialog has to say before it asks.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::NotFound`], [`ApiError::Unavailable`].
    pub async fn impact(
        &self,
        caller: &Caller,
        environment: Environment,
        id: ConnectionId,
    ) -> Result<DeletionImpact, ApiError> {
        let scope = caller.scope(Action::DeleteConnection, environment)?;
        self.present(&scope, &id).await?;
        Ok(DeletionImpact { workflows: self.store.workflows_using(&scope, &id).await? })
    }

    /// Moves a connection to *Recently deleted*.
    ///
    /// # Errors
    /// As [`Services::impact`].
    pub async fn delete(&self, caller: &Caller, environment: Environment, id: ConnectionId) -> Result<(), ApiError> {
        let scope = caller.scope(Action::DeleteConnection, environment)?;
        let name = self.present(&scope, &id).await?.summary.name;
        let audit = caller.audit(&self.clock, AuditAction::Deleted, name.as_str());
        Ok(self.store.delete(&scope, &id, self.clock.now(), audit).await?)
    }

    /// Brings a deleted connection back as unproven.
    ///
    /// # Errors
    /// As [`Services::impact`], and [`ApiError::NameTaken`] where the name was given away meanwhile.
    pub async fn undelete(
        &self,
        caller: &Caller,
        environment: Environment,
        id: ConnectionId,
    ) -> Result<Summary, ApiError> {
        let scope = caller.scope(Action::DeleteConnection, environment)?;
        let stored = self.store.connection(&scope, &id).await?.ok_or(ApiError::NotFound)?;
        if stored.deleted_at.is_none() {
            return Ok(stored.summary);
        }
        let summary = stored.summary;
        let audit = caller.audit(&self.clock, AuditAction::Restored, summary.name.as_str());
        match self.store.undelete(&scope, &id, audit).await {
            Err(StoreError::NameTaken) => Err(self.name_taken(&summary.component, summary.name.into())),
            result => Ok(result?),
        }
    }

    /// Destroys a deleted connection's ciphertext at once.
    ///
    /// # Errors
    /// As [`Services::impact`]; [`ApiError::NotFound`] also for a connection that is not deleted.
    pub async fn purge(&self, caller: &Caller, environment: Environment, id: ConnectionId) -> Result<(), ApiError> {
        let scope = caller.scope(Action::DeleteConnection, environment)?;
        let stored = self.store.connection(&scope, &id).await?.filter(|stored| stored.deleted_at.is_some());
        let name = stored.ok_or(ApiError::NotFound)?.summary.name;
        let audit = caller.audit(&self.clock, AuditAction::Purged, name.as_str());
        Ok(self.store.purge(&scope, &id, audit).await?)
    }

    /// What can still be brought back, the latest first.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::Unavailable`].
    pub async fn deleted(&self, caller: &Caller, environment: Environment) -> Result<Vec<DeletedConnection>, ApiError> {
        let scope = caller.scope(Action::ViewConnections, environment)?;
        let deleted = self.store.deleted(&scope).await?;
        let connected = self.store.deleted_with_tokens(&scope).await?;
        let entry = |(summary, deleted_at): (Summary, Timestamp)| {
            let held = connected.get(&summary.id);
            let is_revoked = held.is_some_and(|(method, config)| self.can_revoke(&summary.component, method, config));
            DeletedConnection { summary, deleted_at, purge_at: deleted_at.plus(UNDO), is_revoked }
        };
        Ok(deleted.into_iter().map(entry).collect())
    }
}
