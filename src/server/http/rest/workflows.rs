//! The workflows that use connections, as the platform registers them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{IdOf, JsonBody, QueryOf};
use super::catalog::InEnvironment;
use super::problem::Problem;
use super::words::connections;
use crate::api::connections::Workflow;
use crate::api::error::ApiError;
use crate::server::http::AppState;
use crate::server::service::caller::Caller;
use crate::server::store::record::WorkflowUse;

/// A workflow and the connections it uses.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowBody {
    name: String,
    /// A link back to it.
    #[serde(default)]
    url: Option<String>,
    connections: Vec<String>,
}

/// The connections a workflow uses.
#[utoipa::path(
    get, path = "/api/v1/workflows/{id}", tag = "workflows", params(("id" = String, Path), InEnvironment),
    responses((status = 200, body = WorkflowBody), (status = "4XX", body = Problem))
)]
pub async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<String>,
    QueryOf(query): QueryOf<InEnvironment>,
) -> Result<Json<WorkflowBody>, Problem> {
    let found = app.services.workflow(&caller, query.environment()?, &id).await;
    let WorkflowUse { workflow, connections } = found.map_err(unknown_workflow)?;
    let connections = connections.into_iter().map(String::from).collect();
    Ok(Json(WorkflowBody { name: workflow.name, url: workflow.url, connections }))
}

/// Registers a workflow, or replaces what was registered under its id.
#[utoipa::path(
    put, path = "/api/v1/workflows/{id}", tag = "workflows", params(("id" = String, Path), InEnvironment),
    request_body = WorkflowBody, responses((status = 204), (status = "4XX", body = Problem))
)]
pub async fn put(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<String>,
    QueryOf(query): QueryOf<InEnvironment>,
    JsonBody(body): JsonBody<WorkflowBody>,
) -> Result<StatusCode, Problem> {
    let workflow = Workflow { id, name: body.name, url: body.url };
    let registered = WorkflowUse { workflow, connections: connections(body.connections)? };
    app.services.put_workflow(&caller, query.environment()?, registered).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets a workflow.
#[utoipa::path(
    delete, path = "/api/v1/workflows/{id}", tag = "workflows", params(("id" = String, Path), InEnvironment),
    responses((status = 204), (status = "4XX", body = Problem))
)]
pub async fn delete(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<String>,
    QueryOf(query): QueryOf<InEnvironment>,
) -> Result<StatusCode, Problem> {
    app.services.remove_workflow(&caller, query.environment()?, &id).await.map_err(unknown_workflow)?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown_workflow(error: ApiError) -> Problem {
    let unknown = error == ApiError::NotFound;
    let problem = Problem::of(error);
    if unknown { problem.with_detail("There is no workflow with this id in this environment.") } else { problem }
}
