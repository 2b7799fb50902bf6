//! Credentials on their way in: checked, split into what is secret and what is not, and proved.

use tokio::sync::mpsc::UnboundedSender;
use url::{Host, Url};

use super::Services;
use super::destinations::destination;
use super::tokens::awaited;
use crate::api::connections::StoredSecret;
use crate::api::error::ApiError;
use crate::api::stream::ProbeEvent;
use crate::domain::evidence::{Evidence, Step, Verdict};
use crate::domain::field::{Field, FieldKind, FieldProblem, FieldValues, check_all};
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::name::ConnectionName;
use crate::domain::tag::TagSet;
use crate::domain::time::Timestamp;
use crate::server::catalog::definition::{Definition, Method};
use crate::server::probe::{Question, earliest, known_end};
use crate::server::store::record::{Credentials, Grant, Proof, Scope, StoredConnection};
use crate::server::vault::{SealContext, SecretText, Secrets};

/// The field of SSH's methods that pins the server's key.
const HOST_KEY: &str = "host_key";

/// A method's values, apart: what is sealed and what is not.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub config: FieldValues,
    pub secrets: Secrets,
    /// Which secrets there are, and since when.
    pub stored: Vec<StoredSecret>,
    /// A digest of where the secrets are sent.
    pub destination: Option<Vec<u8>>,
    /// What is known of the OAuth tokens among the secrets.
    pub grant: Option<Grant>,
    /// Required fields that hold nothing; only let through for a connection saved as not active.
    pub missing: Vec<String>,
}

/// Secrets already stored that stay in force where a field is left empty.
pub struct Kept<'a> {
    pub secrets: &'a Secrets,
    pub stored: &'a [StoredSecret],
}

/// Credentials that can be typed; an account is connected instead where its owner has to consent.
///
/// # Errors
/// [`ApiError::Invalid`].
pub fn typed(method: &Method) -> Result<(), ApiError> {
    if method.by_person().is_none() {
        return Ok(());
    }
    Err(ApiError::field("method", "Here an account is connected by signing in: open Patchbay's page to do that."))
}

/// Parses name and tags, adding what is wrong to the problems.
pub fn name_and_tags(
    name: &str,
    tags: &[String],
    problems: &mut Vec<FieldProblem>,
) -> Option<(ConnectionName, TagSet)> {
    let name = ConnectionName::try_from(name.to_owned()).map_err(|error| FieldProblem::new("name", error.to_string()));
    let tags =
        TagSet::parse(tags.iter().map(String::as_str)).map_err(|error| FieldProblem::new("tags", error.to_string()));
    match (name, tags) {
        (Ok(name), Ok(tags)) => Some((name, tags)),
        (name, tags) => {
            problems.extend(name.err());
            problems.extend(tags.err());
            None
        }
    }
}

