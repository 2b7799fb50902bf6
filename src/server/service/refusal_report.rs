//! A runtime says that a service refused a credential. That is reason enough to ask the service, and none to turn the
//! connection red without asking: the runtime may have asked for what the credential does not permit.

use super::Services;
use super::caller::Caller;
use super::hand_out::Withheld;
use crate::api::error::ApiError;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::domain::time::{MINUTE, Timestamp};
use crate::server::catalog::Chosen;
use crate::server::probe::askable;
use crate::server::store::record::{AuditAction, StoredConnection};

/// Evidence younger than this is not asked for again.
const YOUNG: i64 = MINUTE;

/// What a report led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The service is asked within seconds; several reports lead to one question.
    Checking,
    /// It was asked less than a minute ago.
    CheckedAt(Timestamp),
    /// The component has no way to be asked: a person has to look.
    NotAskable,
}

/// A report, taken.
pub struct Reported {
    pub environment: Environment,
    pub summary: Summary,
    pub consequence: Consequence,
}

impl Services {
    /// Takes the report that a connection's service refused its credential, and has the service asked.
    ///
    /// # Errors
    /// [`Withheld`], also where the connection is not ACTIVE already, which says why.
    pub async fn report_refused(
        &self,
        caller: &Caller,
        id: &ConnectionId,
        status: Option<u16>,
    ) -> Result<Reported, Withheld> {
        self.pace(caller, id)?;
        caller.allow(Action::FetchCredentials)?;
        let (stored, _) = self.active(caller, id).await?;
        let about = status.map_or_else(String::new, |status| format!("status {status}"));
        let consequence = self.doubt(caller, &stored, about).await?;
        Ok(Reported { environment: stored.scope.environment, summary: stored.summary, consequence })
    }

    /// Has a connection checked that somebody was refused with.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`].
    pub(super) async fn doubt(
        &self,
        caller: &Caller,
        stored: &StoredConnection,
        about: String,
    ) -> Result<Consequence, ApiError> {
        let now = self.clock.now();
        let proof = &stored.credentials.proof;
        if let Some(evidence) = &proof.evidence
            && (0..YOUNG).contains(&now.since(evidence.at))
        {
            return Ok(Consequence::CheckedAt(evidence.at));
        }
        let (component, method) = (&stored.summary.component, &stored.credentials.method);
        let chosen = self.find(&stored.scope.workspace, component, method).await.ok();
        // Where nobody but the provider can be asked, its tokens tell.
        let is_askable = chosen
            .as_ref()
            .map(Chosen::method)
            .is_some_and(|method| method.oauth.is_some() || askable(method, &stored.credentials.config));
        if !is_askable || self.setting.demo {
            return Ok(Consequence::NotAskable);
        }
        if proof.check_at.is_none_or(|at| at > now) {
            let entry = caller.audit(&self.clock, AuditAction::RefusalReported, about);
            self.store.check_soon(&stored.scope, &stored.summary.id, now, entry).await?;
        }
        Ok(Consequence::Checking)
    }
}
