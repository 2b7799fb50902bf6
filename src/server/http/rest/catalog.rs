//! Components and tags.

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::QueryOf;
use super::problem::Problem;
use super::words::{EnvironmentWord, environment};
use crate::api::error::ApiError;
use crate::domain::component::{ComponentForm, MethodForm, MethodKind};
use crate::domain::environment::Environment;
use crate::domain::field::{Field, FieldKind};
use crate::server::http::AppState;
use crate::server::service::caller::Caller;

/// A service one can connect to.
#[derive(Serialize, ToSchema)]
pub struct ComponentView {
    #[schema(example = "slack")]
    component: String,
    name: String,
    category: String,
    homepage: String,
    /// Described by this workspace itself.
    own: bool,
    /// The version in force, of one of the workspace's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// The recommended one first.
    methods: Vec<MethodView>,
}

/// One way of authenticating.
#[derive(Serialize, ToSchema)]
pub struct MethodView {
    method: String,
    label: String,
    #[schema(value_type = String)]
    kind: MethodKind,
    fields: Vec<FieldView>,
}

/// One value to give.
#[derive(Serialize, ToSchema)]
pub struct FieldView {
    field: String,
    label: String,
    #[schema(value_type = String)]
    kind: FieldKind,
    secret: bool,
    required: bool,
    help: String,
    default: String,
    /// What a `select` takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ComponentList {
    items: Vec<ComponentView>,
}

/// All components: the workspace's own first, then most used first.
#[utoipa::path(
    get, path = "/api/v1/components", operation_id = "listComponents", tag = "components",
    responses((status = 200, body = ComponentList), (status = "4XX", body = Problem))
)]
pub async fn components(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<ComponentList>, Problem> {
    let view = app.services.components(&caller).await?;
    let told = |form: &ComponentForm| ComponentView::new(form, view.own_version(&form.badge.slug));
    Ok(Json(ComponentList { items: view.forms().into_iter().map(told).collect() }))
}

impl ComponentView {
    #[must_use]
    pub fn new(form: &ComponentForm, own: Option<i64>) -> Self {
        Self {
            own: own.is_some(),
            version: own,
            component: form.badge.slug.to_string(),
            name: form.badge.name.clone(),
            category: form.category.clone(),
            homepage: form.homepage.clone(),
            methods: form.methods.iter().map(MethodView::from).collect(),
        }
    }
}

impl From<&MethodForm> for MethodView {
    fn from(method: &MethodForm) -> Self {
        Self {
            method: method.id.clone(),
            label: method.label.clone(),
            kind: method.kind,
            fields: method.fields.iter().map(FieldView::from).collect(),
        }
    }
}

impl From<&Field> for FieldView {
    fn from(field: &Field) -> Self {
        Self {
            field: field.id.clone(),
            label: field.label.clone(),
            kind: field.kind,
            secret: field.secret,
            required: !field.optional && field.default.is_empty(),
            help: field.help.clone(),
            default: field.default.clone(),
            options: field.options.iter().map(|option| option.value.clone()).collect(),
        }
    }
}

/// Where to look.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InEnvironment {
    #[param(value_type = EnvironmentWord, inline)]
    environment: String,
}

impl InEnvironment {
    /// # Errors
    /// [`ApiError::Invalid`] where there is no such environment.
    pub fn environment(&self) -> Result<Environment, ApiError> {
        environment(&self.environment)
    }
}

#[derive(Serialize, ToSchema)]
pub struct TagList {
    items: Vec<TagView>,
}

#[derive(Serialize, ToSchema)]
pub struct TagView {
    tag: String,
    /// How many connections carry it.
    connections: usize,
}

/// The tags of an environment.
#[utoipa::path(
    get, path = "/api/v1/tags", operation_id = "listTags", tag = "connections", params(InEnvironment),
    responses((status = 200, body = TagList), (status = "4XX", body = Problem))
)]
pub async fn tags(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    QueryOf(query): QueryOf<InEnvironment>,
) -> Result<Json<TagList>, Problem> {
    let tags = app.services.tags(&caller, query.environment()?).await?;
    Ok(Json(TagList { items: tags.into_iter().map(|(tag, connections)| TagView { tag, connections }).collect() }))
}
