//! What can be wrong with a component file, and where it stands.

use std::fmt;

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub location: Location,
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.location.shown.is_empty() {
            return self.fault.fmt(f);
        }
        write!(f, "{}: {}", self.location, self.fault)
    }
}

/// A place in a component's definition, such as `methods[0].service.probes[1].path`; empty: the definition as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    shown: String,
    pointer: String,
}

impl Location {
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        let separator = if self.shown.is_empty() { "" } else { "." };
        self.followed_by(&format!("{separator}{name}"), name)
    }

    #[must_use]
    pub fn item(&self, name: &str, index: usize) -> Self {
        self.child(name).index(index)
    }

    /// An item of the list at this place.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.followed_by(&format!("[{index}]"), &index.to_string())
    }

    /// A place that was told from here on.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        let separator = if self.shown.is_empty() || below.shown.is_empty() { "" } else { "." };
        let shown = format!("{}{separator}{}", self.shown, below.shown);
        Self { shown, pointer: format!("{}{}", self.pointer, below.pointer) }
    }

    /// An entry of a table with free keys.
    #[must_use]
    pub fn entry(&self, name: &str, key: &str) -> Self {
        self.child(name).followed_by(&format!("[{key:?}]"), key)
    }

    fn followed_by(&self, shown: &str, step: &str) -> Self {
        let escaped = step.replace('~', "~0").replace('/', "~1");
        Self { shown: format!("{}{shown}", self.shown), pointer: format!("{}/{escaped}", self.pointer) }
    }

    /// `offset` is in bytes; lines and columns count from one, columns in characters.
    #[must_use]
    pub fn line_and_column(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { shown: format!("line {line}, column {column}"), pointer: String::new() }
    }

    /// The same place in a definition that is JSON (RFC 6901).
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Everything that can be wrong. The text is one sentence that tells the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the file cannot be read as text; check that it exists, may be read and is UTF-8")]
    Unreadable,
    /// What the TOML reader says, which quotes nothing but the file.
    #[error("{0}")]
    Syntax(String),
    #[error("a built-in component has this slug; choose another one")]
    BuiltInSlug,
    #[error("this is empty; fill it in")]
    Empty,
    #[error("another one has this id; give each its own")]
    Duplicate,
    #[error("an id holds lower-case letters, digits and underscores and begins with a letter; rename it")]
    NotAnId,
    #[error("every connection has something of this name; give the field another id")]
    Reserved,
    #[error("this is no https address; give one that begins with https://")]
    NotHttps,
    #[error("this is no day; write it as YYYY-MM-DD")]
    NotADate,
    #[error("there is no icon file of this name; put it beside the component file or name one that exists")]
    UnknownIcon,
    #[error("there is no field {0}; add it to the method's fields or correct the name")]
    UnknownField(String),
    #[error("a field of kind select needs options; list them")]
    NoOptions,
    #[error("only a field of kind select has options; remove them or change the kind")]
    OptionsNotExpected,
    #[error("the field's own rules refuse this value; correct the value or the rules")]
    BadValue,
    #[error("a secret has no default; remove it")]
    DefaultSecret,
    #[error("{0} authenticates; mark the field with secret = true")]
    NotSecret(String),
    #[error("{0} says where the secret is sent; mark the field with destination = true")]
    NotDestination(String),
    #[error("the secret {0} must not be part of a host; take it out")]
    SecretInHost(String),
    #[error("{0} is not allowed in a host; use a field of kind subdomain, or a select whose options are hosts")]
    NotAHostField(String),
    #[error("a subdomain must not end the host; follow it by the vendor's domain")]
    OpenHost,
    #[error("this is no address; write https://, a host and a path without a slash at its end")]
    BadBaseUrl,
    #[error("this is no address; write https:// and a host")]
    BadAddress,
    #[error("this is no path; begin with / and put what follows ? under query")]
    BadPath,
    #[error("{0}")]
    BadTemplate(super::super::template::TemplateError),
    #[error("only JSON pointers may stand in braces here; write {{/name}}, never a field")]
    FieldInAnswer,
    #[error("only fields may stand in braces here; there is no answer yet to point into")]
    PointerInRequest,
    #[error("this is no header name; use letters, digits and hyphens")]
    BadHeaderName,
    #[error("this header is set by the connection itself; remove it")]
    ReservedHeader,
    #[error("a request with this method has no body; use POST or remove the body")]
    BodyNotExpected,
    #[error("the body needs a content-type; add it to the probe's headers")]
    ContentTypeMissing,
    #[error("only a method with an aws section is signed; remove aws_service or add the section")]
    NotSigned,
    #[error("no outcome proves the credential valid; add one")]
    NoValidOutcome,
    #[error("no outcome proves the credential refused; add one")]
    NoRejectedOutcome,
    #[error("an outcome that says something about the credential needs status codes; list them")]
    NoStatus,
    #[error("{0} says nothing about a credential; remove it from this outcome")]
    StatusWithoutEvidence(u16),
    #[error("{0} is no status code; use 100 to 599")]
    BadStatus(u16),
    #[error("people read this sentence; say what happened and what to try")]
    NoMessage,
    #[error("a limited outcome names the missing permissions; list them")]
    NoMissing,
    #[error("only a limited outcome has missing permissions; remove them")]
    MissingNotExpected,
    #[error("this is no JSON pointer; begin with /")]
    BadPointer,
    #[error("only text, numbers, true, false can be compared; list such values")]
    NotAScalar,
    #[error("give either a header or a pointer")]
    HeaderOrPointer,
    #[error("the protocol needs a field {0}; add it")]
    ProtocolField(&'static str),
    #[error("the protocol needs another kind of field here; use {0}")]
    ProtocolKind(&'static str),
    #[error("the protocol does not know this choice; use {0}")]
    ProtocolChoice(&'static str),
    #[error("{0}; leave it out or take another value")]
    NotForOwn(&'static str),
    #[error("this address leads into networks that are closed to this server; give the service's public address")]
    Internal,
    #[error("{0}")]
    Limit(&'static str),
    #[error("no host; write its labels joined by dots, after *. where any host below it will do")]
    BadHostRule,
    #[error("a value that is an address is not secret; remove hosts or secret")]
    SecretAddress,
    #[error("the method's fields or captures have a {0} already, or it is the access token's; choose another id")]
    Taken(String),
    #[error("{0} is no standard parameter that can have another name or be left out")]
    UnknownParameter(String),
    #[error("the request says {0} itself; give the scope another parameter")]
    TakenParameter(String),
    #[error("there is no look-up to read this from; add a lookup section")]
    LookupMissing,
    #[error("nothing reads what this look-up answers; add a capture with from = \"lookup\" or remove it")]
    LookupNotExpected,
    #[error("methods of this kind sign in with the provider; add this address")]
    EndpointMissing,
    #[error("tokens are renewed by the access token here; add an exchange section or refresh_url")]
    RenewalMissing,
    #[error(
        "only the kinds authorization_code, client_credentials, device_code and jwt use this section; \
         remove it or change the kind"
    )]
    OAuthNotExpected,
    #[error("a method of this kind needs this section; add it")]
    OAuthMissing,
}
