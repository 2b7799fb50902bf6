//! Why a conversation with a provider did not end in tokens, told apart by what follows from it.

use std::fmt;

/// What the provider itself said, without secrets and control characters; both may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// `error` (RFC 6749, section 5.2), by its standard name where the provider has another.
    pub code: String,
    /// `error_description`: 200 characters at most.
    pub description: String,
}

impl fmt::Display for Said {
    /// ` It said: Token has been revoked (invalid_grant).`, or nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.description.as_str(), self.code.as_str()) {
            ("", "") => Ok(()),
            ("", code) => write!(f, " It said: {code}."),
            (description, "") => write!(f, " It said: {}.", description.trim_end_matches('.')),
            (description, code) => write!(f, " It said: {} ({code}).", description.trim_end_matches('.')),
        }
    }
}

/// No tokens. [`OAuthError::sentence`] is for everybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// The code, the refresh token or the assertion is no longer good (`invalid_grant`): connect again.
    #[error("{}", self.sentence("The provider"))]
    Refused(Said),
    /// The client is set up wrongly (`invalid_client`, `unauthorized_client`): mend it, then all is well again.
    #[error("{}", self.sentence("The provider"))]
    WrongClient(Said),
    /// The client was removed, or never set up.
    #[error("{}", self.sentence("The provider"))]
    NoClient,
    /// `invalid_scope`.
    #[error("{}", self.sentence("The provider"))]
    InvalidScope(Said),
    /// The person, or the provider's policy, said no (`access_denied`).
    #[error("{}", self.sentence("The provider"))]
    AccessDenied(Said),
    /// The provider does not take the request as such (`invalid_request`, `unsupported_grant_type`, or a word of its
    /// own): says nothing about the grant.
    #[error("{}", self.sentence("The provider"))]
    Misunderstood(Said),
    /// Nothing was learned.
    #[error("{}", self.sentence("The provider"))]
    NoEvidence(Silence),
    /// The provider did not tell what requests need later.
    #[error("{}", self.sentence("The provider"))]
    NotTold { capture: String },
    /// The provider names an address that is not its own.
    #[error("{}", self.sentence("The provider"))]
    ForbiddenHost { capture: String },
    /// The answer is from another issuer than asked, or from one unknown (RFC 9207; RFC 8414, section 3.3).
    #[error("{}", self.sentence("The provider"))]
    WrongIssuer,
    /// The redirect holds neither a code nor an error.
    #[error("{}", self.sentence("The provider"))]
    NoCode,
    /// A field is needed to ask at all, and empty or not fit to be sent.
    #[error("{}", self.sentence("The provider"))]
    Incomplete { field: String },
    /// The private key cannot sign.
    #[error("{}", self.sentence("The provider"))]
    UnusableKey,
    /// The operating system gives no random bytes, so nothing can be signed.
    #[error("{}", self.sentence("The provider"))]
    NoRandomness,
    /// The provider, or what its component's file says of it, has no such thing.
    #[error("{}", self.sentence("The provider"))]
    Unsupported,
}

/// Why nothing was learned, and whether the request may have had its effect all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    pub cause: Cause,
    pub said: Said,
    /// For how many milliseconds the provider wants not to be asked again (`Retry-After`).
    pub wait: Option<i64>,
    /// The provider may have acted on the request, though no usable answer came.
    pub may_have_acted: bool,
    /// For operators only.
    pub detail: String,
}

/// The kinds of silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No address, refused by the network policy, or nobody listens.
    Unreachable,
    /// No encrypted and verified connection.
    Tls,
    TimedOut,
    /// The connection broke off, or what answered does not speak HTTP.
    Broken,
    /// 429, or `slow_down`.
    TooMany,
    /// 5xx, `server_error` or `temporarily_unavailable`; with the status.
    Unavailable(u16),
    /// A web page where an answer should be; with the status.
    WebPage(u16),
    /// A redirect, which is never followed; with the status.
    Elsewhere(u16),
    /// More than 256 KiB.
    TooLong,
    /// Not what a token endpoint answers; with the status.
    Garbage(u16),
}

