//! Which workflows of the platform use which connections: what a deletion has to say.

use std::collections::HashSet;
use url::Url;

use super::Services;
use super::caller::Caller;
use super::events::FeedRefusal;
use super::list::PAGE_LIMIT;
use crate::api::connections::Workflow;
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::field::FieldProblem;
use crate::domain::id::ConnectionId;
use crate::domain::line::is_line;
use crate::domain::role::Action;
use crate::server::store::MappingChange;
use crate::server::store::record::{AuditAction, WorkflowUse};

/// Longest id and name of a workflow, in characters.
const TEXT_LIMIT: usize = 200;
/// Longest link back to a workflow, in characters.
const LINK_LIMIT: usize = 2_000;
/// Most workflows registered at once.
const BULK_LIMIT: usize = 1_000;
const ID_RULE: &str = "A workflow's id has 1 to 200 characters on one line.";
/// Most connections one workflow refers to.
const USES_LIMIT: usize = 500;

impl Services {
    /// Registers a workflow, or replaces what was registered under its id.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`]; [`ApiError::Invalid`] for a connection that is not in this environment.
    pub async fn put_workflow(
        &self,
        caller: &Caller,
        environment: Environment,
        workflow: WorkflowUse,
    ) -> Result<(), ApiError> {
        let scope = caller.scope(Action::RegisterWorkflow, environment)?;
        check(&workflow).map_err(|problem| ApiError::Invalid { problems: vec![problem] })?;
        let audit = caller.audit(&self.clock, AuditAction::WorkflowRegistered, "");
        let missing = self.store.put_workflows(&scope, vec![workflow], audit).await?;
        let problems: Vec<_> = missing.into_iter().map(|(_, place)| absent(&format!("connections/{place}"))).collect();
        if problems.is_empty() { Ok(()) } else { Err(ApiError::Invalid { problems }) }
    }

    /// Registers many workflows, all or none. Problems are told by their place in the list, such as `3/name`.
    ///
    /// # Errors
    /// As [`Services::put_workflow`]; also for more than a thousand, and for one id that stands twice.
    pub async fn put_workflows(
        &self,
        caller: &Caller,
        environment: Environment,
        many: Vec<WorkflowUse>,
    ) -> Result<(), ApiError> {
        let scope = caller.scope(Action::RegisterWorkflow, environment)?;
        if many.len() > BULK_LIMIT {
            return Err(ApiError::field("", "Register at most 1,000 workflows at once."));
        }
        let (mut ids, mut problems) = (HashSet::new(), Vec::new());
        for (at, given) in many.iter().enumerate() {
            let twice = || FieldProblem::new("id", "This id stands in the list before. Each workflow is named once.");
            let sound = check(given).and_then(|()| if ids.insert(&given.workflow.id) { Ok(()) } else { Err(twice()) });
            problems.extend(sound.err().map(|it| FieldProblem::new(&format!("{at}/{}", it.field), it.message)));
        }
        if problems.is_empty() {
            let audit = caller.audit(&self.clock, AuditAction::WorkflowRegistered, "");
            let missing = self.store.put_workflows(&scope, many, audit).await?;
            problems.extend(missing.into_iter().map(|(at, place)| absent(&format!("{at}/connections/{place}"))));
        }
        if problems.is_empty() { Ok(()) } else { Err(ApiError::Invalid { problems }) }
    }

    /// One page of workflows in the order of their ids, and whether there are more.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`]; [`ApiError::Unavailable`].
    pub async fn workflows(
        &self,
        caller: &Caller,
        environment: Environment,
        query: ListWorkflows,
    ) -> Result<(Vec<WorkflowUse>, bool), ApiError> {
        let scope = caller.scope(Action::ViewWorkflows, environment)?;
        let limit = page_limit(query.limit);
        let after = query.after.unwrap_or_default();
        let found = self.store.workflows(&scope, query.connection.as_ref(), &after, limit + 1).await?;
        Ok(cut(found, limit))
    }

    /// What Patchbay changed in the mapping after a cursor, the oldest first, and whether there is more.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`]; [`ApiError::Invalid`] for a cursor of a later time, and
    /// [`FeedRefusal::Forgotten`] for one that is too old.
    pub async fn mapping_changes(
        &self,
        caller: &Caller,
        environment: Environment,
        after: Option<i64>,
        limit: Option<u32>,
    ) -> Result<(Vec<MappingChange>, bool), FeedRefusal> {
        let scope = caller.scope(Action::ViewWorkflows, environment)?;
        let limit = page_limit(limit);
        let found = self.store.mapping_changes(&scope, after, limit + 1).await;
        let found = found.map_err(|error| FeedRefusal::told("after", error))?;
        Ok(cut(found, limit))
    }

    /// Forgets a workflow.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`]; [`ApiError::NotFound`], [`ApiError::Invalid`] for an id that cannot be one.
    pub async fn remove_workflow(&self, caller: &Caller, environment: Environment, id: &str) -> Result<(), ApiError> {
        let scope = caller.scope(Action::RegisterWorkflow, environment)?;
        check_id(id)?;
        let audit = caller.audit(&self.clock, AuditAction::WorkflowRemoved, id);
        Ok(self.store.remove_workflow(&scope, id, audit).await?)
    }

    /// One workflow and the connections it uses.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`]; [`ApiError::NotFound`], [`ApiError::Invalid`] for an id that cannot be one.
    pub async fn workflow(&self, caller: &Caller, environment: Environment, id: &str) -> Result<WorkflowUse, ApiError> {
        let scope = caller.scope(Action::ViewWorkflows, environment)?;
        check_id(id)?;
        self.store.workflow(&scope, id).await?.ok_or(ApiError::NotFound)
    }
}

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct ListWorkflows {
    /// Only those that use it.
    pub connection: Option<ConnectionId>,
    /// The id that the page before ended with.
    pub after: Option<String>,
    pub limit: Option<u32>,
}

pub(super) fn page_limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(50).clamp(1, PAGE_LIMIT)
}

/// A page, and whether there was more than fits.
fn cut<T>(mut found: Vec<T>, limit: u32) -> (Vec<T>, bool) {
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    (found, more)
}

fn absent(place: &str) -> FieldProblem {
    let message = "This connection does not exist in this environment, or was deleted. Leave it out, or name another.";
    FieldProblem::new(place, message)
}

/// The id stands in the path of a request as well.
fn check_id(id: &str) -> Result<(), ApiError> {
    if is_line(id, TEXT_LIMIT) { Ok(()) } else { Err(ApiError::field("id", ID_RULE)) }
}

fn is_link(text: &str) -> bool {
    is_line(text, LINK_LIMIT) && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

fn check(registered: &WorkflowUse) -> Result<(), FieldProblem> {
    let Workflow { id, name, url } = &registered.workflow;
    if !is_line(id, TEXT_LIMIT) {
        return Err(FieldProblem::new("id", ID_RULE));
    }
    if !is_line(name, TEXT_LIMIT) {
        return Err(FieldProblem::new("name", "A workflow's name has 1 to 200 characters on one line."));
    }
    if url.as_ref().is_some_and(|url| !is_link(url)) {
        return Err(FieldProblem::new(
            "url",
            "A link back is an https:// or http:// address of at most 2,000 characters.",
        ));
    }
    if registered.connections.len() > USES_LIMIT {
        return Err(FieldProblem::new("connections", "A workflow refers to at most 500 connections."));
    }
    Ok(())
}
