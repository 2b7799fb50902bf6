//! A method's OAuth section with fields and client filled in.

use std::collections::BTreeSet;
use url::Url;

use super::discover::Metadata;
use super::error::OAuthError;
use super::line::Line;
use super::tokens::Captured;
use crate::domain::field::FieldValues;
use crate::server::catalog::definition::Method;
use crate::server::catalog::oauth::{ClientAuthentication, OAuth, Revocation};
use crate::server::catalog::template::{Encode, Part, RenderError, Template};
use crate::server::dial::tls::Trust;
use crate::server::probe::{Scrubber, Values};
use crate::server::vault::{SecretText, Secrets};

/// A client as registered with the provider (RFC 6749, section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: String,
    /// None: a public client.
    pub secret: Option<SecretText>,
}

/// A provider that can be spoken to. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Provider<'a> {
    pub(super) section: &'a OAuth,
    pub(super) client: &'a Client,
    pub(super) values: Values<'a>,
    metadata: Option<&'a Metadata>,
}

impl<'a> Provider<'a> {
    /// `config` and `secrets` hold the form's fields and, once connected, what was captured. None where the method does
    /// not sign in by OAuth.
    #[must_use]
    pub fn of(method: &'a Method, config: &'a FieldValues, secrets: &'a Secrets, client: &'a Client) -> Option<Self> {
        let values = Values { fields: method.known_fields(), config, secrets };
        Some(Self { section: method.oauth.as_ref()?, client, values, metadata: None })
    }

    /// The same with what the provider says of itself in place of what the component's file says.
    #[must_use]
    pub const fn described_by(self, metadata: &'a Metadata) -> Self {
        Self { metadata: Some(metadata), ..self }
    }

    /// Templates filled with the fields and what was captured just now.
    pub(super) const fn filled<'b>(&'b self, captured: &'b Captured) -> Filled<'b> {
        Filled { provider: self, captured, own: &[] }
    }

    /// The line to it: the form's field `ca` names the authority of its certificate, as for every HTTP service.
    pub(super) fn line(&self, line: &Line) -> Line {
        let own = self.values.get("ca").map(|pem| Trust::Own(pem.to_owned()));
        own.map_or_else(|| line.clone(), |own| line.clone().trusting(own))
    }

    /// Takes out of texts what is secret about this provider, and these secrets.
    pub(super) fn scrubber(&self, more: &[&str]) -> Scrubber {
        let mut secrets = self.values.secrets.clone();
        // To be taken out of a text, a secret has to be known.
        let client = self.client.secret.iter().map(SecretText::reveal);
        for (index, secret) in more.iter().copied().chain(client).enumerate() {
            secrets.insert(&format!("{index}"), SecretText::new(secret.to_owned()));
        }
        Scrubber::new(&secrets)
    }
}

