//! What one request may take: bytes, time, and its share of the server. And one line in the log.

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http_body_util::Limited;
use std::time::{Duration, Instant};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};

use super::AppState;
use super::rest::problem::Problem;

/// Longest pause while a request's body arrives.
const BODY_PAUSE: Duration = Duration::from_secs(10);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts all limits around a router.
pub fn apply(router: Router<AppState>, app: &AppState) -> Router<AppState> {
    let limits = app.config.limits;
    router
        .layer(from_fn_with_state(app.clone(), body))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        .layer(GlobalConcurrencyLimitLayer::new(limits.requests_at_once))
        // An answer has to begin in time; a stream, once begun, may go on.
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits.request))
}

/// Refuses a body that is too large: before reading where it says so, else while reading.
async fn body(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let for_machines = request.uri().path().starts_with("/api/");
    let limit = if for_machines { app.config.limits.api_body } else { app.config.limits.page_body };
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        let detail = format!("The body is larger than the {} KiB this server takes.", limit / 1024);
        let problem = Problem::unreadable(StatusCode::PAYLOAD_TOO_LARGE, detail.clone());
        return if for_machines {
            problem.into_response()
        } else {
            (StatusCode::PAYLOAD_TOO_LARGE, detail).into_response()
        };
    }
    next.run(request.map(|body| Body::new(Limited::new(body, limit)))).await
}

/// Names the request and logs how it went: no query, no header, no body.
pub async fn trace(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let id = app.services.random.bytes::<8>().map(u64::from_be_bytes).unwrap_or_default();
    let id = format!("{id:016x}");
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let begun = Instant::now();
    let mut response = next.run(request).await;
    let (status, milliseconds) = (response.status().as_u16(), begun.elapsed().as_millis());
    if response.status().is_server_error() {
        tracing::warn!(%id, %method, path, status, milliseconds, "request failed");
    } else {
        tracing::debug!(%id, %method, path, status, milliseconds, "request");
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
