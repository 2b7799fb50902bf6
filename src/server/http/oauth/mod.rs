//! The pages of connecting an account: one before the person goes to the service, one after. Plain HTML: whoever owns
//! the account need not be anybody here.

mod callback;
mod start;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};

use super::session;
use crate::api::error::ApiError;
use crate::domain::time::DAY;
use crate::server::config::PublicUrl;
use crate::server::vault::SecretText;

pub use callback::{TYPED, callback};
pub use start::{open, page};

/// How long the browser that opened the page is known by its cookie, in milliseconds: as long as a link is good for.
const COOKIE_LIFE: i64 = 7 * DAY;

/// The cookie that binds a flow to the browser that opened its page (RFC 9700, section 4.7).
fn cookie_name(url: &PublicUrl) -> String {
    session::cookie_name_of(url, "patchbay-oauth")
}

fn browser_of(headers: &HeaderMap, url: &PublicUrl) -> Option<SecretText> {
    session::value_of(headers, &cookie_name(url)).map(SecretText::new)
}

fn browser_cookie(url: &PublicUrl, browser: &SecretText) -> Result<HeaderValue, ApiError> {
    let path = if url.base().is_empty() { "/" } else { url.base() };
    // The cookie is what the browser proves itself by: it has to hold the value.
    let cookie = Cookie::build((cookie_name(url), browser.reveal()))
        .path(path)
        .http_only(true)
        // Sent when the service's page leads back here, which is another site's.
        .same_site(SameSite::Lax)
        .secure(url.https())
        .max_age(cookie::time::Duration::milliseconds(COOKIE_LIFE));
    HeaderValue::try_from(cookie.to_string()).map_err(|_| ApiError::Internal)
}

/// A popup that an embedded page opened keeps its opener only without isolation (measured; see the design's security).
const OPENER_POLICY: [(header::HeaderName, HeaderValue); 1] =
    [(header::HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("unsafe-none"))];
