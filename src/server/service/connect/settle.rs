//! Tokens become a connection, or take the place of those in one.

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::unbounded_channel;

use super::LINK_LIFE;
use super::client::{Party, name_of};
use crate::api::connect::Progress;
use crate::api::connections::StoredSecret;
use crate::api::error::ApiError;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::evidence::{Evidence, Verdict};
use crate::domain::field::FieldValues;
use crate::domain::health::Status;
use crate::domain::id::{ConnectionId, FlowId};
use crate::domain::name::ConnectionName;
use crate::domain::role::Action;
use crate::domain::time::Timestamp;
use crate::server::catalog::Chosen;
use crate::server::oauth::{Captured, Tokens, known_by, missing};
use crate::server::service::Services;
use crate::server::service::caller::Caller;
use crate::server::service::candidate::{Candidate, by_provider, proof_of};
use crate::server::service::destinations::destination;
use crate::server::service::tokens::put_tokens;
use crate::server::store::StoreError;
use crate::server::store::StoredFlow;
use crate::server::store::record::{
    AuditAction, AuditEntry, Change, EndingFlow, FlowStage, NewConnection, Proof, StoredConnection,
};
use crate::server::vault::{SecretText, Secrets};

/// How a flow came out once the provider had given tokens.
pub(super) enum Settled {
    Connected,
    OtherAccount { was: String, is: String },
    Failed(String),
}

const BEFORE: &str = "the account connected before";
const CALLED_OFF: &str = "This was called off in Patchbay, or carried through already. Nothing was saved.";
/// Attempts to find a free name, and to write beside somebody else who writes.
const ATTEMPTS: usize = 20;
/// The tokens that wait for a decision, among a flow's secrets.
const ACCESS: &str = "waiting.access_token";
const REFRESH: &str = "waiting.refresh_token";
const FACTS: &str = "waiting.facts";
const CAPTURED: &str = "waiting.captured.";

/// Everything a connection takes over.
struct Gain {
    chosen: Chosen,
    candidate: Candidate,
    proof: Proof,
}

impl Services {
    /// Asks the service whose account it is, and saves.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Full`], [`ApiError::Internal`].
    pub(super) async fn settle(
        &self,
        flow: &StoredFlow,
        secrets: Secrets,
        tokens: Tokens,
        address: Option<String>,
    ) -> Result<Settled, ApiError> {
        let gain = self.gain(flow, &secrets, &tokens).await?;
        let Some(id) = &flow.connection else {
            return self.insert_connected(flow, gain, address).await;
        };
        let before = match self.present(&flow.scope, id).await {
            Err(ApiError::NotFound) => return Ok(Settled::Failed("The connection was deleted meanwhile.".to_owned())),
            before => before?,
        };
        if let Some(Evidence { verdict: Verdict::Rejected { reason, .. }, .. }) = &gain.proof.evidence {
            return Ok(Settled::Failed(format!("{reason} What was connected before stays in force.")));
        }
        if let Some((was, is)) = in_doubt(&before, &gain.proof) {
            let mut waiting = secrets;
            keep(&tokens, &mut waiting);
            let sealed = self.seal_flow(&flow.scope, &flow.id, flow.version + 1, &waiting).await?;
            let stage = FlowStage::OtherAccount { was: was.clone(), is: is.clone() };
            // Whoever asked may be gone, as with a link: it waits for somebody to decide.
            let expires_at = flow.expires_at.max(self.clock.now().plus(LINK_LIFE));
            self.store.advance_flow(&StoredFlow { expires_at, ..flow.clone() }, stage, sealed).await?;
            return Ok(Settled::OtherAccount { was, is });
        }
        let replaced = self.replace_connected(flow, before, gain, address).await?;
        Ok(replaced.map_or_else(|| Settled::Failed(CALLED_OFF.to_owned()), |_| Settled::Connected))
    }

    /// Another account came back: puts it in the place of the one before, or drops it.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::NotFound`], [`ApiError::Unavailable`].
    pub async fn decide_connect(
        &self,
        caller: &Caller,
        environment: Environment,
        id: FlowId,
        replace: bool,
    ) -> Result<Progress, ApiError> {
        caller.scope(Action::EditConnection, environment)?;
        let flow = self.flow_of(caller, environment, &id).await?;
        if !matches!(flow.stage, FlowStage::OtherAccount { .. }) {
            return self.progress(&flow, self.clock.now()).await;
        }
        if !replace {
            self.fail_flow(&flow, "The account connected before was kept.").await?;
            return self.connect_progress(caller, environment, id).await;
        }
        let services = self.clone();
        let address = caller.address.clone();
        match self.finish(async move { services.replace_with_waiting(&flow, address).await }).await? {
            Some(summary) => Ok(Progress::Connected { summary: Box::new(summary) }),
            None => self.connect_progress(caller, environment, id).await,
        }
    }

