//! Connections.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::sync::mpsc::unbounded_channel;
use utoipa::{IntoParams, ToSchema};

use super::body::{IdOf, JsonBody, QueryOf};
use super::problem::Problem;
use super::view::{ConnectionView, DetailView, TestView};
use super::words::{EnvironmentWord, StatusWord, component, reached, status};
use crate::api::error::ApiError;
use crate::api::stream::{CreateRequest, ProbeEvent, Saving, TestRequest};
use crate::domain::component::ComponentForm;
use crate::domain::environment::Environment;
use crate::domain::field::{FieldProblem, FieldValues};
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::server::http::AppState;
use crate::server::service::caller::Caller;
use crate::server::service::list::ListConnections;
use crate::server::service::patch::Patch;

/// Longest `Idempotency-Key`, in characters.
const KEY_LIMIT: usize = 200;

/// Which connections.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    #[param(value_type = EnvironmentWord, inline)]
    environment: String,
    component: Option<String>,
    /// A tag, regardless of case.
    tag: Option<String>,
    #[param(value_type = Option<StatusWord>, inline)]
    status: Option<String>,
    /// What the name begins with, regardless of case.
    q: Option<String>,
    /// `false`: only those that no workflow uses; `true`: only those that one uses. Nothing matches while the workspace
    /// has registered no workflow.
    used: Option<bool>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// 1 to 200; 50 unless given.
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub struct ConnectionList {
    items: Vec<ConnectionView>,
    /// Where the next page begins; null on the last one.
    next: Option<String>,
}

/// The connections of an environment, newest first.
#[utoipa::path(
    get, path = "/api/v1/connections", operation_id = "listConnections", tag = "connections", params(ListParams),
    responses((status = 200, body = ConnectionList), (status = "4XX", body = Problem))
)]
pub async fn list(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    QueryOf(params): QueryOf<ListParams>,
) -> Result<Json<ConnectionList>, Problem> {
    let ListParams { environment: named, component: of, tag, status: shown, q, used, cursor, limit } = params;
    let environment = reached(&caller, &named)?;
    let component = of.map(component).transpose()?;
    let status = shown.map(|word| status(&word)).transpose()?;
    let list = ListConnections { environment, component, tag, status, used, q, cursor, limit };
    let page = app.services.list(&caller, list).await?;
    let now = app.services.clock.now();
    let items = page.items.into_iter().map(|summary| ConnectionView::new(environment, summary, now)).collect();
    Ok(Json(ConnectionList { items, next: page.next }))
}

/// A new connection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "environment": "development", "component": "github", "name": "Releases", "tags": ["ci"], "values": { "token": "ghp_…" }
}))]
pub struct NewConnection {
    #[schema(value_type = EnvironmentWord, inline)]
    environment: String,
    /// One of GET /api/v1/components.
    component: String,
    /// The recommended one unless given.
    method: Option<String>,
    name: String,
    #[serde(default)]
    tags: Vec<String>,
    /// Field values, secrets among them; null is as if it were left out.
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    values: BTreeMap<String, Value>,
}

/// Whether the service is asked.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Validation {
    /// `false` saves without asking the service: the connection is not active until it is tested.
    #[serde(default = "yes")]
    validate: bool,
}

const fn yes() -> bool {
    true
}

