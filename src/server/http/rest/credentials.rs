//! Credentials for runtimes: fetched, and refused by the service.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::body::{IdOf, OptionalBody};
use super::problem::Problem;
use super::view::ConnectionView;
use crate::api::error::ApiError;
use crate::domain::id::ConnectionId;
use crate::domain::time::SECOND;
use crate::server::http::AppState;
use crate::server::probe::http_request::Shape;
use crate::server::service::caller::Caller;
use crate::server::service::hand_out::{Content, Form, HandedOut, Withheld};
use crate::server::service::refusal_report::Consequence;
use crate::server::vault::SecretText;

/// In which form the credentials are wanted.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FormWord {
    /// Base URL, headers and query parameters of a request to the service.
    Request,
    /// The component's fields, such as host, user and password of a database.
    Fields,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialsBody {
    /// Left out: `request` where the service is spoken to by HTTP, else `fields`.
    form: Option<FormWord>,
}

/// Credentials as they are now. Ask again when they are used again, and after `expires_at` at the latest.
#[derive(Serialize, ToSchema)]
pub struct CredentialsView {
    connection: String,
    environment: &'static str,
    #[schema(example = "github")]
    component: String,
    #[schema(example = "token")]
    method: String,
    /// When they end (RFC 3339), as far as is known.
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<RequestView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<BTreeMap<String, String>>,
}

/// What every request to the service carries.
#[derive(Serialize, ToSchema)]
pub struct RequestView {
    /// Without a slash at its end.
    #[schema(example = "https://api.github.com")]
    base_url: String,
    headers: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
}

/// An access token, in the names of RFC 6749, section 5.1.
#[derive(Serialize, ToSchema)]
pub struct TokenView {
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds; left out where the provider does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusedBody {
    /// The status code that the service answered with, where it speaks HTTP.
    #[schema(example = 401)]
    status: Option<u16>,
}

/// What a report led to.
#[derive(Serialize, ToSchema)]
pub struct RefusedView {
    /// `checking`: the service is asked within seconds, and the connection's status follows its answer. `checked`: it was
    /// asked less than a minute ago. `not_askable`: the component has no way to be asked.
    check: &'static str,
    /// As it is known now.
    connection: ConnectionView,
}

impl From<Withheld> for Problem {
    fn from(withheld: Withheld) -> Self {
        let detail = withheld.to_string();
        let (status, kind, title) = match withheld {
            Withheld::Other(error) => return Self::of(error),
            Withheld::Deleted => (StatusCode::GONE, "/problems/connection-deleted", "The connection was deleted"),
            Withheld::Expired(_) => {
                (StatusCode::CONFLICT, "/problems/connection-expired", "The connection has expired")
            }
            Withheld::NotActive(_) => {
                (StatusCode::CONFLICT, "/problems/connection-not-active", "The connection is not active")
            }
            Withheld::NotRenewed(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "/problems/token-not-renewed", "No new token could be had")
            }
            Withheld::NoToken => {
                (StatusCode::UNPROCESSABLE_ENTITY, "/problems/no-access-token", "There is no access token")
            }
            Withheld::NoRequest | Withheld::Unfit(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "/problems/no-request-form", "The credential fits no request")
            }
            Withheld::TooFast(wait) => {
                return Self::stated(StatusCode::TOO_MANY_REQUESTS, TOO_FAST, "Too many requests", detail)
                    .again_after(wait);
            }
            Withheld::TooManyAtOnce => {
                (StatusCode::TOO_MANY_REQUESTS, "/problems/too-many-at-once", "Too many at once")
            }
            Withheld::NotRecorded => {
                (StatusCode::SERVICE_UNAVAILABLE, "/problems/not-recorded", "The use cannot be recorded")
            }
        };
        Self::stated(status, kind, title, detail)
    }
}

const TOO_FAST: &str = "/problems/rate-limited";

const NOT_STORED: AppendHeaders<[(header::HeaderName, &str); 1]> = AppendHeaders([(header::CACHE_CONTROL, "no-store")]);

