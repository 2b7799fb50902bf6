//! What the API shows. Times are RFC 3339; nothing here can hold a secret.

use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::words::{EnvironmentWord, StatusWord};
use crate::api::connections::{Detail, StoredSecret};
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::evidence::{Check, CheckOutcome, Evidence, Step, StepOutcome};
use crate::domain::health::Health;
use crate::domain::time::Timestamp;

/// A connection as lists show it.
#[derive(Serialize, ToSchema)]
pub struct ConnectionView {
    #[schema(example = "con_0193e2b1c7f87a3b9d2e4f5061728394")]
    id: String,
    #[schema(value_type = EnvironmentWord, inline)]
    environment: &'static str,
    #[schema(example = "postgresql")]
    component: String,
    name: String,
    /// The platform's id of the end user it belongs to; null: the workspace.
    owner: Option<String>,
    tags: Vec<String>,
    #[schema(value_type = StatusWord, inline)]
    status: &'static str,
    health: HealthView,
    /// Who the service says the credential belongs to.
    account: Option<String>,
    /// How many workflows use it; null while the workspace has registered none.
    workflows: Option<u32>,
    created_at: String,
    last_used_at: Option<String>,
    expires_at: Option<String>,
    /// Grows with every change. Send it back as `If-Match` to change what you have seen.
    version: i64,
}

/// Why a connection is active or not.
#[derive(Serialize, ToSchema)]
pub struct HealthView {
    /// `unproven`, `valid`, `limited`, `vouched`, `rejected`, `expired`, `missing` or `unreachable`.
    state: &'static str,
    reason: Option<String>,
    /// Permissions or fields that are missing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    /// When this was found.
    at: Option<String>,
}

/// A connection with all that is known of it but its secrets.
#[derive(Serialize, ToSchema)]
pub struct DetailView {
    #[serde(flatten)]
    connection: ConnectionView,
    method: String,
    /// The values of the fields that are not secret.
    values: BTreeMap<String, String>,
    /// The secrets that are stored: which, and since when.
    secrets: Vec<SecretView>,
    scopes: Vec<String>,
    evidence: Option<EvidenceView>,
    /// The outcomes of the latest checks, the newest first; at most 50.
    checks: Vec<CheckView>,
}

/// The outcome of one check.
#[derive(Serialize, ToSchema)]
pub struct CheckView {
    at: String,
    /// `accepted`, `limited`, `refused` or `unanswered`.
    #[schema(value_type = String)]
    outcome: CheckOutcome,
    /// Why, where it did not go well.
    message: String,
    milliseconds: u32,
}

#[derive(Serialize, ToSchema)]
pub struct SecretView {
    field: String,
    stored_at: String,
}

/// What asking the service found, step by step.
#[derive(Serialize, ToSchema)]
pub struct EvidenceView {
    at: String,
    steps: Vec<StepView>,
}

#[derive(Serialize, ToSchema)]
pub struct StepView {
    #[schema(example = "Sign in")]
    step: &'static str,
    /// `passed`, `failed`, `skipped` or `running`.
    #[schema(value_type = String)]
    outcome: StepOutcome,
    milliseconds: u32,
    message: String,
}

/// A connection after its service was asked.
#[derive(Serialize, ToSchema)]
pub struct TestView {
    pub connection: ConnectionView,
    pub evidence: EvidenceView,
}

fn written(at: Timestamp) -> String {
    at.to_rfc3339()
}

impl ConnectionView {
    #[must_use]
    pub fn new(environment: Environment, summary: Summary, now: Timestamp) -> Self {
        Self {
            environment: environment.as_str(),
            status: summary.status_at(now).as_str(),
            health: HealthView::from(summary.health_at(now)),
            id: summary.id.into(),
            component: summary.component.into(),
            name: summary.name.into(),
            owner: summary.owner.map(|owner| owner.id.into()),
            tags: summary.tags.iter().map(ToString::to_string).collect(),
            account: summary.account,
            workflows: summary.workflows,
            created_at: written(summary.created_at),
            last_used_at: summary.last_used_at.map(written),
            expires_at: summary.expires_at.map(written),
            version: summary.version,
        }
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }
}

impl From<Health> for HealthView {
    fn from(health: Health) -> Self {
        let state = health.as_str();
        let view = |reason, missing, at: Option<Timestamp>| Self { state, reason, missing, at: at.map(written) };
        match health {
            Health::Unproven => view(None, Vec::new(), None),
            Health::Valid { checked_at } => view(None, Vec::new(), Some(checked_at)),
            Health::Limited { missing, checked_at } => view(None, missing, Some(checked_at)),
            Health::Vouched { by, at } => view(Some(format!("{by} says that it works")), Vec::new(), Some(at)),
            Health::Rejected { reason, at } => view(Some(reason), Vec::new(), Some(at)),
            Health::Expired { at } => view(None, Vec::new(), Some(at)),
            Health::Missing { fields } => view(None, fields, None),
            Health::Unreachable { since, reason, .. } => view(Some(reason), Vec::new(), Some(since)),
        }
    }
}

impl DetailView {
    #[must_use]
    pub fn new(environment: Environment, detail: Detail, now: Timestamp) -> Self {
        let check = |Check { at, outcome, words, milliseconds }| CheckView {
            at: written(at),
            outcome,
            message: words,
            milliseconds,
        };
        let secret = |secret: StoredSecret| SecretView { field: secret.field, stored_at: written(secret.stored_at) };
        Self {
            connection: ConnectionView::new(environment, detail.summary, now),
            method: detail.method,
            values: detail.config.0,
            secrets: detail.secrets.into_iter().map(secret).collect(),
            scopes: detail.account.scopes,
            evidence: detail.evidence.map(EvidenceView::from),
            checks: detail.timeline.into_iter().map(check).collect(),
        }
    }

    #[must_use]
    pub const fn version(&self) -> i64 {
        self.connection.version
    }
}

impl From<Evidence> for EvidenceView {
    fn from(evidence: Evidence) -> Self {
        let step = |step: Step| StepView {
            step: step.kind.label(),
            outcome: step.outcome,
            milliseconds: step.milliseconds,
            message: step.message,
        };
        Self { at: written(evidence.at), steps: evidence.steps.into_iter().map(step).collect() }
    }
}
