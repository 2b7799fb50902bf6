//! The pages of connecting an account: one before the person goes to the service, one after. Plain HTML: whoever owns
//! the account need not be anybody here.

mod callback;
mod start;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};
use leptos::nonce::Nonce;

use super::{assets, session};
use crate::api::error::ApiError;
use crate::domain::time::HOUR;
use crate::server::config::PublicUrl;
use crate::server::vault::SecretText;

pub use callback::callback;
pub use start::{open, page};

/// How long the browser that opened the page is known by its cookie, in milliseconds.
const COOKIE_LIFE: i64 = HOUR;

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

/// A page of plain HTML in the product's look. What is filled in beside `values` is ours and needs no escaping.
fn document(template: &str, url: &PublicUrl, nonce: &Nonce, headers: &HeaderMap, values: &[(&str, &str)]) -> String {
    let base = url.base();
    let css = assets::of_page(base).map_or_else(String::new, |assets| assets.css);
    let theme = match session::value_of(headers, "patchbay_theme").as_deref() {
        Some("light") => " data-theme=\"light\"",
        Some("dark") => " data-theme=\"dark\"",
        _ => "",
    };
    let mut document =
        template.replace("{theme}", theme).replace("{base}", base).replace("{css}", &css).replace("{nonce}", nonce);
    for (name, value) in values {
        document = document.replace(&format!("{{{name}}}"), &escaped(value));
    }
    document
}

/// Text in HTML, or in an attribute between double quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A popup that an embedded page opened keeps its opener only without isolation (measured; see the design's security).
const OPENER_POLICY: [(header::HeaderName, HeaderValue); 1] =
    [(header::HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("unsafe-none"))];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_filled_in_breaks_out_of_its_place() {
        assert_eq!(escaped("<b a=\"c\">&"), "&lt;b a=&quot;c&quot;&gt;&amp;");
    }
}
