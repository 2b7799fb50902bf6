//! A request that changes something comes from our own pages, or carries an API key.
//!
//! Browsers say where a request comes from (`Sec-Fetch-Site`, W3C Fetch Metadata); where one does not, `Origin` has to
//! be ours. A request with an `Authorization` header cannot be forged by a page, and is never let in by a cookie. One to
//! the API that carries neither is told to send a key.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;
use super::{AppState, session};

/// Refuses what another site's page may have sent.
pub async fn layer(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let url = &app.config.public_url;
    let is_nobody = request.uri().path().starts_with("/api/") && session::cookie_in(request.headers(), url).is_none();
    if is_safe(request.method()) || is_nobody || comes_from_us(request.headers(), url.origin()) {
        next.run(request).await
    } else {
        Refusal::foreign_page(request.uri().path()).into_response()
    }
}

/// Methods that change nothing (RFC 9110, section 9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn comes_from_us(headers: &HeaderMap, origin: &str) -> bool {
    if headers.contains_key(header::AUTHORIZATION) {
        return true;
    }
    match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => headers.get(header::ORIGIN).is_some_and(|sent| sent == origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (name.parse().expect("a name"), header::HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_our_own_pages_and_keys_may_change_something() {
        let ours = "http://127.0.0.1:3000";
        let accepted: [&[(&str, &str)]; 3] = [
            &[("sec-fetch-site", "same-origin")],
            &[("origin", "http://127.0.0.1:3000")],
            &[("authorization", "Bearer pb_x"), ("sec-fetch-site", "cross-site")],
        ];
        let refused: [&[(&str, &str)]; 6] = [
            &[],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:3000")],
            &[("sec-fetch-site", "none")],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:30001")],
        ];
        assert!(accepted.iter().all(|pairs| comes_from_us(&headers(pairs), ours)));
        for pairs in refused {
            assert!(!comes_from_us(&headers(pairs), ours), "{pairs:?}");
        }
    }
}
