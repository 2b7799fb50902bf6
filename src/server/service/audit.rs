//! What the audit trail says of a change: names of fields, never their values.

use super::Services;
use super::caller::Caller;
use super::candidate::Candidate;
use crate::api::error::ApiError;
use crate::api::stream::Saving;
use crate::domain::id::ConnectionId;
use crate::domain::name::ConnectionName;
use crate::domain::tag::TagSet;
use crate::server::store::record::{AuditAction, Scope, StoredConnection};
use crate::server::vault::Secrets;

/// How something came to be saved that its service has not accepted.
pub(super) const fn saved_as(saving: Saving) -> &'static str {
    match saving {
        Saving::WhenValid => "",
        Saving::AsNotActive => "; saved as not active",
        Saving::Vouched => "; vouched for",
    }
}

/// Which of name and tags differ from the stored ones.
pub(super) fn renamed(stored: &StoredConnection, name: &ConnectionName, tags: &TagSet) -> Vec<String> {
    let differs = [("name", stored.summary.name != *name), ("tags", stored.summary.tags != *tags)];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what.to_owned()).collect()
}

/// Which fields differ from the stored ones, secrets among them.
pub(super) fn replaced(
    stored: &StoredConnection,
    secrets: &Secrets,
    method: &str,
    candidate: &Candidate,
) -> Vec<String> {
    let credentials = &stored.credentials;
    let mut changed = Vec::new();
    if credentials.method != method {
        changed.push("method".to_owned());
    }
    let config = credentials.config.0.keys().chain(candidate.config.0.keys());
    changed.extend(config.filter(|id| credentials.config.get(id) != candidate.config.get(id)).cloned());
    let sealed = secrets.iter().chain(candidate.secrets.iter()).map(|(id, _)| id);
    changed.extend(sealed.filter(|id| secrets.get(id) != candidate.secrets.get(id)).map(str::to_owned));
    changed.sort_unstable();
    changed.dedup();
    changed
}

impl Services {
    /// Notes credentials that were shown to a service and not saved.
    pub(super) async fn note_try(
        &self,
        caller: &Caller,
        scope: &Scope,
        connection: Option<&ConnectionId>,
        about: String,
    ) -> Result<(), ApiError> {
        let entry = caller.audit(&self.clock, AuditAction::Tried, format!("{about}; not saved"));
        let subject = connection.map(ConnectionId::as_str);
        Ok(self.store.append_audit(&scope.workspace, Some(scope.environment), subject, entry).await?)
    }
}
