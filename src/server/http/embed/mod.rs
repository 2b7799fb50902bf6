//! Embedded pages: the frame's document, the trade of its ticket, and the SDK that the host loads.
//!
//! The document is a shell: it holds no data, reads no cookie, makes no session. Its address chooses who may frame it, and
//! authorises nothing.

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Extension, Json};
use leptos::nonce::Nonce;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::SocketAddr;

use super::headers::policy_framed_by;
use super::refusal::Refusal;
use super::{AppState, assets, refusal};
use crate::api::error::ApiError;
use crate::domain::embedding::Origin;
use crate::domain::id::WorkspaceId;
use crate::domain::time::SECOND;
use crate::server::service::embedding::{BEARER_LIFE, SignedIn};
use crate::server::store::{TicketRefused, Workspace};

const SHELL: &str = include_str!("shell.html");
const BRIDGE: &str = include_str!("bridge.js");
/// What a frame can show.
const VIEWS: [&str; 5] = ["connections", "component", "picker", "create", "reconnect"];

/// `GET /embed/{workspace}/{view}`, and whatever the page within shows below it.
pub async fn shell(State(app): State<AppState>, Extension(nonce): Extension<Nonce>, uri: Uri) -> Response {
    let mut parts = uri.path().split('/').skip(2);
    let (workspace, view) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let found = match WorkspaceId::try_from(workspace.to_owned()) {
        Ok(id) => app.services.workspace(&id).await,
        Err(_) => Err(ApiError::NotFound),
    };
    match found {
        Ok(workspace) if VIEWS.contains(&view) => document(&app, &nonce, &workspace, view),
        Ok(_) | Err(ApiError::NotFound) => {
            let text = format!(
                "There is no embedded page at this address. A workspace is made by PUT /api/v1/workspaces/{{id}}; \
                 its views are {}.\n",
                VIEWS.join(", ")
            );
            (StatusCode::NOT_FOUND, text).into_response()
        }
        Err(error) => Refusal::new("", error).into_response(),
    }
}

fn document(app: &AppState, nonce: &Nonce, workspace: &Workspace, view: &str) -> Response {
    let url = &app.config.public_url;
    let base = url.base();
    let files = assets::of_page(base).unwrap_or_default();
    let origins: Vec<&str> = workspace.settings.allowed_origins.iter().map(Origin::as_str).collect();
    let facts = json!({
        "workspace": workspace.id,
        "view": view,
        "allowedOrigins": origins,
        "publicUrl": url.join(""),
        "base": base,
        "theme": workspace.settings.theme,
        "js": files.js,
        "wasm": files.wasm,
    });
    // Within a script element nothing but `<` could end it.
    let facts = facts.to_string().replace('<', "\\u003c");
    let page = SHELL.replace("{base}", base).replace("{css}", &files.css).replace("{nonce}", nonce);
    let page = page.replace("{view}", view).replace("{bridge}", BRIDGE).replace("{facts}", &facts);
    let mut response = Html(page).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::try_from(policy_framed_by(nonce, &origins)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // A host that isolates itself (COEP) takes in only frames that say so, too.
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    };
    set("cross-origin-resource-policy", "cross-origin");
    set("cross-origin-embedder-policy", "require-corp");
    response
}

/// What the frame shows of its ticket. Holds a secret: no `Debug`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trade {
    ticket: String,
    /// The page that handed it over, as the browser told the frame.
    origin: String,
}

/// Why a frame could not be signed in, and what mends it.
#[derive(Serialize)]
struct Problem {
    code: &'static str,
    message: String,
    remedy: String,
}

/// `POST /embed/token`.
pub async fn token(
    State(app): State<AppState>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    body: Result<Json<Trade>, JsonRejection>,
) -> Response {
    let Ok(Json(Trade { ticket, origin })) = body else {
        return refused(StatusCode::BAD_REQUEST, TicketRefused::Unknown);
    };
    let Ok(origin) = Origin::try_from(origin) else {
        return refused(StatusCode::FORBIDDEN, TicketRefused::OriginNotAllowed);
    };
    let address = peer.map(|Extension(ConnectInfo(address))| address.ip().to_string());
    match app.services.sign_in_frame(&ticket, origin, address).await {
        Ok(Ok(signed_in)) => Json(told(&signed_in)).into_response(),
        Ok(Err(why @ (TicketRefused::OtherOrigin | TicketRefused::OriginNotAllowed))) => {
            refused(StatusCode::FORBIDDEN, why)
        }
        Ok(Err(why)) => refused(StatusCode::UNAUTHORIZED, why),
        Err(error) => {
            let status = refusal::status(&error);
            let (message, remedy) = (error.to_string(), "Try again in a moment.".to_owned());
            let problem = Problem { code: "unavailable", message, remedy };
            (status, refusal::retry_after(status), Json(problem)).into_response()
        }
    }
}

fn told(SignedIn { bearer, redeemed }: &SignedIn) -> Value {
    let grant = &redeemed.grant;
    json!({
        "token": bearer.token.reveal(),
        "expires_at": bearer.expires_at.to_rfc3339(),
        // In seconds: the browser's clock may be another than ours.
        "expires_in": BEARER_LIFE / SECOND,
        "workspace": { "id": grant.workspace, "name": redeemed.workspace_name },
        "user": grant.user,
        "role": grant.role,
        "environments": grant.environments,
    })
}

fn refused(status: StatusCode, why: TicketRefused) -> Response {
    let (code, message, remedy) = match why {
        TicketRefused::Unknown => (
            "no_ticket",
            "What the page gave as a ticket is none.",
            "Let getTicket return the `ticket` that POST /api/v1/embed/sessions answered with.",
        ),
        TicketRefused::Used => (
            "ticket_used",
            "This ticket was used already.",
            "Ask POST /api/v1/embed/sessions for a new ticket each time getTicket is called; keep none.",
        ),
        TicketRefused::Expired => (
            "ticket_expired",
            "This ticket is older than two minutes.",
            "Ask POST /api/v1/embed/sessions for the ticket when getTicket is called, not before.",
        ),
        TicketRefused::OtherOrigin => (
            "origin_mismatch",
            "This ticket was made for another page than the one that shows the frame.",
            "Give POST /api/v1/embed/sessions the `origin` of the page that shows the frame: location.origin there.",
        ),
        TicketRefused::OriginNotAllowed => (
            "origin_not_allowed",
            "The workspace does not allow this page to embed it.",
            "Look at GET /api/v1/workspaces/{id}, then PUT all of its name, allowed_origins, theme and settings again, \
             with the page's origin added to `allowed_origins`: PUT replaces what was there.",
        ),
    };
    (status, Json(Problem { code, message: message.to_owned(), remedy: remedy.to_owned() })).into_response()
}

/// `GET /sdk/v1/*`: for any page, as it is loaded before anybody is known.
pub async fn sdk(Path(file): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    let mut response = if matches!(file.as_str(), "patchbay.js" | "patchbay.d.ts") {
        assets::sdk(uri.path(), &headers)
    } else {
        StatusCode::NOT_FOUND.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("cross-origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_fills_in_all_its_places() {
        for place in ["{base}", "{css}", "{nonce}", "{view}", "{bridge}", "{facts}"] {
            assert!(SHELL.contains(place), "{place}");
        }
        assert!(!BRIDGE.contains("</script"));
    }
}
