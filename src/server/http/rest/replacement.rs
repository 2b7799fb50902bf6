//! Deletion, and what workflows use instead.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

use super::body::{IdOf, JsonBody, OptionalBody, QueryOf};
use super::problem::{Problem, token};
use super::view::ConnectionView;
use super::words::connection;
use crate::api::error::ApiError;
use crate::domain::id::ConnectionId;
use crate::domain::replacement::Replacement;
use crate::domain::role::Action;
use crate::server::http::AppState;
use crate::server::service::caller::Caller;

/// What workflows use instead: a connection of the same component in the same environment.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplacementBody {
    /// For every workflow that is not named below.
    #[schema(example = "con_0193e2b1c7f87a3b9d2e4f5061728394")]
    replacement: Option<String>,
    /// For single workflows, by their ids.
    workflows: BTreeMap<String, String>,
}

/// The same for all workflows, for clients that send no body with DELETE.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InPlace {
    /// What every workflow that the body does not name uses instead: the id of a connection of the same component in the
    /// same environment.
    replacement: Option<String>,
}

/// Workflows that use another connection now.
#[derive(Serialize, ToSchema)]
pub struct ReplacedView {
    items: Vec<ReplacedWorkflow>,
}

#[derive(Serialize, ToSchema)]
pub struct ReplacedWorkflow {
    workflow: String,
    /// What it uses now.
    connection: String,
}

/// A connection that came back.
#[derive(Serialize, ToSchema)]
pub struct RestoredView {
    #[serde(flatten)]
    connection: ConnectionView,
    /// Ids of the workflows that use it again.
    workflows_returned: Vec<String>,
    /// Ids of the workflows that were changed since the deletion: they keep what they use now.
    workflows_kept: Vec<String>,
}

fn plan(body: ReplacementBody) -> Result<Replacement, Problem> {
    let (mut plan, mut problems) = (Replacement::default(), Vec::new());
    let mut read = |place: &str, word| connection(place, word).map_err(|problem| problems.push(problem)).ok();
    plan.everywhere = body.replacement.and_then(|word| read("replacement", word));
    for (workflow, word) in body.workflows {
        if let Some(id) = read(&format!("workflows{}", token(&workflow)), word) {
            plan.workflows.insert(workflow, id);
        }
    }
    if problems.is_empty() { Ok(plan) } else { Err(Problem::below("", ApiError::Invalid { problems })) }
}

fn refused(error: ApiError) -> Problem {
    Problem::below("", error)
}

/// Moves a connection to *Recently deleted*, where it waits seven days. With a replacement, its workflows use that from
/// now on: both happen, or neither.
#[utoipa::path(
    delete, path = "/api/v1/connections/{id}", operation_id = "deleteConnection", tag = "connections", params(("id" = String, Path, description = "The connection's id"), InPlace),
    request_body(content = Option<ReplacementBody>, description = "What workflows use instead"),
    responses((status = 204), (status = "4XX", body = Problem))
)]
pub async fn delete(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<ConnectionId>,
    QueryOf(InPlace { replacement }): QueryOf<InPlace>,
    OptionalBody(mut body): OptionalBody<ReplacementBody>,
) -> Result<StatusCode, Problem> {
    if replacement.is_some() && body.replacement.is_some() {
        return Err(ApiError::field("replacement", "The query names a replacement already. Name it once.").into());
    }
    body.replacement = body.replacement.or(replacement);
    let plan = plan(body)?;
    let environment = app.services.locate(&caller, Action::DeleteConnection, &id).await?;
    app.services.delete(&caller, environment, id, plan, None).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets the workflows of a connection use another one. The connection stays.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/replace", operation_id = "replaceConnection", tag = "connections", params(("id" = String, Path, description = "The connection's id")),
    request_body = ReplacementBody, responses((status = 200, body = ReplacedView), (status = "4XX", body = Problem))
)]
pub async fn replace(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<ConnectionId>,
    JsonBody(body): JsonBody<ReplacementBody>,
) -> Result<Json<ReplacedView>, Problem> {
    let plan = plan(body)?;
    let environment = app.services.locate(&caller, Action::ReplaceConnection, &id).await?;
    let moved = app.services.replace(&caller, environment, id, plan).await.map_err(refused)?;
    let item = |it: crate::server::store::Moved| ReplacedWorkflow { workflow: it.workflow, connection: it.to.into() };
    Ok(Json(ReplacedView { items: moved.into_iter().map(item).collect() }))
}

/// Brings a deleted connection back, and to the workflows that still use what replaced it when it was deleted. It is not
/// active until it is tested.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/undelete", operation_id = "undeleteConnection", tag = "connections", params(("id" = String, Path, description = "The connection's id")),
    responses((status = 200, body = RestoredView), (status = "4XX", body = Problem))
)]
pub async fn undelete(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<ConnectionId>,
) -> Result<Json<RestoredView>, Problem> {
    let environment = app.services.locate(&caller, Action::DeleteConnection, &id).await?;
    let restored = app.services.undelete(&caller, environment, id).await?;
    Ok(Json(RestoredView {
        connection: ConnectionView::new(environment, restored.summary, app.services.clock.now()),
        workflows_returned: restored.returned,
        workflows_kept: restored.kept.into_iter().map(|workflow| workflow.id).collect(),
    }))
}
