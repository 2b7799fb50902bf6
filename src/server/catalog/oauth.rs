//! The OAuth 2.0 section of a component's file: what a provider does, and where it deviates, as data.
//!
//! Sources of the terms: RFC 6749 (framework), 7009 (revocation), 7523 (JWT grant), 7591 (registration), 7636 (PKCE),
//! 8414 (metadata), 8628 (device), 9207 (issuer in the answer).

use serde::Deserialize;
use std::collections::BTreeMap;

use super::definition::{Template, unseen_field};
use crate::domain::field::{Field, FieldKind};

/// The id under which a method's access token is kept and stands in templates.
pub const ACCESS_TOKEN: &str = "access_token";
/// The id under which the account's own address is kept, where it was discovered.
pub const USERINFO_URL: &str = "userinfo_url";

/// OAuth 2.0 facts of one method. Addresses are `https`, under the rules of a service's base URL.
///
/// What is obtained stands in the service's templates beside the form's fields: `{access_token}`, and each of
/// [`OAuth::captures`] by its id.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// Names the client it uses; components that name the same one share it. Left out: the component's slug.
    #[serde(default)]
    pub client: Option<String>,
    /// How a person makes a client of their own with the vendor: a page.
    #[serde(default)]
    pub client_help: Option<String>,
    /// The issuer whose metadata tells the addresses (RFC 8414), where a person gives it; then it counts, and not
    /// what else is given. What it tells of the account's own address stands in templates as `{userinfo_url}`.
    #[serde(default)]
    pub discovery: Option<Template>,
    /// Left out only by methods that have no authorization request: client credentials, JWT.
    #[serde(default)]
    pub authorize_url: Option<Template>,
    pub token_url: Template,
    /// Where tokens are renewed, if elsewhere.
    #[serde(default)]
    pub refresh_url: Option<Template>,
    #[serde(default)]
    pub revoke: Option<Revocation>,
    /// RFC 8628.
    #[serde(default)]
    pub device_url: Option<Template>,
    /// RFC 7591.
    #[serde(default)]
    pub registration_url: Option<Template>,
    /// The `iss` that the provider's answer carries (RFC 9207); `{field}` is filled in.
    #[serde(default)]
    pub issuer: Option<Template>,
    /// The provider promises `iss`: an answer without it is refused.
    #[serde(default)]
    pub issuer_promised: bool,
    pub scopes: Vec<OAuthScope>,
    /// The field in which a person names further scopes, separated by spaces.
    #[serde(default)]
    pub scopes_from: Option<String>,
    #[serde(default = "space")]
    pub scope_separator: String,
    #[serde(default)]
    pub client_authentication: ClientAuthentication,
    /// Whether the challenge is sent (S256, always); `false` only where the provider refuses it.
    #[serde(default = "yes")]
    pub pkce: bool,
    #[serde(default)]
    pub token_body: TokenBody,
    /// Added to the authorization request.
    #[serde(default)]
    pub authorize_parameters: BTreeMap<String, Template>,
    /// Standard parameters the authorization request must lack.
    #[serde(default)]
    pub authorize_omits: Vec<String>,
    /// Added to the request that trades the code for tokens; `{scopes}` stands for what was asked for.
    #[serde(default)]
    pub token_parameters: BTreeMap<String, Template>,
    /// Added to the request that renews tokens.
    #[serde(default)]
    pub refresh_parameters: BTreeMap<String, Template>,
    /// Headers of all requests to the token endpoint.
    #[serde(default)]
    pub token_headers: BTreeMap<String, Template>,
    /// Parameters under other names: standard name to the provider's. For `state`, `code`, `client_id`,
    /// `client_secret`, `scope`, `redirect_uri`, `refresh_token`; `code` and `state` also in the redirect.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// The same in the redirect, where the provider calls them otherwise there than in its requests: `code`, `state`.
    #[serde(default)]
    pub redirect_names: BTreeMap<String, String>,
    /// Parameters that the redirect has to carry, with these values.
    #[serde(default)]
    pub redirect_expects: BTreeMap<String, Template>,
    /// The parameter of the redirect that proves the others: the HMAC-SHA256 of them all, sorted by name and joined as a
    /// query, under the client's secret, in hexadecimal digits (Shopify).
    #[serde(default)]
    pub redirect_hmac: Option<String>,
    /// Standard parameters that requests to the token endpoint must lack.
    #[serde(default)]
    pub token_omits: Vec<String>,
    #[serde(default)]
    pub answer: TokenAnswer,
    #[serde(default)]
    pub refresh: Refresh,
    /// A short-lived token is traded for a long one right after the code (Facebook, Instagram, Threads).
    #[serde(default)]
    pub exchange: Option<LongLived>,
    /// What is kept of the redirect, the token answer or a look-up, because requests need it later.
    #[serde(default)]
    pub captures: Vec<Capture>,
    /// A request after connecting whose answer [`Capture`]s with `from = "lookup"` read.
    #[serde(default)]
    pub lookup: Option<Lookup>,
}

