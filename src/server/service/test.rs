//! Asking the service again because somebody wants to know.

use tokio::sync::mpsc::UnboundedSender;

use super::caller::Caller;
use super::{Services, ended, finish, live_for};
use crate::api::error::ApiError;
use crate::api::stream::{ProbeEvent, TestRequest};
use crate::domain::evidence::Step;
use crate::domain::role::Action;
use crate::server::store::record::{AuditAction, Found};

impl Services {
    /// Tests a stored credential; the result is the stream's last event.
    pub async fn test(&self, caller: &Caller, request: TestRequest, live: UnboundedSender<Step>) -> ProbeEvent {
        ended(self.try_to_test(caller, request, live_for(caller, live)).await)
    }

    async fn try_to_test(
        &self,
        caller: &Caller,
        request: TestRequest,
        live: UnboundedSender<Step>,
    ) -> Result<ProbeEvent, ApiError> {
        let scope = caller.scope(Action::TestConnection, request.environment)?;
        let stored = self.present(&scope, &request.id).await?;
        let (evidence, proof) = self.check(&stored, live).await?;
        let entry = Some(caller.audit(&self.clock, AuditAction::Tested, ""));
        let found = Found { proof, secret_version: stored.secret_version, fence: None, visible: true, entry };
        let (services, id) = (self.clone(), request.id.clone());
        let summary = finish(async move { Ok(services.store.record_found(&scope, &id, found).await?) }).await?;
        // The secret was replaced or the connection deleted meanwhile: what was found concerns neither.
        let summary = Box::new(summary.ok_or(ApiError::NotFound)?);
        let evidence = if caller.operator { evidence } else { evidence.without_details() };
        Ok(ProbeEvent::Tested { summary, evidence })
    }
}
