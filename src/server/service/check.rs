//! Asking the service again whether a stored credential works: what a test on demand and the schedule share, and what
//! the schedule does by itself.

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::Services;
use super::candidate::find;
use crate::api::error::ApiError;
use crate::domain::evidence::{Evidence, Step, Verdict};
use crate::domain::field::{FieldValues, check_all};
use crate::domain::health::Health;
use crate::domain::schedule::{self, Circumstances};
use crate::domain::time::{DAY, Timestamp};
use crate::server::catalog::definition::Method;
use crate::server::probe::Question;
use crate::server::store::record::{AuditAction, AuditEntry, Claim, Found, Proof, Scope, StoredConnection};
use crate::server::vault::Secrets;

/// A use within this span counts as used.
const RECENTLY: i64 = 30 * DAY;

impl Services {
    /// Asks the service about a stored connection; what is missing in it is told without asking.
    pub(super) async fn check(
        &self,
        stored: &StoredConnection,
        live: UnboundedSender<Step>,
    ) -> Result<(Evidence, Proof), ApiError> {
        let (definition, method) = find(self, &stored.summary.component, &stored.credentials.method)?;
        let config = &stored.credentials.config;
        let secrets = self.stored_secrets(stored).await?;
        let missing = missing_fields(method, config, &secrets);
        let now = self.clock.now();
        let (evidence, health) = if missing.is_empty() {
            let evidence = self.prove(definition, method, config, &secrets, live).await?;
            let health = stored.summary.health.clone().after(&evidence.verdict, self.clock.now());
            (evidence, health)
        } else {
            let reason = format!("Not asked: {} is missing. Update the connection.", missing.join(", "));
            (Evidence::none(now, reason), Health::Missing { fields: missing })
        };
        let mut proof = renewed_proof(stored, &evidence, health);
        proof.check_at = self.next_check(&stored.scope, &proof, is_used(stored, now));
        Ok((evidence, proof))
    }

    /// When a connection of which this is known is asked about next.
    pub(super) fn next_check(&self, scope: &Scope, proof: &Proof, used: bool) -> Option<Timestamp> {
        let unasked = proof.evidence.as_ref().is_some_and(|evidence| evidence.verdict == Verdict::NotAskable);
        if self.setting.demo || unasked {
            return None;
        }
        // Without randomness checks come at their exact time, which is no reason to leave them out.
        let jitter = self.random.bytes::<2>().map_or(500, |bytes| u16::from_le_bytes(bytes) % 1_001);
        let not_before = proof.evidence.as_ref().and_then(|evidence| evidence.not_before);
        let circumstances = Circumstances { environment: scope.environment, used, not_before, jitter };
        schedule::next_check(&proof.health, self.clock.now(), circumstances)
    }

    /// The host that a claimed connection's service is asked at; `None` where there is nothing to ask any more.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`].
    pub async fn host_of(&self, claim: &Claim) -> Result<Option<String>, ApiError> {
        let Some(stored) = self.claimed(claim).await? else { return Ok(None) };
        let (component, method) = find(self, &stored.summary.component, &stored.credentials.method)?;
        let secrets = Secrets::default();
        let question = Question { component, method, config: &stored.credentials.config, secrets: &secrets };
        Ok(Some(question.host()))
    }

    /// Carries out a check that was due and is claimed. Its outcome is dropped where the claim was lost meanwhile.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`]: the check is made again when the claim has run out.
    pub async fn carry_out(&self, claim: &Claim) -> Result<(), ApiError> {
        let Some(stored) = self.claimed(claim).await? else { return Ok(()) };
        let (_, proof) = self.check(&stored, unbounded_channel().0).await?;
        let before = &stored.summary;
        let visible = !before.health.shows_like(&proof.health)
            || before.account != proof.account.identity
            || before.expires_at != proof.expires_at;
        let entry =
            visible.then(|| AuditEntry::system(self.clock.now(), AuditAction::Checked, proof.health.status().label()));
        let fence = Some(claim.fence);
        let found = Found { proof, secret_version: stored.secret_version, fence, visible, entry };
        self.store.record_found(&claim.scope, &claim.id, found).await?;
        Ok(())
    }

    async fn claimed(&self, claim: &Claim) -> Result<Option<StoredConnection>, ApiError> {
        let stored = self.store.connection(&claim.scope, &claim.id).await?;
        Ok(stored.filter(|stored| stored.deleted_at.is_none()))
    }
}

fn is_used(stored: &StoredConnection, now: Timestamp) -> bool {
    let recently = stored.summary.last_used_at.is_some_and(|at| now.since(at) < RECENTLY);
    recently || stored.summary.workflows.is_none_or(|count| count > 0)
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
        check_at: None,
    }
}
