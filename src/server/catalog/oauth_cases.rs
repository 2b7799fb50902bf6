//! What a provider's documentation says of its OAuth 2.0: `catalog/cases/oauth/<slug>.toml`. The build demands it of every
//! method with an OAuth section, the tests replay it.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::cases::Answer;
use super::definition::{Definition, Source};
use super::oauth::{ClientAuthentication, TokenBody};

/// The expectations of one component.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthCases {
    /// The vendor pages they were written from.
    pub sources: Vec<Source>,
    pub methods: Vec<OAuthMethodCases>,
}

/// One way of connecting from beginning to end; several may be of one method.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthMethodCases {
    pub id: String,
    /// What a person tells before connecting.
    pub fields: BTreeMap<String, String>,
    pub client: DocumentedClient,
    pub redirect_uri: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    pub authorize: DocumentedAuthorization,
    pub redirect: DocumentedRedirect,
    pub requests: Vec<DocumentedCall>,
    pub errors: Vec<DocumentedError>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentedClient {
    pub id: String,
    /// Empty: a public client.
    pub secret: String,
}

/// Parameters whose value is `*` have any value; `{state}` and the like stand for what they say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentedAuthorization {
    pub url: String,
    pub parameters: BTreeMap<String, String>,
    pub scope_separator: String,
    #[serde(default)]
    pub may: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentedRedirect {
    pub parameters: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Exchange,
    Lookup,
    Refresh,
    Revoke,
}

/// A request as the vendor documents it; anything else is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentedCall {
    pub name: Purpose,
    pub method: String,
    pub url: String,
    pub sent_as: TokenBody,
    /// All ways that are documented; empty: the client is not named.
    pub client_authentication: Vec<ClientAuthentication>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub parameters: BTreeMap<String, String>,
    #[serde(default)]
    pub may: Vec<String>,
    pub answer: Answer,
    #[serde(default)]
    pub expect: Expectation,
}

/// What is known after a request; left out: not told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expectation {
    pub access_token: Option<String>,
    pub refresh_token: Option<String>,
    /// Seconds.
    pub expires_in: Option<i64>,
    /// RFC 3339.
    pub expires_at: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub captured: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    InvalidGrant,
    InvalidClient,
    InvalidScope,
    AccessDenied,
    Transient,
}

/// A documented answer to exchange or refresh that brings no tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentedError {
    pub request: Purpose,
    #[serde(default)]
    pub note: String,
    pub answer: Answer,
    pub means: Meaning,
}

/// Reads the expectations of a component.
///
/// # Errors
/// What is wrong with the text, or missing from it.
pub fn read(text: &str, definition: &Definition) -> Result<OAuthCases, String> {
    let cases: OAuthCases = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    if cases.sources.is_empty() {
        return Err("sources: name the vendor's pages".to_owned());
    }
    for method in definition.methods.iter().filter(|method| method.oauth.is_some()) {
        let found: Vec<_> = cases.methods.iter().filter(|cases| cases.id == method.id).collect();
        if !found.iter().any(|cases| cases.requests.iter().any(|call| call.name == Purpose::Exchange)) {
            return Err(format!("methods.{}: no request of the name exchange; write it down", method.id));
        }
        for meaning in [Meaning::InvalidGrant, Meaning::InvalidClient, Meaning::Transient] {
            if !found.iter().any(|cases| cases.errors.iter().any(|error| error.means == meaning)) {
                return Err(format!("methods.{}: no error that means {meaning:?}; write one down", method.id));
            }
        }
    }
    Ok(cases)
}
