//! Which workflows of the platform use which connections: what a deletion has to say.

use url::Url;

use super::Services;
use super::caller::Caller;
use crate::api::connections::Workflow;
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::line::is_line;
use crate::domain::role::Action;
use crate::server::store::record::{AuditAction, WorkflowUse};

/// Longest id and name of a workflow, in characters.
const TEXT_LIMIT: usize = 200;
/// Longest link back to a workflow, in characters.
const LINK_LIMIT: usize = 2_000;
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
        check_id(&workflow.workflow.id)?;
        check(&workflow)?;
        let audit = caller.audit(&self.clock, AuditAction::WorkflowRegistered, workflow.workflow.id.as_str());
        match self.store.put_workflow(&scope, workflow, audit).await {
            Err(crate::server::store::StoreError::NotFound) => Err(ApiError::field(
                "connections",
                "One of these connections does not exist in this environment. Leave it out, or name one that does.",
            )),
            result => Ok(result?),
        }
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

/// The id stands in the path of a request as well.
fn check_id(id: &str) -> Result<(), ApiError> {
    if is_line(id, TEXT_LIMIT) {
        Ok(())
    } else {
        Err(ApiError::field("id", "A workflow's id has 1 to 200 characters on one line."))
    }
}

fn is_link(text: &str) -> bool {
    is_line(text, LINK_LIMIT) && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

fn check(registered: &WorkflowUse) -> Result<(), ApiError> {
    let Workflow { name, url, .. } = &registered.workflow;
    if !is_line(name, TEXT_LIMIT) {
        return Err(ApiError::field("name", "A workflow's name has 1 to 200 characters on one line."));
    }
    if url.as_ref().is_some_and(|url| !is_link(url)) {
        return Err(ApiError::field(
            "url",
            "A link back is an https:// or http:// address of at most 2,000 characters.",
        ));
    }
    if registered.connections.len() > USES_LIMIT {
        return Err(ApiError::field("connections", "A workflow refers to at most 500 connections."));
    }
    Ok(())
}
