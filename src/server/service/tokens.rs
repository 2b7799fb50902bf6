//! The OAuth tokens among a connection's secrets: obtained, kept, looked at.

use tokio::sync::mpsc::UnboundedSender;

use super::Services;
use super::candidate::Candidate;
use super::connect::{name_of, own_scopes};
use super::destinations::destination;
use crate::api::error::ApiError;
use crate::domain::component::MethodKind;
use crate::domain::evidence::{Evidence, Step, StepKind, StepOutcome, Verdict};
use crate::domain::health::Health;
use crate::domain::time::Timestamp;
use crate::server::catalog::definition::{Definition, Method};
use crate::server::catalog::oauth::{ACCESS_TOKEN, RefreshBy};
use crate::server::oauth::{Death, Held, OAuthError, Provider, Tokens, death, due_at, missing};
use crate::server::store::record::{Grant, Scope, StoredConnection};
use crate::server::vault::Secrets;

const REFRESH_TOKEN: &str = "refresh_token";
/// The one before, until the present one has worked once.
const PREVIOUS_REFRESH_TOKEN: &str = "previous_refresh_token";
/// What is obtained and not typed, among a connection's secrets.
pub(super) const TOKENS: [&str; 3] = [ACCESS_TOKEN, REFRESH_TOKEN, PREVIOUS_REFRESH_TOKEN];

/// The tokens among a connection's secrets.
pub(super) fn held(secrets: &Secrets) -> Option<Held<'_>> {
    Some(Held { access_token: secrets.get(ACCESS_TOKEN)?, refresh_token: secrets.get(REFRESH_TOKEN) })
}

/// Puts tokens, and what was captured with them, in the place of those before.
pub(super) fn put_tokens(tokens: &Tokens, candidate: &mut Candidate) {
    candidate.secrets = with_tokens(std::mem::take(&mut candidate.secrets), tokens);
    for (id, value) in &tokens.captured.plain.0 {
        candidate.config.set(id, value.as_str());
    }
}

/// A connection's secrets with these tokens in the place of those before.
pub(super) fn with_tokens(mut secrets: Secrets, tokens: &Tokens) -> Secrets {
    let before = secrets.take(REFRESH_TOKEN);
    secrets.take(PREVIOUS_REFRESH_TOKEN);
    secrets.insert(ACCESS_TOKEN, tokens.access_token.clone());
    if let Some(token) = &tokens.refresh_token {
        secrets.insert(REFRESH_TOKEN, token.clone());
        if let Some(before) = before.filter(|before| before != token) {
            secrets.insert(PREVIOUS_REFRESH_TOKEN, before);
        }
    }
    for (id, secret) in tokens.captured.secret.iter() {
        secrets.insert(id, secret.clone());
    }
    secrets
}

/// What is known of tokens that were not asked for yet and need nobody's consent: whoever needs one asks for it.
pub(super) fn awaited(method: &Method, now: Timestamp) -> Option<Grant> {
    let oauth = method.oauth.as_ref().filter(|_| method.by_person().is_none())?;
    Some(Grant {
        client: oauth.client.clone().unwrap_or_default(),
        client_id: None,
        asked: Vec::new(),
        granted: None,
        connected_at: now,
        issued_at: now,
        access_expires_at: Some(now),
        refresh_expires_at: None,
        refresh_at: None,
        failures: 0,
        ended: false,
    })
}

impl Services {
    /// What is to be remembered of tokens just given, and when the connection ends by itself.
    pub(super) fn grant_of(
        &self,
        method: &Method,
        (client, client_id): (&str, Option<&str>),
        asked: &[String],
        tokens: &Tokens,
        connected_at: Timestamp,
    ) -> (Grant, Option<Timestamp>) {
        let rules = method.by_person().map(|oauth| &oauth.refresh);
        let grant = Grant {
            client: client.to_owned(),
            client_id: client_id.map(str::to_owned),
            asked: asked.to_vec(),
            granted: tokens.scopes.clone(),
            connected_at,
            issued_at: tokens.issued_at,
            access_expires_at: tokens.expires_at,
            refresh_expires_at: tokens.refresh_expires_at,
            // Where nobody's consent is needed, whoever needs a token asks for one: nothing lapses meanwhile.
            refresh_at: rules.and_then(|rules| due_at(tokens, rules, self.spread())),
            failures: 0,
            ended: false,
        };
        (grant, rules.and_then(|rules| death(tokens, rules, connected_at)).map(Death::at))
    }

    /// Without randomness everything comes at its middle time, which is no reason to leave it out.
    pub(super) fn spread(&self) -> u16 {
        self.random.bytes::<2>().map_or(u16::MAX / 2, u16::from_le_bytes)
    }

