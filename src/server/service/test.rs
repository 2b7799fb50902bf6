//! Asking the service again whether a stored credential works.

use tokio::sync::mpsc::UnboundedSender;

use super::caller::Caller;
use super::candidate::find;
use super::{Services, ended, finish, live_for};
use crate::api::error::ApiError;
use crate::api::stream::{ProbeEvent, TestRequest};
use crate::domain::evidence::{Account, Evidence, Step, Verdict};
use crate::domain::field::{FieldValues, check_all};
use crate::domain::health::Health;
use crate::domain::role::Action;
use crate::server::catalog::definition::Method;
use crate::server::store::record::{AuditAction, Proof, StoredConnection};
use crate::server::vault::Secrets;

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
        let (definition, method) = find(self, &stored.summary.component, &stored.credentials.method)?;
        let secrets = self.stored_secrets(&stored).await?;
        let missing = missing_fields(method, &stored.credentials.config, &secrets);
        let (evidence, health) = if missing.is_empty() {
            let evidence = self.prove(definition, method, &stored.credentials.config, &secrets, live).await;
            let health = stored.summary.health.clone().after(&evidence.verdict, self.clock.now());
            (evidence, health)
        } else {
            (self.not_asked(&missing), Health::Missing { fields: missing })
        };
        let proof = renewed_proof(&stored, &evidence, health);
        let audit = caller.audit(&self.clock, AuditAction::Tested, "");
        let (services, id, secret_version) = (self.clone(), request.id.clone(), stored.secret_version);
        let summary =
            finish(async move { Ok(services.store.record_proof(&scope, &id, secret_version, proof, audit).await?) })
                .await?;
        // The secret was replaced or the connection deleted meanwhile: what was found concerns neither.
        let summary = Box::new(summary.ok_or(ApiError::NotFound)?);
        let evidence = if caller.operator { evidence } else { evidence.without_details() };
        Ok(ProbeEvent::Tested { summary, evidence })
    }

    fn not_asked(&self, missing: &[String]) -> Evidence {
        let reason = format!("Not asked: {} is missing. Update the connection.", missing.join(", "));
        let verdict = Verdict::NoEvidence { reason, field: None };
        Evidence { at: self.clock.now(), steps: Vec::new(), verdict, account: Account::default(), expires_at: None }
    }
}

/// The labels of required fields that hold nothing.
fn missing_fields(method: &Method, config: &FieldValues, secrets: &Secrets) -> Vec<String> {
    check_all(&method.fields, config, |field| secrets.get(field).is_some())
        .into_iter()
        .filter(|problem| config.get(&problem.field).is_none())
        .filter_map(|problem| method.fields.iter().find(|field| field.id == problem.field))
        .map(|field| field.label.clone())
        .collect()
}

/// The new proof: what this probe could not tell stays as it was known.
fn renewed_proof(stored: &StoredConnection, evidence: &Evidence, health: Health) -> Proof {
    let before = &stored.credentials.proof;
    let told = matches!(evidence.verdict, Verdict::Valid | Verdict::Limited { .. });
    Proof {
        health,
        account: if told { evidence.account.clone() } else { before.account.clone() },
        expires_at: if told { evidence.expires_at } else { before.expires_at },
        evidence: Some(evidence.clone()),
    }
}
