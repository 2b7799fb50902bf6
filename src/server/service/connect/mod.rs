//! Connecting an account by OAuth 2.0 (RFC 6749, 7636, 9207): begun by somebody signed in, consented to by whoever owns
//! the account, carried out here.
//!
//! Nothing secret stands in an address that a server, a log or a `Referer` sees, but for the provider's own code and
//! state, which are worth something only once, here, in the browser that opened the page.

mod callback;
mod client;
mod device;
mod open;
mod settle;
mod setup;

pub use callback::{Landing, Redirect};
pub(super) use client::{Party, name_of};
pub use open::Consent;
pub use setup::OAuthSetup;

use super::Services;
use super::caller::Caller;
use super::candidate::{Kept, name_and_tags, take_apart};
use super::destinations::destination;
use super::update::{asked_for_again, moved};
use crate::api::connect::{Begun, ConnectRequest, Progress, Way};
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::field::{FieldProblem, FieldValues};
use crate::domain::id::{ConnectionId, FlowId};
use crate::domain::owner::Sight;
use crate::domain::role::Action;
use crate::domain::time::{DAY, MINUTE, Timestamp};
use crate::server::catalog::Chosen;
use crate::server::catalog::definition::Method;
use crate::server::catalog::oauth::OAuth;
use crate::server::oauth::{Line, OAuthError};
use crate::server::store::record::{AuditAction, FlowRequest, FlowStage, Scope, StoredConnection};
use crate::server::store::{NewFlow, StoreError, StoredFlow};
use crate::server::token;
use crate::server::vault::{SealContext, Secrets};

/// How long a window may stay open, and a link may wait.
const WINDOW_LIFE: i64 = 10 * MINUTE;
const LINK_LIFE: i64 = 7 * DAY;

/// A request whose every part has been checked.
struct Checked {
    chosen: Chosen,
    request: FlowRequest,
    secrets: Secrets,
}

impl Services {
    /// Begins to connect an account.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::Invalid`], [`ApiError::NotFound`], [`ApiError::NameTaken`],
    /// [`ApiError::Unavailable`].
    pub async fn begin_connect(&self, caller: &Caller, request: ConnectRequest) -> Result<Begun, ApiError> {
        let action = if request.reconnect.is_some() { Action::EditConnection } else { Action::CreateConnection };
        let scope = caller.scope(action, request.environment)?;
        let before = match &request.reconnect {
            Some(id) => Some(self.present(&scope, id).await?),
            None => None,
        };
        let mut checked = self.check_connect(&scope, &request, before.as_ref()).await?;
        checked.request.owner = caller.owner_for(request.audience);
        let FlowRequest { component, config, .. } = &checked.request;
        let party = self.party_of(&scope, component, checked.chosen.method(), config, &checked.secrets).await?;
        let party = party.ok_or_else(|| ApiError::field("client", NO_CLIENT))?;
        let by = request.by;
        let life = if by == Way::Link { LINK_LIFE } else { WINDOW_LIFE };
        let mut flow = self.new_flow(caller, scope, request.reconnect, checked.request, life)?;
        let code = token::draw(&self.random, "")?;
        flow.code_hash = token::hash(code.reveal());
        let mut secrets = checked.secrets;
        if by != Way::Device {
            check_addresses(&party, checked.chosen.method(), &flow.request, &secrets)?;
        }
        let device = if by == Way::Device {
            Some(self.begin_device(&party, checked.chosen.parts(), &mut flow, &mut secrets).await?)
        } else {
            None
        };
        let (id, expires_at) = (flow.id.clone(), flow.expires_at);
        flow.sealed = self.seal_flow(&flow.scope, &flow.id, 1, &secrets).await?;
        // Whoever holds the link may connect an account here.
        let name = flow.request.name.to_string();
        let entry = (by == Way::Link).then(|| caller.audit(&self.clock, AuditAction::LinkCreated, &name));
        let store = self.store.clone();
        self.finish(async move { Ok(store.begin_flow(flow, entry).await?) }).await?;
        let url = format!("{}#{}", self.oauth.start_url, code.reveal());
        Ok(Begun { flow: id, url, expires_at, device })
    }

