//! Components that a workspace describes itself.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::{IdOf, JsonBody};
use super::catalog::ComponentView;
use super::connections::{if_match, tagged};
use super::problem::Problem;
use crate::api::components::{ComponentVersion, Difference, OwnComponent, Registered};
use crate::api::error::ApiError;
use crate::domain::component::ComponentSlug;
use crate::domain::expected::Expected;
use crate::domain::role::Action;
use crate::server::http::AppState;
use crate::server::service::caller::Caller;

/// A component, and of one of the workspace's own also how it is described.
#[derive(Serialize, ToSchema)]
pub struct ComponentDetail {
    #[serde(flatten)]
    form: ComponentView,
    #[serde(skip_serializing_if = "Option::is_none")]
    described: Option<Described>,
}

/// How one of the workspace's own components is described.
#[derive(Serialize, ToSchema)]
pub struct Described {
    /// The catalog's format, its icon as a data URL: what `PUT` takes.
    #[schema(value_type = Object)]
    definition: Value,
    version: i64,
    at: String,
    /// Who gave this version.
    by: String,
    /// Connections made with it, also deleted ones that were not destroyed yet.
    connections: i64,
}

/// What a registration did.
#[derive(Serialize, ToSchema)]
pub struct RegisteredView {
    component: String,
    #[serde(flatten)]
    described: Described,
    /// What its secrets are given for has changed: connections made before are not active until theirs are given again.
    asks_again: bool,
}

#[derive(Serialize, ToSchema)]
pub struct VersionList {
    items: Vec<VersionView>,
}

/// One version, and what it changed.
#[derive(Serialize, ToSchema)]
pub struct VersionView {
    version: i64,
    at: String,
    by: String,
    /// Against the version before.
    changes: Vec<ChangedPlace>,
    /// Connections made before it needed their secrets again.
    asks_again: bool,
}

/// A place in the definition that is not what it was.
#[derive(Serialize, ToSchema)]
pub struct ChangedPlace {
    /// Where it stands in the definition (RFC 6901).
    pointer: String,
    /// `added`, `removed` or `changed`.
    #[schema(value_type = String)]
    kind: crate::api::components::DifferenceKind,
}

impl Described {
    fn of(own: OwnComponent) -> Result<Self, Problem> {
        let definition = serde_json::from_str(&own.definition).map_err(|_| ApiError::Internal)?;
        let OwnComponent { version, by, connections, .. } = own;
        Ok(Self { definition, version, at: own.at.to_rfc3339(), by, connections })
    }
}

impl From<ComponentVersion> for VersionView {
    fn from(version: ComponentVersion) -> Self {
        let place = |Difference { pointer, kind }: Difference| ChangedPlace { pointer, kind };
        Self {
            version: version.version,
            at: version.at.to_rfc3339(),
            by: version.by,
            changes: version.changes.into_iter().map(place).collect(),
            asks_again: version.asks_again,
        }
    }
}

fn unknown(error: ApiError) -> Problem {
    let absent = error == ApiError::NotFound;
    let problem = Problem::of(error);
    if absent { problem.with_detail("There is no such component. GET /api/v1/components lists them.") } else { problem }
}

/// One component. Of one of the workspace's own, the entity tag is its version.
#[utoipa::path(
    get, path = "/api/v1/components/{slug}", operation_id = "getComponent", tag = "components", params(("slug" = String, Path, description = "The component's slug")),
    responses((status = 200, body = ComponentDetail), (status = "4XX", body = Problem))
)]
pub async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(slug): IdOf<ComponentSlug>,
) -> Result<Response, Problem> {
    let view = app.services.components_with(&caller, &slug).await?;
    let form = view.form(&slug).ok_or_else(|| unknown(ApiError::NotFound))?;
    // Whoever merely uses it learns what its form asks for, and no more.
    let described = caller.allow(Action::ViewDefinitions).is_ok();
    let own = match view.own_version(&slug).filter(|_| described) {
        Some(_) => Some(Described::of(app.services.own_component(&caller, &slug).await.map_err(unknown)?)?),
        None => None,
    };
    let version = own.as_ref().map(|own| own.version);
    let detail = ComponentDetail { form: ComponentView::new(form, version), described: own };
    Ok(version.map_or_else(|| Json(&detail).into_response(), |version| tagged(version, &detail)))
}

