//! Errors of the REST API: problem details for machines (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::error::ApiError;
use crate::domain::evidence::Verdict;
use crate::domain::field::{FieldProblem, RESERVED};
use crate::domain::time::SECOND;
use crate::server::http::refusal;
use crate::server::service::events::FeedRefusal;

/// What went wrong, in RFC 9457's words. `type` is stable; texts are for people and may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    #[schema(example = "/problems/name-taken")]
    kind: &'static str,
    title: &'static str,
    #[schema(example = 409)]
    status: u16,
    detail: String,
    /// Which values need another look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ValueProblem>,
    /// The version in force, where the one sent is stale.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_version: Option<i64>,
    /// Seconds after which another try makes sense, where that is known.
    #[serde(skip)]
    wait: Option<i64>,
}

/// One value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ValueProblem {
    /// Where it stands in the request's body (RFC 6901).
    #[schema(example = "/values/password")]
    pointer: String,
    detail: String,
}

impl Problem {
    /// What is wrong with a request; its values that cannot be used are members of its body.
    #[must_use]
    pub fn of(error: ApiError) -> Self {
        Self::told(error, ValueProblem::of_member)
    }

    /// What is wrong with a connection; its values that cannot be used are, but for a few, its fields.
    #[must_use]
    pub fn of_connection(error: ApiError) -> Self {
        Self::told(error, ValueProblem::of_connection)
    }

    /// What is wrong with a request whose problems tell the way to their value, below `root`.
    #[must_use]
    pub fn below(root: &str, error: ApiError) -> Self {
        let mut problem = Self::told(error, |problem| ValueProblem::new(&problem.field, &problem.message));
        for error in &mut problem.errors {
            let slash = if error.pointer.is_empty() { "" } else { "/" };
            error.pointer = format!("{root}{slash}{}", error.pointer);
        }
        problem
    }

    fn told(error: ApiError, place: fn(FieldProblem) -> ValueProblem) -> Self {
        let (kind, title) = name(&error);
        let detail = error.to_string();
        let status = refusal::status(&error).as_u16();
        let (errors, current_version) = match error {
            ApiError::Invalid { problems } => (problems.into_iter().map(place).collect(), None),
            ApiError::NameTaken { .. } => (vec![ValueProblem::new("/name", &detail)], None),
            ApiError::Conflict { current } => (Vec::new(), Some(current.version)),
            ApiError::Superseded { version } => (Vec::new(), Some(version)),
            _ => (Vec::new(), None),
        };
        Self { kind, title, status, detail, errors, current_version, wait: None }
    }

    /// What is wrong in words of its own.
    #[must_use]
    pub fn stated(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        let (status, detail) = (status.as_u16(), detail.into());
        Self { kind, title, status, detail, errors: Vec::new(), current_version: None, wait: None }
    }

    /// The same, with when another try makes sense.
    #[must_use]
    pub fn again_after(self, milliseconds: i64) -> Self {
        Self { wait: Some(milliseconds.max(0) / SECOND + 1), ..self }
    }

    /// A request that could not be read.
    #[must_use]
    pub fn unreadable(status: StatusCode, detail: impl Into<String>) -> Self {
        let (kind, title) = match status {
            StatusCode::PAYLOAD_TOO_LARGE => ("/problems/too-large", "The request is too large"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ("/problems/unsupported-media-type", "The body is not JSON"),
            StatusCode::METHOD_NOT_ALLOWED => ("/problems/method-not-allowed", "The address does not take that method"),
            StatusCode::NOT_FOUND => ("/problems/no-such-route", "There is nothing at this address"),
            _ => ("/problems/malformed", "The request cannot be read"),
        };
        Self::stated(status, kind, title, detail)
    }

    /// The service did not prove the credential right; nothing was saved.
    #[must_use]
    pub fn not_proven(verdict: &Verdict, message: String, problems: Vec<FieldProblem>) -> Self {
        let (kind, title) = match verdict {
            Verdict::NoEvidence { .. } => {
                ("/problems/credential-not-checked", "The service could not be asked about the credential")
            }
            Verdict::NotAskable => ("/problems/credential-not-checked", "The service has no way to be asked"),
            Verdict::Valid | Verdict::Limited { .. } | Verdict::Rejected { .. } => {
                ("/problems/credential-not-accepted", "The service did not accept the credential")
            }
        };
        Self {
            kind,
            title,
            status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
            detail: message,
            errors: problems.into_iter().map(ValueProblem::of_connection).collect(),
            current_version: None,
            wait: None,
        }
    }

    /// A place in a feed that it no longer reaches back to.
    #[must_use]
    pub fn forgotten() -> Self {
        Self {
            kind: "/problems/cursor-expired",
            title: "The feed no longer reaches back to this cursor",
            status: StatusCode::GONE.as_u16(),
            detail: "Events are kept for 30 days. Take a new cursor (GET /api/v1/events?cursor=latest, or the feed \
                     without a cursor), then read what you follow anew, and go on from that cursor."
                .to_owned(),
            errors: Vec::new(),
            current_version: None,
            wait: None,
        }
    }

    #[must_use]
    pub fn with_status(self, status: StatusCode) -> Self {
        Self { status: status.as_u16(), ..self }
    }

    #[must_use]
    pub fn with_detail(self, detail: &str) -> Self {
        Self { detail: detail.to_owned(), ..self }
    }

    /// The same, pointing at one value.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.errors.push(ValueProblem::new(pointer, &self.detail));
        self
    }
}

