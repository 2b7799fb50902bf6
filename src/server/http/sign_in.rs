//! Signing in by a one-time link.
//!
//! The token stands behind the link's `#`, which browsers send to nobody: it reaches no log and no `Referer`. The page
//! posts it on a click, so that nothing that merely opens links uses it up.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, response::AppendHeaders};
use leptos::nonce::Nonce;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

use super::plain_page::PlainPage;
use super::{AppState, refusal, session};
use crate::api::error::ApiError;
use crate::domain::time::MINUTE;
use crate::server::clock::Clock;
use crate::server::config::PublicUrl;
use crate::server::random::Random;
use crate::server::store::{Member, Store};
use crate::server::token;

/// How long a link can be used.
pub const LINK_LIFE: i64 = 15 * MINUTE;

const USED: &str = "This link was used already, or is older than 15 minutes. Make a new one on the machine that runs \
                    Patchbay: patchbay sign-in-link";

/// Makes a link that signs a member in, once.
///
/// # Errors
/// [`ApiError::Unavailable`], [`ApiError::Internal`] without random bytes.
pub async fn new_link(
    store: &Store,
    clock: &Clock,
    random: &Random,
    url: &PublicUrl,
    member: &Member,
) -> Result<String, ApiError> {
    let token = token::draw(random, "")?;
    store.create_sign_in_link(token::hash(token.reveal()), &member.id, clock.now().plus(LINK_LIFE)).await?;
    Ok(url.join(&format!("/sign-in#{}", token.reveal())))
}

/// What the page posts. Holds a secret: no `Debug`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    token: String,
}

/// What went wrong, for the page to show.
#[derive(Serialize)]
struct Refused {
    message: String,
}

/// `POST /sign-in`.
pub async fn sign_in(
    State(app): State<AppState>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    body: Result<Json<SignIn>, JsonRejection>,
) -> Response {
    let Ok(Json(SignIn { token })) = body else {
        return refused(StatusCode::BAD_REQUEST, USED.to_owned());
    };
    let address = peer.map(|Extension(ConnectInfo(address))| address.ip().to_string());
    let before = session::cookie_in(&headers, &app.config.public_url);
    match session::begin(&app, &token, before.as_ref(), address).await {
        Ok(Some(cookie)) => (StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])).into_response(),
        Ok(None) => refused(StatusCode::UNAUTHORIZED, USED.to_owned()),
        Err(error) => refused(refusal::status(&error), error.to_string()),
    }
}

fn refused(status: StatusCode, message: String) -> Response {
    (status, refusal::retry_after(status), Json(Refused { message })).into_response()
}

/// `GET /sign-in`: changes nothing.
pub async fn page(State(app): State<AppState>, Extension(nonce): Extension<Nonce>, headers: HeaderMap) -> Html<String> {
    let page = PlainPage { title: "Sign in", body: include_str!("sign_in.html"), values: &[] };
    let document = page.document(&app.config.public_url, &nonce, &headers);
    Html(document)
}
