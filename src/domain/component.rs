//! A component as the browser knows it: names, icons and form fields, never a URL template or a probe.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::field::Field;

/// Names a component: `^[a-z0-9][a-z0-9-]{0,62}$`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ComponentSlug(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a component's slug holds lower-case letters, digits and hyphens only")]
pub struct InvalidSlug;

impl ComponentSlug {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ComponentSlug {
    type Error = InvalidSlug;

    fn try_from(text: String) -> Result<Self, InvalidSlug> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let well_formed = (1..=63).contains(&text.len())
            && text.bytes().next().is_some_and(allowed)
            && text.bytes().all(|b| allowed(b) || b == b'-');
        if well_formed { Ok(Self(text)) } else { Err(InvalidSlug) }
    }
}

impl From<ComponentSlug> for String {
    fn from(slug: ComponentSlug) -> Self {
        slug.0
    }
}

impl fmt::Display for ComponentSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a list row and the sidebar need of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentBadge {
    pub slug: ComponentSlug,
    pub name: String,
    /// Path of the icon below the site's base, such as `icons/slack.webp`; empty: a letter tile.
    pub icon: String,
}

/// The kinds of authentication a method can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    ApiKey,
    BearerToken,
    Basic,
    AwsSignature,
    DatabaseLogin,
    Fields,
    KeyPair,
    Jwt,
    ClientCredentials,
    AuthorizationCode,
    DeviceCode,
}

/// One way of authenticating to a component, as a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodForm {
    pub id: String,
    pub label: String,
    pub kind: MethodKind,
    /// A sentence above the fields.
    pub intro: String,
    pub fields: Vec<Field>,
    /// The service may have no way to be asked: a person may vouch for the credential instead.
    pub may_be_vouched_for: bool,
    /// An account is connected instead of credentials typed: somebody signs in at the service and consents.
    pub oauth: Option<OAuthForm>,
}

/// What the form has to say of connecting an account (RFC 6749).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthForm {
    /// What it will be able to do, the required ones first.
    pub scopes: Vec<ScopeForm>,
    /// Can also be done with a code that is entered at the service's page (RFC 8628).
    pub device: bool,
}

impl OAuthForm {
    /// What a scope allows, in words; itself where it is not one of these.
    #[must_use]
    pub fn allows<'a>(&'a self, scope: &'a str) -> &'a str {
        self.scopes.iter().find(|known| known.scope == scope).map_or(scope, |known| known.allows.as_str())
    }
}

/// A permission to ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeForm {
    pub scope: String,
    /// In words.
    pub allows: String,
    /// May be left out.
    pub optional: bool,
}

/// One component's form: what the New Connection dialog shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentForm {
    pub badge: ComponentBadge,
    pub category: String,
    pub homepage: String,
    /// Higher is shown earlier.
    pub popularity: u32,
    /// The recommended one first; never empty.
    pub methods: Vec<MethodForm>,
}

impl ComponentForm {
    #[must_use]
    pub fn method(&self, id: &str) -> Option<&MethodForm> {
        self.methods.iter().find(|method| method.id == id)
    }
}
