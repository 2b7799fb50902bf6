//! Asking the service again whether a stored credential works: what a test on demand and the schedule share, and what
//! the schedule does by itself.

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::Services;
use super::candidate::{by_provider, pin_host_key};
use super::destinations::destination;
use crate::api::error::ApiError;
use crate::domain::evidence::{Account, Evidence, Step, Verdict};
use crate::domain::field::{FieldValues, check_all};
use crate::domain::health::Health;
use crate::domain::schedule::{self, Circumstances};
use crate::domain::time::{DAY, Timestamp};
use crate::server::catalog::definition::{Definition, Method};
use crate::server::probe::{Question, earliest};
use crate::server::store::record::{
    AuditAction, AuditEntry, Claim, Credentials, Found, Judged, Proof, Scope, StoredConnection,
};
use crate::server::vault::Secrets;

/// A use within this span counts as used.
const RECENTLY: i64 = 30 * DAY;

/// What asking found.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub evidence: Evidence,
    /// The secrets it concerns: asking may have renewed them.
    pub secret_version: i64,
    /// Labels of required fields that hold nothing, or nothing that may be sent: nothing was asked.
    missing: Vec<String>,
    /// The credential is a token that a provider gave.
    by_token: bool,
}

impl Services {
    /// Asks the service about a stored connection; what is missing in it is told without asking.
    pub(super) async fn check(
        &self,
        stored: &StoredConnection,
        live: UnboundedSender<Step>,
    ) -> Result<Answer, ApiError> {
        let chosen = self.find(&stored.scope.workspace, &stored.summary.component, &stored.credentials.method).await?;
        let (definition, method) = chosen.parts();
        let config = &stored.credentials.config;
        let secrets = self.stored_secrets(stored).await?;
        let mut missing = missing_fields(method, config, &secrets);
        let none = |reason| Evidence::none(self.clock.now(), reason);
        let (evidence, secret_version) = if !missing.is_empty() {
            let reason = format!("Not asked: {} is missing. Update the connection.", missing.join(", "));
            (none(reason), stored.secret_version)
        } else if is_redirected(stored, method) {
            // A secret that may not be sent is as good as none.
            missing = withheld(method, &secrets);
            (none(redirected(&definition.name, method)), stored.secret_version)
        } else if method.oauth.is_some() {
            Box::pin(self.check_with_tokens(stored, definition, method, live)).await?
        } else {
            let mut config = config.clone();
            // Saved before anybody could be asked, it was pinned by the first check that succeeded.
            if let Some(before) = &stored.credentials.proof.evidence {
                pin_host_key(&mut config, before);
            }
            (self.prove(definition, method, &config, &secrets, live).await?, stored.secret_version)
        };
        Ok(Answer { evidence, secret_version, missing, by_token: method.oauth.is_some() })
    }

    /// Asks with an access token that is renewed first where it is due, and once more where the service refused it
    /// before its time.
    async fn check_with_tokens(
        &self,
        stored: &StoredConnection,
        definition: &Definition,
        method: &Method,
        live: UnboundedSender<Step>,
    ) -> Result<(Evidence, i64), ApiError> {
        let mut stored = self.fresh(stored.clone(), false).await?;
        if let Some(evidence) = self.without_token(&stored, &definition.name, method).await? {
            return Ok((evidence, stored.secret_version));
        }
        let mut evidence = self.prove_stored(&stored, definition, method, live.clone()).await?;
        // Refused before its time; or nobody but the provider can be asked.
        let unsettled = matches!(evidence.verdict, Verdict::Rejected { .. } | Verdict::NotAskable);
        if unsettled && self.can_renew(&stored, method).await? {
            let before = stored.secret_version;
            stored = self.fresh(stored, true).await?;
            if stored.secret_version != before {
                evidence = self.prove_stored(&stored, definition, method, live).await?;
            } else if let Some(told) = self.without_token(&stored, &definition.name, method).await? {
                evidence = told;
            } else if evidence.verdict == Verdict::NotAskable {
                let reason = format!("{} could not be asked for a new token just now.", definition.name);
                evidence = Evidence::none(self.clock.now(), reason);
            }
        }
        // Where nobody else can be asked, the provider has answered, now or for as long as the token lasts.
        evidence = by_provider(evidence);
        let missing = self.ungranted(&stored, method).await?;
        if !missing.is_empty() && evidence.verdict == Verdict::Valid {
            evidence.verdict = Verdict::Limited { missing };
        }
        Ok((evidence, stored.secret_version))
    }

    async fn prove_stored(
        &self,
        stored: &StoredConnection,
        definition: &Definition,
        method: &Method,
        live: UnboundedSender<Step>,
    ) -> Result<Evidence, ApiError> {
        let secrets = self.stored_secrets(stored).await?;
        self.prove(definition, method, &stored.credentials.config, &secrets, live).await
    }

