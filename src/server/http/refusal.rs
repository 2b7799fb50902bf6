//! How a request is turned down before a handler sees it: in the words of whoever asks.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};

use std::borrow::Cow;

use super::rest::problem::Problem;
use crate::api::error::ApiError;
use crate::domain::role::Action;
use crate::server::service::caller::{Caller, Principal};

/// An error, and what kind of client reads it.
pub struct Refusal {
    audience: Audience,
    error: ApiError,
    /// Where it says more than the error itself.
    detail: Option<Cow<'static, str>>,
    status: StatusCode,
    /// The methods an address takes, for one that it does not take.
    allow: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// `/api`: problem+json.
    Machine,
    /// `/rpc`: the browser's contract.
    Page,
    /// Everything else: a sentence.
    Person,
}

impl Audience {
    fn of(path: &str) -> Self {
        if path.starts_with("/api/") {
            Self::Machine
        } else if path.starts_with("/rpc/") {
            Self::Page
        } else {
            Self::Person
        }
    }
}

impl Refusal {
    #[must_use]
    pub fn new(path: &str, error: ApiError) -> Self {
        Self { audience: Audience::of(path), status: status(&error), error, detail: None, allow: None }
    }

    /// A page of another site may have sent it.
    #[must_use]
    pub fn foreign_page(path: &str) -> Self {
        let detail = "This request did not come from a page of Patchbay. If Patchbay stands behind a proxy, check that \
                      public_url is the address you opened.";
        Self { detail: Some(detail.into()), ..Self::new(path, ApiError::Forbidden) }
    }

    /// Nobody is signed in, and no key was sent.
    #[must_use]
    pub fn signed_out(path: &str) -> Self {
        let refusal = Self::new(path, ApiError::SignedOut);
        let for_machines =
            (refusal.audience == Audience::Machine).then_some("Send an API key as `Authorization: Bearer pb_…`.");
        Self { detail: for_machines.map(Cow::Borrowed), ..refusal }
    }

    /// A caller may not do this.
    #[must_use]
    pub fn forbidden(path: &str, caller: &Caller, action: Action) -> Self {
        let has = |permission| matches!(&caller.principal, Principal::ApiKey { permissions, .. } if permissions.contains(&permission));
        let words = || match action.permission() {
            Some(permission) if has(permission) => {
                "This API key is limited to named connections, and this concerns all. Make one that is not.".into()
            }
            Some(permission) => {
                format!("This API key has not the permission `{}`. Make one that has.", permission.as_str()).into()
            }
            None => "No API key may do this: an owner of the workspace does, signed in.".into(),
        };
        let detail = matches!(caller.principal, Principal::ApiKey { .. }).then(words);
        Self { detail, ..Self::new(path, ApiError::Forbidden) }
    }

    /// Workspaces and embed tickets are the platform's own business.
    #[must_use]
    pub fn for_the_platform(path: &str) -> Self {
        let detail = "This takes an instance key. Make one on the machine that runs Patchbay: patchbay instance-key \
                      create --name platform";
        Self { detail: Some(detail.into()), ..Self::new(path, ApiError::Forbidden) }
    }

    /// An instance key does a few things, and this is none of them.
    #[must_use]
    pub fn not_for_the_platform(path: &str) -> Self {
        let detail = "An instance key makes workspaces and embed tickets, and does nothing else. Send an API key of \
                      the workspace instead.";
        Self { detail: Some(detail.into()), ..Self::new(path, ApiError::Forbidden) }
    }

    /// The answer did not begin in time.
    #[must_use]
    pub fn too_slow(path: &str) -> Self {
        let detail = "Patchbay took too long to answer. Look whether the change was made, then try again.";
        Self { detail: Some(detail.into()), ..Self::new(path, ApiError::Unavailable) }
    }

    /// Both an API key and a session cookie: whose rights should count?
    #[must_use]
    pub fn two_identities(path: &str) -> Self {
        let detail = "The request carries an API key and a session cookie. Send one of them.";
        Self { detail: Some(detail.into()), status: StatusCode::BAD_REQUEST, ..Self::new(path, ApiError::Forbidden) }
    }

    #[must_use]
    pub fn unknown_key(path: &str) -> Self {
        let detail = "This API key is unknown, expired or revoked.";
        Self { detail: Some(detail.into()), ..Self::new(path, ApiError::SignedOut) }
    }

    #[must_use]
    pub fn nothing_here(path: &str) -> Self {
        Self { detail: Some("There is nothing at this address.".into()), ..Self::new(path, ApiError::NotFound) }
    }

    #[must_use]
    pub fn wrong_method(path: &str, allowed: &[&str]) -> Self {
        let allow = allowed.join(", ");
        let detail = Cow::Owned(format!("This address does not take that method. It takes: {allow}."));
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self { detail: Some(detail), status, allow: Some(allow), ..Self::new(path, ApiError::NotFound) }
    }

    #[must_use]
    pub fn internal(path: &str) -> Self {
        Self::new(path, ApiError::Internal)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let allow = AppendHeaders(self.allow.map(|methods| (header::ALLOW, methods)));
        let response = match self.audience {
            Audience::Machine if self.status == StatusCode::METHOD_NOT_ALLOWED => {
                Problem::unreadable(self.status, self.detail.unwrap_or_default()).into_response()
            }
            Audience::Machine => {
                let problem = Problem::of(self.error).with_status(self.status);
                self.detail.map_or(problem.clone(), |detail| problem.with_detail(&detail)).into_response()
            }
            Audience::Page => (self.status, retry_after(self.status), Json(self.error)).into_response(),
            Audience::Person => {
                let text = self.detail.map_or_else(|| self.error.to_string(), Cow::into_owned);
                (self.status, retry_after(self.status), text).into_response()
            }
        };
        (allow, response).into_response()
    }
}

/// The status code of an error.
#[must_use]
pub const fn status(error: &ApiError) -> StatusCode {
    match error {
        ApiError::SignedOut | ApiError::FrameSignedOut | ApiError::SomebodyElse => StatusCode::UNAUTHORIZED,
        ApiError::Forbidden => StatusCode::FORBIDDEN,
        ApiError::NotFound => StatusCode::NOT_FOUND,
        ApiError::Invalid { .. } => StatusCode::BAD_REQUEST,
        ApiError::NameTaken { .. }
        | ApiError::Conflict { .. }
        | ApiError::Superseded { .. }
        | ApiError::InUse { .. }
        | ApiError::TooManyComponents
        | ApiError::Full
        | ApiError::OwnFull
        | ApiError::Outdated => StatusCode::CONFLICT,
        ApiError::Reused => StatusCode::UNPROCESSABLE_ENTITY,
        ApiError::Gone => StatusCode::GONE,
        ApiError::Busy => StatusCode::TOO_MANY_REQUESTS,
        ApiError::Unavailable | ApiError::Offline => StatusCode::SERVICE_UNAVAILABLE,
        ApiError::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Seconds after which another try makes sense (RFC 9110, section 10.2.3).
pub fn retry_after(status: StatusCode) -> AppendHeaders<Option<(header::HeaderName, &'static str)>> {
    let later = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    AppendHeaders(later.then_some((header::RETRY_AFTER, "2")))
}
