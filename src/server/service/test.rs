//! Asking the service again because somebody wants to know.

use tokio::sync::mpsc::UnboundedSender;

use super::caller::Caller;
use super::{Services, ended, live_for};
use crate::api::error::ApiError;
use crate::api::stream::{ProbeEvent, TestRequest};
use crate::domain::evidence::Step;
use crate::domain::role::Action;
use crate::server::store::record::{AuditAction, Found, Judged, StoredConnection};

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
        let answer = self.check(&stored, live).await?;
        let (evidence, secret_version) = (answer.evidence.clone(), answer.secret_version);
        let entry = caller.audit(&self.clock, AuditAction::Tested, "");
        let (services, id) = (self.clone(), request.id.clone());
        let judge = move |before: &StoredConnection| Judged {
            proof: services.renewed(before, &answer),
            visible: true,
            entry: Some(entry),
        };
        let found = Found { at: evidence.at, secret_version, fence: None, judge: Box::new(judge) };
        let services = self.clone();
        let summary = self.finish(async move {
            match services.store.record_found(&scope, &id, found).await? {
                Some(summary) => Ok(summary),
                // What was found concerns a secret that was replaced, or is older than what is known by now.
                None => Ok(services.present(&scope, &id).await?.summary),
            }
        });
        let summary = Box::new(summary.await?);
        let evidence = if caller.operator { evidence } else { evidence.without_details() };
        Ok(ProbeEvent::Tested { summary, evidence })
    }
}