    async fn check_connect(
        &self,
        scope: &Scope,
        request: &ConnectRequest,
        before: Option<&StoredConnection>,
    ) -> Result<Checked, ApiError> {
        let chosen = self.find(&scope.workspace, &request.component, &request.method).await?;
        let (definition, method) = chosen.parts();
        let oauth = method
            .by_person()
            .ok_or_else(|| ApiError::field("method", "This way of authenticating needs no account to be connected."))?;
        let mut problems = Vec::new();
        let named = name_and_tags(&request.name, &request.tags, &mut problems);
        let (values, secrets, stored) = self.kept_of(before, request, method).await?;
        let kept = Kept { secrets: &secrets, stored: &stored };
        let candidate = take_apart(method, &values, Some(&kept), false, self.clock.now());
        let (Some((name, tags)), Ok(candidate)) = (named, candidate.map_err(|found| problems.extend(found))) else {
            return Err(ApiError::Invalid { problems });
        };
        let scopes =
            chosen_scopes(oauth, &request.scopes).map_err(|problem| ApiError::Invalid { problems: vec![problem] })?;
        let by_link = request.by == Way::Link;
        let (component, method_id) = (definition.slug.clone(), method.id.clone());
        let mut config = candidate.config;
        let discovered = self.discover_into(oauth, &mut config).await;
        discovered.map_err(|error| ApiError::field("issuer", undiscovered(&error, &definition.name)))?;
        let scopes = [scopes, own_scopes(oauth, &config)].concat();
        let destination = Some(destination(method, &config));
        let request =
            FlowRequest { component, method: method_id, name, tags, config, scopes, by_link, owner: None, destination };
        let secrets = candidate.secrets.without(&implied(oauth));
        Ok(Checked { chosen, request, secrets })
    }

    /// What a reconnection takes over: fields left empty keep what is stored, unless the secret would go elsewhere.
    async fn kept_of(
        &self,
        before: Option<&StoredConnection>,
        request: &ConnectRequest,
        method: &Method,
    ) -> Result<(FieldValues, Secrets, Vec<crate::api::connections::StoredSecret>), ApiError> {
        let mut values = request.values.clone();
        if before.is_some_and(|before| before.summary.component != request.component) {
            return Err(ApiError::field("component", "A reconnection stays with its component."));
        }
        let Some(before) = before.filter(|before| before.credentials.method == method.id) else {
            return Ok((values, Secrets::default(), Vec::new()));
        };
        let stored = &before.credentials.config;
        for field in method.fields.iter().filter(|field| !field.secret) {
            if let (None, Some(value)) = (values.get(&field.id), stored.get(&field.id)) {
                values.set(&field.id, value);
            }
        }
        let secrets = self.stored_secrets(before).await?;
        let Some(place) = moved(before, method, &values) else {
            return Ok((values, secrets, before.credentials.secrets.clone()));
        };
        let problems = asked_for_again(&method.fields, place, &values, &secrets);
        if problems.is_empty() {
            Ok((values, Secrets::default(), Vec::new()))
        } else {
            Err(ApiError::Invalid { problems })
        }
    }

    fn new_flow(
        &self,
        caller: &Caller,
        scope: Scope,
        connection: Option<ConnectionId>,
        request: FlowRequest,
        life: i64,
    ) -> Result<NewFlow, ApiError> {
        let now = self.clock.now();
        let by = caller.audit(&self.clock, AuditAction::Created, "");
        Ok(NewFlow {
            id: FlowId::from_bytes(self.random.uuid_v7(now)?),
            scope,
            connection,
            actor: by.actor,
            actor_name: by.actor_name,
            owner: match caller.sight() {
                Sight::User(id) => Some(id),
                Sight::Everybody | Sight::Workspace => None,
            },
            code_hash: [0; 32],
            request,
            sealed: Vec::new(),
            stage: FlowStage::Asked,
            created_at: now,
            expires_at: now.plus(life),
        })
    }

    /// How far a flow is; asks the provider where a person enters a code there.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::NotFound`], [`ApiError::Unavailable`].
    pub async fn connect_progress(
        &self,
        caller: &Caller,
        environment: Environment,
        id: FlowId,
    ) -> Result<Progress, ApiError> {
        let flow = self.flow_of(caller, environment, &id).await?;
        let flow = if matches!(flow.stage, FlowStage::Device { .. }) { self.ask_device(flow).await? } else { flow };
        self.progress(&flow, self.clock.now()).await
    }

    async fn progress(&self, flow: &StoredFlow, now: Timestamp) -> Result<Progress, ApiError> {
        let over = flow.expires_at <= now;
        Ok(match &flow.stage {
            FlowStage::Connected { connection } => {
                Progress::Connected { summary: Box::new(self.present(&flow.scope, connection).await?.summary) }
            }
            FlowStage::Failed { message } => Progress::Failed { message: message.clone() },
            _ if over => Progress::Expired,
            FlowStage::OtherAccount { was, is } => Progress::OtherAccount { was: was.clone(), is: is.clone() },
            FlowStage::Asked | FlowStage::Device { .. } => Progress::Waiting,
            FlowStage::Opened | FlowStage::Exchanging => Progress::Opened,
        })
    }

    /// Gives a flow up: what comes back later is refused.
    ///
    /// # Errors
    /// As [`Services::connect_progress`].
    pub async fn cancel_connect(&self, caller: &Caller, environment: Environment, id: FlowId) -> Result<(), ApiError> {
        let flow = self.flow_of(caller, environment, &id).await?;
        if matches!(flow.stage, FlowStage::Connected { .. } | FlowStage::Failed { .. }) {
            return Ok(());
        }
        self.fail_flow(&flow, "This was called off in Patchbay.").await
    }

