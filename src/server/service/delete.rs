//! Deletion: first to *Recently deleted*, seven days later, or on demand, for good.

use super::Services;
use super::caller::Caller;
use super::replace::moved;
use super::revoke::can_revoke;
use crate::api::connections::{DeletedConnection, DeletionImpact, Restored};
use crate::api::error::ApiError;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::replacement::Replacement;
use crate::domain::role::Action;
use crate::domain::time::{DAY, Timestamp};
use crate::server::store::record::{AuditAction, StoredConnection};
use crate::server::store::{GivenBack, Moved, StoreError};

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
        let StoredConnection { summary, credentials, .. } = self.present(&scope, &id).await?;
        let connected = self.store.grant(&scope, &id).await?.is_some();
        let view = self.view(&scope.workspace).await?;
        let revocable = connected && can_revoke(&view, &summary.component, &credentials.method, &credentials.config);
        let workflows = self.store.workflows_using(&scope, &id).await?;
        let used = workflows.as_ref().is_some_and(|workflows| !workflows.is_empty());
        let offers = if used { self.offers(&scope, &id).await? } else { Vec::new() };
        Ok(DeletionImpact { workflows, offers, revocable })
    }

    /// Moves a connection to *Recently deleted*, after workflows were given their replacement: both, or neither.
    /// `foreseen`: the workflows that whoever asks has been shown; `None`: whichever use it.
    ///
    /// # Errors
    /// As [`Services::impact`], and [`ApiError::Invalid`] for a replacement that does not fit, or a workflow that would
    /// be left without a connection unforeseen.
    pub async fn delete(
        &self,
        caller: &Caller,
        environment: Environment,
        id: ConnectionId,
        plan: Replacement,
        foreseen: Option<Vec<String>>,
    ) -> Result<Vec<Moved>, ApiError> {
        let scope = caller.scope(Action::DeleteConnection, environment)?;
        if !plan.is_empty() {
            caller.allow(Action::ReplaceConnection)?;
        }
        let replaced = self.present(&scope, &id).await?.summary;
        let audit = caller.audit(&self.clock, AuditAction::Deleted, replaced.name.as_str());
        let done = self.store.delete_replacing(&scope, &id, plan, foreseen, audit).await?;
        let view = self.view(&scope.workspace).await?;
        moved(&view, &replaced, done)
    }

    /// Brings a deleted connection back as unproven, and to the workflows that still use its replacement.
    ///
    /// # Errors
    /// As [`Services::impact`], and [`ApiError::NameTaken`] where the name was given away meanwhile.
    pub async fn undelete(
        &self,
        caller: &Caller,
        environment: Environment,
        id: ConnectionId,
    ) -> Result<Restored, ApiError> {
        let scope = caller.scope(Action::DeleteConnection, environment)?;
        let stored = self.store.connection(&scope, &id).await?.ok_or(ApiError::NotFound)?;
        if stored.deleted_at.is_none() {
            return Ok(Restored { summary: stored.summary, returned: Vec::new(), kept: Vec::new() });
        }
        let summary = stored.summary;
        let audit = caller.audit(&self.clock, AuditAction::Restored, summary.name.as_str());
        match self.store.undelete(&scope, &id, audit).await {
            Err(StoreError::NameTaken) => Err(self.name_taken(&scope, &summary.component, summary.name.into()).await),
            result => {
                let (summary, GivenBack { restored, kept: ids }) = result?;
                let mut kept = Vec::new();
                for id in ids {
                    kept.extend(self.store.workflow(&scope, &id).await?.map(|found| found.workflow));
                }
                Ok(Restored { summary, returned: restored, kept })
            }
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
        let view = self.view(&scope.workspace).await?;
        let entry = |(summary, deleted_at): (Summary, Timestamp)| {
            let held = connected.get(&summary.id);
            let is_revoked = held.is_some_and(|(method, config)| can_revoke(&view, &summary.component, method, config));
            DeletedConnection { summary, deleted_at, purge_at: deleted_at.plus(UNDO), is_revoked }
        };
        Ok(deleted.into_iter().map(entry).collect())
    }
}