impl OAuth {
    /// What signing in obtains, as fields that nobody fills in: the access token, and the captures.
    pub fn obtained(&self) -> impl Iterator<Item = Field> {
        let token = Field { secret: true, ..unseen_field(ACCESS_TOKEN) };
        let account = Field { kind: FieldKind::Url, optional: true, destination: true, ..unseen_field(USERINFO_URL) };
        let discovered = self.discovery.as_ref().map(|_| account);
        std::iter::once(token).chain(discovered).chain(self.captures.iter().map(Capture::field))
    }
}

/// A scope and what it allows, in words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuthScope {
    pub scope: String,
    /// "Read your calendars": stands below "Patchbay will be able to".
    pub allows: String,
    /// A person may leave it out.
    #[serde(default)]
    pub optional: bool,
    /// Needed for the flow itself, such as `offline_access`: asked for, never missed in what was granted.
    #[serde(default)]
    pub silent: bool,
    /// Other names under which the provider lists it as granted.
    #[serde(default)]
    pub granted_as: Vec<String>,
    /// Asked for under another parameter than `scope` (Slack's `user_scope`).
    #[serde(default)]
    pub parameter: Option<String>,
}

/// How the client proves itself at the token endpoint (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// HTTP Basic over form-urlencoded id and secret, as the RFC says.
    #[default]
    Basic,
    /// HTTP Basic over id and secret as they are.
    BasicRaw,
    /// `client_id` and `client_secret` among the parameters.
    Body,
    /// A public client: `client_id` alone.
    None,
}

/// How parameters are sent to the token endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenBody {
    #[default]
    Form,
    Json,
    Query,
}

/// Where things stand in the token answer, as JSON pointers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenAnswer {
    pub access_token: String,
    pub refresh_token: String,
    pub expires: String,
    pub expires_as: ExpiresAs,
    /// Seconds a token lasts where the answer does not say; none: until a service refuses it.
    pub assumed_lifetime: Option<u32>,
    /// Seconds a refresh token lasts, as the answer says.
    pub refresh_expires: Option<String>,
    pub scope: String,
    /// Left out: as in the request.
    pub scope_separator: Option<String>,
    pub error: String,
    pub error_description: String,
    /// The answer is good only if this pointer has one of these values, whatever its status (Slack's `/ok`).
    pub good: BTreeMap<String, Vec<serde_json::Value>>,
    /// The provider's names for `invalid_grant`, `invalid_client` and so on; a code that means several things stands with
    /// its description, as `code: description`.
    pub errors: BTreeMap<String, String>,
}

impl Default for TokenAnswer {
    fn default() -> Self {
        Self {
            access_token: "/access_token".to_owned(),
            refresh_token: "/refresh_token".to_owned(),
            expires: "/expires_in".to_owned(),
            expires_as: ExpiresAs::default(),
            assumed_lifetime: None,
            refresh_expires: None,
            scope: "/scope".to_owned(),
            scope_separator: None,
            error: "/error".to_owned(),
            error_description: "/error_description".to_owned(),
            good: BTreeMap::new(),
            errors: BTreeMap::new(),
        }
    }
}

/// How the answer tells when the access token ends. Numbers may be written as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiresAs {
    /// A span in seconds (RFC 6749, section 5.1).
    #[default]
    Seconds,
    Milliseconds,
    /// A moment, in seconds since 1970.
    EpochSeconds,
    EpochMilliseconds,
    /// A moment as RFC 3339 or ISO 8601.
    Iso8601,
    /// A span as `D:HH:MM`.
    DaysHoursMinutes,
}