/// Hands out the credentials of a connection that is ACTIVE, renewed first where that is due. Every hand-out stands in the
/// audit trail before it leaves; where it cannot be recorded, nothing leaves.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/credentials", operation_id = "fetchCredentials", tag = "runtime", params(("id" = String, Path, description = "The connection's id")),
    request_body(content = Option<CredentialsBody>, description = "In which form"),
    responses(
        (status = 200, body = CredentialsView), (status = 404, description = "No such connection for this key"),
        (status = 409, description = "Not active, or expired"), (status = 410, description = "Deleted"),
        (status = 422, description = "Not to be had in this form"),
        (status = 429, description = "Too many requests of this key"),
        (status = 503, description = "No new token could be had, or the hand-out cannot be recorded"),
        (status = "4XX", body = Problem)
    )
)]
pub async fn fetch(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<ConnectionId>,
    OptionalBody(body): OptionalBody<CredentialsBody>,
) -> Result<impl IntoResponse, Problem> {
    let form = match body.form {
        None => Form::Fitting,
        Some(FormWord::Request) => Form::Request,
        Some(FormWord::Fields) => Form::Fields,
    };
    let handed_out = app.services.hand_out(&caller, &id, form).await?;
    Ok((NOT_STORED, Json(view(handed_out)?)))
}

fn view(handed_out: HandedOut) -> Result<CredentialsView, Problem> {
    let (request, fields) = match handed_out.content {
        Content::Request(shape) => (Some(request(&shape)?), None),
        // Revealed to whoever asked for them and may: that is what a hand-out is.
        Content::Fields(fields) => {
            (None, Some(fields.iter().map(|(id, value)| (id.clone(), value.reveal().to_owned())).collect()))
        }
    };
    Ok(CredentialsView {
        connection: handed_out.id.into(),
        environment: handed_out.environment.as_str(),
        component: handed_out.component,
        method: handed_out.method,
        expires_at: handed_out.expires_at.map(crate::domain::time::Timestamp::to_rfc3339),
        request,
        fields,
    })
}

fn request(shape: &Shape) -> Result<RequestView, Problem> {
    let text = |value: &header::HeaderValue| value.to_str().map(str::to_owned).map_err(|_| ApiError::Internal);
    let headers = shape.headers.iter().map(|header| Ok((header.name.to_string(), text(&header.value)?)));
    Ok(RequestView {
        base_url: shape.base.as_str().trim_end_matches('/').to_owned(),
        headers: headers.collect::<Result<_, ApiError>>()?,
        query: shape.query.iter().cloned().collect(),
    })
}

/// Hands out the access token alone, of a connection that has one.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/token", operation_id = "fetchToken", tag = "runtime", params(("id" = String, Path, description = "The connection's id")),
    responses(
        (status = 200, body = TokenView), (status = 404, description = "No such connection for this key"),
        (status = 409, description = "Not active, or expired"), (status = 410, description = "Deleted"),
        (status = 422, description = "This way of authenticating has no access token"),
        (status = 429, description = "Too many requests of this key"),
        (status = 503, description = "No new token could be had, or the hand-out cannot be recorded"),
        (status = "4XX", body = Problem)
    )
)]
pub async fn token(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<ConnectionId>,
) -> Result<impl IntoResponse, Problem> {
    let token = app.services.hand_out_token(&caller, &id).await?;
    let now = app.services.clock.now();
    let reveal = |token: &SecretText| token.reveal().to_owned();
    let view = TokenView {
        access_token: reveal(&token.token),
        token_type: "Bearer",
        expires_in: token.expires_at.map(|at| (at.since(now) / SECOND).max(0)),
        scope: Some(token.scopes.join(" ")).filter(|scope| !scope.is_empty()),
    };
    Ok((NOT_STORED, Json(view)))
}

/// Says that the service refused a credential that was handed out. The service is asked, and its answer counts; the report
/// by itself changes no status.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/refused", operation_id = "reportRefusal", tag = "runtime", params(("id" = String, Path, description = "The connection's id")),
    request_body(content = Option<RefusedBody>, description = "How it was refused"),
    responses(
        (status = 202, body = RefusedView), (status = 409, description = "Not active already, and why"),
        (status = "4XX", body = Problem)
    )
)]
pub async fn refused(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<ConnectionId>,
    OptionalBody(body): OptionalBody<RefusedBody>,
) -> Result<impl IntoResponse, Problem> {
    if body.status.is_some_and(|status| !(100..=599).contains(&status)) {
        return Err(ApiError::field("status", "Give the status code of the answer, such as 401.").into());
    }
    let reported = app.services.report_refused(&caller, &id, body.status).await?;
    let check = match reported.consequence {
        Consequence::Checking => "checking",
        Consequence::CheckedAt(_) => "checked",
        Consequence::NotAskable => "not_askable",
    };
    let now = app.services.clock.now();
    let connection = ConnectionView::new(reported.environment, reported.summary, now);
    Ok((StatusCode::ACCEPTED, Json(RefusedView { check, connection })))
}
