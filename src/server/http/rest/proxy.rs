//! The proxy: requests of runtimes, passed on with a credential that they never see.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, LOCATION, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::{Extension, Router};
use futures::stream::{self, StreamExt as _};
use http_body_util::{BodyExt as _, BodyStream, Limited, StreamBody};

use super::problem::Problem;
use crate::api::error::ApiError;
use crate::domain::id::ConnectionId;
use crate::server::http::AppState;
use crate::server::http::limits::{PROXY, Verbatim};
use crate::server::proxy::{Answer, Inquiry, Redirect, Sent};
use crate::server::service::caller::Caller;
use crate::server::service::proxy::Unsent;

/// A body of up to so many bytes is kept until the answer is there, so that it can be sent once more.
const KEPT: u64 = 256 << 10;
/// Marks an answer of the service itself: problems of Patchbay's own have none.
const ANSWER: HeaderName = HeaderName::from_static("patchbay-answer");
/// Where a redirect leads that leaves the service's base URL: not `Location`, so that no client follows it and takes
/// its API key along.
const ELSEWHERE: HeaderName = HeaderName::from_static("patchbay-location");

/// Takes every method.
pub fn routes() -> Router<AppState> {
    let paths = ["/api/v1/proxy/{id}", "/api/v1/proxy/{id}/", "/api/v1/proxy/{id}/{*path}"];
    paths.into_iter().fold(Router::new(), |router, path| router.route(path, axum::routing::any(call)))
}

impl From<Unsent> for Problem {
    fn from(unsent: Unsent) -> Self {
        let detail = unsent.to_string();
        let (status, kind, title) = match unsent {
            Unsent::Withheld(withheld) => return withheld.into(),
            Unsent::LeadsElsewhere(_) => (StatusCode::BAD_REQUEST, "/problems/path-refused", "The path is refused"),
            Unsent::NotHttp => (StatusCode::UNPROCESSABLE_ENTITY, "/problems/no-proxy", "The service has no proxy"),
            Unsent::TooLarge(_) => return Self::unreadable(StatusCode::PAYLOAD_TOO_LARGE, detail),
            Unsent::AnswerTooLarge(_) => {
                (StatusCode::BAD_GATEWAY, "/problems/answer-too-large", "The service's answer is too large")
            }
            Unsent::Slow => (StatusCode::GATEWAY_TIMEOUT, "/problems/service-silent", "The service did not answer"),
            Unsent::Upgrade => return Self::stated(StatusCode::BAD_GATEWAY, NO_UPGRADE, NO_UPGRADE_TITLE, detail),
            Unsent::NoAnswer(_) => {
                (StatusCode::BAD_GATEWAY, "/problems/service-unreachable", "The service could not be asked")
            }
        };
        Self::stated(status, kind, title, detail)
    }
}

const NO_UPGRADE: &str = "/problems/upgrade-refused";
const NO_UPGRADE_TITLE: &str = "Only HTTP passes the proxy";

/// Sends a request to the connection's service: method, path, query, headers and body as they come, at the component's
/// base URL and with its credential. The answer is the service's own, marked by `Patchbay-Answer: service`; both bodies
/// stream. Redirects are not followed.
#[utoipa::path(
    method(get, head, post, put, patch, delete, options), path = "/api/v1/proxy/{id}/{path}", tag = "runtime",
    params(
        ("id" = String, Path), ("path" = String, Path, description = "Below the component's base URL; may hold slashes")
    ),
    responses(
        (status = 200, description = "Whatever the service answers, with its own status"),
        (status = 400, description = "The path is refused"), (status = 404, description = "No such connection for this key"),
        (status = 409, description = "Not active, or expired"), (status = 410, description = "Deleted"),
        (status = 413, description = "The request is too large"), (status = 422, description = "No HTTP service"),
        (status = 429, description = "Too many requests of this key, or too many at once"),
        (status = 501, description = "An upgrade of the connection"),
        (status = 502, description = "The service could not be asked, or its answer does not pass"),
        (status = 503, description = "No new token could be had, or the call cannot be recorded"),
        (status = 504, description = "The service did not answer in time"), (status = "4XX", body = Problem)
    )
)]
pub async fn call(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    check(&parts.method, &parts.headers)?;
    let (id, path) = taken_apart(parts.uri.path()).ok_or(ApiError::NotFound)?;
    let query = parts.uri.query().map(str::to_owned);
    let body = sent(body, &parts.headers).await?;
    let inquiry = Inquiry { method: parts.method, path, query, headers: parts.headers };
    let answer = app.services.proxy(caller, id.clone(), inquiry, body).await?;
    Ok(passed_on(&app, &id, answer))
}

