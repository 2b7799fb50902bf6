//! The application's pages, rendered whole: no script is needed to read one.

use axum::body::Body;
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use leptos::nonce::Nonce;
use leptos::prelude::provide_context;
use url::form_urlencoded;

use super::{AppState, assets, session};
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::server::http::refusal::Refusal;
use crate::server::service::caller::Caller;
use crate::ui::app::{Assets, ShellOptions, Theme, shell};

/// The environment last looked at.
const ENVIRONMENT_COOKIE: &str = "patchbay_env";
/// A year.
const REMEMBERED_SECONDS: u32 = 31_536_000;

/// Any page. `/` without an environment leads to the one last looked at.
pub async fn page(State(app): State<AppState>, OriginalUri(original): OriginalUri, request: Request) -> Response {
    let Some(caller) = request.extensions().get::<Caller>() else {
        return Refusal::new("", ApiError::SignedOut).into_response();
    };
    let chosen = environment_in(original.query().unwrap_or_default());
    if request.uri().path() == "/" && chosen.is_none() {
        return to_environment(&app, &original, request.headers(), caller);
    }
    let mut response = render(&app, original, request).await;
    if let Some(environment) = chosen
        && let Ok(cookie) = remembered(&app, environment)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn environment_in(query: &str) -> Option<Environment> {
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "env").and_then(|(_, value)| value.parse().ok())
}

fn to_environment(app: &AppState, original: &Uri, headers: &HeaderMap, caller: &Caller) -> Response {
    let last = session::value_of(headers, ENVIRONMENT_COOKIE).and_then(|text| text.parse().ok());
    let first = || caller.environments.iter().next();
    let permitted = last.filter(|environment| caller.environments.contains(*environment)).or_else(first);
    let environment = permitted.unwrap_or(Environment::Development);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("env", environment.as_str());
    let others = form_urlencoded::parse(original.query().unwrap_or_default().as_bytes());
    query.extend_pairs(others.filter(|(key, _)| key != "env"));
    Redirect::to(&format!("{}/?{}", app.config.public_url.base(), query.finish())).into_response()
}

fn remembered(app: &AppState, environment: Environment) -> Result<HeaderValue, header::InvalidHeaderValue> {
    let url = &app.config.public_url;
    let path = if url.base().is_empty() { "/" } else { url.base() };
    let secure = if url.https() { "; Secure" } else { "" };
    let life = REMEMBERED_SECONDS;
    HeaderValue::try_from(format!(
        "{ENVIRONMENT_COOKIE}={environment}; Path={path}; SameSite=Lax; Max-Age={life}{secure}"
    ))
}

/// Renders to the end before it answers: rows are in the first HTML, and an error can still set the status.
async fn render(app: &AppState, original: Uri, mut request: Request<Body>) -> Response {
    let base = app.config.public_url.base();
    let theme = session::value_of(request.headers(), Theme::COOKIE).map_or(Theme::System, |text| Theme::parse(&text));
    let assets = assets::of_page(base).unwrap_or_else(|| Assets { base: base.to_owned(), ..Assets::default() });
    let nonce = request.extensions().get::<Nonce>().cloned();
    let (services, public_url) = (app.services.clone(), app.config.public_url.clone());
    // leptos' router knows the base path, so it sees the address as the browser does.
    *request.uri_mut() = original;
    let context = move || {
        provide_context(services.clone());
        provide_context(public_url.clone());
        provide_context(assets.clone());
        provide_context(theme);
        if let Some(nonce) = nonce.clone() {
            provide_context(nonce);
        }
    };
    leptos_axum::render_app_async_with_context(context, || shell(ShellOptions::default()))(request).await
}