    async fn replace_with_waiting(
        &self,
        flow: &StoredFlow,
        address: Option<String>,
    ) -> Result<Option<Summary>, ApiError> {
        let mut secrets = self.open_flow_secrets(flow).await?;
        let tokens = take(&mut secrets).ok_or(ApiError::Internal)?;
        let id = flow.connection.as_ref().ok_or(ApiError::Internal)?;
        let before = self.present(&flow.scope, id).await?;
        let gain = self.gain(flow, &secrets, &tokens).await?;
        self.replace_connected(flow, before, gain, address).await
    }

    /// What the tokens give: asks the service whose account it is.
    async fn gain(&self, flow: &StoredFlow, secrets: &Secrets, tokens: &Tokens) -> Result<Gain, ApiError> {
        let chosen = self.method_of(flow).await?;
        let (definition, method) = chosen.parts();
        let oauth = method.by_person().ok_or(ApiError::Internal)?;
        let now = self.clock.now();
        let mut candidate = Candidate {
            config: flow.request.config.clone(),
            secrets: secrets.clone(),
            stored: secrets.iter().map(|(field, _)| StoredSecret { field: field.to_owned(), stored_at: now }).collect(),
            destination: None,
            grant: None,
            missing: Vec::new(),
        };
        let asked = &flow.request.scopes;
        let request = &flow.request;
        let party = self.party_of(&flow.scope, &request.component, method, &request.config, secrets).await?;
        let name = name_of(method, &definition.slug);
        let client = (name.as_str(), party.as_ref().map(Party::client_id));
        let (grant, ends_at) = self.grant_of(method, client, asked, tokens, now);
        candidate.grant = Some(grant);
        put_tokens(tokens, &mut candidate);
        candidate.destination = Some(destination(method, &candidate.config));
        let live = unbounded_channel().0;
        let mut evidence = match self.prove(definition, method, &candidate.config, &candidate.secrets, live).await {
            // The tokens are good; whose account it is, the schedule asks later.
            Err(ApiError::Busy) => Evidence::none(now, "Not asked yet: too many checks ran at once."),
            evidence => by_provider(evidence?),
        };
        let missing = missing(oauth, asked, tokens.scopes.as_deref());
        if !missing.is_empty() && matches!(evidence.verdict, Verdict::Valid | Verdict::Limited { .. }) {
            evidence.verdict = Verdict::Limited { missing };
        }
        if let Some(granted) = &tokens.scopes {
            evidence.account.scopes = known_by(oauth, granted);
        }
        self.content_with_client(&flow.scope, client.0).await?;
        let mut proof = proof_of(evidence, now);
        proof.expires_at = ends_at.or(proof.expires_at);
        Ok(Gain { chosen, candidate, proof })
    }

    async fn insert_connected(
        &self,
        flow: &StoredFlow,
        gain: Gain,
        address: Option<String>,
    ) -> Result<Settled, ApiError> {
        let Gain { chosen, candidate, proof } = gain;
        let (definition, method) = chosen.parts();
        let id = ConnectionId::from_bytes(self.random.uuid_v7(self.clock.now())?);
        let credentials = self.seal(&flow.scope, &id, &method.id, 1, candidate, proof).await?;
        let request = &flow.request;
        let about = if request.by_link { "account connected by link" } else { "account connected" };
        for name in names(&request.name) {
            let new = NewConnection {
                id: id.clone(),
                owner: request.owner.clone(),
                component: definition.slug.clone(),
                own_component: method.is_own(),
                name,
                tags: request.tags.clone(),
                credentials: credentials.clone(),
                // Whatever is repeated, a flow makes one connection.
                request_id: Some(flow.id.to_string()),
                request_digest: None,
            };
            let entry = self.flow_audit(flow, AuditAction::Created, about, address.clone());
            match self.store.insert_connected(&flow.scope, new, entry, ending(flow)).await {
                // The account's owner is not there to choose another name: a number is added.
                Err(StoreError::NameTaken) => {}
                Err(StoreError::Stale) => return Ok(Settled::Failed(CALLED_OFF.to_owned())),
                inserted => return inserted.map(|_| Settled::Connected).map_err(Into::into),
            }
        }
        Err(ApiError::NameTaken { component: definition.name.clone(), name: request.name.to_string() })
    }

    /// `None` where the flow was called off meanwhile: then nothing has changed.
    async fn replace_connected(
        &self,
        flow: &StoredFlow,
        mut before: StoredConnection,
        gain: Gain,
        address: Option<String>,
    ) -> Result<Option<Summary>, ApiError> {
        let Gain { chosen, candidate, proof } = gain;
        let method = chosen.method();
        let id = before.summary.id.clone();
        for _ in 0..ATTEMPTS {
            let (secrets, version) = (before.secret_version, before.summary.version);
            let (candidate, proof) = (candidate.clone(), proof.clone());
            let about = proof.account.identity.clone().unwrap_or_default();
            let credentials = self.seal(&flow.scope, &id, &method.id, secrets + 1, candidate, proof).await?;
            let ends = Some(ending(flow));
            let change = Change { credentials: Some(credentials), replaces: Some(secrets), ends, ..Change::default() };
            let entry = self.flow_audit(flow, AuditAction::Reconnected, &about, address.clone());
            match self.store.update(&flow.scope, &id, version, change, entry).await {
                Err(StoreError::Stale) => {
                    let now = self.store.flow_now(flow).await?;
                    if now.is_none_or(|now| now.version != flow.version) {
                        return Ok(None);
                    }
                    // Renewed or edited meanwhile: what was renewed is what is replaced.
                    before = self.present(&flow.scope, &id).await?;
                }
                updated => return Ok(Some(updated?)),
            }
        }
        Err(ApiError::Busy)
    }

