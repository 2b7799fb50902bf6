//! The page before the service: what is about to be connected, to where, and what it will be able to do.
//!
//! What authorises it stands behind the `#` of its address, and is posted when the page has loaded: nothing that merely
//! follows links begins anything, and no log or `Referer` learns of it.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, Html, IntoResponse, Response};
use axum::{Extension, http::HeaderValue};
use leptos::nonce::Nonce;
use serde::{Deserialize, Serialize};

use super::{OPENER_POLICY, browser_cookie, browser_of};
use crate::server::http::plain_page::PlainPage;
use crate::server::http::{AppState, refusal};
use crate::server::service::Consent;
use crate::server::token;

/// `GET /oauth/start`: changes nothing.
pub async fn page(State(app): State<AppState>, Extension(nonce): Extension<Nonce>, headers: HeaderMap) -> Response {
    let page = PlainPage { title: "Connect an account", body: include_str!("start.html"), values: &[] };
    (OPENER_POLICY, Html(page.document(&app.config.public_url, &nonce, &headers))).into_response()
}

/// What the page posts. Holds a secret: no `Debug`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    code: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Consent(Box<Consent>),
    Refused { message: String },
}

const OVER: &str = "This link was used already, perhaps in another browser, was called off, or has expired. Ask whoever \
                    gave it to you for another one; in Patchbay, choose Connect again.";

/// `POST /oauth/start`: binds the flow to this browser and says what is about to be connected.
pub async fn open(
    State(app): State<AppState>,
    headers: HeaderMap,
    body: Result<Json<Opened>, JsonRejection>,
) -> Response {
    let Ok(Json(Opened { code })) = body else { return refused(StatusCode::BAD_REQUEST, OVER.to_owned()) };
    let url = &app.config.public_url;
    let browser = match browser_of(&headers, url) {
        Some(browser) => Ok(browser),
        None => token::draw(&app.services.random, "").map_err(Into::into),
    };
    let opened = match browser {
        Ok(browser) => app.services.open_connect(&code, &browser).await.map(|consent| (consent, browser)),
        Err(error) => Err(error),
    };
    match opened {
        Ok((Some(consent), browser)) => {
            let cookie = browser_cookie(url, &browser).unwrap_or(HeaderValue::from_static(""));
            let cookie = AppendHeaders([(header::SET_COOKIE, cookie)]);
            (cookie, Json(Answer::Consent(Box::new(consent)))).into_response()
        }
        Ok((None, _)) => refused(StatusCode::GONE, OVER.to_owned()),
        Err(error) => refused(refusal::status(&error), error.to_string()),
    }
}

fn refused(status: StatusCode, message: String) -> Response {
    (status, refusal::retry_after(status), Json(Answer::Refused { message })).into_response()
}
