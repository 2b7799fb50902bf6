//! The API for machines: `/api/v1`, described by `/api/v1/openapi.json`.

mod body;
mod catalog;
mod components;
mod connections;
mod credentials;
mod description;
mod events;
pub mod problem;
mod proxy;
mod replacement;
mod view;
mod webhooks;
mod words;
mod workflows;
mod workspaces;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Json, Router};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::description::Description;
use super::AppState;

fn described() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(catalog::components))
        .routes(routes!(components::get, components::put, components::delete))
        .routes(routes!(components::versions))
        .routes(routes!(components::version))
        .routes(routes!(catalog::tags))
        .routes(routes!(connections::list, connections::create))
        .routes(routes!(connections::get, connections::patch, replacement::delete))
        .routes(routes!(replacement::undelete))
        .routes(routes!(replacement::replace))
        .routes(routes!(connections::test))
        .routes(routes!(credentials::fetch))
        .routes(routes!(credentials::token))
        .routes(routes!(credentials::refused))
        .routes(routes!(workflows::list, workflows::put_all))
        .routes(routes!(workflows::changes))
        .routes(routes!(workflows::get, workflows::put, workflows::delete))
        .routes(routes!(events::events))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::get, webhooks::patch, webhooks::delete))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(webhooks::replay))
        .routes(routes!(workspaces::list))
        .routes(routes!(workspaces::get, workspaces::put))
        .routes(routes!(workspaces::make_ticket))
}

/// The generated description.
#[must_use]
pub fn document() -> Document {
    let mut document = described().split_for_parts().1;
    description::complete(&mut document);
    document
}

/// All of `/api`.
pub fn routes() -> Router<AppState> {
    let described = described().split_for_parts().0.merge(proxy::routes());
    described.route("/api/v1/openapi.json", axum::routing::get(openapi))
}

async fn openapi(State(app): State<AppState>) -> impl IntoResponse {
    let mut document = document();
    document.servers = Some(vec![utoipa::openapi::Server::new(app.config.public_url.join(""))]);
    Json(document)
}
