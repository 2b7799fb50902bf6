//! The catalog's format: one TOML file a component. Parsed at build for the built-in ones and at start
//! for the operator's; [`super::check`] says what a well-formed file may still have wrong.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::oauth::OAuth;
use crate::domain::component::{ComponentSlug, MethodKind};
use crate::domain::field::Field;

/// One component file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub slug: ComponentSlug,
    pub name: String,
    /// Heading in the component picker.
    pub category: String,
    pub homepage: String,
    /// File name of the icon beside the built-in icons or the operator's file; none: a letter tile.
    #[serde(default)]
    pub icon: Option<String>,
    /// Order in the picker, higher first.
    #[serde(default)]
    pub popularity: u32,
    /// The vendor pages the facts were read from.
    pub sources: Vec<Source>,
    /// The day (`YYYY-MM-DD`) on which its check was tried against the service itself, with a good credential and a
    /// bad one; without it the check rests on the vendor's documentation.
    #[serde(default)]
    pub tried_live: Option<String>,
    /// The recommended one first.
    pub methods: Vec<Method>,
}

/// A vendor page and the day it was read (`YYYY-MM-DD`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub url: String,
    pub read: String,
}

/// One way of authenticating.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    pub id: String,
    pub label: String,
    pub kind: MethodKind,
    #[serde(default)]
    pub intro: String,
    pub fields: Vec<Field>,
    pub service: Service,
    #[serde(default)]
    pub oauth: Option<OAuth>,
    /// What its secrets were given for; only of a workspace's own component.
    #[serde(skip)]
    pub fingerprint: Option<Fingerprint>,
    #[serde(skip)]
    known_fields: OnceLock<Vec<Field>>,
}

/// Digests of a method in a workspace's own component, which whoever may write can change at any time: not only where its
/// secrets go counts, but all that makes its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of everything that makes requests.
    pub requests: String,
    /// Of what makes the requests in which an OAuth client proves itself.
    pub client: String,
}

/// The field for a client's identifier (RFC 6749, section 2.2).
pub const CLIENT_ID: &str = "client_id";

impl Method {
    /// Of a component that a workspace describes itself.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        self.fingerprint.is_some()
    }

    /// Whether the client is typed in with everything else, so that neither an operator's nor an environment's counts.
    #[must_use]
    pub fn takes_client(&self) -> bool {
        self.fields.iter().any(|field| field.id == CLIENT_ID)
    }

    /// The OAuth section, where somebody has to sign in at the service and consent.
    #[must_use]
    pub fn by_person(&self) -> Option<&OAuth> {
        let by_person = matches!(self.kind, MethodKind::AuthorizationCode | MethodKind::DeviceCode);
        self.oauth.as_ref().filter(|_| by_person)
    }

    /// All that the service's templates may name: the form's fields, then what signing in by OAuth obtains.
    #[must_use]
    pub fn known_fields(&self) -> &[Field] {
        self.known_fields.get_or_init(|| {
            let obtained = self.oauth.iter().flat_map(OAuth::obtained);
            self.fields.iter().cloned().chain(obtained).collect()
        })
    }
}

/// A field that has no place in a form.
pub(super) fn unseen_field(id: &str) -> Field {
    Field { max_length: usize::MAX, ..Field::text(id, id) }
}

/// How the service is spoken to. The protocols but HTTP read the fields `host`, `port`, `user`, `password`,
/// `database`, `tls` and `ca` (PEM) by these names; SSH and SFTP also `private_key`, `passphrase` and `host_key`.
/// A method may also have `client_certificate` and `client_key` (PEM), for services that ask for a certificate.
///
/// `tls` of databases and caches: `verify` checks the certificate, `require` encrypts without checking it, `off` does
/// not encrypt, `auto` is `verify`, but `off` where the host is this machine (a loopback address).
/// `tls` of mail, directories, FTP and NATS: `starttls` and `tls` (from the first byte) check the certificate, `off` does not encrypt.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "protocol", rename_all = "snake_case", deny_unknown_fields)]
pub enum Service {
    Http(Box<HttpService>),
    Postgresql(LoginService),
    Mysql(LoginService),
    Redis(LoginService),
    Smtp(LoginService),
    Imap(LoginService),
    Ftp(LoginService),
    Ssh(LoginService),
    Sftp(LoginService),
    Ldap(LoginService),
    Mongodb(LoginService),
    Amqp(LoginService),
    Mqtt(LoginService),
    Nats(LoginService),
    /// A key file of Google Cloud in the field `key`; signs in by the JWT grant (RFC 7523).
    GoogleServiceAccount {},
}

