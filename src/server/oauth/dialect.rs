//! Between the `oauth2` crate, which speaks the standard, and providers, who do not: standard requests are put in the
//! provider's own way, and its answers become standard ones.

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use oauth2::basic::{BasicErrorResponse, BasicTokenResponse};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse, RequestTokenError};
use serde_json::{Value, json};
use std::pin::Pin;
use std::sync::Mutex;
use url::{Url, form_urlencoded};

use super::error::{Cause, OAuthError, Said, Silence};
use super::expiry::moment;
use super::line::Line;
use super::provider::{Client, Provider};
use super::reading::{Reading, error_of};
use super::request::{Call, Parameters, headers};
use super::tokens::Captured;
use crate::domain::time::{SECOND, Timestamp};
use crate::server::catalog::oauth::{ClientAuthentication, OAuth};
use crate::server::probe::Scrubber;
use crate::server::vault::SecretText;

/// What a request is to bring.
pub(super) enum Wanted {
    Tokens,
    /// The provider may say that all is well without a token: then this one goes on.
    TokensOrGoOn(SecretText),
    /// A device code (RFC 8628, section 3.2).
    DeviceCode,
}

/// One standard request and its answer, as this provider would have it.
///
/// It borrows nothing, for the compiler does not see otherwise that what the crate does with it may move between threads.
pub(super) struct Dialect {
    section: OAuth,
    client: Client,
    authentication: ClientAuthentication,
    line: Line,
    wanted: Wanted,
    /// Added to the request, in place of standard ones of the same name.
    extra: Parameters,
    headers: HeaderMap,
    scrub: Scrubber,
    heard: Mutex<Option<Heard>>,
}

/// What the crate makes of an answer.
type Outcome<T> = Result<T, RequestTokenError<OAuthError, BasicErrorResponse>>;

/// What the standard answer has no place for.
pub(super) struct Heard {
    pub json: Value,
    pub at: Timestamp,
    said: Said,
    status: u16,
    wait: Option<i64>,
}

impl Dialect {
    /// `secrets` are taken out of what the provider says; so are the provider's and the client's.
    pub(super) fn new(
        provider: &Provider<'_>,
        line: &Line,
        captured: &Captured,
        secrets: &[&str],
    ) -> Result<Self, OAuthError> {
        let section = provider.section.clone();
        Ok(Self {
            headers: headers(&section.token_headers, provider.filled(captured))?,
            section,
            client: provider.client.clone(),
            authentication: provider.client_authentication(),
            line: provider.line(line),
            wanted: Wanted::Tokens,
            extra: Vec::new(),
            scrub: provider.scrubber(secrets),
            heard: Mutex::default(),
        })
    }

    pub(super) fn adding(self, extra: Parameters) -> Self {
        Self { extra, ..self }
    }

    pub(super) fn wanting(self, wanted: Wanted) -> Self {
        Self { wanted, ..self }
    }

    /// What the crate made of the answer, and what it had no place for.
    pub(super) fn outcome<T>(&self, result: Outcome<T>) -> Result<(T, Heard), OAuthError> {
        let heard = self.heard.lock().ok().and_then(|mut heard| heard.take());
        match (result, heard) {
            (Ok(standard), Some(heard)) => Ok((standard, heard)),
            (Err(RequestTokenError::Request(error)), _) => Err(error),
            (Err(RequestTokenError::ServerResponse(error)), Some(heard)) => {
                Err(error_of(error.error().as_ref(), heard.said, heard.status).after(heard.wait))
            }
            // What the crate says here may hold the answer itself.
            (_, heard) => Err(Silence::new(Cause::Garbage(heard.map_or(0, |heard| heard.status))).into()),
        }
    }

    /// Puts a request that the crate has no type for.
    pub(super) async fn ask(
        &self,
        url: Url,
        parameters: Parameters,
    ) -> Result<(BasicTokenResponse, Heard), OAuthError> {
        let call = self.in_own_words(Call::post(url, parameters))?;
        let answer = self.put(call).await.map_err(RequestTokenError::Request);
        self.outcome(answer.and_then(|answer| read_standard(&answer)))
    }

    /// Puts a request that is the provider's own from beginning to end.
    pub(super) async fn ask_as_is(&self, call: Call) -> Result<(BasicTokenResponse, Heard), OAuthError> {
        let answer = self.put(call).await.map_err(RequestTokenError::Request);
        self.outcome(answer.and_then(|answer| read_standard(&answer)))
    }