/// Creates a connection, after its service has accepted the credential.
#[utoipa::path(
    post, path = "/api/v1/connections", operation_id = "createConnection", tag = "connections", request_body = NewConnection,
    params(Validation, ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200, description = "A value of
        your own for each new connection: a request that is repeated with it creates nothing twice")),
    responses(
        (status = 201, description = "Created, or created before with this Idempotency-Key", body = ConnectionView, headers(
            ("Location" = String, description = "Where the connection is"),
            ("ETag" = String, description = "Its version")
        )),
        (status = 409, description = "The name is taken, or the environment is full", body = Problem),
        (status = 410, description = "What this Idempotency-Key created was deleted since", body = Problem),
        (status = 422, description = "The service did not accept the credential, or could not be asked; or the Idempotency-Key
         stands for another request", body = Problem),
        (status = "4XX", body = Problem)
    )
)]
pub async fn create(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    QueryOf(Validation { validate }): QueryOf<Validation>,
    headers: HeaderMap,
    JsonBody(new): JsonBody<NewConnection>,
) -> Result<Response, Problem> {
    let environment = reached(&caller, &new.environment)?;
    let component = component(new.component)?;
    let (values, _) = taken_apart(new.values).map_err(Problem::of_connection)?;
    // An account that has to be connected is no matter for a request.
    let typed = |form: &ComponentForm| {
        form.methods.iter().find(|method| method.oauth.is_none()).map(|method| method.id.clone())
    };
    let recommended = app.services.view_with(&caller.workspace, &component).await?.form(&component).and_then(typed);
    let method = new.method.or(recommended).unwrap_or_default();
    let request = CreateRequest {
        request_id: request_id(&app, &headers)?,
        audience: None,
        environment,
        component,
        method,
        name: new.name,
        tags: new.tags,
        values,
        saving: if validate { Saving::WhenValid } else { Saving::AsNotActive },
    };
    let (live, _steps) = unbounded_channel();
    let view = saved(&app, environment, app.services.create(&caller, request, live).await)?;
    let location = format!("{}/api/v1/connections/{}", app.config.public_url.base(), view.id());
    Ok((StatusCode::CREATED, AppendHeaders([(header::LOCATION, location)]), tagged(view.version(), view))
        .into_response())
}

fn request_id(app: &AppState, headers: &HeaderMap) -> Result<String, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(format!("{:032x}", u128::from_be_bytes(app.services.random.bytes().map_err(ApiError::from)?)));
    };
    let readable = key.to_str().ok().filter(|key| (1..=KEY_LIMIT).contains(&key.len()));
    readable.map(str::to_owned).ok_or_else(|| {
        Problem::unreadable(StatusCode::BAD_REQUEST, "An Idempotency-Key has 1 to 200 printable ASCII characters.")
    })
}

fn saved(app: &AppState, environment: Environment, event: ProbeEvent) -> Result<ConnectionView, Problem> {
    match event {
        ProbeEvent::Saved { summary, .. } | ProbeEvent::Tested { summary, .. } => {
            Ok(ConnectionView::new(environment, *summary, app.services.clock.now()))
        }
        ProbeEvent::NotSaved { message, problems, evidence } => {
            Err(Problem::not_proven(&evidence.verdict, message, problems))
        }
        ProbeEvent::Failed { error } => Err(Problem::of_connection(error)),
        ProbeEvent::Step { .. } | ProbeEvent::Tried { .. } => Err(Problem::of(ApiError::Internal)),
    }
}

/// The version as entity tag: what `If-Match` takes.
pub(super) fn tagged<T: Serialize>(version: i64, view: T) -> Response {
    let mut response = Json(view).into_response();
    if let Ok(tag) = HeaderValue::try_from(format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// One connection, without its secrets.
#[utoipa::path(
    get, path = "/api/v1/connections/{id}", operation_id = "getConnection", tag = "connections", params(("id" = String, Path, description = "The connection's id")),
    responses((status = 200, body = DetailView, headers(("ETag" = String, description = "Its version"))), (status = "4XX", body = Problem))
)]
pub async fn get(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<ConnectionId>,
) -> Result<Response, Problem> {
    let environment = app.services.locate(&caller, Action::ViewConnections, &id).await?;
    let detail = app.services.detail(&caller, environment, id).await?;
    let view = DetailView::new(environment, detail, app.services.clock.now());
    Ok(tagged(view.version(), view))
}

/// What to change. What is left out stays as it is. A secret left out is kept, unless it would be sent elsewhere than it
/// was given for: then it has to be given again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionPatch {
    name: Option<String>,
    tags: Option<Vec<String>>,
    method: Option<String>,
    /// Merged into the values (RFC 7396); `null` takes one away, a stored secret too.
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    values: Option<BTreeMap<String, Value>>,
    /// The version you have seen; `If-Match` says the same.
    version: Option<i64>,
}

