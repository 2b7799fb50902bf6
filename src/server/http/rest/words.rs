//! Words of a request that stand for something known, such as an environment: read by hand, so that a wrong one is named
//! with its place, and described as what they may be.

use axum::http::StatusCode;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::problem::Problem;
use crate::api::error::ApiError;
use crate::domain::component::ComponentSlug;
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::domain::field::FieldProblem;
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::domain::role::EnvironmentSet;
use crate::server::service::caller::Caller;

/// Describes the name of an environment.
pub enum EnvironmentWord {}

/// Describes a status.
pub enum StatusWord {}

fn one_of(words: impl IntoIterator<Item = &'static str>) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(words)).into()
}

impl PartialSchema for EnvironmentWord {
    fn schema() -> RefOr<Schema> {
        one_of(Environment::ALL.map(Environment::as_str))
    }
}

impl PartialSchema for StatusWord {
    fn schema() -> RefOr<Schema> {
        one_of(Status::ALL.map(Status::as_str))
    }
}

impl ToSchema for EnvironmentWord {}
impl ToSchema for StatusWord {}

pub fn environment(word: &str) -> Result<Environment, ApiError> {
    word.parse()
        .map_err(|_| ApiError::field("environment", "The environment is one of development, staging, production."))
}

/// An environment that a request names, if the caller reaches it: no connection was asked for that could be missing.
pub fn reached(caller: &Caller, word: &str) -> Result<Environment, Problem> {
    let environment = environment(word)?;
    if caller.environments.contains(environment) {
        return Ok(environment);
    }
    let detail =
        format!("This key does not reach {}. Name another environment, or send a key that does.", environment.as_str());
    Err(Problem::stated(StatusCode::NOT_FOUND, "/problems/not-found", "Not found", detail))
}

pub fn status(word: &str) -> Result<Status, ApiError> {
    Status::parse(word).ok_or_else(|| ApiError::field("status", "The status is one of active, not_active."))
}

/// A set of environments.
pub fn environments(words: &[String]) -> Result<EnvironmentSet, ApiError> {
    let all = words.iter().map(|word| environment(word)).collect::<Result<Vec<_>, _>>();
    let all = all.map_err(|_| ApiError::field("environments", "Environments are development, staging, production."))?;
    EnvironmentSet::try_from(all).map_err(|error| ApiError::field("environments", format!("{error}.")))
}

/// Types of events in a field.
pub fn event_types<'a>(field: &str, words: impl IntoIterator<Item = &'a str>) -> Result<Vec<EventType>, ApiError> {
    let known = EventType::OF_CONNECTIONS.map(EventType::as_str).join(", ");
    let parse = |word: &str| EventType::parse(word.trim());
    words
        .into_iter()
        .map(|word| parse(word).ok_or_else(|| ApiError::field(field, format!("The types of events are {known}."))))
        .collect()
}

/// A place in a feed.
pub fn cursor(field: &str, text: &str) -> Result<i64, ApiError> {
    let unknown = "This cursor is not from the feed. Take it from “cursor” as it is.";
    text.parse().ok().filter(|place| *place >= 0).ok_or_else(|| ApiError::field(field, unknown))
}

pub fn component(word: String) -> Result<ComponentSlug, ApiError> {
    let unknown = "There is no such component. GET /api/v1/components lists them.";
    ComponentSlug::try_from(word).map_err(|_| ApiError::field("component", unknown))
}

/// The id of a connection at a place in the body, told without its first slash.
pub fn connection(place: &str, word: String) -> Result<ConnectionId, FieldProblem> {
    let unknown = "This is no connection's id: con_ and 32 hexadecimal digits are expected.";
    ConnectionId::try_from(word).map_err(|_| FieldProblem::new(place, unknown))
}

/// The same for those that a workflow uses; each that is none is told.
pub fn connections(place: &str, words: Vec<String>) -> Result<Vec<ConnectionId>, Vec<FieldProblem>> {
    let (mut ids, mut problems) = (Vec::new(), Vec::new());
    for (at, word) in words.into_iter().enumerate() {
        match connection(&format!("{place}/{at}"), word) {
            Ok(id) => ids.push(id),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(ids) } else { Err(problems) }
}
