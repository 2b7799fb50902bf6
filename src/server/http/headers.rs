//! The headers every answer carries, and the nonce that ties a page's scripts to its answer.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leptos::nonce::Nonce;

use super::AppState;
use super::refusal::Refusal;

/// A year (RFC 6797).
const TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// For SVG files opened by themselves: they may draw, and nothing else.
pub const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");

/// Mints the nonce, hands it on in the request's extensions and sets the headers.
pub async fn layer(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let Ok(bytes) = app.services.random.bytes::<16>() else {
        return Refusal::internal(request.uri().path()).into_response();
    };
    let nonce = URL_SAFE_NO_PAD.encode(bytes);
    request.extensions_mut().insert(Nonce::from_value(nonce.as_str()));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY)
        && let Ok(policy) = HeaderValue::try_from(policy_framed_by(&nonce, &[]))
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    headers
        .entry(HeaderName::from_static("cross-origin-opener-policy"))
        .or_insert(HeaderValue::from_static("same-origin-allow-popups"));
    if app.config.public_url.https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, TRANSPORT_SECURITY);
    }
    // What is not said to be cacheable is not.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The policy of a page that only these may frame; nobody, where there are none.
#[must_use]
pub fn policy_framed_by(nonce: &str, ancestors: &[&str]) -> String {
    let ancestors = if ancestors.is_empty() { "'none'".to_owned() } else { ancestors.join(" ") };
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; connect-src 'self'; img-src 'self' data:; font-src 'self'; \
         base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors {ancestors}"
    )
}