/// Registers a component of the workspace's own, or its next version. The body is the catalog's format as JSON, as
/// docs/adding-a-component.md describes it, its `icon` as a data URL.
#[utoipa::path(
    put, path = "/api/v1/components/{slug}", operation_id = "storeComponent", tag = "components", request_body = Object,
    params(("slug" = String, Path, description = "The component's slug"), ("If-Match" = Option<String>, Header, description = "The version you have seen, or * for whichever is there")),
    responses(
        (status = 200, body = RegisteredView), (status = 201, body = RegisteredView),
        (status = 412, description = "The version of If-Match is stale, or there is none; current_version says which is in force, 0 for none", body = Problem),
        (status = "4XX", body = Problem)
    )
)]
pub async fn put(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(slug): IdOf<String>,
    headers: HeaderMap,
    JsonBody(definition): JsonBody<Value>,
) -> Result<Response, Problem> {
    let slug = ComponentSlug::try_from(slug).map_err(|error| ApiError::field("slug", format!("{error}.")))?;
    let expected = expected(&headers)?;
    let put = app.services.put_component(&caller, &slug, definition, expected).await;
    let Registered { component, created, asks_again } = put.map_err(|error| refused(error, expected))?;
    let described = Described::of(component)?;
    let version = described.version;
    let view = RegisteredView { component: slug.to_string(), described, asks_again };
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, tagged(version, view)).into_response())
}

/// RFC 9110, section 13.1.1: `*` is whatever is there, but something.
fn expected(headers: &HeaderMap) -> Result<Expected, Problem> {
    let otherwise = if headers.contains_key(header::IF_MATCH) { Expected::Something } else { Expected::Anything };
    Ok(if_match(headers)?.map_or(otherwise, Expected::Version))
}

/// Problems tell their way into the definition.
fn refused(error: ApiError, expected: Expected) -> Problem {
    let precondition = match (&error, expected) {
        (ApiError::Superseded { .. }, Expected::Version(_)) => true,
        (ApiError::Superseded { version }, Expected::Something) => *version == 0,
        _ => false,
    };
    let problem = match error {
        ApiError::Superseded { version: 0 } if precondition => Problem::of(error)
            .with_detail("There is no such component, and If-Match asks for one. Leave it out to register one."),
        ApiError::NotFound => unknown(error),
        ApiError::Forbidden => Problem::of(error)
            .with_detail("This component is used in environments that this key does not reach. Send a key that does."),
        error => Problem::below("", error),
    };
    if precondition { problem.with_status(StatusCode::PRECONDITION_FAILED) } else { problem }
}

/// Removes a component that no connection is made with.
#[utoipa::path(
    delete, path = "/api/v1/components/{slug}", operation_id = "deleteComponent", tag = "components",
    params(("slug" = String, Path, description = "The component's slug"), ("If-Match" = Option<String>, Header, description = "The version you have seen")),
    responses(
        (status = 204),
        (status = 409, description = "Connections are made with it", body = Problem),
        (status = "4XX", body = Problem)
    )
)]
pub async fn delete(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(slug): IdOf<ComponentSlug>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let seen = if_match(&headers)?;
    let expected = seen.map_or(Expected::Anything, Expected::Version);
    app.services.remove_component(&caller, &slug, seen).await.map_err(|error| refused(error, expected))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The versions of one of the workspace's own components, the latest first: at most 100.
#[utoipa::path(
    get, path = "/api/v1/components/{slug}/versions", operation_id = "listComponentVersions", tag = "components", params(("slug" = String, Path, description = "The component's slug")),
    responses((status = 200, body = VersionList), (status = "4XX", body = Problem))
)]
pub async fn versions(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(slug): IdOf<ComponentSlug>,
) -> Result<Json<VersionList>, Problem> {
    let versions = app.services.component_history(&caller, &slug).await.map_err(unknown)?;
    Ok(Json(VersionList { items: versions.into_iter().map(VersionView::from).collect() }))
}

/// One version as it was given.
#[utoipa::path(
    get, path = "/api/v1/components/{slug}/versions/{version}", operation_id = "getComponentVersion", tag = "components",
    params(("slug" = String, Path, description = "The component's slug"), ("version" = i64, Path, description = "1 for the first")),
    responses((status = 200, body = Described), (status = "4XX", body = Problem))
)]
pub async fn version(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf((slug, version)): IdOf<(ComponentSlug, i64)>,
) -> Result<Json<Described>, Problem> {
    let found = app.services.component_version(&caller, &slug, version).await.map_err(unknown)?;
    Ok(Json(Described::of(found)?))
}
