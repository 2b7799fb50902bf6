//! A client made at the provider by request (RFC 7591).

use hyper::Method;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::error::OAuthError;
use super::line::Line;
use super::provider::Client;
use super::reading::Reading;
use super::request::Call;
use crate::domain::time::Timestamp;
use crate::server::catalog::oauth::{ClientAuthentication, TokenAnswer, TokenBody};
use crate::server::probe::Scrubber;
use crate::server::vault::{SecretText, Secrets};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// The registration endpoint.
    pub url: &'a str,
    pub redirect_uri: &'a str,
    /// What people read at the provider.
    pub name: &'a str,
    pub authentication: ClientAuthentication,
    pub scopes: &'a [String],
    /// Where the provider hands the right to register out beforehand (RFC 7591, section 3).
    pub initial_access_token: Option<&'a SecretText>,
}

/// A client that the provider made. Its `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub client: Client,
    pub secret_expires_at: Option<Timestamp>,
}

/// What is read of the answer (RFC 7591, section 3.2.1).
#[derive(Deserialize)]
struct Registered {
    #[serde(rename = "client_id")]
    id: String,
    #[serde(default, rename = "client_secret")]
    secret: Option<String>,
    /// Seconds since 1970; zero: never.
    #[serde(default, rename = "client_secret_expires_at")]
    secret_ends: i64,
}

/// Makes a client.
///
/// # Errors
/// [`OAuthError::Misunderstood`] with the provider's word where it refuses, [`OAuthError::NoEvidence`].
pub async fn register(line: &Line, wish: &Wish<'_>) -> Result<Registration, OAuthError> {
    let url = Url::parse(wish.url).map_err(|_| OAuthError::Unsupported)?;
    let mut call = Call::new(Method::POST, url, TokenBody::Json, Vec::new());
    call.document = Some(document(wish));
    if let Some(token) = wish.initial_access_token {
        call = call.with_bearer(token)?;
    }
    let answer = call.send(line).await?;
    let mut secrets = Secrets::default();
    if let Some(token) = wish.initial_access_token {
        secrets.insert("token", token.clone());
    }
    let reading = Reading::of(&answer, &TokenAnswer::default(), &Scrubber::new(&secrets), line.now())?;
    match serde_json::from_value::<Registered>(reading.json.clone()) {
        Ok(made) if reading.good && !made.id.is_empty() => {
            let ends = Timestamp::from_seconds(made.secret_ends);
            let secret = made.secret.filter(|secret| !secret.is_empty()).map(SecretText::new);
            let client = Client { id: made.id, secret };
            Ok(Registration { client, secret_expires_at: (ends.0 > 0).then_some(ends) })
        }
        _ => Err(reading.into_error()),
    }
}

fn document(wish: &Wish<'_>) -> serde_json::Value {
    let method = match wish.authentication {
        ClientAuthentication::Basic | ClientAuthentication::BasicRaw => "client_secret_basic",
        ClientAuthentication::Body => "client_secret_post",
        ClientAuthentication::None => "none",
    };
    let mut document = json!({
        "client_name": wish.name, "redirect_uris": [wish.redirect_uri], "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": method,
    });
    if !wish.scopes.is_empty() {
        document["scope"] = json!(wish.scopes.join(" "));
    }
    document
}