impl ValueProblem {
    fn new(pointer: &str, detail: &str) -> Self {
        Self { pointer: pointer.to_owned(), detail: detail.to_owned() }
    }

    fn of_member(problem: FieldProblem) -> Self {
        Self { pointer: token(&problem.field), detail: problem.message }
    }

    fn of_connection(problem: FieldProblem) -> Self {
        if RESERVED.contains(&problem.field.as_str()) {
            return Self::of_member(problem);
        }
        Self { pointer: format!("/values{}", token(&problem.field)), detail: problem.message }
    }
}

/// One step of a pointer: `~` and `/` are escaped (RFC 6901, section 3).
#[must_use]
pub fn token(member: &str) -> String {
    format!("/{}", member.replace('~', "~0").replace('/', "~1"))
}

const fn name(error: &ApiError) -> (&'static str, &'static str) {
    match error {
        ApiError::SignedOut | ApiError::FrameSignedOut | ApiError::SomebodyElse => {
            ("/problems/not-authenticated", "Not authenticated")
        }
        ApiError::Forbidden => ("/problems/forbidden", "Not allowed"),
        ApiError::NotFound => ("/problems/not-found", "Not found"),
        ApiError::Invalid { .. } => ("/problems/invalid-values", "Some values cannot be used"),
        ApiError::NameTaken { .. } => ("/problems/name-taken", "The name is taken"),
        ApiError::Conflict { .. } | ApiError::Superseded { .. } => ("/problems/stale-version", "Changed meanwhile"),
        ApiError::InUse { .. } => ("/problems/in-use", "Still in use"),
        ApiError::TooManyComponents => ("/problems/too-many-components", "The workspace has enough of its own"),
        ApiError::Reused => ("/problems/idempotency-key-reused", "The Idempotency-Key stands for another request"),
        ApiError::Gone => ("/problems/gone", "Deleted since"),
        ApiError::Full => ("/problems/environment-full", "The environment is full"),
        ApiError::OwnFull => ("/problems/own-full", "This user has too many connections"),
        ApiError::Busy => ("/problems/busy", "Too many checks at once"),
        ApiError::Unavailable | ApiError::Offline => ("/problems/unavailable", "Not available right now"),
        ApiError::Outdated => ("/problems/outdated", "Outdated client"),
        ApiError::Internal => ("/problems/internal", "Something went wrong inside Patchbay"),
    }
}

impl From<FeedRefusal> for Problem {
    fn from(refusal: FeedRefusal) -> Self {
        match refusal {
            FeedRefusal::Api(error) => Self::of(error),
            FeedRefusal::Forgotten => Self::forgotten(),
        }
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        Self::of(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, refusal::retry_after(status), axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_points_at_the_value_it_is_about() {
        let problems = ["pass/word", "name", "url", "environment"].map(|field| FieldProblem::new(field, "is wrong"));
        let error = ApiError::Invalid { problems: problems.into() };
        let pointers =
            |problem: Problem| problem.errors.into_iter().map(|error| error.pointer).collect::<Vec<_>>().join(" ");
        let of_connection = pointers(Problem::of_connection(error.clone()));
        assert_eq!(of_connection, "/values/pass~1word /name /values/url /values/environment");
        assert_eq!(pointers(Problem::of(error)), "/pass~1word /name /url /environment");
    }

    #[test]
    fn a_problem_is_served_as_one() {
        let response = Problem::of(ApiError::Unavailable).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }
}
