//! The API for machines: `/api/v1`, described by `/api/v1/openapi.json`.

mod body;
mod catalog;
mod components;
mod connections;
mod events;
pub mod problem;
mod replacement;
mod view;
mod webhooks;
mod words;
mod workflows;
mod workspaces;

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Json, Router};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as Document, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::AppState;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Patchbay",
        version = "1",
        description = "Connections to third-party services: their credentials, their status, who uses them. \
                       Secrets go in and never come out. Errors are problem details (RFC 9457); their `type` is stable."
    ),
    modifiers(&KeyScheme),
    security(("api_key" = []))
)]
struct Description;

/// API keys as bearer tokens.
struct KeyScheme;

impl Modify for KeyScheme {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

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
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(tell_errors);
    }
    document
}

/// Every operation can fail, and all failures are told in one way.
fn tell_errors(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for (code, description) in [("4XX", "The request cannot be carried out"), ("5XX", "Patchbay cannot answer now")] {
        responses.entry(code.to_owned()).or_insert_with(|| Response::new(description).into());
    }
    for (_, response) in responses.iter_mut().filter(|(code, _)| code.starts_with(['4', '5'])) {
        if let RefOr::T(response) = response {
            let problem = Content::new(Some(Ref::from_schema_name("Problem")));
            response.content = [("application/problem+json".to_owned(), problem)].into_iter().collect();
        }
    }
}

/// All of `/api`.
pub fn routes() -> Router<AppState> {
    described().split_for_parts().0.route("/api/v1/openapi.json", axum::routing::get(openapi))
}

async fn openapi(State(app): State<AppState>) -> impl IntoResponse {
    let mut document = document();
    document.servers = Some(vec![utoipa::openapi::Server::new(app.config.public_url.join(""))]);
    Json(document)
}
