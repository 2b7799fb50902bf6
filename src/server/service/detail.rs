//! Everything the detail view shows. Secrets are named, never opened.

use super::Services;
use super::caller::Caller;
use crate::api::connections::{Basis, Detail, Undecided};
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::evidence::Evidence;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::server::oauth::Metadata;
use crate::server::store::record::{Credentials, FlowStage, Scope, StoredConnection};

/// Lines of the audit trail in the detail view.
const AUDIT_LINES: u32 = 50;

impl Services {
    /// One connection, whole, without its secrets.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::NotFound`], [`ApiError::Unavailable`].
    pub async fn detail(
        &self,
        caller: &Caller,
        environment: Environment,
        id: ConnectionId,
    ) -> Result<Detail, ApiError> {
        let scope = caller.scope(Action::ViewConnections, environment)?;
        let StoredConnection { summary, credentials, .. } = self.present(&scope, &id).await?;
        let Credentials { method, mut config, secrets, proof, .. } = credentials;
        Metadata::take_out(&mut config);
        let without_details = |evidence: Evidence| if caller.operator { evidence } else { evidence.without_details() };
        let view = self.view(&scope.workspace).await?;
        let basis = match view.own_version(&summary.component) {
            Some(_) => Basis::Own,
            None => view
                .get(&summary.component)
                .and_then(|component| component.tried_live.clone())
                .map_or(Basis::Documented, |day| Basis::TriedLive { day }),
        };
        Ok(Detail {
            summary,
            timeline: self.store.checks_of(&scope, &id).await?,
            basis,
            method,
            config,
            secrets,
            account: proof.account,
            evidence: proof.evidence.map(without_details),
            workflows: self.store.workflows_using(&scope, &id).await?.unwrap_or_default(),
            audit: self.store.audit_of(&scope, &id, AUDIT_LINES).await?,
            undecided: self.undecided(&scope, &id).await?,
        })
    }

    async fn undecided(&self, scope: &Scope, id: &ConnectionId) -> Result<Option<Undecided>, ApiError> {
        let flow = self.store.undecided_flow(scope, id, self.clock.now()).await?;
        Ok(flow.and_then(|flow| match flow.stage {
            FlowStage::OtherAccount { was, is } => Some(Undecided { flow: flow.id, was, is }),
            _ => None,
        }))
    }

    /// In which of the caller's environments a connection lies.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] if in none, [`ApiError::Forbidden`] for the action.
    pub async fn locate(&self, caller: &Caller, action: Action, id: &ConnectionId) -> Result<Environment, ApiError> {
        for environment in caller.environments.iter() {
            let scope = caller.scope(action, environment)?;
            if self.store.connection(&scope, id).await?.is_some() {
                return Ok(environment);
            }
        }
        Err(ApiError::NotFound)
    }
}
