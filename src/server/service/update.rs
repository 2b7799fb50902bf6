//! New credentials for an existing connection. The old ones stay in force until the new ones are proven.

use tokio::sync::mpsc::UnboundedSender;

use super::audit::{renamed, replaced, saved_as};
use super::caller::Caller;
use super::candidate::{Candidate, Kept, name_and_tags, not_saved, proof_of, take_apart, typed};
use super::check::is_redirected;
use super::{Services, ended, live_for};
use crate::api::error::ApiError;
use crate::api::stream::{ProbeEvent, Saving, UpdateRequest};
use crate::domain::evidence::{Step, Verdict};
use crate::domain::field::{Field, FieldProblem, FieldValues};
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::name::ConnectionName;
use crate::domain::role::Action;
use crate::domain::tag::TagSet;
use crate::server::catalog::Chosen;
use crate::server::catalog::definition::Method;
use crate::server::store::StoreError;
use crate::server::store::record::{AuditAction, AuditEntry, Change, Proof, Scope, StoredConnection};
use crate::server::vault::{SealContext, Secrets};

struct Checked {
    chosen: Chosen,
    name: ConnectionName,
    tags: TagSet,
    candidate: Candidate,
    /// What differs from what is stored: names, never values.
    changed: Vec<String>,
}

impl Services {
    /// Updates credentials, and name and tags along with them; the result is the stream's last event.
    pub async fn update(&self, caller: &Caller, request: UpdateRequest, live: UnboundedSender<Step>) -> ProbeEvent {
        self.update_without(caller, request, &[], live).await
    }

    /// The same; these stored secrets are given up even where nothing replaces them.
    pub(super) async fn update_without(
        &self,
        caller: &Caller,
        request: UpdateRequest,
        given_up: &[String],
        live: UnboundedSender<Step>,
    ) -> ProbeEvent {
        ended(self.try_to_update(caller, request, given_up, live_for(caller, live)).await)
    }

    async fn try_to_update(
        &self,
        caller: &Caller,
        request: UpdateRequest,
        given_up: &[String],
        live: UnboundedSender<Step>,
    ) -> Result<ProbeEvent, ApiError> {
        let scope = caller.scope(Action::EditConnection, request.environment)?;
        let stored = self.present(&scope, &request.id).await?;
        if stored.summary.version != request.version {
            return Err(ApiError::Conflict { current: Box::new(stored.summary) });
        }
        let mut checked = self.check_update(&stored, &request, given_up).await?;
        let proof = match request.saving {
            Saving::WhenValid => {
                let ((definition, method), candidate) = (checked.chosen.parts(), &mut checked.candidate);
                let evidence = self.prove_candidate(&scope, definition, method, candidate, live).await?;
                if evidence.verdict != Verdict::Valid {
                    self.tries.remember(&scope, &request.request_id, &request.values, &evidence);
                    self.note_try(caller, &scope, Some(&request.id), checked.changed.join(", ")).await?;
                    return Ok(not_saved(definition, evidence, caller.operator));
                }
                proof_of(evidence, self.clock.now())
            }
            Saving::AsNotActive if !checked.candidate.missing.is_empty() => {
                Proof { health: Health::Missing { fields: checked.candidate.missing.clone() }, ..Proof::default() }
            }
            Saving::AsNotActive => self
                .tries
                .recall(&scope, &request.request_id, &request.values)
                .map_or_else(Proof::default, |evidence| proof_of(evidence, self.clock.now())),
            Saving::Vouched => self.vouched(caller, checked.chosen.method(), &checked.candidate)?,
        };
        let about = format!("{}{}", checked.changed.join(", "), saved_as(request.saving));
        let audit = caller.audit(&self.clock, AuditAction::Edited, about);
        self.commit_update(caller, scope, stored, checked, proof, audit).await
    }

    async fn check_update(
        &self,
        stored: &StoredConnection,
        request: &UpdateRequest,
        given_up: &[String],
    ) -> Result<Checked, ApiError> {
        let chosen = self.find(&stored.scope.workspace, &stored.summary.component, &request.method).await?;
        let method = chosen.method();
        typed(method)?;
        let mut problems = Vec::new();
        let named = name_and_tags(&request.name, &request.tags, &mut problems);
        let before = self.stored_secrets(stored).await?;
        let secrets = before.clone().without(given_up);
        let kept = Kept { secrets: &secrets, stored: &stored.credentials.secrets };
        let kept = (stored.credentials.method == request.method).then_some(&kept);
        if let (Some(kept), Some(place)) = (kept, moved(stored, method, &request.values)) {
            problems.extend(asked_for_again(&method.fields, place, &request.values, kept.secrets));
        }
        let incomplete = request.saving == Saving::AsNotActive;
        let candidate = take_apart(method, &request.values, kept, incomplete, self.clock.now());
        match (named, candidate) {
            (Some((name, tags)), Ok(candidate)) if problems.is_empty() => {
                let mut changed = renamed(stored, &name, &tags);
                changed.extend(replaced(stored, &before, &method.id, &candidate));
                Ok(Checked { chosen, name, tags, candidate, changed })
            }
            (_, candidate) => {
                problems.extend(candidate.err().unwrap_or_default());
                Err(ApiError::Invalid { problems })
            }
        }
    }