/// How tokens are renewed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Refresh {
    pub by: RefreshBy,
    /// `true`: each answer replaces the refresh token, and the old one ends.
    pub rotates: bool,
    /// Seconds after issue before which the provider refuses (Exact, Toast).
    pub not_before: Option<u32>,
    /// The provider answers without a token though all is well: the old one goes on (COROS).
    pub may_be_empty: bool,
    /// Seconds a refresh token lasts unused.
    pub idle_lifetime: Option<u32>,
    /// Seconds a refresh token lasts at most, whatever happens.
    pub lifetime: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshBy {
    #[default]
    RefreshToken,
    /// By presenting the access token itself: at `refresh_url` or else at the address of `exchange`, with
    /// `refresh_parameters` or else those of `exchange`.
    AccessToken,
    /// The access token ends only when somebody ends it.
    Never,
}

/// Trades the access token for one that lasts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LongLived {
    pub url: Template,
    #[serde(default)]
    pub query: bool,
    /// `{access_token}`, `{client_id}` and `{client_secret}` stand for what they say.
    pub parameters: BTreeMap<String, Template>,
}

/// RFC 7009, or what the provider has in its place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    pub url: Template,
    #[serde(default)]
    pub method: RevocationMethod,
    /// Which token is presented.
    #[serde(default)]
    pub token: RevokedToken,
    /// How the request proves itself.
    #[serde(default)]
    pub authentication: RevocationAuthentication,
    #[serde(default)]
    pub body: TokenBody,
    /// `{token}`, `{client_id}` and `{client_secret}` stand for what they say. Left out: `token` alone, or nothing where
    /// a header carries it.
    #[serde(default)]
    pub parameters: BTreeMap<String, Template>,
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// Revoking one token ends all that this client holds of the account (Google): done only where no other connection
    /// shares both.
    #[serde(default)]
    pub ends_grant: bool,
    /// Status codes that mean it is done.
    #[serde(default = "ok")]
    pub done: Vec<u16>,
}

impl Revocation {
    /// As RFC 7009 has it, at an address that is known.
    #[must_use]
    pub fn at(address: String) -> Self {
        Self {
            url: address.replace('{', "{{").replace('}', "}}"),
            method: RevocationMethod::Post,
            token: RevokedToken::Best,
            authentication: RevocationAuthentication::Client,
            body: TokenBody::Form,
            parameters: BTreeMap::new(),
            headers: BTreeMap::new(),
            ends_grant: false,
            done: ok(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RevocationMethod {
    #[default]
    Post,
    Get,
    Delete,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedToken {
    /// The refresh token where there is one, else the access token.
    #[default]
    Best,
    AccessToken,
    RefreshToken,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationAuthentication {
    /// As at the token endpoint.
    #[default]
    Client,
    /// HTTP Basic with the client's id and secret, whatever the token endpoint takes.
    Basic,
    /// The access token as bearer.
    Bearer,
    None,
}

/// A value that is kept beside the tokens, not secret, and stands in templates as `{id}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    pub id: String,
    pub from: CaptureFrom,
    /// A query parameter of the redirect, or a JSON pointer into the answer.
    pub at: String,
    /// The value is an `https` address, and its host is one of these or, after `*.`, below one of these. Without
    /// hosts it is plain text and may stand in paths, queries and headers only.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Without it nothing works: connecting fails where it is not told.
    #[serde(default = "yes")]
    pub required: bool,
    /// Sealed with the tokens: a second token, say (Slack's `authed_user`).
    #[serde(default)]
    pub secret: bool,
}

impl Capture {
    /// Where the provider says what it is, it also says where later requests go.
    fn field(&self) -> Field {
        let kind = if self.hosts.is_empty() { FieldKind::Text } else { FieldKind::Url };
        let (secret, optional) = (self.secret, !self.required);
        Field { kind, secret, optional, destination: !secret, ..unseen_field(&self.id) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureFrom {
    Redirect,
    Token,
    Lookup,
}

/// One GET after connecting, with the access token as bearer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    pub url: Template,
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
}

fn space() -> String {
    " ".to_owned()
}

const fn yes() -> bool {
    true
}

fn ok() -> Vec<u16> {
    vec![200]
}
