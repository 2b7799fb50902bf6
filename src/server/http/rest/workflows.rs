//! The workflows that use connections, as the platform registers them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{IdOf, JsonBody, QueryOf};
use super::catalog::InEnvironment;
use super::problem::Problem;
use super::words::{EnvironmentWord, connection, connections, cursor, reached};
use crate::api::connections::Workflow;
use crate::api::error::ApiError;
use crate::server::http::AppState;
use crate::server::service::caller::Caller;
use crate::server::service::workflows::ListWorkflows;
use crate::server::store::MappingChange;
use crate::server::store::record::WorkflowUse;

/// A workflow and the connections it uses.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Nightly order sync", "url": "https://app.example.com/workflows/nightly-orders",
    "connections": ["con_0193e2b1c7f87a3b9d2e4f5061728394"]
}))]
pub struct WorkflowBody {
    /// What people know it by.
    name: String,
    /// A link back to it.
    #[serde(default)]
    url: Option<String>,
    connections: Vec<String>,
}

/// A workflow with its id, and the connections it uses.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowEntry {
    /// The platform's own id.
    id: String,
    name: String,
    /// A link back to it.
    #[serde(default)]
    url: Option<String>,
    connections: Vec<String>,
}

/// Many workflows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkflowsBody {
    /// At most 1,000.
    workflows: Vec<WorkflowEntry>,
}

/// Which workflows.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    #[param(value_type = EnvironmentWord, inline)]
    environment: String,
    /// Only those that use this connection.
    connection: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 unless given.
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub struct WorkflowList {
    items: Vec<WorkflowEntry>,
    /// Where the next page begins; null on the last one.
    next: Option<String>,
}

/// From where on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangesParams {
    #[param(value_type = EnvironmentWord, inline)]
    environment: String,
    /// `cursor` of the answer before; from the beginning unless given.
    after: Option<String>,
    /// 1 to 200; 50 unless given.
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub struct ChangeList {
    items: Vec<ChangeView>,
    /// Send it as `after`, now or later, for what follows.
    cursor: String,
    /// Whether more is there already.
    more: bool,
}

/// A workflow that uses another connection than before.
#[derive(Serialize, ToSchema)]
pub struct ChangeView {
    at: String,
    workflow: String,
    /// `null`: the workflow uses `to` again beside what it uses; nothing is taken from it.
    from: Option<String>,
    to: String,
    /// `deletion` and `replacement`: it was replaced; `undo`: a deletion was taken back.
    cause: &'static str,
    /// Who did it.
    by: String,
}

/// The workflows of an environment, by their ids, and the connections they use.
#[utoipa::path(
    get, path = "/api/v1/workflows", operation_id = "listWorkflows", tag = "workflows", params(ListParams),
    responses((status = 200, body = WorkflowList), (status = "4XX", body = Problem))
)]
pub async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    QueryOf(params): QueryOf<ListParams>,
) -> Result<Json<WorkflowList>, Problem> {
    let environment = reached(&caller, &params.environment)?;
    let using = params.connection.map(|word| connection("connection", word)).transpose();
    let using = using.map_err(|problem| ApiError::Invalid { problems: vec![problem] })?;
    let query = ListWorkflows { connection: using, after: params.cursor, limit: params.limit };
    let (found, more) = app.services.workflows(&caller, environment, query).await?;
    let next = found.last().filter(|_| more).map(|last| last.workflow.id.clone());
    Ok(Json(WorkflowList { items: found.into_iter().map(WorkflowEntry::from).collect(), next }))
}

/// Registers many workflows, each in place of what was registered under its id: all of them, or, where one cannot be, none.
/// Those left out stay as they are.
#[utoipa::path(
    put, path = "/api/v1/workflows", operation_id = "registerWorkflows", tag = "workflows", params(InEnvironment), request_body = WorkflowsBody,
    responses((status = 204), (status = "4XX", body = Problem))
)]
pub async fn put_all(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    QueryOf(query): QueryOf<InEnvironment>,
    JsonBody(body): JsonBody<WorkflowsBody>,
) -> Result<StatusCode, Problem> {
    let (mut many, mut problems) = (Vec::new(), Vec::new());
    for (at, entry) in body.workflows.into_iter().enumerate() {
        match connections(&format!("{at}/connections"), entry.connections) {
            Ok(connections) => {
                let workflow = Workflow { id: entry.id, name: entry.name, url: entry.url };
                many.push(WorkflowUse { workflow, connections });
            }
            Err(wrong) => problems.extend(wrong),
        }
    }
    let registered = if problems.is_empty() {
        app.services.put_workflows(&caller, query.environment()?, many).await
    } else {
        Err(ApiError::Invalid { problems })
    };
    registered.map_err(|error| Problem::below("/workflows", error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// What Patchbay itself changed in the mapping of workflows to connections, the oldest first: follow it, and your copy of
/// the mapping stays the one in force.
#[utoipa::path(
    get, path = "/api/v1/workflows/changes", operation_id = "listWorkflowChanges", tag = "workflows", params(ChangesParams),
    responses((status = 200, body = ChangeList), (status = "4XX", body = Problem))
)]
pub async fn changes(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    QueryOf(params): QueryOf<ChangesParams>,
) -> Result<Json<ChangeList>, Problem> {
    let environment = reached(&caller, &params.environment)?;
    let after = params.after.map(|text| cursor("after", &text)).transpose()?;
    let (found, more) = app.services.mapping_changes(&caller, environment, after, params.limit).await?;
    let cursor = found.last().map_or(after.unwrap_or_default(), |last| last.sequence).to_string();
    Ok(Json(ChangeList { items: found.into_iter().map(ChangeView::from).collect(), cursor, more }))
}

impl From<WorkflowUse> for WorkflowEntry {
    fn from(registered: WorkflowUse) -> Self {
        let Workflow { id, name, url } = registered.workflow;
        Self { id, name, url, connections: registered.connections.into_iter().map(String::from).collect() }
    }
}

impl From<MappingChange> for ChangeView {
    fn from(change: MappingChange) -> Self {
        Self {
            at: change.at.to_rfc3339(),
            workflow: change.moved.workflow,
            from: change.moved.from.map(String::from),
            to: change.moved.to.into(),
            cause: change.cause.as_str(),
            by: change.by,
        }
    }
}

/// The connections a workflow uses.
#[utoipa::path(
    get, path = "/api/v1/workflows/{id}", operation_id = "getWorkflow", tag = "workflows", params(("id" = String, Path, description = "The platform's own id of the workflow"), InEnvironment),
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
    put, path = "/api/v1/workflows/{id}", operation_id = "registerWorkflow", tag = "workflows", params(("id" = String, Path, description = "The platform's own id of the workflow"), InEnvironment),
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
    let connections = connections("connections", body.connections);
    let connections = connections.map_err(|problems| Problem::below("", ApiError::Invalid { problems }))?;
    let registered = WorkflowUse { workflow, connections };
    let done = app.services.put_workflow(&caller, query.environment()?, registered).await;
    done.map_err(|error| Problem::below("", error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets a workflow.
#[utoipa::path(
    delete, path = "/api/v1/workflows/{id}", operation_id = "removeWorkflow", tag = "workflows", params(("id" = String, Path, description = "The platform's own id of the workflow"), InEnvironment),
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
