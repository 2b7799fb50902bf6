//! Trying a component that is being described, with a credential that is not kept.

use tokio::sync::mpsc::UnboundedSender;

use super::caller::Caller;
use super::candidate::{take_apart, typed};
use super::components::document;
use super::{Services, ended, live_for};
use crate::api::error::ApiError;
use crate::api::stream::{ProbeEvent, TryRequest};
use crate::domain::evidence::{Evidence, Step};
use crate::domain::role::Action;
use crate::server::catalog::View;
use crate::server::store::record::AuditAction;

impl Services {
    /// Asks the service as the definition says; the result is the stream's last event.
    pub async fn try_component(&self, caller: &Caller, request: TryRequest, live: UnboundedSender<Step>) -> ProbeEvent {
        ended(self.try_out(caller, request, live_for(caller, live)).await)
    }

    async fn try_out(
        &self,
        caller: &Caller,
        request: TryRequest,
        live: UnboundedSender<Step>,
    ) -> Result<ProbeEvent, ApiError> {
        let component = self.component_of(caller, document(&request.definition)?).await?;
        let slug = component.definition.slug.clone();
        let view = View::of(self.catalog.clone()).with_own(0, [(0, component)]);
        let unknown = |_| ApiError::field("methods", "There is no such way of authenticating in the definition.");
        let chosen = view.choose(&slug, &request.method).map_err(unknown)?;
        let (definition, method) = chosen.parts();
        typed(method)?;
        let candidate = take_apart(method, &request.values, None, false, self.clock.now());
        let mut candidate = candidate.map_err(|problems| ApiError::Invalid { problems })?;
        // A credential is shown to a service: that leaves a line, whoever looks after the component.
        let entry = caller.audit(&self.clock, AuditAction::ComponentTried, definition.name.as_str());
        self.store.append_audit(&caller.workspace, None, Some(slug.as_str()), entry).await?;
        let environment = caller.environments.iter().next().ok_or(ApiError::NotFound)?;
        let scope = caller.scope(Action::ManageComponents, environment)?;
        let evidence: Evidence = self.prove_candidate(&scope, definition, method, &mut candidate, live).await?;
        let evidence = if caller.operator { evidence } else { evidence.without_details() };
        Ok(ProbeEvent::Tried { evidence })
    }
}
