//! Workspaces and embed tickets, for the platform with its instance key.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::body::{IdOf, JsonBody, QueryOf, object};
use super::problem::Problem;
use super::words::environment;
use crate::api::error::ApiError;
use crate::domain::embedding::{HostTheme, Origin};
use crate::domain::id::WorkspaceId;
use crate::domain::owner::EndUser;
use crate::domain::role::{EnvironmentSet, Role};
use crate::server::http::AppState;
use crate::server::service::caller::Platform;
use crate::server::service::embedding::WORKSPACES_LIMIT;
use crate::server::store::{EmbedGrant, Workspace, WorkspaceSettings};

/// What the platform says of a workspace.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Acme", "allowed_origins": ["https://app.example.com"] }))]
pub struct WorkspaceBody {
    name: String,
    /// Exact origins whose pages may embed it, such as `https://app.example.com`.
    #[serde(default)]
    allowed_origins: Vec<String>,
    /// `scheme` (light, dark, system), `accent` (#rrggbb), `radius` (0 to 16), `font` (system, or families).
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = Object)]
    theme: HostTheme,
    /// The platform's own; Patchbay keeps them as they are.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
}

/// A workspace.
#[derive(Serialize, ToSchema)]
pub struct WorkspaceView {
    id: String,
    name: String,
    allowed_origins: Vec<String>,
    #[schema(value_type = Object)]
    theme: HostTheme,
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    created_at: String,
    updated_at: String,
}

/// Workspaces by id; `next` is where the next page begins.
#[derive(Serialize, ToSchema)]
pub struct WorkspaceList {
    items: Vec<WorkspaceView>,
    next: Option<String>,
}

/// Where a page begins.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Whom to sign in, where, and on which page.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "workspace": "acme", "user": { "id": "ada", "name": "Ada Okafor" }, "role": "editor", "environments": ["development"],
    "origin": "https://app.example.com"
}))]
pub struct TicketBody {
    workspace: String,
    #[serde(deserialize_with = "object")]
    user: UserBody,
    /// `viewer`, `editor` or `owner`.
    role: String,
    environments: Vec<String>,
    /// The page that will show the frame; one of the workspace's `allowed_origins`.
    origin: String,
}

/// An end user, by the platform's own id.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserBody {
    id: String,
    name: Option<String>,
}

/// A ticket: worth one sign-in, for two minutes.
#[derive(Serialize, ToSchema)]
pub struct TicketView {
    ticket: String,
    expires_at: String,
    /// Where the workspace's embedded pages lie; the view's name comes behind it.
    url: String,
}

impl From<Workspace> for WorkspaceView {
    fn from(workspace: Workspace) -> Self {
        let WorkspaceSettings { name, allowed_origins, theme, settings } = workspace.settings;
        Self {
            id: workspace.id.into(),
            name,
            allowed_origins: allowed_origins.into_iter().map(String::from).collect(),
            theme,
            settings,
            created_at: workspace.created_at.to_rfc3339(),
            updated_at: workspace.updated_at.to_rfc3339(),
        }
    }
}

fn origin(text: String) -> Result<Origin, ApiError> {
    Origin::try_from(text).map_err(|error| ApiError::field("origin", format!("{error}.")))
}

fn unknown_workspace(error: ApiError) -> Problem {
    let unknown = error == ApiError::NotFound;
    let problem = Problem::of(error);
    if unknown { problem.with_detail("There is no workspace with this id.") } else { problem }
}

/// The workspaces of this instance.
#[utoipa::path(
    get, path = "/api/v1/workspaces", operation_id = "listWorkspaces", tag = "embedding", security(("instance_key" = [])), params(Paging),
    responses((status = 200, body = WorkspaceList), (status = "4XX", body = Problem))
)]
pub async fn list(
    State(app): State<AppState>,
    QueryOf(Paging { cursor, limit }): QueryOf<Paging>,
) -> Result<Json<WorkspaceList>, Problem> {
    let after = cursor.map(WorkspaceId::try_from).transpose();
    let after = after.map_err(|_| ApiError::field("cursor", "This cursor is not from a list."))?;
    let limit = limit.unwrap_or(50).clamp(1, WORKSPACES_LIMIT);
    let mut found = app.services.store.workspaces(after.as_ref(), limit + 1).await.map_err(ApiError::from)?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.id.to_string());
    Ok(Json(WorkspaceList { items: found.into_iter().map(WorkspaceView::from).collect(), next }))
}

