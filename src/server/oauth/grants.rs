//! Grants: a code, a refresh token, the client itself or a signed assertion for tokens.

use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{AuthorizationCode, ClientId, RedirectUrl, RefreshToken, TokenResponse, TokenUrl};
use std::borrow::Cow;
use url::Url;

use super::authorize::Authorization;
use super::capture::{Strictness, text_at};
use super::dialect::{Dialect, Heard, Wanted};
use super::error::{Cause, OAuthError};
use super::expiry::moment;
use super::line::Line;
use super::provider::{Filled, Provider};
use super::redirect::Redirect;
use super::request::{Call, Parameters, parameters};
use super::tokens::{Captured, Held, Tokens};
use crate::domain::time::SECOND;
use crate::server::catalog::oauth::{ACCESS_TOKEN, CaptureFrom, ExpiresAs, LongLived, RefreshBy};
use crate::server::vault::SecretText;

impl Provider<'_> {
    /// Trades the code for tokens (RFC 6749, section 4.1.3), those for long-lived ones where the provider has such, and
    /// captures what has to be kept.
    ///
    /// # Errors
    /// Any [`OAuthError`] but those of the redirect; the code is used up, so the person connects again.
    pub async fn exchange(
        &self,
        line: &Line,
        asked: &Authorization<'_>,
        redirect: &Redirect,
    ) -> Result<Tokens, OAuthError> {
        let (code, proof) = (redirect.code.reveal(), asked.verifier.secret().reveal());
        let extra = self.token_parameters(&redirect.captured, asked.scopes)?;
        let dialect = Dialect::new(self, line, &redirect.captured, &[code, proof])?.adding(extra);
        let client = self.crate_client(self.token_endpoint(&redirect.captured)?);
        let redirect_uri = RedirectUrl::new(asked.redirect_uri.to_owned()).map_err(|_| OAuthError::Unsupported)?;
        // The provider is shown the code it gave out, and the proof that we asked for it.
        let mut request =
            client.exchange_code(AuthorizationCode::new(code.to_owned())).set_redirect_uri(Cow::Owned(redirect_uri));
        if self.pkce() {
            request = request.set_pkce_verifier(asked.verifier.for_crate());
        }
        let (standard, heard) = dialect.outcome(request.request_async(&dialect).await)?;
        let mut tokens = self.tokens(&standard, &heard, Strictness::Whole)?;
        tokens.captured = redirect.captured.clone().and(tokens.captured);
        if let Some(exchange) = &self.section.exchange {
            tokens = self.lengthen(line, exchange, tokens).await?;
        }
        self.completed(line, tokens).await
    }

    /// Renews tokens (RFC 6749, section 6), by refresh token or by the access token itself.
    ///
    /// # Errors
    /// Any [`OAuthError`]. [`super::settle`] tells what follows for the stored tokens.
    pub async fn refresh(&self, line: &Line, held: Held<'_>) -> Result<Tokens, OAuthError> {
        // The provider is shown the tokens it gave out.
        let token = held.access_token.reveal();
        let refresh_token = held.refresh_token.map(SecretText::reveal);
        let own = [(ACCESS_TOKEN, token), ("refresh_token", refresh_token.unwrap_or_default())];
        let nothing = Captured::default();
        let filled = self.filled(&nothing).with(&own);
        let wanted = if self.section.refresh.may_be_empty {
            Wanted::TokensOrGoOn(held.access_token.clone())
        } else {
            Wanted::Tokens
        };
        let secrets = [token, refresh_token.unwrap_or_default()];
        let dialect = Dialect::new(self, line, &nothing, &secrets)?.wanting(wanted);
        let (standard, heard) = match (self.section.refresh.by, refresh_token) {
            (RefreshBy::RefreshToken, Some(refresh_token)) => {
                let dialect = dialect.adding(parameters(&self.section.refresh_parameters, filled)?);
                let client = self.crate_client(self.refresh_endpoint(filled)?);
                let refresh_token = RefreshToken::new(refresh_token.to_owned());
                let request = client.exchange_refresh_token(&refresh_token);
                dialect.outcome(request.request_async(&dialect).await)?
            }
            (RefreshBy::AccessToken, _) => dialect.ask_as_is(self.renewal(filled)?).await?,
            (RefreshBy::RefreshToken, None) | (RefreshBy::Never, _) => return Err(OAuthError::Unsupported),
        };
        let mut tokens = self.tokens(&standard, &heard, Strictness::Lenient)?;
        // No answer without a refresh token overwrites the one that is held.
        tokens.refresh_token = tokens.refresh_token.or_else(|| held.refresh_token.cloned());
        Ok(tokens)
    }

    /// A token for the client itself (RFC 6749, section 4.4).
    ///
    /// # Errors
    /// Any [`OAuthError`] but those of the redirect.
    pub async fn client_credentials(&self, line: &Line, scopes: &[String]) -> Result<Tokens, OAuthError> {
        let nothing = Captured::default();
        let mut extra = self.token_parameters(&nothing, scopes)?;
        self.add_scope(&mut extra, scopes);
        let dialect = Dialect::new(self, line, &nothing, &[])?.adding(extra);
        let client = self.crate_client(self.token_endpoint(&nothing)?);
        let request = client.exchange_client_credentials();
        let (standard, heard) = dialect.outcome(request.request_async(&dialect).await)?;
        let tokens = self.tokens(&standard, &heard, Strictness::Whole)?;
        self.completed(line, tokens).await
    }

    /// Tokens for a grant that the crate has no type for.
    pub(super) async fn granted(
        &self,
        line: &Line,
        mut parameters: Parameters,
        scopes: &[String],
        secrets: &[&str],
    ) -> Result<Tokens, OAuthError> {
        let nothing = Captured::default();
        self.add_scope(&mut parameters, scopes);
        let extra = self.token_parameters(&nothing, scopes)?;
        let dialect = Dialect::new(self, line, &nothing, secrets)?.adding(extra);
        let (standard, heard) = dialect.ask(self.token_endpoint(&nothing)?, parameters).await?;
        self.tokens(&standard, &heard, Strictness::Whole)
    }

    /// The tokens with what only a question tells.
    pub(super) async fn completed(&self, line: &Line, mut tokens: Tokens) -> Result<Tokens, OAuthError> {
        let looked_up = match self.look_up(line, &tokens).await {
            // Tokens are in hand: a moment's trouble is worth a second try.
            Err(OAuthError::NoEvidence(silence)) if silence.cause != Cause::TimedOut => {
                self.look_up(line, &tokens).await?
            }
            told => told?,
        };
        tokens.captured = tokens.captured.and(looked_up);
        Ok(tokens)
    }

    /// Trades a short-lived token for one that lasts.
    async fn lengthen(&self, line: &Line, exchange: &LongLived, short: Tokens) -> Result<Tokens, OAuthError> {
        let token = short.access_token.reveal();
        let own = [(ACCESS_TOKEN, token)];
        let filled = self.filled(&short.captured).with(&own);
        let call = long_lived(exchange, filled.address(&exchange.url)?, parameters(&exchange.parameters, filled)?);
        let dialect = Dialect::new(self, line, &short.captured, &[token])?;
        let (standard, heard) = dialect.ask_as_is(call).await?;
        let long = self.tokens(&standard, &heard, Strictness::Lenient)?;
        Ok(Tokens {
            refresh_token: long.refresh_token.or_else(|| short.refresh_token.clone()),
            scopes: long.scopes.or_else(|| short.scopes.clone()),
            captured: short.captured.clone().and(long.captured),
            ..long
        })
    }

    /// The request that renews an access token by itself.
    fn renewal(&self, filled: Filled<'_>) -> Result<Call, OAuthError> {
        let section = self.section;
        let exchange = section.exchange.as_ref();
        let templates = Some(&section.refresh_parameters).filter(|own| !own.is_empty());
        let templates = templates.or_else(|| exchange.map(|exchange| &exchange.parameters));
        let url = section.refresh_url.as_ref().or_else(|| exchange.map(|exchange| &exchange.url));
        let (Some(templates), Some(url)) = (templates, url) else { return Err(OAuthError::Unsupported) };
        let (url, parameters) = (filled.address(url)?, parameters(templates, filled)?);
        Ok(match exchange {
            Some(exchange) => long_lived(exchange, url, parameters),
            None => Call::post(url, parameters),
        })
    }

    /// What the component's file adds to a request for tokens.
    fn token_parameters(&self, captured: &Captured, scopes: &[String]) -> Result<Parameters, OAuthError> {
        let joined = scopes.join(&self.section.scope_separator);
        let own = [("scopes", joined.as_str())];
        parameters(&self.section.token_parameters, self.filled(captured).with(&own))
    }

    pub(super) fn add_scope(&self, parameters: &mut Parameters, scopes: &[String]) {
        if !scopes.is_empty() {
            parameters.push(("scope".to_owned(), scopes.join(&self.section.scope_separator)));
        }
    }

    fn tokens(
        &self,
        standard: &BasicTokenResponse,
        heard: &Heard,
        strictness: Strictness,
    ) -> Result<Tokens, OAuthError> {
        let words = &self.section.answer;
        let lasts = standard.expires_in().and_then(|span| i64::try_from(span.as_secs()).ok());
        let refresh_expires = words.refresh_expires.as_ref().and_then(|pointer| heard.json.pointer(pointer));
        Ok(Tokens {
            access_token: SecretText::new(standard.access_token().secret().clone()),
            refresh_token: standard.refresh_token().map(|token| SecretText::new(token.secret().clone())),
            issued_at: heard.at,
            expires_at: lasts.map(|seconds| heard.at.plus(seconds.saturating_mul(SECOND))),
            refresh_expires_at: refresh_expires.and_then(|value| moment(value, ExpiresAs::Seconds, heard.at)),
            scopes: standard.scopes().map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect()),
            captured: self.capture(CaptureFrom::Token, strictness, |pointer| text_at(&heard.json, pointer))?,
        })
    }

    /// The crate's client; how it proves itself is the dialect's to say.
    fn crate_client(
        &self,
        token: Url,
    ) -> BasicClient<
        oauth2::EndpointNotSet,
        oauth2::EndpointNotSet,
        oauth2::EndpointNotSet,
        oauth2::EndpointNotSet,
        oauth2::EndpointSet,
    > {
        BasicClient::new(ClientId::new(self.client.id.clone())).set_token_uri(TokenUrl::from_url(token))
    }
}

fn long_lived(exchange: &LongLived, url: Url, parameters: Parameters) -> Call {
    if exchange.query { Call::get(url, parameters) } else { Call::post(url, parameters) }
}