/// A service one logs in to over its own protocol.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginService {
    /// Used where the form leaves `port` empty.
    pub default_port: u16,
}

/// Text with `{field}` placeholders; `{+field}` is inserted without percent-encoding (paths only).
pub type Template = String;

/// Whether a header is one that a client of HTTP/1.1 sets itself; `name` in lower case or not.
#[must_use]
pub fn is_reserved_header(name: &str) -> bool {
    let reserved = ["connection", "content-length", "host", "te", "transfer-encoding", "upgrade"];
    reserved.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// An HTTP service: where it is, how the credential enters a request, how to ask whether it works.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpService {
    /// Absolute; a templated host takes [`crate::domain::field::FieldKind::Subdomain`] fields or fixed choices only;
    /// or the whole is one field of kind `url`.
    pub base_url: Template,
    /// Header names and values; both may be templates.
    #[serde(default)]
    pub headers: BTreeMap<Template, Template>,
    #[serde(default)]
    pub query: BTreeMap<Template, Template>,
    #[serde(default)]
    pub basic: Option<Basic>,
    #[serde(default)]
    pub aws: Option<AwsSignature>,
    /// In order: the first one signs in, those after it ask for permissions.
    /// All have to prove valid; the first that does not decides. Empty: the service cannot be asked.
    #[serde(default)]
    pub probes: Vec<HttpProbe>,
}

/// HTTP Basic authentication (RFC 7617).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    pub user: Template,
    pub password: Template,
}

/// AWS signature version 4.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsSignature {
    pub access_key_id: Template,
    pub secret_access_key: Template,
    #[serde(default)]
    pub session_token: Option<Template>,
    pub region: Template,
    pub service: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    #[default]
    Get,
    Head,
    Post,
}

/// One question to the service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpProbe {
    #[serde(default)]
    pub method: HttpMethod,
    /// Replaces the service's base URL, under the same rules.
    #[serde(default)]
    pub base_url: Option<Template>,
    /// Appended to the base URL; begins with `/` or is empty.
    #[serde(default)]
    pub path: Template,
    #[serde(default)]
    pub query: BTreeMap<String, Template>,
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// A request body, with its `content-type` among `headers`.
    #[serde(default)]
    pub body: Option<Template>,
    /// Signs this request for another AWS service than the method's.
    #[serde(default)]
    pub aws_service: Option<String>,
    /// Asked only if these fields hold something. If that leaves no probe at all, the service cannot be asked.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The first that matches the answer decides; none: no evidence.
    pub outcomes: Vec<Outcome>,
    /// Text with `{/json/pointer}` placeholders: who the credential belongs to.
    #[serde(default)]
    pub identity: Option<String>,
    /// The same, of what stays as it is when the account gets another name: a reconnected account is known by it.
    #[serde(default)]
    pub subject: Option<String>,
    #[serde(default)]
    pub scopes: Option<Scopes>,
    /// Where the answer says when the credential ends: header or JSON pointer.
    #[serde(default)]
    pub expires: Option<Expires>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeVerdict {
    Valid,
    Limited,
    Rejected,
    NoEvidence,
}

/// An answer and what it means. All conditions given have to hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub verdict: OutcomeVerdict,
    /// Status codes; empty: any.
    #[serde(default)]
    pub status: Vec<u16>,
    /// JSON pointer and the values it may have (as JSON scalars); an empty list: it only has to exist.
    #[serde(default)]
    pub json: BTreeMap<String, Vec<serde_json::Value>>,
    /// A text the body contains, for answers that are not JSON.
    #[serde(default)]
    pub body_contains: Option<String>,
    /// The sentence people read; `{/json/pointer}` inserts what the service said.
    #[serde(default)]
    pub message: String,
    /// The field to mend, where the answer tells.
    #[serde(default)]
    pub field: Option<String>,
    /// For `limited`: the permissions that are missing, by name.
    #[serde(default)]
    pub missing: Vec<String>,
}

/// Where granted scopes stand in the answer, and which the component requires.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scopes {
    #[serde(default)]
    pub header: Option<String>,
    #[serde(default)]
    pub pointer: Option<String>,
    #[serde(default = "comma")]
    pub separator: String,
    #[serde(default)]
    pub required: Vec<String>,
}

fn comma() -> String {
    ",".to_owned()
}

/// Where the answer states the credential's expiry (RFC 3339, `YYYY-MM-DD HH:MM:SS UTC` or epoch seconds).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expires {
    #[serde(default)]
    pub header: Option<String>,
    #[serde(default)]
    pub pointer: Option<String>,
}
