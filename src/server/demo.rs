//! A sample workspace in a data folder of its own, never checked against real services.

use crate::api::connections::Workflow;
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::evidence::Account;
use crate::domain::field::FieldValues;
use crate::domain::health::Health;
use crate::domain::id::{ConnectionId, WorkspaceId};
use crate::domain::name::ConnectionName;
use crate::domain::tag::TagSet;
use crate::domain::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::server::service::Services;
use crate::server::store::record::{AuditAction, AuditEntry, Credentials, NewConnection, Proof, Scope, WorkflowUse};

const PURPOSES: [&str; 16] = [
    "Orders",
    "Billing",
    "Support inbox",
    "Alerts",
    "Invoices archive",
    "Release bot",
    "Session cache",
    "Content calendar",
    "Service desk",
    "Delivery texts",
    "Newsletter",
    "Data warehouse",
    "Payroll",
    "Onboarding",
    "Search index",
    "Backups",
];
const REGIONS: [&str; 8] = ["EU", "US", "APAC", "Berlin", "Dublin", "Osaka", "Austin", "read replica"];
const TAGS: [&str; 12] = [
    "ops",
    "billing",
    "support",
    "alerts",
    "ci",
    "eu",
    "marketing",
    "sales",
    "readonly",
    "legacy",
    "on-call",
    "finance",
];

/// Fills the default workspace with `count` connections in Production, and a tenth of that in the others.
///
/// # Errors
/// [`ApiError::Unavailable`] where the database refuses.
pub async fn fill(services: &Services, count: usize) -> Result<(), ApiError> {
    for environment in Environment::ALL {
        let scope = Scope::whole(WorkspaceId::default_workspace(), environment);
        let count = if environment == Environment::Production { count } else { count / 10 };
        if !services.store.snapshot(&scope).await?.1.is_empty() {
            continue;
        }
        let sample = Sample { services, now: services.clock.now() };
        let many = (0..count).map(|n| sample.connection(n)).collect::<Result<Vec<_>, ApiError>>()?;
        let ids: Vec<ConnectionId> = many.iter().map(|(new, _)| new.id.clone()).collect();
        services.store.insert_many(&scope, many, sample.audit("sample workspace")).await?;
        for (n, workflow) in Sample::workflows(&ids).into_iter().enumerate() {
            services.store.put_workflow(&scope, workflow, sample.audit(&format!("sample workflow {n}"))).await?;
        }
    }
    Ok(())
}

struct Sample<'a> {
    services: &'a Services,
    now: Timestamp,
}

impl Sample<'_> {
    fn audit(&self, about: &str) -> AuditEntry {
        AuditEntry {
            at: self.now,
            actor: "system".to_owned(),
            actor_name: "Patchbay".to_owned(),
            address: None,
            action: AuditAction::Created,
            about: about.to_owned(),
        }
    }

    /// The n-th connection: always the same but for its id.
    fn connection(&self, n: usize) -> Result<(NewConnection, Timestamp), ApiError> {
        let forms = self.services.catalog.forms();
        // Spread unevenly: a few components have most of the connections.
        let form = &forms[(n * n + n / 3) % forms.len()];
        let created_at = self.now.plus(-(i64::try_from(n).unwrap_or_default() * 7 * HOUR / 4 + 2 * HOUR));
        let purpose = PURPOSES[n % PURPOSES.len()];
        let region = REGIONS[(n / PURPOSES.len()) % REGIONS.len()];
        let name = if n < PURPOSES.len() { purpose.to_owned() } else { format!("{purpose}, {region} {n}") };
        let tags = (0..n % 4).map(|t| TAGS[(n / 2 + t * 5) % TAGS.len()]);
        let (health, expires_at) = self.health(n);
        let proof = Proof { health, account: account(form.badge.slug.as_str(), n), expires_at, ..Proof::default() };
        let method = form.methods.first().map(|method| method.id.clone()).unwrap_or_default();
        let credentials = Credentials {
            method,
            config: FieldValues::default(),
            sealed: Vec::new(),
            secrets: Vec::new(),
            destination: None,
            grant: None,
            proof,
        };
        let new = NewConnection {
            own_component: false,
            owner: None,
            id: ConnectionId::from_bytes(self.services.random.uuid_v7(created_at)?),
            component: form.badge.slug.clone(),
            name: ConnectionName::try_from(name).map_err(|_| ApiError::Internal)?,
            tags: TagSet::parse(tags).map_err(|_| ApiError::Internal)?,
            credentials,
            request_id: None,
            request_digest: None,
        };
        Ok((new, created_at))
    }

    fn health(&self, n: usize) -> (Health, Option<Timestamp>) {
        let checked_at = self.now.plus(-13 * MINUTE);
        let valid = Health::Valid { checked_at };
        match n % 20 {
            3 => (Health::Rejected { reason: "The service refused this password.".to_owned(), at: checked_at }, None),
            9 => (valid, Some(self.now.plus(-12 * DAY))),
            11 => {
                let reason = "No answer within 10 seconds.".to_owned();
                let since = self.now.plus(-8 * MINUTE);
                (Health::Unreachable { since, checked_at: since, failures: 1, reason, was_active: true }, None)
            }
            14 => (valid, Some(self.now.plus(6 * DAY))),
            17 => (Health::Missing { fields: vec!["Password".to_owned()] }, None),
            _ => (valid, None),
        }
    }

    fn workflows(ids: &[ConnectionId]) -> Vec<WorkflowUse> {
        let count = (ids.len() / 8).min(60);
        let workflow = |n: usize| WorkflowUse {
            workflow: Workflow {
                id: format!("sample-{n}"),
                name: format!("{} flow {n}", PURPOSES[n % PURPOSES.len()]),
                url: None,
            },
            connections: (0..=n % 5).filter_map(|k| ids.get((n * 3 + k) % ids.len().max(1))).cloned().collect(),
        };
        (0..count).map(workflow).collect()
    }
}

fn account(slug: &str, n: usize) -> Account {
    let identity = match n % 3 {
        0 => format!("ops{n}@acme.example"),
        1 => format!("acme-{slug} · user {n}"),
        _ => format!("reporting@{slug}-{n}"),
    };
    Account { identity: Some(identity), ..Account::default() }
}
