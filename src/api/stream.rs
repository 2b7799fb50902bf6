//! Requests that are answered step by step, as `text/event-stream`: creation, update of credentials, test, trial.
//!
//! `POST /rpc/stream/create`, `/rpc/stream/update` and `/rpc/stream/test` take the JSON of the request types and
//! answer with one [`ProbeEvent`] an event. Dropping the stream cancels the probe; what is being committed is committed.

use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::domain::component::ComponentSlug;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::evidence::{Evidence, Step};
use crate::domain::field::{FieldProblem, FieldValues};
use crate::domain::id::ConnectionId;
use crate::domain::owner::Audience;

/// What to do with a credential that the service has not accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saving {
    /// Save only what the service accepted.
    #[default]
    WhenValid,
    /// Keep it as NOT ACTIVE, with the evidence the last try of the same request found.
    AsNotActive,
    /// The service cannot be asked: the person says that the credential works.
    Vouched,
}

/// A new connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateRequest {
    /// Made by the client; repeating a request with the same id creates nothing twice.
    pub request_id: String,
    pub environment: Environment,
    pub component: ComponentSlug,
    pub method: String,
    pub name: String,
    #[serde(default)]
    pub tags: Vec<String>,
    pub values: FieldValues,
    #[serde(default)]
    pub saving: Saving,
    /// Left out: as suits who asks.
    #[serde(default)]
    pub audience: Option<Audience>,
}

/// New credentials for an existing connection; with or without another name and other tags.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateRequest {
    pub request_id: String,
    pub environment: Environment,
    pub id: ConnectionId,
    /// The version the form was opened with.
    pub version: i64,
    pub name: String,
    pub tags: Vec<String>,
    pub method: String,
    /// A secret left out keeps the stored one.
    pub values: FieldValues,
    #[serde(default)]
    pub saving: Saving,
}

/// Asks the service whether the stored credential still works.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestRequest {
    pub environment: Environment,
    pub id: ConnectionId,
}

/// Tries a component that is being described, with a credential that is not kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TryRequest {
    /// The catalog's format as JSON.
    pub definition: String,
    pub method: String,
    pub values: FieldValues,
}

/// One event of the stream. The last one is anything but `Step`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeEvent {
    Step {
        step: Step,
    },
    /// Created or updated.
    Saved {
        summary: Box<Summary>,
        evidence: Option<Evidence>,
    },
    /// The service did not accept the credential; nothing was changed.
    NotSaved {
        message: String,
        problems: Vec<FieldProblem>,
        evidence: Evidence,
    },
    /// A stored credential was tested; the summary is the row after it.
    Tested {
        summary: Box<Summary>,
        evidence: Evidence,
    },
    /// A component was tried; nothing is kept of the credential.
    Tried {
        evidence: Evidence,
    },
    /// The request could not be carried out.
    Failed {
        error: ApiError,
    },
}