    async fn flow_of(&self, caller: &Caller, environment: Environment, id: &FlowId) -> Result<StoredFlow, ApiError> {
        let scope = caller.scope(Action::CreateConnection, environment)?;
        self.store.flow(&scope, id).await?.ok_or(ApiError::NotFound)
    }

    /// Ends a flow with a sentence for people, and destroys what was sealed in it.
    async fn fail_flow(&self, flow: &StoredFlow, message: impl Into<String>) -> Result<(), ApiError> {
        let stage = FlowStage::Failed { message: message.into() };
        match self.store.advance_flow(flow, stage, Vec::new()).await {
            // It went on meanwhile, or ended.
            Ok(_) | Err(StoreError::Stale) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn seal_flow(
        &self,
        scope: &Scope,
        id: &FlowId,
        version: i64,
        secrets: &Secrets,
    ) -> Result<Vec<u8>, ApiError> {
        Ok(self.vault.seal(&flow_context(scope, id, version), secrets).await?)
    }

    async fn open_flow_secrets(&self, flow: &StoredFlow) -> Result<Secrets, ApiError> {
        let context = flow_context(&flow.scope, &flow.id, flow.version);
        Ok(self.vault.open_sealed(&context, &flow.sealed).await?)
    }

    /// Component and method of a flow, as the catalog has them now; not if by now its secrets would go elsewhere than
    /// when it was begun.
    async fn method_of(&self, flow: &StoredFlow) -> Result<Chosen, ApiError> {
        let request = &flow.request;
        let chosen = self.find(&flow.scope.workspace, &request.component, &request.method).await?;
        let begun_for = request.destination.as_ref();
        if begun_for.is_some_and(|begun_for| *begun_for != destination(chosen.method(), &request.config)) {
            return Err(ApiError::field("component", CHANGED));
        }
        Ok(chosen)
    }

    /// The way to providers.
    pub(super) fn line(&self) -> Line {
        Line::new(self.prober.dialer(), self.clock.clone())
    }
}

/// Why nothing was learned of the issuer that a person named, and what to do.
/// Where a person gives the provider's addresses, they have to be there: whoever opens the window or the link could not
/// mend that.
fn check_addresses(party: &Party, method: &Method, request: &FlowRequest, secrets: &Secrets) -> Result<(), ApiError> {
    if method.by_person().is_none_or(|oauth| oauth.discovery.is_none()) {
        return Ok(());
    }
    if party.provider(method, &request.config, secrets)?.has_addresses() {
        return Ok(());
    }
    Err(ApiError::field("issuer", "Give the issuer; or, where there is none, both addresses below it."))
}

fn undiscovered(error: &OAuthError, component: &str) -> String {
    match error {
        OAuthError::Unsupported => {
            "Nothing is published at this issuer. Check the address, or leave it empty and give the \
                                    authorization and token URL instead."
                .to_owned()
        }
        OAuthError::WrongIssuer => {
            "What is published there names another issuer than this. Give it exactly as the provider \
                                    writes it, with or without the slash at its end."
                .to_owned()
        }
        other => other.sentence(component),
    }
}

const CHANGED: &str = "The component has changed since this was begun, so nothing is sent there. Connect again.";
const NO_CLIENT: &str = "There is no OAuth client for this service yet. Set one up first.";

fn flow_context<'a>(scope: &'a Scope, id: &'a FlowId, version: i64) -> SealContext<'a> {
    SealContext { scope, holder: id.as_str(), method: "oauth flow", secret_version: version }
}

/// Secrets that are obtained and not typed.
fn implied(oauth: &OAuth) -> Vec<String> {
    let captured = oauth.captures.iter().filter(|capture| capture.secret).map(|capture| capture.id.clone());
    captured.chain(super::tokens::TOKENS.iter().map(|id| (*id).to_owned())).collect()
}

/// The required scopes and those of the optional ones that were wanted.
fn chosen_scopes(oauth: &OAuth, wanted: &[String]) -> Result<Vec<String>, FieldProblem> {
    let known = |scope: &String| oauth.scopes.iter().any(|known| &known.scope == scope);
    if let Some(unknown) = wanted.iter().find(|scope| !known(scope)) {
        let unknown: String = unknown.chars().take(80).collect();
        return Err(FieldProblem::new("scopes", format!("This component does not ask for “{unknown}”. Leave it out.")));
    }
    let asked = oauth.scopes.iter().filter(|scope| !scope.optional || wanted.contains(&scope.scope));
    Ok(asked.map(|scope| scope.scope.clone()).collect())
}

/// The scopes that a person named.
pub(super) fn own_scopes(oauth: &OAuth, config: &FieldValues) -> Vec<String> {
    let named = oauth.scopes_from.as_ref().and_then(|field| config.get(field)).unwrap_or_default();
    named.split_whitespace().map(str::to_owned).collect()
}