    async fn speak(&self, request: HttpRequest) -> Result<HttpResponse, OAuthError> {
        let url = Url::parse(&request.uri().to_string()).map_err(|_| OAuthError::Unsupported)?;
        let parameters = form_urlencoded::parse(request.body()).into_owned().collect();
        self.put(self.in_own_words(Call::post(url, parameters))?).await
    }

    /// The standard parameters with the client's proof, additions, other names and headers of the provider's own.
    fn in_own_words(&self, mut call: Call) -> Result<Call, OAuthError> {
        let (section, client) = (&self.section, &self.client);
        let replaced = |name: &String| self.extra.iter().any(|(extra, _)| extra == name);
        // The crate names the client among the parameters; how it proves itself is said below.
        call.parameters
            .retain(|(name, _)| name != "client_id" && !replaced(name) && !section.token_omits.contains(name));
        call.parameters.extend(self.extra.iter().cloned());
        call.sent_as = section.token_body;
        // A JWT may prove all there is to prove (RFC 7523, section 2.1).
        let anonymous = client.secret.is_none() && client.id.is_empty();
        let call = if anonymous { call } else { call.prove(client, self.authentication)? };
        let mut call = call.renamed(&section.names);
        call.headers.extend(self.headers.clone());
        Ok(call)
    }

    /// Sends it and makes the answer a standard one.
    async fn put(&self, call: Call) -> Result<HttpResponse, OAuthError> {
        let at = self.line.now();
        let answer = call.send(&self.line).await?;
        let reading = Reading::of(&answer, &self.section.answer, &self.scrub, at)?;
        let standard = match &self.wanted {
            // What makes an answer with tokens good says nothing of a device code.
            Wanted::DeviceCode => reading.text("/device_code").is_some().then(|| reading.json.clone()),
            _ if !reading.good => None,
            Wanted::Tokens => standard_tokens(&reading, &self.section, at, None),
            Wanted::TokensOrGoOn(token) => standard_tokens(&reading, &self.section, at, Some(token)),
        };
        let response = match &standard {
            Some(standard) => respond(200, standard),
            None if reading.code.is_empty() => return Err(reading.into_error()),
            None => respond(400, &json!({ "error": reading.code, "error_description": reading.said.description })),
        };
        if let Ok(mut heard) = self.heard.lock() {
            let Reading { json, said, status, wait, .. } = reading;
            *heard = Some(Heard { json, at, said, status, wait });
        }
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Dialect {
    type Error = OAuthError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OAuthError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.speak(request))
    }
}

/// A token answer as RFC 6749, section 5.1, has it; none without a token.
fn standard_tokens(reading: &Reading, section: &OAuth, at: Timestamp, go_on: Option<&SecretText>) -> Option<Value> {
    let words = &section.answer;
    // The token goes on to the one who asked for it.
    let access_token = reading.text(&words.access_token).or_else(|| go_on.map(SecretText::reveal))?;
    let mut standard = json!({ "access_token": access_token, "token_type": "bearer" });
    if let Some(refresh_token) = reading.text(&words.refresh_token) {
        standard["refresh_token"] = json!(refresh_token);
    }
    let told = reading.json.pointer(&words.expires).and_then(|value| moment(value, words.expires_as, at));
    let assumed = words.assumed_lifetime.map(|seconds| at.plus(i64::from(seconds) * SECOND));
    if let Some(end) = told.or(assumed) {
        standard["expires_in"] = json!(end.since(at).max(0) / SECOND);
    }
    let separator = words.scope_separator.as_ref().unwrap_or(&section.scope_separator);
    let scopes = reading.json.pointer(&words.scope).map(|value| granted(value, separator)).unwrap_or_default();
    // Some leave the list empty when it is not told, such as GitHub for its Apps.
    if !scopes.is_empty() {
        standard["scope"] = json!(scopes.join(" "));
    }
    Some(standard)
}

fn granted(value: &Value, separator: &str) -> Vec<String> {
    let scopes: Vec<&str> = match value {
        Value::String(text) => text.split(separator).flat_map(str::split_whitespace).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    scopes.into_iter().map(str::to_owned).collect()
}

fn respond(status: u16, body: &Value) -> HttpResponse {
    let mut response = HttpResponse::new(body.to_string().into_bytes());
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Reads a standard answer as the crate does.
fn read_standard(answer: &HttpResponse) -> Outcome<BasicTokenResponse> {
    let unread = |_| RequestTokenError::Other(String::new());
    if answer.status().is_success() {
        serde_json::from_slice(answer.body()).map_err(unread)
    } else {
        Err(RequestTokenError::ServerResponse(serde_json::from_slice(answer.body()).map_err(unread)?))
    }
}