/// Changes a connection. New credentials replace the old ones after the service has accepted them.
#[utoipa::path(
    patch, path = "/api/v1/connections/{id}", operation_id = "updateConnection", tag = "connections", request_body = ConnectionPatch,
    params(("id" = String, Path, description = "The connection's id"), Validation, ("If-Match" = Option<String>, Header, example = "\"3\"", description = "The ETag you have seen")),
    responses(
        (status = 200, body = ConnectionView, headers(("ETag" = String, description = "Its version"))),
        (status = 409, description = "The version in the body is stale; current_version says which is in force", body = Problem),
        (status = 412, description = "The version of If-Match is stale; current_version says which is in force", body = Problem),
        (status = 422, description = "The service did not accept the credential; nothing was changed", body = Problem),
        (status = "4XX", body = Problem)
    )
)]
pub async fn patch(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<ConnectionId>,
    QueryOf(Validation { validate }): QueryOf<Validation>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ConnectionPatch>,
) -> Result<Response, Problem> {
    let environment = app.services.locate(&caller, Action::EditConnection, &id).await?;
    let (values, given_up) = body.values.map(taken_apart).transpose().map_err(Problem::of_connection)?.unzip();
    let seen = if_match(&headers)?;
    let patch = Patch {
        version: seen.or(body.version),
        name: body.name,
        tags: body.tags,
        method: body.method,
        values,
        given_up: given_up.unwrap_or_default(),
        validate,
    };
    let event = app.services.patch(&caller, environment, id, patch).await;
    let view = match event.unwrap_or_else(|error| ProbeEvent::Failed { error }) {
        // RFC 9110, section 13.1.1.
        ProbeEvent::Failed { error: error @ ApiError::Conflict { .. } } if seen.is_some() => {
            return Err(Problem::of(error).with_status(StatusCode::PRECONDITION_FAILED));
        }
        event => saved(&app, environment, event)?,
    };
    Ok(tagged(view.version(), view))
}

/// The values to set, and the fields to empty.
fn taken_apart(values: BTreeMap<String, Value>) -> Result<(FieldValues, Vec<String>), ApiError> {
    let (mut set, mut given_up, mut problems) = (FieldValues::default(), Vec::new(), Vec::new());
    for (field, value) in values {
        match value {
            Value::String(value) => set.set(&field, value),
            Value::Null => given_up.push(field),
            _ => problems.push(FieldProblem::new(&field, "A value is a text: put it in quotation marks.")),
        }
    }
    if problems.is_empty() { Ok((set, given_up)) } else { Err(ApiError::Invalid { problems }) }
}

/// The version in `If-Match` (RFC 9110, section 13.1.1); `*` matches any.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH).filter(|value| *value != "*") else { return Ok(None) };
    let text = value.to_str().ok().map(|text| text.trim().trim_start_matches("W/").trim_matches('"'));
    text.and_then(|text| text.parse().ok()).map(Some).ok_or_else(|| {
        Problem::unreadable(StatusCode::BAD_REQUEST, "If-Match holds the ETag that came with it, such as \"3\".")
    })
}

/// Asks the service whether the stored credential still works.
#[utoipa::path(
    post, path = "/api/v1/connections/{id}/test", operation_id = "testConnection", tag = "connections", params(("id" = String, Path, description = "The connection's id")),
    responses((status = 200, body = TestView), (status = "4XX", body = Problem))
)]
pub async fn test(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    IdOf(id): IdOf<ConnectionId>,
) -> Result<Json<TestView>, Problem> {
    let environment = app.services.locate(&caller, Action::TestConnection, &id).await?;
    let (live, _steps) = unbounded_channel();
    match app.services.test(&caller, TestRequest { environment, id }, live).await {
        ProbeEvent::Tested { summary, evidence } => Ok(Json(TestView {
            connection: ConnectionView::new(environment, *summary, app.services.clock.now()),
            evidence: evidence.into(),
        })),
        other => saved(&app, environment, other).and(Err(Problem::of(ApiError::Internal))),
    }
}