/// The connection and the path behind it, as it was sent.
fn taken_apart(path: &str) -> Option<(ConnectionId, String)> {
    let rest = path.strip_prefix(PROXY)?;
    let end = rest.find('/').unwrap_or(rest.len());
    Some((rest[..end].parse().ok()?, rest[end..].to_owned()))
}

fn check(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if matches!(*method, Method::CONNECT | Method::TRACE) {
        let detail = "CONNECT and TRACE do not pass the proxy.";
        return Err(Problem::unreadable(StatusCode::METHOD_NOT_ALLOWED, detail));
    }
    let mut options = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let wants_upgrade = options.any(|value| value.split(',').any(|word| word.trim().eq_ignore_ascii_case("upgrade")));
    if wants_upgrade || headers.contains_key(UPGRADE) {
        let detail = "Connections are not upgraded: WebSocket and the like do not pass the proxy. Fetch the credentials \
                      and connect to the service itself.";
        return Err(Problem::stated(StatusCode::NOT_IMPLEMENTED, NO_UPGRADE, NO_UPGRADE_TITLE, detail));
    }
    // Two opinions of where the request ends (RFC 9112, section 6.3).
    if headers.contains_key(CONTENT_LENGTH) && headers.contains_key(TRANSFER_ENCODING) {
        let detail = "The request has both Content-Length and Transfer-Encoding. Send one of them.";
        return Err(Problem::unreadable(StatusCode::BAD_REQUEST, detail));
    }
    Ok(())
}

/// The body: kept where it is small and its length announced, else passed on as it comes.
async fn sent(mut body: Body, headers: &HeaderMap) -> Result<Sent, Problem> {
    let ended = || Problem::unreadable(StatusCode::BAD_REQUEST, "The body ended before its time.");
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length <= KEPT) {
        let read = Limited::new(body, usize::try_from(KEPT).unwrap_or(usize::MAX)).collect().await;
        return Ok(Sent::Whole(read.map_err(|_| ended())?.to_bytes()));
    }
    if length.is_some() {
        return Ok(Sent::Stream { body: body.map_err(Into::into).boxed_unsync(), length });
    }
    // Only its first piece tells whether there is a body at all; an empty one must not be announced as chunks.
    let Some(first) = body.frame().await else { return Ok(Sent::Whole(Bytes::new())) };
    let first = first.map_err(|_| ended())?;
    let rest = BodyStream::new(body).map(|piece| piece.map_err(Into::into));
    let all = stream::once(async { Ok(first) }).chain(rest);
    Ok(Sent::Stream { body: StreamBody::new(all).boxed_unsync(), length: None })
}

fn passed_on(app: &AppState, id: &ConnectionId, answer: Answer) -> Response {
    let Answer { status, headers, redirect, body } = answer;
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.headers_mut().insert(ANSWER, HeaderValue::from_static("service"));
    let address = match redirect {
        // Still the service's, and so still behind the proxy.
        Some(Redirect::Below(path)) => Some((LOCATION, format!("{}{PROXY}{id}{path}", app.config.public_url.base()))),
        Some(Redirect::Elsewhere(text)) => Some((ELSEWHERE, text)),
        None => None,
    };
    if let Some((name, text)) = address
        && let Ok(value) = HeaderValue::try_from(text)
    {
        response.headers_mut().insert(name, value);
    }
    response.extensions_mut().insert(Verbatim);
    response
}