/// One workspace.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}", operation_id = "getWorkspace", tag = "embedding", security(("instance_key" = [])), params(("id" = String, Path, description = "The workspace's id: lower-case letters, digits and hyphens")),
    responses((status = 200, body = WorkspaceView), (status = "4XX", body = Problem))
)]
pub async fn get(State(app): State<AppState>, IdOf(id): IdOf<WorkspaceId>) -> Result<Json<WorkspaceView>, Problem> {
    Ok(Json(app.services.workspace(&id).await.map_err(unknown_workspace)?.into()))
}

/// Makes a workspace, or replaces what was said of it.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{id}", operation_id = "storeWorkspace", tag = "embedding", security(("instance_key" = [])), params(("id" = String, Path, description = "The workspace's id: lower-case letters, digits and hyphens")),
    request_body = WorkspaceBody,
    responses((status = 200, body = WorkspaceView), (status = 201, body = WorkspaceView), (status = "4XX", body = Problem))
)]
pub async fn put(
    State(app): State<AppState>,
    Extension(platform): Extension<Platform>,
    IdOf(id): IdOf<String>,
    JsonBody(body): JsonBody<WorkspaceBody>,
) -> Result<Response, Problem> {
    let id = WorkspaceId::try_from(id).map_err(|_| {
        ApiError::field("id", "A workspace's id has 1 to 63 lower-case letters, digits and hyphens: acme-2.")
    })?;
    let mut allowed_origins = Vec::new();
    for (index, text) in body.allowed_origins.into_iter().enumerate() {
        let origin = Origin::try_from(text)
            .map_err(|error| ApiError::field("allowed_origins", format!("Entry {}: {error}.", index + 1)))?;
        if !allowed_origins.contains(&origin) {
            allowed_origins.push(origin);
        }
    }
    let settings = WorkspaceSettings { name: body.name, allowed_origins, theme: body.theme, settings: body.settings };
    let created = app.services.put_workspace(&platform, &id, settings).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    let view = WorkspaceView::from(app.services.workspace(&id).await?);
    Ok((status, Json(view)).into_response())
}

/// Makes a ticket that signs one end user in to a frame.
#[utoipa::path(
    post, path = "/api/v1/embed/sessions", operation_id = "createEmbedTicket", tag = "embedding", security(("instance_key" = [])), request_body = TicketBody,
    responses((status = 201, body = TicketView), (status = "4XX", body = Problem))
)]
pub async fn make_ticket(
    State(app): State<AppState>,
    Extension(platform): Extension<Platform>,
    JsonBody(body): JsonBody<TicketBody>,
) -> Result<Response, Problem> {
    let workspace = WorkspaceId::try_from(body.workspace).map_err(|_| unknown_workspace(ApiError::NotFound))?;
    let user = EndUser::new(body.user.id, body.user.name)
        .map_err(|error| ApiError::field("user", format!("{error}: give the id your platform knows them by.")))?;
    let role =
        Role::parse(&body.role).ok_or_else(|| ApiError::field("role", "A role is one of viewer, editor and owner."))?;
    let environments = body.environments.iter().map(|word| environment(word)).collect::<Result<Vec<_>, _>>()?;
    let environments =
        EnvironmentSet::try_from(environments).map_err(|error| ApiError::field("environments", format!("{error}.")))?;
    let grant = EmbedGrant { workspace, user, role, environments, origin: origin(body.origin)? };
    let url = app.config.public_url.join(&format!("/embed/{}/", grant.workspace));
    let issued = app.services.make_ticket(&platform, grant).await.map_err(unknown_workspace)?;
    let view = TicketView { ticket: issued.token.reveal().to_owned(), expires_at: issued.expires_at.to_rfc3339(), url };
    Ok((StatusCode::CREATED, Json(view)).into_response())
}