/// What the provider says of itself, or else its component's file.
impl Provider<'_> {
    /// The issuer its answers have to name (RFC 9207); none where nobody tells.
    ///
    /// # Errors
    /// [`OAuthError::Incomplete`] where a field of it is empty.
    pub fn issuer(&self) -> Result<Option<String>, OAuthError> {
        if let Some(metadata) = self.metadata {
            return Ok(Some(metadata.issuer.clone()));
        }
        self.section.issuer.as_ref().map(|issuer| self.filled(&Captured::default()).plain(issuer)).transpose()
    }

    /// Where a client can be made by request (RFC 7591), if anywhere.
    ///
    /// # Errors
    /// [`OAuthError::Incomplete`] where a field of it is empty.
    pub fn registration_url(&self) -> Result<Option<String>, OAuthError> {
        if let Some(told) = self.metadata.and_then(|metadata| metadata.registration_endpoint.clone()) {
            return Ok(Some(told));
        }
        let template = self.section.registration_url.as_ref();
        template.map(|url| Ok(self.filled(&Captured::default()).address(url)?.to_string())).transpose()
    }

    /// How a client with a secret proves itself.
    #[must_use]
    pub fn client_authentication(&self) -> ClientAuthentication {
        let wished = self.section.client_authentication;
        self.metadata.map_or(wished, |metadata| metadata.client_authentication(wished))
    }

    /// Whether proof of the one who asked is sent (RFC 7636).
    pub(super) const fn pkce(&self) -> bool {
        self.section.pkce
    }

    pub(super) fn issuer_promised(&self) -> bool {
        let told = self.metadata.is_some_and(|metadata| metadata.authorization_response_iss_parameter_supported);
        told || self.section.issuer_promised
    }

    /// Whether it is known where people are sent, and where codes are traded for tokens.
    #[must_use]
    pub fn has_addresses(&self) -> bool {
        self.authorize_endpoint().is_ok() && self.token_endpoint(&Captured::default()).is_ok()
    }

    pub(super) fn authorize_endpoint(&self) -> Result<Url, OAuthError> {
        let told = self.metadata.and_then(|metadata| metadata.authorization_endpoint.as_ref());
        endpoint(told, self.section.authorize_url.as_ref(), self.filled(&Captured::default()))
    }

    pub(super) fn token_endpoint(&self, captured: &Captured) -> Result<Url, OAuthError> {
        let told = self.metadata.and_then(|metadata| metadata.token_endpoint.as_ref());
        endpoint(told, Some(&self.section.token_url), self.filled(captured))
    }

    pub(super) fn refresh_endpoint(&self, filled: Filled<'_>) -> Result<Url, OAuthError> {
        let told = self.metadata.and_then(|metadata| metadata.token_endpoint.as_ref());
        let section = self.section;
        endpoint(told, Some(section.refresh_url.as_ref().unwrap_or(&section.token_url)), filled)
    }

    pub(super) fn device_endpoint(&self) -> Result<Url, OAuthError> {
        let told = self.metadata.and_then(|metadata| metadata.device_authorization_endpoint.as_ref());
        endpoint(told, self.section.device_url.as_ref(), self.filled(&Captured::default()))
    }

    /// How tokens are ended, if at all.
    pub(super) fn revocation(&self) -> Option<Revocation> {
        let told = self.metadata.and_then(|metadata| metadata.revocation_endpoint.clone());
        told.map(Revocation::at).or_else(|| self.section.revoke.clone())
    }
}

/// Where a method's OAuth requests send what is secret, given what its other fields hold and what was discovered: scheme,
/// host and port of each; of an address that cannot be told without secrets, how the file puts it.
#[must_use]
pub fn places(method: &Method, config: &FieldValues) -> BTreeSet<String> {
    let (secrets, nobody) = (Secrets::default(), Client { id: String::new(), secret: None });
    let Some(plain) = Provider::of(method, config, &secrets, &nobody) else { return BTreeSet::new() };
    let metadata = Metadata::kept_in(config);
    let provider = metadata.iter().fold(plain, Provider::described_by);
    let (section, nothing) = (provider.section, Captured::default());
    let revocation = provider.revocation();
    let others = [
        section.refresh_url.as_ref().filter(|_| metadata.is_none()),
        revocation.as_ref().map(|revocation| &revocation.url),
        section.exchange.as_ref().map(|exchange| &exchange.url),
        section.lookup.as_ref().map(|lookup| &lookup.url),
        section.device_url.as_ref().filter(|_| metadata.is_none()),
    ];
    let others = others.into_iter().flatten().map(|template| (template, provider.filled(&nothing).address(template)));
    std::iter::once((&section.token_url, provider.token_endpoint(&nothing)))
        .chain(others)
        .map(|(template, address)| address.map_or_else(|_| template.clone(), |url| url.origin().ascii_serialization()))
        .collect()
}

/// What the provider told is an address already; braces in it are its own.
fn endpoint(told: Option<&String>, template: Option<&String>, filled: Filled<'_>) -> Result<Url, OAuthError> {
    match (told, template) {
        (Some(address), _) => Url::parse(address).map_err(|_| OAuthError::Unsupported),
        (None, Some(template)) => filled.address(template),
        (None, None) => Err(OAuthError::Unsupported),
    }
}

