//! What one request may take: bytes, time, and its share of the server. And one line in the log.

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http_body_util::Limited;
use std::time::{Duration, Instant};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use super::AppState;
use super::refusal::Refusal;
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
        .layer(from_fn_with_state(app.clone(), in_time))
}

/// What the addresses of the proxy begin with. Its bodies stream, and have limits of their own.
pub const PROXY: &str = "/api/v1/proxy/";

/// Marks an answer that is passed on as it came.
#[derive(Clone, Copy)]
pub struct Verbatim;

/// Whether an answer is our own, to be compressed as we like.
pub fn is_ours(_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions) -> bool {
    extensions.get::<Verbatim>().is_none()
}

/// An answer has to begin in time; a stream, once begun, may go on.
async fn in_time(State(app): State<AppState>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with(PROXY) {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    let answer = tokio::time::timeout(app.config.limits.request, next.run(request)).await;
    answer.unwrap_or_else(|_| Refusal::too_slow(&path).into_response())
}

/// Marks the answer to a request whose handler panicked.
#[derive(Clone, Copy)]
pub struct Panicked;

/// Tells of a panic in the words of whoever asked.
pub async fn panics(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    if response.extensions().get::<Panicked>().is_some() { Refusal::internal(&path).into_response() } else { response }
}

/// Refuses a body that is too large: before reading where it says so, else while reading.
async fn body(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let for_machines = request.uri().path().starts_with("/api/");
    let proxied = request.uri().path().starts_with(PROXY);
    let limit = match (proxied, for_machines) {
        (true, _) => usize::try_from(app.config.limits.runtime.proxied_body).unwrap_or(usize::MAX),
        (false, true) => app.config.limits.api_body,
        (false, false) => app.config.limits.page_body,
    };
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
    // The proxy counts by itself, and tells what it was that was too large.
    let request = if proxied { request } else { request.map(|body| Body::new(Limited::new(body, limit))) };
    next.run(request).await
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Extension;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;

    #[tokio::test]
    async fn a_panic_is_told_to_machines_as_a_problem() {
        async fn falls() -> &'static str {
            panic!("on purpose")
        }
        let router: Router = Router::new()
            .route("/api/v1/falls", get(falls))
            .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| Extension(Panicked).into_response()))
            .layer(from_fn(panics));
        let request = Request::builder().uri("/api/v1/falls").body(Body::empty()).expect("a request");
        let answer = router.oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
    }
}