impl Silence {
    #[must_use]
    pub(super) fn new(cause: Cause) -> Self {
        let idle = matches!(cause, Cause::Unreachable | Cause::Tls | Cause::TooMany | Cause::Elsewhere(_));
        Self { cause, said: Said::default(), wait: None, may_have_acted: !idle, detail: String::new() }
    }

    #[must_use]
    pub(super) fn with_detail(mut self, detail: &str) -> Self {
        detail.clone_into(&mut self.detail);
        self
    }
}

impl From<Silence> for OAuthError {
    fn from(silence: Silence) -> Self {
        Self::NoEvidence(silence)
    }
}

impl OAuthError {
    /// The same, where it is a silence, with the span the provider wants to be left alone for.
    #[must_use]
    pub(super) fn after(self, wait: Option<i64>) -> Self {
        match self {
            Self::NoEvidence(silence) => Self::NoEvidence(Silence { wait, ..silence }),
            told => told,
        }
    }

    /// What happened and what to do, for everybody. `provider` begins the sentence: a component's name.
    #[must_use]
    pub fn sentence(&self, provider: &str) -> String {
        match self {
            Self::Refused(said) => {
                format!("{provider} does not accept this sign-in, or no longer.{said} Connect the account again.")
            }
            Self::WrongClient(said) => format!(
                "{provider} did not accept the client.{said} Check the client's id, its secret and what it may do."
            ),
            Self::NoClient => format!(
                "There is no OAuth client for {provider} any more, so its access cannot be renewed. Set one up again; \
                 then it is renewed by itself."
            ),
            Self::InvalidScope(said) => {
                format!("{provider} does not give the permissions that were asked for.{said} Choose others.")
            }
            Self::AccessDenied(said) => {
                format!("Access was not allowed at {provider}.{said} Connect again and allow it, or ask who may.")
            }
            Self::Misunderstood(said) => {
                format!("{provider} did not take the request.{said} Check the client's settings there.")
            }
            Self::NoEvidence(silence) => silence.sentence(provider),
            Self::NotTold { capture } => {
                format!("{provider} did not tell {capture}, without which it cannot be used. Connect again.")
            }
            Self::ForbiddenHost { capture } => format!(
                "{provider} named an address that is not its own ({capture}), so nothing was sent there. Connect again."
            ),
            Self::WrongIssuer => format!(
                "The answer does not come from {provider}, or does not say so. Nothing was saved. Connect again."
            ),
            Self::NoCode => format!("{provider} sent back no code. Connect again."),
            Self::Incomplete { field } => {
                format!("{field} is missing, or holds what cannot be sent to {provider}. Fill it in.")
            }
            Self::UnusableKey => "The private key is not readable. Paste it whole, with its BEGIN and END lines, \
                 unencrypted; RSA and P-256 keys can be used."
                .to_owned(),
            Self::NoRandomness => {
                "This machine gives no random bytes, so nothing can be signed. Tell whoever runs it.".to_owned()
            }
            Self::Unsupported => format!("{provider} has no way to do this."),
        }
    }
}

impl Silence {
    fn sentence(&self, provider: &str) -> String {
        let said = &self.said;
        match self.cause {
            Cause::Unreachable => format!("{provider} cannot be reached from here. Try again later."),
            Cause::Tls => format!("No verified encrypted connection to {provider} came about. Try again later."),
            Cause::TimedOut => format!("{provider} did not answer within 10 seconds. Try again later."),
            Cause::Broken => format!("The connection to {provider} broke off. Try again later."),
            Cause::TooMany => format!("{provider} says there were too many requests.{said} Try again in a while."),
            Cause::Unavailable(status) => {
                format!("{provider} has trouble of its own ({status}).{said} Try again later.")
            }
            Cause::WebPage(status) => format!(
                "{provider} answered with a web page ({status}); is a proxy or sign-in page in between? Try again later."
            ),
            Cause::Elsewhere(status) => {
                format!("{provider} sends elsewhere ({status}), and a credential is never sent on. Check the address.")
            }
            Cause::TooLong => format!("{provider} sent far more than an answer, so it was not read. Try again later."),
            Cause::Garbage(status) => {
                format!("{provider} did not answer as a provider should ({status}).{said} Try again later.")
            }
        }
    }
}
