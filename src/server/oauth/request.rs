//! A request to a provider before it is written out: parameters, how they are sent, and how the client proves itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use hyper::{Method, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeMap;
use url::{Position, Url, form_urlencoded};

use super::error::OAuthError;
use super::line::Line;
use super::provider::{Client, Filled};
use crate::server::catalog::oauth::{ClientAuthentication, TokenBody};
use crate::server::catalog::template::Encode;
use crate::server::dial::http::{Answer, USER_AGENT as OWN_NAME};
use crate::server::vault::SecretText;

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Names and values, in order.
pub(super) type Parameters = Vec<(String, String)>;

/// A request.
pub(super) struct Call {
    pub method: Method,
    pub url: Url,
    pub parameters: Parameters,
    pub sent_as: TokenBody,
    /// In place of parameters.
    pub document: Option<serde_json::Value>,
    pub headers: HeaderMap,
}

impl Call {
    pub(super) fn new(method: Method, url: Url, sent_as: TokenBody, parameters: Parameters) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        Self { method, url, parameters, sent_as, document: None, headers }
    }

    pub(super) fn get(url: Url, parameters: Parameters) -> Self {
        Self::new(Method::GET, url, TokenBody::Query, parameters)
    }

    pub(super) fn post(url: Url, parameters: Parameters) -> Self {
        Self::new(Method::POST, url, TokenBody::Form, parameters)
    }

    /// Adds headers of the component's file.
    pub(super) fn with_headers(
        mut self,
        templates: &BTreeMap<String, String>,
        filled: Filled<'_>,
    ) -> Result<Self, OAuthError> {
        self.headers.extend(headers(templates, filled)?);
        Ok(self)
    }

    pub(super) fn with_bearer(mut self, token: &SecretText) -> Result<Self, OAuthError> {
        // The token is shown to the provider that gave it out.
        let value = header_value(&format!("Bearer {}", token.reveal()), "access_token")?;
        self.headers.insert(AUTHORIZATION, value);
        Ok(self)
    }

    /// Proves the client (RFC 6749, section 2.3.1).
    pub(super) fn prove(mut self, client: &Client, how: ClientAuthentication) -> Result<Self, OAuthError> {
        // The provider is shown the secret it gave out.
        let secret = client.secret.as_ref().map(SecretText::reveal);
        match (how, secret) {
            (ClientAuthentication::Basic, Some(secret)) => {
                let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let (id, secret) = (encoded(&client.id), encoded(secret));
                self.headers.insert(AUTHORIZATION, basic(&id, &secret)?);
            }
            (ClientAuthentication::BasicRaw, Some(secret)) => {
                self.headers.insert(AUTHORIZATION, basic(&client.id, secret)?);
            }
            (ClientAuthentication::Body, Some(secret)) => {
                self.set("client_id", &client.id);
                self.set("client_secret", secret);
            }
            (_, None) | (ClientAuthentication::None, _) => self.set("client_id", &client.id),
        }
        Ok(self)
    }

    fn set(&mut self, name: &str, value: &str) {
        if !self.parameters.iter().any(|(given, _)| given == name) {
            self.parameters.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Gives parameters the provider's own names.
    pub(super) fn renamed(mut self, names: &BTreeMap<String, String>) -> Self {
        for (name, _) in &mut self.parameters {
            if let Some(other) = names.get(name) {
                other.clone_into(name);
            }
        }
        self
    }

    /// Puts it to the provider.
    pub(super) async fn send(self, line: &Line) -> Result<Answer, OAuthError> {
        let (url, request) = self.into_request()?;
        Ok(line.send(&url, request).await?)
    }

    fn into_request(mut self) -> Result<(Url, Request<Bytes>), OAuthError> {
        let bodiless = self.method == Method::GET || self.sent_as == TokenBody::Query;
        let body = if bodiless {
            add_query(&mut self.url, &self.parameters);
            Bytes::new()
        } else if self.sent_as == TokenBody::Json {
            let members = self.parameters.iter().map(|(name, value)| (name.clone(), value.clone().into()));
            let document = self.document.unwrap_or_else(|| serde_json::Value::Object(members.collect()));
            Bytes::from(document.to_string())
        } else {
            let mut form = form_urlencoded::Serializer::new(String::new());
            Bytes::from(form.extend_pairs(&self.parameters).finish())
        };
        if !bodiless {
            let kind = if self.sent_as == TokenBody::Json { "application/json" } else { FORM };
            self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        let host = &self.url[Position::BeforeHost..Position::AfterPort];
        self.headers.insert(HOST, header_value(host, "host")?);
        self.headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(OWN_NAME));
        self.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let target = &self.url[Position::BeforePath..Position::AfterQuery];
        let mut request =
            Request::builder().method(self.method).uri(target).body(body).map_err(|_| OAuthError::Unsupported)?;
        *request.headers_mut() = self.headers;
        Ok((self.url, request))
    }
}

/// Parameters of the component's file; one whose fields are all empty is left out.
pub(super) fn parameters(templates: &BTreeMap<String, String>, filled: Filled<'_>) -> Result<Parameters, OAuthError> {
    let one = |(name, value): (&String, &String)| {
        Ok(filled.optional(value, Encode::Plain)?.map(|value| (name.clone(), value)))
    };
    templates.iter().filter_map(|template| one(template).transpose()).collect()
}

/// Headers of the component's file; an empty one is left out.
pub(super) fn headers(templates: &BTreeMap<String, String>, filled: Filled<'_>) -> Result<HeaderMap, OAuthError> {
    let mut headers = HeaderMap::new();
    for (name, value) in templates {
        if let Some(value) = filled.optional(value, Encode::Header)? {
            let known = HeaderName::try_from(name.as_str()).map_err(|_| OAuthError::Unsupported)?;
            headers.insert(known, header_value(&value, name)?);
        }
    }
    Ok(headers)
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Sets parameters behind those the address has.
pub(super) fn add_query(url: &mut Url, parameters: &Parameters) {
    let own = url.query().filter(|query| !query.is_empty()).map(str::to_owned);
    let query = own.into_iter().chain(parameters.iter().map(pair)).collect::<Vec<_>>().join("&");
    url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
}

/// `name=value`, percent-encoded: read alike by those who take `+` for a space and those who do not.
pub(super) fn pair((name, value): &(String, String)) -> String {
    format!("{}={}", utf8_percent_encode(name, RESERVED), utf8_percent_encode(value, RESERVED))
}

fn basic(id: &str, secret: &str) -> Result<HeaderValue, OAuthError> {
    header_value(&format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))), "client_secret")
}

fn header_value(text: &str, field: &str) -> Result<HeaderValue, OAuthError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| OAuthError::Incomplete { field: field.to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}
