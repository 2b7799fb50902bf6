//! The browser's contract over HTTP: server functions, the snapshot, and the contract's name.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leptos::prelude::provide_context;
use serde::Deserialize;

use super::refusal::{Refusal, status};
use super::{AppState, changes, stream};
use crate::api::error::ApiError;
use crate::api::transport::{CONTRACT, CONTRACT_HEADER};
use crate::domain::environment::Environment;
use crate::server::service::caller::Caller;

/// Largest error a server function answers with, in bytes.
const ERROR_LIMIT: usize = 64 * 1024;

/// All of `/rpc`.
pub fn routes(app: &AppState) -> Router<AppState> {
    let mut router = Router::new()
        .route("/rpc/snapshot", axum::routing::get(snapshot))
        .route("/rpc/stream/changes", axum::routing::get(changes::changes))
        .route("/rpc/stream/create", axum::routing::post(stream::create))
        .route("/rpc/stream/update", axum::routing::post(stream::update))
        .route("/rpc/stream/test", axum::routing::post(stream::test))
        .route("/rpc/stream/try", axum::routing::post(stream::try_out));
    for (path, method) in server_fn::axum::server_fn_paths() {
        if let Some(handler) = server_function(app, &method) {
            router = router.route(path, handler);
        }
    }
    router.route_layer(axum::middleware::from_fn(contract))
}

/// An old page is told to reload, before anything of its request is read.
async fn contract(request: Request, next: Next) -> Response {
    let same = request.headers().get(CONTRACT_HEADER).is_none_or(|sent| sent == CONTRACT);
    if same { next.run(request).await } else { Refusal::new(request.uri().path(), ApiError::Outdated).into_response() }
}

fn server_function(app: &AppState, method: &Method) -> Option<MethodRouter<AppState>> {
    let filter = MethodFilter::try_from(method.clone()).ok()?;
    let app = app.clone();
    Some(on(filter, move |request: Request| {
        let app = app.clone();
        async move {
            let context = move || {
                provide_context(app.services.clone());
                provide_context(app.config.public_url.clone());
            };
            let answer = leptos_axum::handle_server_fns_with_context(context, request).await;
            with_status(answer.into_response()).await
        }
    }))
}

/// Server functions answer every error with 500; the status says which one it was.
async fn with_status(answer: Response) -> Response {
    if answer.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, ERROR_LIMIT).await else { return parts.status.into_response() };
    if let Ok(error) = serde_json::from_slice::<ApiError>(&bytes) {
        // Arguments that cannot be read come from a page of another build, or from no page at all.
        parts.status = if error == ApiError::Outdated { StatusCode::BAD_REQUEST } else { status(&error) };
    }
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, Body::from(bytes))
}

#[derive(Deserialize)]
struct SnapshotQuery {
    env: Environment,
    since: Option<i64>,
}

/// `GET /rpc/snapshot?env=&since=`.
async fn snapshot(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    query: Result<Query<SnapshotQuery>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Ok(Query(SnapshotQuery { env, since })) = query else {
        return (StatusCode::BAD_REQUEST, Json(ApiError::Outdated)).into_response();
    };
    match tagged_snapshot(&app, &caller, &headers, env, since).await {
        Ok(response) => response,
        Err(error) => Refusal::new("/rpc/snapshot", error).into_response(),
    }
}

/// Stands for a text that may hold what no header holds.
fn short_hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&crate::server::token::hash(text)[..9])
}

async fn tagged_snapshot(
    app: &AppState,
    caller: &Caller,
    headers: &HeaderMap,
    environment: Environment,
    since: Option<i64>,
) -> Result<Response, ApiError> {
    let revision = app.services.revision(caller, environment).await?;
    // A revision counts within its workspace, not everybody sees the same of it, and the contract gives the answer its shape.
    let whose = caller.sight().limit().map_or_else(|| "all".to_owned(), short_hash);
    let own = app.services.view(&caller.workspace).await?.revision();
    let tag = format!("W/\"{}.{environment}.{revision}.{own}.{whose}.{CONTRACT}\"", caller.workspace);
    let common = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    let vary = [(header::VARY, "cookie, authorization")];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, common, vary).into_response());
    }
    let snapshot = app.services.snapshot(caller, environment, since).await?;
    Ok((common, vary, Json(snapshot)).into_response())
}