/// Checks values against a method's fields and takes them apart.
///
/// # Errors
/// The problems, by field. With `incomplete`, fields that are merely missing are listed in the candidate instead.
pub fn take_apart(
    method: &Method,
    values: &FieldValues,
    kept: Option<&Kept<'_>>,
    incomplete: bool,
    now: Timestamp,
) -> Result<Candidate, Vec<FieldProblem>> {
    let fields = &method.fields;
    let is_kept = |field: &str| kept.is_some_and(|kept| kept.secrets.get(field).is_some());
    let (missing, problems): (Vec<_>, Vec<_>) = check_all(fields, values, is_kept)
        .into_iter()
        .partition(|problem| incomplete && values.get(&problem.field).is_none());
    let problems: Vec<_> = problems.into_iter().chain(in_the_clear(method, values)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let label =
        |id: &str| fields.iter().find(|field| field.id == id).map_or_else(|| id.to_owned(), |f| f.label.clone());
    let mut candidate = Candidate {
        config: FieldValues::default(),
        secrets: Secrets::default(),
        stored: Vec::new(),
        destination: None,
        grant: awaited(method, now),
        missing: missing.iter().map(|problem| label(&problem.field)).collect(),
    };
    for field in fields.iter().filter(|field| field.is_shown(values, fields)) {
        candidate.add(field, values.get(&field.id), kept, now);
    }
    candidate.destination = (!candidate.secrets.is_empty()).then(|| destination(method, &candidate.config));
    Ok(candidate)
}

/// Tokens and client secrets leave the machine's own networks encrypted only.
fn in_the_clear<'a>(method: &'a Method, values: &'a FieldValues) -> impl Iterator<Item = FieldProblem> + 'a {
    let fields = method.fields.iter().filter(|field| method.oauth.is_some() && field.kind == FieldKind::Url);
    let open = fields.filter(|field| values.get(&field.id).is_some_and(|address| !is_sheltered(address)));
    open.map(|field| {
        FieldProblem::new(&field.id, "Give an https address: over http, tokens and secrets could be read on the way.")
    })
}

/// Encrypted, or plainly not out on the internet: loopback, a private address, a name without a dot.
fn is_sheltered(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return true };
    url.scheme() != "http"
        || url.host().is_none_or(|host| match host {
            Host::Domain(name) => !name.contains('.') || name.ends_with(".localhost"),
            Host::Ipv4(ip) => ip.is_loopback() || ip.is_private(),
            Host::Ipv6(ip) => ip.is_loopback() || ip.is_unique_local(),
        })
}

impl Candidate {
    /// What a stored connection holds, with its secrets opened.
    pub(super) fn of(stored: &StoredConnection, secrets: Secrets) -> Self {
        let credentials = &stored.credentials;
        Self {
            config: credentials.config.clone(),
            secrets,
            stored: credentials.secrets.clone(),
            destination: credentials.destination.clone(),
            grant: None,
            missing: Vec::new(),
        }
    }

    fn add(&mut self, field: &Field, value: Option<&str>, kept: Option<&Kept<'_>>, now: Timestamp) {
        match (field.secret, value) {
            (false, Some(value)) => self.config.set(&field.id, value),
            (false, None) if !field.default.is_empty() => self.config.set(&field.id, field.default.as_str()),
            (false, None) => {}
            (true, Some(value)) => {
                self.secrets.insert(&field.id, SecretText::new(value.to_owned()));
                self.stored.push(StoredSecret { field: field.id.clone(), stored_at: now });
            }
            (true, None) => self.keep(field, kept),
        }
    }

    fn keep(&mut self, field: &Field, kept: Option<&Kept<'_>>) {
        let Some((kept, secret)) = kept.and_then(|kept| Some((kept, kept.secrets.get(&field.id)?))) else { return };
        self.secrets.insert(&field.id, secret.clone());
        self.stored.extend(kept.stored.iter().find(|stored| stored.field == field.id).cloned());
    }
}

impl Services {
    /// Asks the service itself.
    ///
    /// # Errors
    /// [`ApiError::Busy`] where too many probes are under way.
    pub(super) async fn prove(
        &self,
        definition: &Definition,
        method: &Method,
        config: &FieldValues,
        secrets: &Secrets,
        live: UnboundedSender<Step>,
    ) -> Result<Evidence, ApiError> {
        if self.setting.demo {
            let reason = "This is the sample workspace: nothing in it is checked against real services.";
            return Ok(Evidence::none(self.clock.now(), reason));
        }
        Ok(self.prober.probe(Question { component: definition, method, config, secrets }, live).await?)
    }

