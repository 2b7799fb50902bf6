//! HTTP: one router for pages, the browser's contract and the API for machines.

pub mod assets;
pub mod caller;
mod changes;
mod csrf;
mod embed;
mod headers;
mod limits;
pub mod listen;
mod oauth;
mod pages;
mod plain_page;
pub mod refusal;
pub mod rest;
pub mod routes;
mod rpc;
pub mod session;
pub mod sign_in;
mod stall;
mod stream;

use any_spawner::Executor;
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use std::sync::Arc;
use tower::ServiceExt as _;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate as _};

use super::config::Config;
use super::service::Services;
use crate::api::error::ApiError;
use refusal::Refusal;

/// What handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub services: Services,
    pub config: Arc<Config>,
}

/// Everything Patchbay answers, below the public URL's path.
pub fn router(app: &AppState) -> Router {
    // Rendering spawns its resources. Refused where it is set already, as by an earlier router.
    let _ = Executor::init_tokio();
    let site = Router::new()
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .route("/favicon.svg", get(assets::icon))
        .route("/pkg/{*file}", get(assets::package))
        .route("/icons/{*file}", get(assets::icon))
        .route("/icons/own/{workspace}/{name}", get(assets::own_icon))
        .route("/sdk/v1/{*file}", get(embed::sdk))
        .layer(from_fn_with_state(app.clone(), routes::layer));
    // No layer here looks for a caller: whatever cookie comes along counts for nothing.
    let embedded = Router::new()
        .route("/embed/token", axum::routing::post(embed::token))
        .route("/embed/{workspace}/{view}", get(embed::shell))
        .route("/embed/{workspace}/{view}/", get(embed::shell))
        .route("/embed/{workspace}/{view}/{*page}", get(embed::shell))
        .layer(from_fn_with_state(app.clone(), routes::layer))
        .layer(from_fn_with_state(app.clone(), csrf::layer));
    let product = Router::new()
        .route("/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/oauth/start", get(oauth::page).post(oauth::open))
        .route("/oauth/callback", get(oauth::callback))
        .route(oauth::TYPED, get(oauth::callback))
        .route("/", get(pages::page))
        .route(routes::PAGES, get(pages::page))
        .merge(rpc::routes(app))
        .merge(rest::routes())
        // From the inside out: the table, who asks, from where.
        .layer(from_fn_with_state(app.clone(), routes::layer))
        .layer(from_fn_with_state(app.clone(), caller::layer))
        .layer(from_fn_with_state(app.clone(), csrf::layer));
    let inner = site.merge(embedded).merge(product);
    let worth_compressing = DefaultPredicate::new().and(limits::is_ours);
    let inner = limits::apply(inner, app)
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth_compressing))
        .layer(CatchPanicLayer::custom(|_| Extension(limits::Panicked).into_response()))
        .layer(from_fn(limits::panics))
        .layer(from_fn_with_state(app.clone(), headers::layer))
        .layer(from_fn_with_state(app.clone(), limits::trace))
        .with_state(app.clone());
    below(app.config.public_url.base().to_owned(), inner)
}

/// The process runs.
async fn healthy() -> &'static str {
    "ok\n"
}

/// The database answers.
async fn ready(State(app): State<AppState>) -> Response {
    match app.services.store.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(_) => Refusal::new("", ApiError::Unavailable).into_response(),
    }
}

/// Serves `inner` below a path, with the path taken off; elsewhere there is nothing.
fn below(base: String, inner: Router) -> Router {
    if base.is_empty() {
        return inner;
    }
    let base: Arc<str> = base.into();
    Router::new().fallback(move |mut request: Request| {
        let (base, inner) = (Arc::clone(&base), inner.clone());
        async move {
            if request.uri().path() == &*base {
                return Redirect::permanent(&format!("{base}/")).into_response();
            }
            let Some(uri) = without_base(request.uri(), &base) else { return StatusCode::NOT_FOUND.into_response() };
            *request.uri_mut() = uri;
            let Ok(response) = inner.oneshot(request).await;
            response
        }
    })
}

fn without_base(uri: &Uri, base: &str) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(base).filter(|rest| rest.starts_with('/'))?;
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse::<PathAndQuery>().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_path_is_taken_off_whole() {
        let off = |uri: &str| without_base(&uri.parse().expect("a URI"), "/patchbay").map(|uri| uri.to_string());
        assert_eq!(off("/patchbay/rpc/x?y=1").as_deref(), Some("/rpc/x?y=1"));
        assert_eq!(off("/patchbay-other/"), None);
        assert_eq!(off("/"), None);
    }
}
