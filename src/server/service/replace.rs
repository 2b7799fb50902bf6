//! Replacement: workflows use another connection, because theirs goes, or because its owner does.

use std::cmp::Reverse;

use super::Services;
use super::caller::Caller;
use crate::api::connections::Offer;
use crate::api::error::ApiError;
use crate::domain::component::ComponentSlug;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::field::FieldProblem;
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::domain::replacement::Replacement;
use crate::domain::role::Action;
use crate::server::catalog::View;
use crate::server::store::record::{AuditAction, Scope};
use crate::server::store::{Moved, Reason, Replacing, Unfit};

/// Most connections offered as a replacement; a choice is no search.
const OFFERS: usize = 100;
/// Most connections looked at for it: all that an environment holds.
const LOOKED_AT: u32 = 20_000;

impl Services {
    /// Lets workflows use another connection; the one they used stays.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], [`ApiError::NotFound`], [`ApiError::Unavailable`], [`ApiError::Invalid`] for a
    /// replacement that does not fit.
    pub async fn replace(
        &self,
        caller: &Caller,
        environment: Environment,
        id: ConnectionId,
        plan: Replacement,
    ) -> Result<Vec<Moved>, ApiError> {
        let scope = caller.scope(Action::ReplaceConnection, environment)?;
        let replaced = self.present(&scope, &id).await?.summary;
        if plan.is_empty() {
            let nothing = "Name what the workflows are to use instead, for all of them or for each.";
            return Err(ApiError::field("replacement", nothing));
        }
        let audit = caller.audit(&self.clock, AuditAction::Replaced, "");
        let done = self.store.replace(&scope, &id, plan, audit).await?;
        let view = self.view(&scope.workspace).await?;
        moved(&view, &replaced, done)
    }

    /// What could replace a connection: those that work first, then by name.
    pub(super) async fn offers(&self, scope: &Scope, id: &ConnectionId) -> Result<Vec<Offer>, ApiError> {
        let now = self.clock.now();
        let found = self.store.replacements_for(scope, id, LOOKED_AT).await?;
        let mut offers: Vec<Offer> = found.into_iter().map(|summary| offer(summary, now)).collect();
        // Stable: what works as well stays in the order of the names.
        offers.sort_by_key(|offer| Reverse(offer.active));
        offers.truncate(OFFERS);
        Ok(offers)
    }
}

/// What was done, or in words why not.
pub(super) fn moved(view: &View, replaced: &Summary, done: Replacing) -> Result<Vec<Moved>, ApiError> {
    match done {
        Replacing::Done(moved) => Ok(moved),
        Replacing::Refused(unfit) => {
            let problem = |unfit| refusal(view, replaced, unfit);
            Err(ApiError::Invalid { problems: unfit.into_iter().map(problem).collect() })
        }
    }
}

fn refusal(view: &View, replaced: &Summary, Unfit { workflow, reason }: Unfit) -> FieldProblem {
    let who = workflow.clone().unwrap_or_default();
    let message = match reason {
        Reason::Itself => "A connection cannot replace itself. Choose another one.".to_owned(),
        Reason::Unknown => "There is no such connection in this environment.".to_owned(),
        Reason::Deleted { name } => {
            format!("“{name}” was deleted. Choose another connection, or restore this one first.")
        }
        Reason::OtherComponent { name, component } => format!(
            "“{name}” is a connection to {}. Only another one to {} can replace “{}”.",
            word_for(view, component),
            word_for(view, replaced.component.to_string()),
            replaced.name,
        ),
        Reason::NotUsed => format!("The workflow “{who}” does not use this connection, or no longer."),
        Reason::Unforeseen => {
            format!("The workflow “{who}” has begun to use this connection. Say what it is to use instead.")
        }
    };
    // A step of a JSON pointer (RFC 6901, section 3).
    let escaped = |id: String| format!("workflows/{}", id.replace('~', "~0").replace('/', "~1"));
    FieldProblem::new(&workflow.map_or_else(|| "replacement".to_owned(), escaped), message)
}

fn word_for(view: &View, slug: String) -> String {
    let badge = ComponentSlug::try_from(slug.clone()).ok().and_then(|slug| view.badge(&slug));
    badge.map_or(slug, |badge| badge.name)
}

fn offer(summary: Summary, now: crate::domain::time::Timestamp) -> Offer {
    Offer {
        active: summary.status_at(now) == Status::Active,
        id: summary.id,
        name: summary.name.into(),
        account: summary.account,
    }
}
