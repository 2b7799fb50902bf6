//! Where the service sends the person back to (RFC 6749, section 4.1.2). The one GET that changes something: the state
//! it carries works once, and only in the browser that was sent away with it.

use axum::Extension;
use axum::extract::{ConnectInfo, MatchedPath, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use leptos::nonce::Nonce;
use std::net::SocketAddr;

use super::{OPENER_POLICY, browser_of};
use crate::server::http::plain_page::PlainPage;
use crate::server::http::{AppState, refusal};
use crate::server::service::{Landing, Redirect};

/// Parameters looked at; no provider sends so many.
const MOST_PARAMETERS: usize = 32;

/// Where providers of typed addresses send people back to.
pub const TYPED: &str = "/oauth/callback/own";

/// `GET /oauth/callback` and [`TYPED`].
pub async fn callback(
    State(app): State<AppState>,
    path: MatchedPath,
    Extension(nonce): Extension<Nonce>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .take(MOST_PARAMETERS)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let redirect = Redirect {
        parameters,
        typed: path.as_str() == TYPED,
        browser: browser_of(&headers, &app.config.public_url),
        address: peer.map(|Extension(ConnectInfo(address))| address.ip().to_string()),
    };
    let (status, landing) = match app.services.land(redirect).await {
        Ok(landing) => (StatusCode::OK, landing),
        Err(error) => (refusal::status(&error), Landing::Failed { message: error.to_string() }),
    };
    let (state, title, message) = words(&landing);
    let values = [("state", state), ("message", message.as_str())];
    let page = PlainPage { title: &title, body: include_str!("landing.html"), values: &values };
    (status, OPENER_POLICY, Html(page.document(&app.config.public_url, &nonce, &headers))).into_response()
}

fn words(landing: &Landing) -> (&'static str, String, String) {
    match landing {
        Landing::Connected { component } => (
            "connected",
            format!("{component} is connected"),
            "You can close this window. Where this was begun, it shows by itself.".to_owned(),
        ),
        Landing::OtherAccount { component, was, is } => (
            "other",
            format!("This is another {component} account"),
            format!(
                "You signed in as {is}; until now it was {was}. Nothing has changed yet: Patchbay asks which one to keep. You can close this window."
            ),
        ),
        Landing::Failed { message } => ("failed", "The account was not connected".to_owned(), message.clone()),
    }
}