    /// Obtains tokens first, where the method needs some and nobody's consent for them; then asks the service itself.
    ///
    /// # Errors
    /// As [`Services::prove`], and [`ApiError::Unavailable`].
    pub(super) async fn prove_candidate(
        &self,
        scope: &Scope,
        definition: &Definition,
        method: &Method,
        candidate: &mut Candidate,
        live: UnboundedSender<Step>,
    ) -> Result<Evidence, ApiError> {
        if method.oauth.is_some()
            && let Some(evidence) = self.obtain_into(scope, definition, method, candidate, &live).await?
        {
            return Ok(evidence);
        }
        let evidence = self.prove(definition, method, &candidate.config, &candidate.secrets, live).await?;
        Ok(if method.oauth.is_some() { by_provider(evidence) } else { evidence })
    }

    /// Seals a candidate's secrets for a connection's version.
    pub(super) async fn seal(
        &self,
        scope: &Scope,
        connection: &ConnectionId,
        method: &str,
        secret_version: i64,
        mut candidate: Candidate,
        mut proof: Proof,
    ) -> Result<Credentials, ApiError> {
        if let Some(evidence) = &proof.evidence {
            pin_host_key(&mut candidate.config, evidence);
        }
        proof.check_at = self.next_check(scope, &proof, true);
        // Known of what was never asked, too.
        proof.expires_at = earliest(proof.expires_at, known_end(&candidate.config));
        let sealed = if candidate.secrets.is_empty() {
            Vec::new()
        } else {
            let context = SealContext { scope, holder: connection.as_str(), method, secret_version };
            self.vault.seal(&context, &candidate.secrets).await?
        };
        Ok(Credentials {
            method: method.to_owned(),
            config: candidate.config,
            sealed,
            secrets: candidate.stored,
            destination: candidate.destination,
            grant: candidate.grant,
            proof,
        })
    }
}

/// Has the host key that a server showed first stand for one that nobody typed.
pub(super) fn pin_host_key(config: &mut FieldValues, evidence: &Evidence) {
    if let (None, Some(shown)) = (config.get(HOST_KEY), &evidence.host_key) {
        config.set(HOST_KEY, shown.as_str());
    }
}

/// Where the service cannot be asked, its provider has just answered for the credential by giving tokens.
pub fn by_provider(mut evidence: Evidence) -> Evidence {
    if evidence.verdict == Verdict::NotAskable {
        evidence.verdict = Verdict::Valid;
    }
    evidence
}

/// What a first probe makes of a connection that was nothing before.
pub fn proof_of(evidence: Evidence, now: Timestamp) -> Proof {
    Proof {
        health: Health::Unproven.after(&evidence.verdict, now),
        account: evidence.account.clone(),
        expires_at: evidence.expires_at,
        evidence: Some(evidence),
        check_at: None,
    }
}

/// The answer to a try that the service did not accept.
pub fn not_saved(definition: &Definition, evidence: Evidence, operator: bool) -> ProbeEvent {
    let name = &definition.name;
    let (message, field) = match &evidence.verdict {
        Verdict::Rejected { reason, field } | Verdict::NoEvidence { reason, field } => (reason.clone(), field.clone()),
        Verdict::Limited { missing } => (
            format!(
                "{name} accepted this credential, but it lacks: {}. Allow it there, then try again.",
                missing.join(", ")
            ),
            None,
        ),
        Verdict::Valid | Verdict::NotAskable => {
            (format!("{name} cannot be asked whether this works. Vouch for it, or give it an address to test."), None)
        }
    };
    let problems = field.map(|field| FieldProblem::new(&field, message.clone())).into_iter().collect();
    let evidence = if operator { evidence } else { evidence.without_details() };
    ProbeEvent::NotSaved { message, problems, evidence }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_at_home_may_go_in_the_clear() {
        for sheltered in
            ["https://acme.example", "http://127.0.0.1:9/t", "http://[::1]/", "http://10.1.2.3", "http://sso:8080"]
        {
            assert!(is_sheltered(sheltered), "{sheltered}");
        }
        for open in ["http://login.acme.example/token", "http://8.8.8.8", "http://[2001:db8::1]/"] {
            assert!(!is_sheltered(open), "{open}");
        }
    }
}