/// Fills templates: with words of the request's own first, then the client, what was captured, and the fields.
#[derive(Clone, Copy)]
pub(super) struct Filled<'a> {
    provider: &'a Provider<'a>,
    captured: &'a Captured,
    own: &'a [(&'a str, &'a str)],
}

impl<'a> Filled<'a> {
    /// The same with words of this request's own, such as `token`.
    pub(super) const fn with(self, own: &'a [(&'a str, &'a str)]) -> Self {
        Self { own, ..self }
    }

    fn get(&self, id: &str) -> Option<&'a str> {
        if let Some((_, value)) = self.own.iter().find(|(name, _)| *name == id) {
            return Some(value);
        }
        match id {
            "client_id" => Some(self.provider.client.id.as_str()),
            // The provider is shown the secret it gave out.
            "client_secret" => self.provider.client.secret.as_ref().map(SecretText::reveal),
            _ => self.captured.get(id).or_else(|| self.provider.values.get(id)),
        }
    }

    /// As it is: for what a later step encodes.
    pub(super) fn plain(&self, template: &str) -> Result<String, OAuthError> {
        self.render(template, Encode::Plain)
    }

    /// None where every field in it is one that may be empty, and is.
    pub(super) fn optional(&self, template: &str, encode: Encode) -> Result<Option<String>, OAuthError> {
        let parsed = parse(template)?;
        let empty = |id: &str| self.get(id).is_none() && self.provider.values.may_be_empty(id);
        if parsed.fields().next().is_some() && parsed.fields().all(empty) {
            return Ok(None);
        }
        self.render(template, encode).map(Some)
    }

    fn render(&self, template: &str, encode: Encode) -> Result<String, OAuthError> {
        let empty = |id: &str| self.provider.values.may_be_empty(id);
        let lookup = |id: &str| self.get(id).or_else(|| empty(id).then_some(""));
        parse(template)?.render(lookup, encode).map_err(incomplete)
    }

    /// An address: values are labels within the host, percent-encoded behind it; a field that it begins with is taken
    /// as an address itself.
    pub(super) fn address(&self, template: &str) -> Result<Url, OAuthError> {
        let mut text = String::new();
        let parsed = parse(template)?;
        for (index, part) in parsed.parts().iter().enumerate() {
            match part {
                Part::Text(words) if words.starts_with('/') && index == 1 => {
                    text.truncate(text.trim_end_matches('/').len());
                    text.push_str(words);
                }
                Part::Text(words) => text.push_str(words),
                Part::Field(id) | Part::RawField(id) | Part::Pointer(id) => {
                    let unfit = || OAuthError::Incomplete { field: id.clone() };
                    let value = self.get(id).ok_or_else(unfit)?;
                    let in_host = !text.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
                    if index > 0 && in_host && !is_label(value) {
                        return Err(unfit());
                    }
                    let segment = || Template::parse("{x}").ok()?.render(|_| Some(value), Encode::PathSegment).ok();
                    text.push_str(&if in_host { value.to_owned() } else { segment().ok_or_else(unfit)? });
                }
            }
        }
        let url = Url::parse(&text).map_err(|_| address_error(template))?;
        let bare = url.username().is_empty() && url.password().is_none() && url.has_host();
        if matches!(url.scheme(), "http" | "https") && bare { Ok(url) } else { Err(address_error(template)) }
    }
}

/// Labels of a host name, joined by dots.
fn is_label(value: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    !value.is_empty() && value.bytes().all(allowed) && !value.contains("..")
}

fn parse(template: &str) -> Result<Template, OAuthError> {
    // The catalog was checked when it was read.
    Template::parse(template).map_err(|_| OAuthError::Unsupported)
}

/// The field that makes it no address, where there is one.
fn address_error(template: &str) -> OAuthError {
    let field = Template::parse(template).ok().and_then(|parsed| parsed.fields().next().map(str::to_owned));
    field.map_or(OAuthError::Unsupported, |field| OAuthError::Incomplete { field })
}

fn incomplete(error: RenderError) -> OAuthError {
    match error {
        RenderError::Missing(field) | RenderError::ControlCharacter(field) | RenderError::LeavesPath(field) => {
            OAuthError::Incomplete { field }
        }
    }
}
