//! Where the person is sent to allow access (RFC 6749, section 4.1.1), with proof of the one who asked (RFC 7636).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use std::borrow::Cow;
use std::collections::BTreeMap;
use url::Url;

use super::error::OAuthError;
use super::provider::Provider;
use super::request::{Parameters, add_query, pair};
use super::tokens::Captured;
use crate::server::catalog::template::Encode;
use crate::server::random::{NoRandomness, Random};
use crate::server::vault::SecretText;

/// What only the one who asked can present with the code (RFC 7636, section 4.1). Its `Debug` shows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier(SecretText);

impl Verifier {
    /// 256 random bits.
    ///
    /// # Errors
    /// [`NoRandomness`] where the operating system refuses.
    pub fn draw(random: &Random) -> Result<Self, NoRandomness> {
        Ok(Self(SecretText::new(URL_SAFE_NO_PAD.encode(random.bytes::<32>()?))))
    }

    /// One that was drawn and kept. None for what no drawing gives.
    #[must_use]
    pub fn kept(text: SecretText) -> Option<Self> {
        // The length is the RFC's.
        let drawn = |text: &str| (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        drawn(text.reveal()).then_some(Self(text))
    }

    /// To be sealed.
    #[must_use]
    pub const fn secret(&self) -> &SecretText {
        &self.0
    }

    pub(super) fn for_crate(&self) -> PkceCodeVerifier {
        // The crate sends it with the code, which is its purpose.
        PkceCodeVerifier::new(self.0.reveal().to_owned())
    }

    fn challenge(&self) -> PkceCodeChallenge {
        PkceCodeChallenge::from_code_verifier_sha256(&self.for_crate())
    }
}

/// What one authorization request says.
#[derive(Clone, Copy, Debug)]
pub struct Authorization<'a> {
    pub redirect_uri: &'a str,
    pub state: &'a str,
    pub verifier: &'a Verifier,
    /// All that is asked for: [`Provider::scopes`] gives it.
    pub scopes: &'a [String],
}

impl Provider<'_> {
    /// The address to send the person to.
    ///
    /// # Errors
    /// [`OAuthError::Incomplete`] names the field that makes it none, [`OAuthError::Unsupported`] where there is no
    /// such request.
    pub fn authorize_url(&self, request: &Authorization<'_>) -> Result<Url, OAuthError> {
        let mut url = self.authorize_endpoint()?;
        // Some providers' pages are addressed by a fragment, and read their parameters there (Apollo).
        let fragment = url.fragment().map(str::to_owned);
        url.set_fragment(None);
        let parameters = self.authorize_parameters(&url, request)?;
        match fragment {
            None => add_query(&mut url, &parameters),
            Some(fragment) => {
                let query = parameters.iter().map(pair).collect::<Vec<_>>().join("&");
                let separator = if fragment.contains('?') { '&' } else { '?' };
                url.set_fragment(Some(&format!("{fragment}{separator}{query}")));
            }
        }
        Ok(url)
    }

    /// All parameters but those that the address has of itself.
    fn authorize_parameters(&self, url: &Url, request: &Authorization<'_>) -> Result<Parameters, OAuthError> {
        let mut url = url.clone();
        url.set_query(None);
        let section = self.section;
        let redirect = RedirectUrl::new(request.redirect_uri.to_owned()).map_err(|_| OAuthError::Unsupported)?;
        let client = BasicClient::new(ClientId::new(self.client.id.clone())).set_auth_uri(AuthUrl::from_url(url));
        let mut standard =
            client.authorize_url(|| CsrfToken::new(request.state.to_owned())).set_redirect_uri(Cow::Owned(redirect));
        if self.pkce() {
            standard = standard.set_pkce_challenge(request.verifier.challenge());
        }
        for (parameter, scopes) in self.by_parameter(request.scopes) {
            let joined = scopes.join(&section.scope_separator);
            standard = match parameter {
                "scope" => standard.add_scope(Scope::new(joined)),
                other => standard.add_extra_param(other.to_owned(), joined),
            };
        }
        let (standard, _) = standard.url();
        let mut parameters: Parameters = standard.query_pairs().into_owned().collect();
        let captured = Captured::default();
        let filled = self.filled(&captured);
        for (name, value) in &section.authorize_parameters {
            if let Some(value) = filled.optional(value, Encode::Plain)? {
                parameters.retain(|(given, _)| given != name);
                parameters.push((name.clone(), value));
            }
        }
        parameters.retain(|(name, _)| !section.authorize_omits.contains(name));
        for (name, _) in &mut parameters {
            if let Some(other) = section.names.get(name) {
                other.clone_into(name);
            }
        }
        Ok(parameters)
    }

    /// The scopes by the parameter they are asked for under.
    fn by_parameter<'b>(&'b self, scopes: &'b [String]) -> BTreeMap<&'b str, Vec<&'b str>> {
        let mut sorted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for scope in scopes {
            let known = self.section.scopes.iter().find(|known| known.scope == *scope);
            let parameter = known.and_then(|known| known.parameter.as_deref()).unwrap_or("scope");
            sorted.entry(parameter).or_default().push(scope);
        }
        sorted
    }
}