    async fn commit_update(
        &self,
        caller: &Caller,
        scope: Scope,
        stored: StoredConnection,
        checked: Checked,
        proof: Proof,
        audit: AuditEntry,
    ) -> Result<ProbeEvent, ApiError> {
        let evidence = proof.evidence.clone().map(|e| if caller.operator { e } else { e.without_details() });
        let taken =
            ApiError::NameTaken { component: checked.chosen.definition().name.clone(), name: checked.name.to_string() };
        let (services, method) = (self.clone(), checked.chosen.method().id.clone());
        let (name, tags, candidate) = (checked.name, checked.tags, checked.candidate);
        let summary = self
            .finish(async move {
                let (id, version, replaces) = (&stored.summary.id, stored.summary.version, stored.secret_version);
                let credentials = services.seal(&scope, id, &method, replaces + 1, candidate, proof).await?;
                let change = Change {
                    name: Some(name),
                    tags: Some(tags),
                    credentials: Some(credentials),
                    replaces: Some(replaces),
                    ends: None,
                };
                match services.store.update(&scope, id, version, change, audit).await {
                    Err(StoreError::NameTaken) => Err(taken),
                    Err(StoreError::Stale) => Err(services.conflict(&scope, id).await?),
                    result => Ok(result?),
                }
            })
            .await?;
        Ok(ProbeEvent::Saved { summary: Box::new(summary), evidence })
    }

    /// A connection that is there and not deleted.
    pub(super) async fn present(&self, scope: &Scope, id: &ConnectionId) -> Result<StoredConnection, ApiError> {
        let stored = self.store.connection(scope, id).await?;
        stored.filter(|stored| stored.deleted_at.is_none()).ok_or(ApiError::NotFound)
    }

    /// The answer to a stale version: the values in force now.
    pub(super) async fn conflict(&self, scope: &Scope, id: &ConnectionId) -> Result<ApiError, ApiError> {
        let current = self.present(scope, id).await?.summary;
        Ok(ApiError::Conflict { current: Box::new(current) })
    }

    /// Opens what is sealed.
    pub(super) async fn stored_secrets(&self, stored: &StoredConnection) -> Result<Secrets, ApiError> {
        if stored.credentials.sealed.is_empty() {
            return Ok(Secrets::default());
        }
        let context = SealContext {
            scope: &stored.scope,
            holder: stored.summary.id.as_str(),
            method: &stored.credentials.method,
            secret_version: stored.secret_version,
        };
        Ok(self.vault.open_sealed(&context, &stored.credentials.sealed).await?)
    }
}

/// What says that stored secrets would be sent elsewhere than they were given for: the component's file, or the first
/// field that tells the destination and says something new.
pub(super) fn moved<'a>(stored: &StoredConnection, method: &'a Method, after: &FieldValues) -> Option<&'a str> {
    if is_redirected(stored, method) {
        return Some(if method.is_own() { "The component" } else { "The component's address" });
    }
    let before = &stored.credentials.config;
    let mut destinations = method.fields.iter().filter(|field| field.destination);
    let moved = destinations.find(|field| {
        let default = Some(field.default.as_str()).filter(|default| !default.is_empty());
        before.get(&field.id).or(default) != after.get(&field.id).or(default)
    });
    moved.map(|field| field.label.as_str())
}

/// Stored secrets are not sent to another place than they were given for: each has to be given again, or given up.
pub(super) fn asked_for_again(
    fields: &[Field],
    place: &str,
    values: &FieldValues,
    stored: &Secrets,
) -> Vec<FieldProblem> {
    fields
        .iter()
        .filter(|field| field.secret && field.is_shown(values, fields))
        .filter(|field| stored.get(&field.id).is_some() && values.get(&field.id).is_none())
        .map(|field| {
            let secret = field.label.to_lowercase();
            FieldProblem::new(
                &field.id,
                format!("{place} has changed, so the stored {secret} is not sent there. Give it again."),
            )
        })
        .collect()
}