    /// In the name of whoever began it, from where it was carried through.
    fn flow_audit(&self, flow: &StoredFlow, action: AuditAction, about: &str, address: Option<String>) -> AuditEntry {
        AuditEntry {
            at: self.clock.now(),
            actor: flow.actor.clone(),
            actor_name: flow.actor_name.clone(),
            address,
            action,
            about: about.to_owned(),
        }
    }
}

fn ending(flow: &StoredFlow) -> EndingFlow {
    EndingFlow { id: flow.id.clone(), version: flow.version }
}

/// Whose account it was and whose it is, where that is not known to be the same: before anything is replaced, somebody
/// has to decide. What works is not given up, either, for what could not be checked.
fn in_doubt(before: &StoredConnection, proof: &Proof) -> Option<(String, String)> {
    let unproven = proof.evidence.as_ref().and_then(|evidence| match &evidence.verdict {
        Verdict::NoEvidence { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    let (was, is) = (&before.summary.account, &proof.account.identity);
    match before.credentials.proof.account.is_that_of(&proof.account) {
        Some(true) => return None,
        Some(false) => {
            let was = was.clone().unwrap_or_else(|| BEFORE.to_owned());
            let is = is.clone().filter(|is| *is != was);
            return Some((was, is.unwrap_or_else(|| "another account by its id".to_owned())));
        }
        None => {}
    }
    match (was, is) {
        (Some(was), Some(is)) => Some((was.clone(), is.clone())),
        (Some(was), None) => Some((was.clone(), unnamed(unproven))),
        (None, _) => {
            let works = before.summary.health.status() == Status::Active;
            unproven.filter(|_| works).map(|reason| (BEFORE.to_owned(), unnamed(Some(reason))))
        }
    }
}

fn unnamed(reason: Option<&str>) -> String {
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("an account that could not be told just now{reason}")
}

/// A name, and the same with a number behind it.
fn names(name: &ConnectionName) -> impl Iterator<Item = ConnectionName> {
    let first = name.clone();
    let stem: String = name.as_str().chars().take(110).collect();
    let numbered = (2..ATTEMPTS).filter_map(move |n| ConnectionName::try_from(format!("{stem} {n}")).ok());
    std::iter::once(first).chain(numbered)
}

/// What is known of tokens beside themselves.
#[derive(Serialize, Deserialize)]
struct Facts {
    issued_at: Timestamp,
    expires_at: Option<Timestamp>,
    refresh_expires_at: Option<Timestamp>,
    scopes: Option<Vec<String>>,
    captured: FieldValues,
}

/// Puts tokens among a flow's secrets, until somebody has decided.
fn keep(tokens: &Tokens, secrets: &mut Secrets) {
    let Tokens { access_token, refresh_token, issued_at, expires_at, refresh_expires_at, scopes, captured } = tokens;
    secrets.insert(ACCESS, access_token.clone());
    if let Some(token) = refresh_token {
        secrets.insert(REFRESH, token.clone());
    }
    for (id, secret) in captured.secret.iter() {
        secrets.insert(&format!("{CAPTURED}{id}"), secret.clone());
    }
    let facts = Facts {
        issued_at: *issued_at,
        expires_at: *expires_at,
        refresh_expires_at: *refresh_expires_at,
        scopes: scopes.clone(),
        captured: captured.plain.clone(),
    };
    secrets.insert(FACTS, SecretText::new(serde_json::to_string(&facts).unwrap_or_default()));
}

/// Takes them out again.
fn take(secrets: &mut Secrets) -> Option<Tokens> {
    let (access_token, refresh_token, facts) = (secrets.take(ACCESS)?, secrets.take(REFRESH), secrets.take(FACTS)?);
    let Facts { issued_at, expires_at, refresh_expires_at, scopes, captured } =
        serde_json::from_str(facts.reveal()).ok()?;
    let mut captured = Captured { plain: captured, secret: Secrets::default() };
    let kept: Vec<String> = secrets.iter().filter_map(|(id, _)| id.strip_prefix(CAPTURED)).map(str::to_owned).collect();
    for id in kept {
        captured.secret.insert(&id, secrets.take(&format!("{CAPTURED}{id}"))?);
    }
    Some(Tokens { access_token, refresh_token, issued_at, expires_at, refresh_expires_at, scopes, captured })
}
