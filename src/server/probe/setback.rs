//! Why a probe ended early: the verdict, and the words for the step that failed.

use std::io;

use crate::domain::evidence::Verdict;
use crate::server::dial::http::HttpError;
use crate::server::dial::tls::{TlsError, is_about_client_certificate};
use crate::server::dial::{DialError, Flood};

/// A probe that ended before the end; the running step fails with the verdict's reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setback {
    pub reason: String,
    /// The field to mend, where that is known.
    pub field: Option<String>,
    /// For operators only.
    pub detail: String,
    /// For how many milliseconds the service asks not to be asked again.
    pub patience: Option<i64>,
    refused: bool,
}

impl Setback {
    /// Nothing was learned about the credential.
    #[must_use]
    pub fn silence(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), field: None, detail: String::new(), patience: None, refused: false }
    }

    /// The service refused the credential.
    #[must_use]
    pub fn refusal(reason: impl Into<String>) -> Self {
        Self { refused: true, ..Self::silence(reason) }
    }

    #[must_use]
    pub fn at(self, field: &str) -> Self {
        self.at_any(Some(field.to_owned()))
    }

    #[must_use]
    pub fn at_any(mut self, field: Option<String>) -> Self {
        self.field = field;
        self
    }

    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// With the span, in milliseconds, in which the service wants to be left alone.
    #[must_use]
    pub fn for_now(mut self, patience: Option<i64>) -> Self {
        self.patience = patience;
        self
    }

    #[must_use]
    pub fn into_verdict(self) -> Verdict {
        let Self { reason, field, refused, .. } = self;
        if refused { Verdict::Rejected { reason, field } } else { Verdict::NoEvidence { reason, field } }
    }
}

impl From<DialError> for Setback {
    fn from(error: DialError) -> Self {
        let field = if matches!(error, DialError::NobodyListens { .. }) { "port" } else { "host" };
        Self::silence(error.to_string()).at(field).with_detail(error.detail())
    }
}

impl From<TlsError> for Setback {
    fn from(error: TlsError) -> Self {
        let field = match error {
            TlsError::UnknownIssuer { .. } | TlsError::NotFromOwnCa { .. } | TlsError::UnreadableCa => "ca",
            TlsError::WrongName { .. } => "host",
            TlsError::UnreadableCertificate | TlsError::ClientCertificate { .. } => "client_certificate",
            TlsError::UnreadableKey | TlsError::OtherKey => "client_key",
            _ => "tls",
        };
        Self::silence(error.to_string()).at(field).with_detail(error.detail())
    }
}

impl From<HttpError> for Setback {
    fn from(error: HttpError) -> Self {
        Self::silence(error.to_string()).with_detail(error.detail())
    }
}

impl From<io::Error> for Setback {
    fn from(error: io::Error) -> Self {
        if is_about_client_certificate(&error) {
            return TlsError::ClientCertificate { detail: error.to_string() }.into();
        }
        let reason = if Flood::caused(&error) {
            "The service sent far more than an answer, so it was not read to its end."
        } else if error.kind() == io::ErrorKind::UnexpectedEof {
            "The service closed the connection without an answer."
        } else {
            "The connection to the service broke off."
        };
        Self::silence(reason).with_detail(error.to_string())
    }
}
