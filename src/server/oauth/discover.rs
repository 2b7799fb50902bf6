//! What a provider says of itself (RFC 8414; OpenID Connect Discovery 1.0).

use serde::{Deserialize, Serialize};
use url::Url;

use super::error::{Cause, OAuthError, Silence};
use super::line::Line;
use super::request::Call;
use crate::domain::field::FieldValues;
use crate::server::catalog::oauth::ClientAuthentication;
use crate::server::dial::http::Answer;

/// A provider's document, as far as it is used. Holds no secret, and may be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    pub issuer: String,
    #[serde(default)]
    pub authorization_endpoint: Option<String>,
    #[serde(default)]
    pub token_endpoint: Option<String>,
    #[serde(default)]
    pub revocation_endpoint: Option<String>,
    #[serde(default)]
    pub device_authorization_endpoint: Option<String>,
    #[serde(default)]
    pub registration_endpoint: Option<String>,
    #[serde(default)]
    pub userinfo_endpoint: Option<String>,
    #[serde(default)]
    pub scopes_supported: Vec<String>,
    #[serde(default)]
    pub grant_types_supported: Vec<String>,
    #[serde(default)]
    pub code_challenge_methods_supported: Vec<String>,
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

/// What was discovered of a provider stands beside the fields it was discovered by.
const METADATA: &str = "metadata";

impl Metadata {
    /// What was discovered for these fields, if anything was.
    #[must_use]
    pub fn kept_in(config: &FieldValues) -> Option<Self> {
        serde_json::from_str(config.get(METADATA)?).ok()
    }

    /// What people gave, without what was discovered by it.
    pub fn take_out(config: &mut FieldValues) {
        config.0.remove(METADATA);
    }

    pub fn keep_in(&self, config: &mut FieldValues) {
        config.set(METADATA, serde_json::to_string(self).unwrap_or_default());
    }

    /// How a client with a secret proves itself: as is wished where that is offered; where nothing is said, Basic is
    /// (RFC 8414, section 2).
    #[must_use]
    pub fn client_authentication(&self, wished: ClientAuthentication) -> ClientAuthentication {
        let offers = |method: &str| self.token_endpoint_auth_methods_supported.iter().any(|offered| offered == method);
        let basic = offers("client_secret_basic") || !offers("client_secret_post");
        match wished {
            ClientAuthentication::Basic | ClientAuthentication::BasicRaw if !basic => ClientAuthentication::Body,
            ClientAuthentication::Body if !offers("client_secret_post") => ClientAuthentication::Basic,
            wished => wished,
        }
    }

    /// Every endpoint is `https`, or like the issuer `http`, and no more than an address.
    fn is_sound(&self, issuer: &Url) -> bool {
        let endpoints = [
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.revocation_endpoint,
            &self.device_authorization_endpoint,
            &self.registration_endpoint,
            &self.userinfo_endpoint,
        ];
        endpoints.into_iter().flatten().all(|endpoint| {
            Url::parse(endpoint).is_ok_and(|url| {
                let encrypted = url.scheme() == "https" || (url.scheme() == "http" && issuer.scheme() == "http");
                let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
                encrypted && bare && url.has_host()
            })
        })
    }
}

/// Asks a provider about itself. The document has to name the very issuer that was asked (RFC 8414, section 3.3).
///
/// # Errors
/// [`OAuthError::Incomplete`] for what is no issuer, [`OAuthError::WrongIssuer`] where the document names another,
/// [`OAuthError::Unsupported`] where there is none, [`OAuthError::NoEvidence`].
pub async fn discover(line: &Line, issuer: &str) -> Result<Metadata, OAuthError> {
    let base = issuer_url(issuer).ok_or_else(|| OAuthError::Incomplete { field: "issuer".to_owned() })?;
    let mut trouble = None;
    for place in places(&base) {
        // What answers at one place, such as a page for whatever is asked, says nothing of the next.
        match ask(line, place, issuer, &base).await {
            Ok(Some(metadata)) => return Ok(metadata),
            Ok(None) => {}
            Err(error) => trouble = trouble.or(Some(error)),
        }
    }
    Err(trouble.unwrap_or(OAuthError::Unsupported))
}

