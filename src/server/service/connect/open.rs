//! The page before the service is opened: the flow is bound to its browser, and the request to the provider made.

use serde::Serialize;

use super::WINDOW_LIFE;
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::server::catalog::oauth::OAuth;
use crate::server::oauth::{Authorization, OAuthError, Verifier};
use crate::server::service::Services;
use crate::server::store::record::FlowStage;
use crate::server::store::{Opening, StoreError, StoredFlow};
use crate::server::token;
use crate::server::vault::{SecretText, Secrets};

/// The PKCE verifier, among a flow's secrets.
pub(super) const VERIFIER: &str = "pkce_verifier";

/// What is about to be connected, for the person to confirm. Serialised for that page alone.
#[derive(Clone, Debug, Serialize)]
pub struct Consent {
    pub component: String,
    /// Path below the site's base; empty: none.
    pub icon: String,
    pub workspace: String,
    pub environment: &'static str,
    pub name: String,
    pub reconnect: bool,
    /// What it will be able to do, in words.
    pub scopes: Vec<String>,
    /// Whose page comes next: a person may have typed the address.
    pub host: String,
    /// Where to go on.
    pub authorize_url: String,
}

impl Services {
    /// Opens the page of a flow; `None` where the code is worth nothing any more, or another browser opened it first.
    /// The same browser may open it again.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`]; [`ApiError::Invalid`] where the client is gone.
    pub async fn open_connect(&self, code: &str, browser: &SecretText) -> Result<Option<Consent>, ApiError> {
        let Some(flow) = self.store.flow_by_code(token::hash(code), self.clock.now()).await? else { return Ok(None) };
        let browser_hash = token::hash(browser.reveal());
        let openable = match flow.stage {
            FlowStage::Asked => true,
            FlowStage::Opened => flow.browser_hash == Some(browser_hash),
            _ => false,
        };
        if !openable {
            return Ok(None);
        }
        let mut secrets = self.open_flow_secrets(&flow).await?;
        let (state, verifier) = (token::draw(&self.random, "")?, Verifier::draw(&self.random)?);
        let consent = self.consent(&flow, &secrets, &state, &verifier).await?;
        secrets.insert(VERIFIER, verifier.secret().clone());
        let sealed = self.seal_flow(&flow.scope, &flow.id, flow.version + 1, &secrets).await?;
        let state_expires_at = self.clock.now().plus(WINDOW_LIFE);
        let expires_at = flow.expires_at.max(state_expires_at);
        let state_hash = token::hash(state.reveal());
        let opening = Opening { state_hash, browser_hash, sealed, state_expires_at, expires_at };
        match self.store.open_flow(&flow, opening).await {
            Ok(()) => Ok(Some(consent)),
            Err(StoreError::Stale) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn consent(
        &self,
        flow: &StoredFlow,
        secrets: &Secrets,
        state: &SecretText,
        verifier: &Verifier,
    ) -> Result<Consent, ApiError> {
        let chosen = self.method_of(flow).await?;
        let (definition, method) = chosen.parts();
        let oauth = method.by_person().ok_or(ApiError::Internal)?;
        let request = &flow.request;
        let party = self.party_of(&flow.scope, &request.component, method, &request.config, secrets).await?;
        let party = party.ok_or_else(|| ApiError::field("client", super::NO_CLIENT))?;
        let url = party.provider(method, &request.config, secrets)?.authorize_url(&Authorization {
            redirect_uri: self.oauth.redirect_url_of(method),
            // The provider hands it back: it has to stand in the address.
            state: state.reveal(),
            verifier,
            scopes: &request.scopes,
        });
        let unusable = |error: OAuthError| ApiError::field("method", error.sentence(&definition.name));
        let url = url.map_err(unusable)?;
        Ok(Consent {
            component: definition.name.clone(),
            icon: chosen.form().badge.icon.clone(),
            workspace: self.store.workspace_name(&flow.scope.workspace).await?,
            environment: Environment::label(flow.scope.environment),
            name: request.name.to_string(),
            reconnect: flow.connection.is_some(),
            scopes: words(oauth, &request.scopes),
            host: url.host_str().unwrap_or_default().to_owned(),
            authorize_url: url.into(),
        })
    }
}

/// What is asked for in words; what a person named, by its name.
fn words(oauth: &OAuth, asked: &[String]) -> Vec<String> {
    let known = |asked: &String| oauth.scopes.iter().any(|scope| scope.scope == *asked);
    let named = asked.iter().filter(|asked| !known(asked)).map(|asked| format!("“{asked}”, as the service calls it"));
    let shown = oauth.scopes.iter().filter(|scope| !scope.silent && asked.contains(&scope.scope));
    shown.map(|scope| scope.allows.clone()).chain(named).collect()
}