    /// Whether a provider can be asked for other tokens than these.
    pub(super) async fn can_renew(&self, stored: &StoredConnection, method: &Method) -> Result<bool, ApiError> {
        let by_itself = method.by_person().is_none();
        let by_token = method.oauth.as_ref().is_some_and(|oauth| oauth.refresh.by == RefreshBy::AccessToken);
        let secrets = self.stored_secrets(stored).await?;
        Ok(by_itself || by_token || secrets.get(REFRESH_TOKEN).is_some())
    }

    /// What is known without asking, where the access token has ended and no other came in its place.
    pub(super) async fn without_token(
        &self,
        stored: &StoredConnection,
        component: &str,
        method: &Method,
    ) -> Result<Option<Evidence>, ApiError> {
        let (now, grant) = (self.clock.now(), self.store.grant(&stored.scope, &stored.summary.id).await?);
        let is_over = |grant: &Grant| grant.ended || grant.access_expires_at.is_some_and(|at| at <= now);
        let Some(grant) = grant.filter(is_over) else { return Ok(None) };
        if let Health::Rejected { reason, .. } = &stored.summary.health {
            // What the provider said when it was asked last.
            let verdict = Verdict::Rejected { reason: reason.clone(), field: None };
            return Ok(Some(Evidence { verdict, ..Evidence::none(now, "") }));
        }
        if let (Health::Unreachable { reason, .. }, true) = (&stored.summary.health, grant.failures > 0) {
            return Ok(Some(Evidence::none(now, reason.as_str())));
        }
        if grant.refresh_at.is_some() || method.by_person().is_none() {
            let reason = format!("Not asked: {component} could not be asked for a new token just now.");
            return Ok(Some(Evidence::none(now, reason)));
        }
        let reason =
            format!("The access to {component} has ended and can no longer be renewed. Reconnect the account.");
        let verdict = Verdict::Rejected { reason, field: None };
        Ok(Some(Evidence { verdict, ..Evidence::none(now, "") }))
    }

    /// The required scopes that the provider did not grant, as it last told.
    pub(super) async fn ungranted(&self, stored: &StoredConnection, method: &Method) -> Result<Vec<String>, ApiError> {
        let grant = self.store.grant(&stored.scope, &stored.summary.id).await?;
        let (Some(oauth), Some(Grant { asked, granted: Some(granted), .. })) = (&method.oauth, grant) else {
            return Ok(Vec::new());
        };
        Ok(missing(oauth, &asked, Some(&granted)))
    }

    /// Tokens that need nobody's consent.
    pub(super) async fn obtain(
        &self,
        method: &Method,
        provider: &Provider<'_>,
        scopes: &[String],
    ) -> Result<Tokens, OAuthError> {
        match method.kind {
            MethodKind::Jwt => provider.jwt_bearer(&self.line(), &self.random, scopes).await,
            _ => provider.client_credentials(&self.line(), scopes).await,
        }
    }

    /// Obtains tokens that need nobody's consent, and puts them into the candidate; evidence where none came.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`].
    pub(super) async fn obtain_into(
        &self,
        scope: &Scope,
        definition: &Definition,
        method: &Method,
        candidate: &mut Candidate,
        live: &UnboundedSender<Step>,
    ) -> Result<Option<Evidence>, ApiError> {
        let (Some(oauth), false) = (&method.oauth, self.setting.demo) else { return Ok(None) };
        let Candidate { config, secrets, .. } = &*candidate;
        let party = self.party_of(scope, &definition.slug, method, config, secrets).await?;
        let party = party.ok_or_else(|| ApiError::field("client_id", "Give the client id."))?;
        let provider = party.provider(method, config, secrets)?;
        let asked = [provider.scopes(|_| true), own_scopes(oauth, config)].concat();
        let begun = Step::running(StepKind::Authenticate);
        let _ = live.send(begun);
        let now = self.clock.now();
        match self.obtain(method, &provider, &asked).await {
            Ok(tokens) => {
                put_tokens(&tokens, candidate);
                candidate.destination = Some(destination(method, &candidate.config));
                let name = name_of(method, &definition.slug);
                let client = (name.as_str(), Some(party.client_id()));
                let (grant, _) = self.grant_of(method, client, &asked, &tokens, now);
                candidate.grant = Some(grant);
                Ok(None)
            }
            Err(error) => Ok(Some(without_tokens(&error, &definition.name, now, live))),
        }
    }
}

/// Evidence of a provider that gave no tokens.
fn without_tokens(error: &OAuthError, component: &str, at: Timestamp, live: &UnboundedSender<Step>) -> Evidence {
    let reason = error.sentence(component);
    let step = Step::ended(StepKind::Authenticate, StepOutcome::Failed, 0, reason.as_str());
    let _ = live.send(step.clone());
    let refused = matches!(
        error,
        OAuthError::Refused(_) | OAuthError::WrongClient(_) | OAuthError::AccessDenied(_) | OAuthError::InvalidScope(_)
    );
    let verdict =
        if refused { Verdict::Rejected { reason, field: None } } else { Verdict::NoEvidence { reason, field: None } };
    Evidence { verdict, steps: vec![step], ..Evidence::none(at, "") }
}
