//! Creating a connection: check, ask the service, seal, commit.

use tokio::sync::mpsc::UnboundedSender;

use super::audit::saved_as;
use super::caller::Caller;
use super::candidate::{Candidate, name_and_tags, not_saved, proof_of, take_apart, typed};
use super::destinations::component_gone;
use super::repeat::Repeatable;
use super::{Services, ended, live_for};
use crate::api::error::ApiError;
use crate::api::stream::{CreateRequest, ProbeEvent, Saving};
use crate::domain::evidence::{Step, Verdict};
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::line::is_line;
use crate::domain::name::ConnectionName;
use crate::domain::owner::Audience;
use crate::domain::role::Action;
use crate::domain::tag::TagSet;
use crate::server::catalog::Chosen;
use crate::server::catalog::definition::Method;
use crate::server::probe::askable;
use crate::server::store::StoreError;
use crate::server::store::record::{AuditAction, AuditEntry, NewConnection, Proof, Scope};

/// Longest request id, in characters.
const REQUEST_ID_LIMIT: usize = 200;

/// A request whose every part has been checked.
struct Checked {
    chosen: Chosen,
    name: ConnectionName,
    tags: TagSet,
    candidate: Candidate,
}

impl Services {
    /// Creates a connection; the result is the stream's last event.
    pub async fn create(&self, caller: &Caller, request: CreateRequest, live: UnboundedSender<Step>) -> ProbeEvent {
        ended(self.try_to_create(caller, request, live_for(caller, live)).await)
    }

    async fn try_to_create(
        &self,
        caller: &Caller,
        request: CreateRequest,
        live: UnboundedSender<Step>,
    ) -> Result<ProbeEvent, ApiError> {
        let scope = caller.scope(Action::CreateConnection, request.environment)?;
        if !is_line(&request.request_id, REQUEST_ID_LIMIT) {
            return Err(ApiError::field("request_id", "Give an id of 1 to 200 characters on one line."));
        }
        let repeatable = self.repeatable(&scope, &request).await?;
        if let Some(summary) = self.created_before(&scope, &repeatable).await? {
            return Ok(ProbeEvent::Saved { summary: Box::new(summary), evidence: None });
        }
        let mut checked = self.check_creation(&scope, &request).await?;
        let proof = match request.saving {
            Saving::WhenValid => {
                let ((definition, method), candidate) = (checked.chosen.parts(), &mut checked.candidate);
                let evidence = self.prove_candidate(&scope, definition, method, candidate, live).await?;
                if evidence.verdict != Verdict::Valid {
                    self.tries.remember(&scope, &request.request_id, &request.values, &evidence);
                    self.note_try(caller, &scope, None, format!("{} “{}”", definition.name, checked.name)).await?;
                    return Ok(not_saved(definition, evidence, caller.operator));
                }
                proof_of(evidence, self.clock.now())
            }
            Saving::AsNotActive => self.proof_of_last_try(&scope, &request, &checked.candidate),
            Saving::Vouched => self.vouched(caller, checked.chosen.method(), &checked.candidate)?,
        };
        let about = format!("{}{}", checked.name, saved_as(request.saving));
        let audit = caller.audit(&self.clock, AuditAction::Created, about);
        self.commit_creation(caller, scope, repeatable, request.audience, checked, proof, audit).await
    }

    async fn check_creation(&self, scope: &Scope, request: &CreateRequest) -> Result<Checked, ApiError> {
        let chosen = self.find(&scope.workspace, &request.component, &request.method).await?;
        let method = chosen.method();
        typed(method)?;
        let mut problems = Vec::new();
        let named = name_and_tags(&request.name, &request.tags, &mut problems);
        let incomplete = request.saving == Saving::AsNotActive;
        let candidate = take_apart(method, &request.values, None, incomplete, self.clock.now());
        match (named, candidate) {
            (Some((name, tags)), Ok(candidate)) => Ok(Checked { chosen, name, tags, candidate }),
            (_, candidate) => {
                problems.extend(candidate.err().unwrap_or_default());
                Err(ApiError::Invalid { problems })
            }
        }
    }

    fn proof_of_last_try(&self, scope: &Scope, request: &CreateRequest, candidate: &Candidate) -> Proof {
        if !candidate.missing.is_empty() {
            return Proof { health: Health::Missing { fields: candidate.missing.clone() }, ..Proof::default() };
        }
        self.tries
            .recall(scope, &request.request_id, &request.values)
            .map_or_else(Proof::default, |evidence| proof_of(evidence, self.clock.now()))
    }

    /// A person's word, taken only where the service has no way to be asked.
    pub(super) fn vouched(&self, caller: &Caller, method: &Method, candidate: &Candidate) -> Result<Proof, ApiError> {
        if askable(method, &candidate.config) {
            return Err(ApiError::field(
                "saving",
                "This service can be asked, so nobody has to vouch for it. Save it as usual.",
            ));
        }
        let health = Health::Vouched { by: caller.name().to_owned(), at: self.clock.now() };
        Ok(Proof { health, ..Proof::default() })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one creation, each checked by itself")]
    async fn commit_creation(
        &self,
        caller: &Caller,
        scope: Scope,
        request: Repeatable,
        audience: Option<Audience>,
        checked: Checked,
        proof: Proof,
        audit: AuditEntry,
    ) -> Result<ProbeEvent, ApiError> {
        let id = ConnectionId::from_bytes(self.random.uuid_v7(self.clock.now())?);
        let evidence = proof.evidence.clone().map(|e| if caller.operator { e } else { e.without_details() });
        let (services, chosen, name) = (self.clone(), checked.chosen, checked.name);
        let owner = caller.owner_for(audience);
        let taken = ApiError::NameTaken { component: chosen.definition().name.clone(), name: name.to_string() };
        let (tags, candidate) = (checked.tags, checked.candidate);
        let summary = self
            .finish(async move {
                let (definition, method) = chosen.parts();
                let credentials = services.seal(&scope, &id, &method.id, 1, candidate, proof).await?;
                let Repeatable { id: request_id, digest } = request.clone();
                let (request_id, request_digest) = (Some(request_id), Some(digest));
                let (component, own_component) = (definition.slug.clone(), method.is_own());
                let new = NewConnection {
                    id,
                    owner,
                    component,
                    own_component,
                    name,
                    tags,
                    credentials,
                    request_id,
                    request_digest,
                };
                match services.store.insert(&scope, new, audit).await {
                    // The name, or the request's id: another run of it may have come first.
                    Err(StoreError::NameTaken) => services.created_before(&scope, &request).await?.ok_or(taken),
                    Err(StoreError::NotFound) => Err(component_gone()),
                    result => Ok(result?),
                }
            })
            .await?;
        Ok(ProbeEvent::Saved { summary: Box::new(summary), evidence })
    }
}
