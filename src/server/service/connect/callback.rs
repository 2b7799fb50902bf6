//! The provider has sent the person back: its answer is checked, traded for tokens, and settled.

use super::open::VERIFIER;
use super::settle::Settled;
use super::setup::is_typed;
use crate::api::error::ApiError;
use crate::server::oauth::{Authorization, OAuthError, Tokens, Verifier};
use crate::server::service::Services;
use crate::server::store::record::FlowStage;
use crate::server::store::{StoreError, StoredFlow};
use crate::server::token;
use crate::server::vault::{SecretText, Secrets};

/// What came back from a provider.
pub struct Redirect {
    pub parameters: Vec<(String, String)>,
    /// Whether it came in where providers of typed addresses send people back to.
    pub typed: bool,
    /// The cookie of the browser it came with.
    pub browser: Option<SecretText>,
    /// Network address, for the audit trail.
    pub address: Option<String>,
}

/// How it ended, for the page that the person sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    Connected {
        component: String,
    },
    /// Not decided yet: the page that began it asks.
    OtherAccount {
        component: String,
        was: String,
        is: String,
    },
    Failed {
        message: String,
    },
}

const UNKNOWN: &str = "This answer belongs to nothing that was begun in this browser in the last minutes. Close this \
                       window and connect again from Patchbay.";

impl Services {
    /// Takes the provider's answer. The state in it is good for one answer, from the browser that was sent with it.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`].
    pub async fn land(&self, redirect: Redirect) -> Result<Landing, ApiError> {
        let Some(flow) = self.awaited(&redirect).await? else {
            return Ok(Landing::Failed { message: UNKNOWN.to_owned() });
        };
        let secrets = self.open_flow_secrets(&flow).await?;
        let kept = self.seal_flow(&flow.scope, &flow.id, flow.version + 1, &secrets).await?;
        let flow = match self.store.advance_flow(&flow, FlowStage::Exchanging, kept).await {
            Ok(flow) => flow,
            Err(StoreError::Stale) => return Ok(Landing::Failed { message: UNKNOWN.to_owned() }),
            Err(error) => return Err(error.into()),
        };
        // Once the code is on its way, what it brings is kept, whoever closes the window meanwhile.
        let services = self.clone();
        self.finish(async move { services.carry_through(flow, secrets, redirect).await }).await
    }

    /// The flow whose state this is, if this browser opened it.
    async fn awaited(&self, redirect: &Redirect) -> Result<Option<StoredFlow>, ApiError> {
        let Some(browser) = &redirect.browser else { return Ok(None) };
        let browser_hash = token::hash(browser.reveal());
        for name in self.catalog.state_names() {
            let Some((_, state)) = redirect.parameters.iter().find(|(given, _)| given == name) else { continue };
            let flow = self.store.flow_by_state(token::hash(state), self.clock.now()).await?;
            let Some(flow) = flow.filter(|flow| flow.browser_hash == Some(browser_hash)) else { continue };
            if self.lands_at(&flow, redirect.typed).await {
                return Ok(Some(flow));
            }
        }
        Ok(None)
    }

    /// Whether the flow was sent away with the redirect URL that was called: another provider's answer to our state is
    /// none (RFC 9700, section 4.4).
    async fn lands_at(&self, flow: &StoredFlow, typed: bool) -> bool {
        self.method_of(flow).await.is_ok_and(|chosen| is_typed(chosen.method()) == typed)
    }

    async fn carry_through(
        &self,
        flow: StoredFlow,
        mut secrets: Secrets,
        redirect: Redirect,
    ) -> Result<Landing, ApiError> {
        let verifier = secrets.take(VERIFIER).and_then(Verifier::kept).ok_or(ApiError::Internal)?;
        let landing = match self.exchange(&flow, &secrets, &verifier, &redirect.parameters).await {
            Ok(tokens) => self.settle(&flow, secrets, tokens, redirect.address).await,
            Err(Refusal::OAuth(error)) => self.note_refusal(&flow, &error).await,
            Err(Refusal::Api(error)) => Err(error),
        };
        match landing {
            Ok(Settled::Connected) => Ok(Landing::Connected { component: self.component_name(&flow).await }),
            Ok(Settled::OtherAccount { was, is }) => {
                Ok(Landing::OtherAccount { component: self.component_name(&flow).await, was, is })
            }
            Ok(Settled::Failed(message)) => {
                self.fail_flow(&flow, message.as_str()).await?;
                Ok(Landing::Failed { message })
            }
            Err(error) => {
                self.fail_flow(&flow, error.to_string()).await?;
                Err(error)
            }
        }
    }

    async fn exchange(
        &self,
        flow: &StoredFlow,
        secrets: &Secrets,
        verifier: &Verifier,
        parameters: &[(String, String)],
    ) -> Result<Tokens, Refusal> {
        let chosen = self.method_of(flow).await?;
        let method = chosen.method();
        let request = &flow.request;
        let party = self.party_of(&flow.scope, &request.component, method, &request.config, secrets).await?;
        let party = party.ok_or_else(|| ApiError::field("client", super::NO_CLIENT))?;
        let provider = party.provider(method, &request.config, secrets)?;
        let answer = provider.read_redirect(parameters)?;
        let asked = Authorization {
            redirect_uri: self.oauth.redirect_url_of(method),
            // It was used up to find the flow.
            state: "",
            verifier,
            scopes: &request.scopes,
        };
        Ok(provider.exchange(&self.line(), &asked, &answer).await?)
    }

    /// What the provider said against it; against the client, where it is the client's fault.
    pub(super) async fn note_refusal(&self, flow: &StoredFlow, error: &OAuthError) -> Result<Settled, ApiError> {
        let chosen = self.method_of(flow).await?;
        let (definition, method) = chosen.parts();
        let message = error.sentence(&definition.name);
        if matches!(error, OAuthError::WrongClient(_)) && method.by_person().is_some() {
            let client = super::client::name_of(method, &definition.slug);
            self.discontent_with_client(&flow.scope, &client, &message).await?;
        }
        Ok(Settled::Failed(message))
    }

    async fn component_name(&self, flow: &StoredFlow) -> String {
        let chosen = self.method_of(flow).await;
        chosen.map_or_else(|_| flow.request.component.to_string(), |chosen| chosen.definition().name.clone())
    }
}

/// Why there are no tokens.
enum Refusal {
    OAuth(OAuthError),
    Api(ApiError),
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}