/// Asks at one place; none where there is nothing.
async fn ask(line: &Line, place: Url, issuer: &str, base: &Url) -> Result<Option<Metadata>, OAuthError> {
    let answer = Call::get(place, Vec::new()).send(line).await?;
    match answer.status {
        200 => read(&answer, issuer, base).map(Some),
        429 => Err(silence(Cause::TooMany, &answer, line)),
        status @ 500.. => Err(silence(Cause::Unavailable(status), &answer, line)),
        _ => Ok(None),
    }
}

fn silence(cause: Cause, answer: &Answer, line: &Line) -> OAuthError {
    Silence { wait: answer.retry_after(line.now()), ..Silence::new(cause) }.into()
}

/// An issuer is an address without query and fragment (RFC 8414, section 2).
fn issuer_url(issuer: &str) -> Option<Url> {
    let url = Url::parse(issuer).ok()?;
    let bare = url.username().is_empty() && url.password().is_none();
    let plain = url.query().is_none() && url.fragment().is_none() && url.has_host();
    (matches!(url.scheme(), "https" | "http") && bare && plain).then_some(url)
}

/// Where the document may lie: between host and path (RFC 8414, section 3.1), or behind the path (OpenID Connect
/// Discovery 1.0, section 4).
fn places(issuer: &Url) -> [Url; 3] {
    let path = issuer.path().trim_end_matches('/');
    [
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/openid-configuration{path}"),
    ]
    .map(|place| {
        let mut url = issuer.clone();
        url.set_path(&place);
        url
    })
}

fn read(answer: &Answer, issuer: &str, base: &Url) -> Result<Metadata, OAuthError> {
    let garbage = || OAuthError::from(Silence::new(Cause::Garbage(answer.status)));
    let metadata: Metadata = serde_json::from_slice(&answer.body).map_err(|_| garbage())?;
    if metadata.issuer != issuer {
        return Err(OAuthError::WrongIssuer);
    }
    if metadata.is_sound(base) { Ok(metadata) } else { Err(garbage()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(issuer: &str) -> Vec<String> {
        places(&issuer_url(issuer).expect("an issuer")).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_document_is_looked_for_where_the_standards_put_it() {
        assert_eq!(
            asked("https://acme.example"),
            [
                "https://acme.example/.well-known/oauth-authorization-server",
                "https://acme.example/.well-known/openid-configuration",
                "https://acme.example/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            asked("https://acme.example/tenant/1/"),
            [
                "https://acme.example/.well-known/oauth-authorization-server/tenant/1",
                "https://acme.example/tenant/1/.well-known/openid-configuration",
                "https://acme.example/.well-known/openid-configuration/tenant/1",
            ]
        );
    }

    #[test]
    fn what_is_no_issuer_is_not_asked() {
        for issuer in ["acme.example", "ftp://acme.example", "https://a@acme.example", "https://acme.example?x", ""] {
            assert_eq!(issuer_url(issuer), None, "{issuer}");
        }
    }

    #[test]
    fn another_issuers_document_and_unsound_endpoints_are_refused() {
        let base = issuer_url("https://acme.example").expect("an issuer");
        let answer = |body: &str| Answer { status: 200, headers: hyper::HeaderMap::new(), body: body.into() };
        let read = |body: &str| read(&answer(body), "https://acme.example", &base);
        let sound = r#"{"issuer":"https://acme.example","token_endpoint":"https://acme.example/token"}"#;
        assert_eq!(read(sound).expect("a document").token_endpoint.as_deref(), Some("https://acme.example/token"));
        for other in [r#"{"issuer":"https://acme.example/"}"#, r#"{"issuer":"https://evil.example"}"#] {
            assert_eq!(read(other), Err(OAuthError::WrongIssuer), "{other}");
        }
        for endpoint in ["http://acme.example/token", "javascript:alert(1)", "https://u:p@acme.example/", "/token"] {
            let body = format!(r#"{{"issuer":"https://acme.example","token_endpoint":"{endpoint}"}}"#);
            assert!(matches!(read(&body), Err(OAuthError::NoEvidence(_))), "{endpoint}");
        }
    }
}