    /// What is known of a connection after an answer. What the answer does not tell stays as it was known.
    pub(super) fn renewed(&self, before: &StoredConnection, answer: &Answer) -> Proof {
        let Answer { evidence, missing, by_token, .. } = answer;
        let known = &before.credentials.proof;
        let told = matches!(evidence.verdict, Verdict::Valid | Verdict::Limited { .. });
        let health = if missing.is_empty() {
            known.health.clone().after(&evidence.verdict, evidence.at)
        } else {
            Health::Missing { fields: missing.clone() }
        };
        let first_key = known.evidence.as_ref().and_then(|before| before.host_key.clone());
        let evidence = Evidence { host_key: first_key.or_else(|| evidence.host_key.clone()), ..evidence.clone() };
        // What is known of tokens was told when they were given: the service adds to it.
        let (account, expires_at) = match (told, *by_token) {
            (false, _) => (known.account.clone(), known.expires_at),
            (true, false) => (evidence.account.clone(), evidence.expires_at),
            (true, true) => {
                let Account { identity, subject, scopes } = evidence.account.clone();
                let scopes = if scopes.is_empty() { known.account.scopes.clone() } else { scopes };
                let identity = identity.or_else(|| known.account.identity.clone());
                let subject = subject.or_else(|| known.account.subject.clone());
                (Account { identity, subject, scopes }, earliest(evidence.expires_at, known.expires_at))
            }
        };
        let mut proof = Proof { health, account, expires_at, evidence: Some(evidence), check_at: None };
        proof.check_at = self.next_check(&before.scope, &proof, is_used(before, self.clock.now()));
        proof
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

    /// The host that a claimed connection's service is asked at; empty where its component is gone, `None` where there
    /// is nothing to ask any more.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`].
    pub async fn host_of(&self, claim: &Claim) -> Result<Option<String>, ApiError> {
        let Some(stored) = self.claimed(claim).await? else { return Ok(None) };
        let (component, method) = (&stored.summary.component, &stored.credentials.method);
        let chosen = match self.find(&claim.scope.workspace, component, method).await {
            Err(ApiError::Invalid { .. }) => return Ok(Some(String::new())),
            chosen => chosen?,
        };
        let (component, method) = chosen.parts();
        let secrets = Secrets::default();
        let question = Question { component, method, config: &stored.credentials.config, secrets: &secrets };
        Ok(Some(question.host()))
    }

    /// Carries out a check that was due and is claimed, and says whether the service answered. The outcome is dropped
    /// where the claim was lost meanwhile.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`]: the check is made again when the claim has run out;
    /// [`ApiError::Busy`] where there was no turn for it.
    pub async fn carry_out(&self, claim: &Claim) -> Result<bool, ApiError> {
        let Some(stored) = self.claimed(claim).await? else { return Ok(true) };
        let answer = match self.check(&stored, unbounded_channel().0).await {
            Ok(answer) => answer,
            Err(error @ (ApiError::Unavailable | ApiError::Busy)) => return Err(error),
            // Nobody can be asked for as long as this lasts, and that must not look like a good connection.
            Err(error) => self.unasked(&stored, &error).await,
        };
        let answered = !matches!(answer.evidence.verdict, Verdict::NoEvidence { .. });
        let services = self.clone();
        let found = Found {
            at: answer.evidence.at,
            secret_version: answer.secret_version,
            fence: Some(claim.fence),
            judge: Box::new(move |before| services.judged_by_schedule(before, &answer)),
        };
        self.store.record_found(&claim.scope, &claim.id, found).await?;
        Ok(answered)
    }

    /// What there is to tell of a connection whose service cannot even be asked.
    async fn unasked(&self, stored: &StoredConnection, error: &ApiError) -> Answer {
        let component = &stored.summary.component;
        tracing::warn!(connection = stored.summary.id.as_str(), %component, %error, "a check could not be made");
        let known = self.find(&stored.scope.workspace, component, &stored.credentials.method).await.is_ok();
        let reason = if known {
            "Not asked: the stored secret cannot be opened. Update the connection and give the secret again.".to_owned()
        } else {
            format!("Not asked: there is no component {component} any more, or not this way of authenticating.")
        };
        let evidence = Evidence::none(self.clock.now(), reason);
        Answer { evidence, secret_version: stored.secret_version, missing: Vec::new(), by_token: false }
    }

    /// Only what lists show otherwise than before is news.
    fn judged_by_schedule(&self, before: &StoredConnection, answer: &Answer) -> Judged {
        let proof = self.renewed(before, answer);
        let summary = &before.summary;
        let visible = !summary.health.shows_like(&proof.health)
            || summary.account != proof.account.identity
            || summary.expires_at != proof.expires_at;
        let entry =
            visible.then(|| AuditEntry::system(self.clock.now(), AuditAction::Checked, proof.health.status().label()));
        Judged { proof, visible, entry }
    }

    async fn claimed(&self, claim: &Claim) -> Result<Option<StoredConnection>, ApiError> {
        let stored = self.store.connection(&claim.scope, &claim.id).await?;
        Ok(stored.filter(|stored| stored.deleted_at.is_none()))
    }
}

/// Whether the component now sends the stored secrets elsewhere than when they were given, or, if it is the workspace's
/// own, in any other way: whoever may write can change it at any time.
pub(super) fn is_redirected(stored: &StoredConnection, method: &Method) -> bool {
    let Credentials { config, sealed, destination: given_for, .. } = &stored.credentials;
    match given_for {
        Some(given_for) => *given_for != destination(method, config),
        None => method.is_own() && !sealed.is_empty(),
    }
}

/// The labels of the secrets that are there and may not be sent.
fn withheld(method: &Method, secrets: &Secrets) -> Vec<String> {
    let held = method.fields.iter().filter(|field| field.secret && secrets.get(&field.id).is_some());
    let labels: Vec<String> = held.map(|field| field.label.clone()).collect();
    if labels.is_empty() { vec!["the account, connected anew".to_owned()] } else { labels }
}

/// Why stored secrets are not sent to where the component's file says now.
pub(super) fn redirected(component: &str, method: &Method) -> String {
    let (since, remedy) = if method.by_person().is_some() {
        ("the account was connected, so its tokens are not", "Reconnect the account.")
    } else {
        ("the secret was stored, so the secret is not", "Update the connection and give the secret again.")
    };
    let what = if method.is_own() { "what the component" } else { "the address of the component" };
    let changed = if method.is_own() { "sends has changed" } else { "has changed" };
    format!("Not asked: {what} {component} {changed} since {since} sent there. {remedy}")
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
