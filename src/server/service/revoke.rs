//! Tokens of purged connections are revoked at their provider (RFC 7009), where it has a way. What was kept for that is
//! destroyed as soon as it is done, or after a day.

use super::Services;
use super::connect::Party;
use super::destinations::destination;
use super::tokens::with_tokens;
use crate::api::error::ApiError;
use crate::domain::component::ComponentSlug;
use crate::domain::field::FieldValues;
use crate::domain::time::{DAY, MINUTE, Timestamp};
use crate::server::catalog::View;
use crate::server::catalog::definition::{Definition, Method};
use crate::server::oauth::{Metadata, OAuthError, Provider, Revoked};
use crate::server::store::record::{AuditAction, AuditEntry};
use crate::server::store::{Revocation, StoreError};
use crate::server::vault::{SealContext, Secrets};

/// How long the provider is asked again and again.
const PATIENCE: i64 = DAY;
/// Until the second attempt; each further one waits twice as long, up to an hour.
const FIRST_WAIT: i64 = MINUTE;
const LONGEST_WAIT: i64 = 60 * MINUTE;
/// Revocations taken at once.
const AT_ONCE: i64 = 16;

/// Why it is left in force, for the audit trail.
const SHARED: &str = "the service would have ended another connection of the same account with it, so the access was left \
                      in force there; this copy of it is destroyed";

/// How an attempt ended.
enum Attempt {
    Done,
    /// There is nothing to revoke.
    Needless,
    /// The service has no way to.
    NotOffered,
    /// It would end another connection's access with it.
    Shared,
    /// Worth another attempt.
    Failed(String),
    /// The provider will not do it, however often it is asked.
    Refused(String),
}

impl Services {
    /// Revokes what is due; says how many were looked at.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`].
    pub async fn revoke_due(&self) -> Result<usize, ApiError> {
        let now = self.clock.now();
        // The longest wait covers the attempt itself; the true one is set by the number of attempts.
        let due = self.store.take_revocations(now, now.plus(LONGEST_WAIT), AT_ONCE).await?;
        let mut failure = None;
        for revocation in &due {
            // One that cannot be written down puts no other off.
            if let Err(error) = self.attempt(revocation, now).await {
                failure = Some(error);
            }
        }
        failure.map_or(Ok(due.len()), Err)
    }

    async fn attempt(&self, revocation: &Revocation, now: Timestamp) -> Result<(), ApiError> {
        let (action, about) = match self.revoke(revocation).await {
            Attempt::Done => (AuditAction::Revoked, String::new()),
            Attempt::Needless => (AuditAction::Revoked, "there was nothing to revoke at the service".to_owned()),
            Attempt::NotOffered => (
                AuditAction::RevocationFailed,
                "the service has no way to be told; the access goes on there until it lapses or is ended in the \
                 account's own settings"
                    .to_owned(),
            ),
            Attempt::Shared => (AuditAction::Revoked, SHARED.to_owned()),
            Attempt::Refused(why) => (AuditAction::RevocationFailed, why),
            Attempt::Failed(why) if now.since(revocation.purged_at) >= PATIENCE => (AuditAction::RevocationFailed, why),
            Attempt::Failed(_) => {
                let again = now.plus(wait_after(revocation.attempts));
                return Ok(self.store.put_off_revocation(&revocation.scope, &revocation.connection, again).await?);
            }
        };
        let entry = AuditEntry::system(now, action, about);
        Ok(self.store.end_revocation(&revocation.scope, &revocation.connection, entry).await?)
    }

    async fn revoke(&self, revocation: &Revocation) -> Attempt {
        let Revocation { scope, config, .. } = revocation;
        let chosen = match self.find(&scope.workspace, &revocation.component, &revocation.method).await {
            Err(ApiError::Invalid { .. }) => {
                return Attempt::Refused("its component is no longer in the catalog".to_owned());
            }
            Err(error) => return Attempt::Failed(error.to_string()),
            Ok(chosen) => chosen,
        };
        let (definition, method) = chosen.parts();
        let opened = self.vault.open_sealed(&context_of(revocation), &revocation.sealed).await;
        let Ok(secrets) = opened else { return Attempt::Failed("its secrets could not be opened".to_owned()) };
        if super::tokens::held(&secrets).is_none() {
            return Attempt::Needless;
        }
        let given_for = revocation.destination.as_ref();
        if given_for.map_or(method.is_own(), |given_for| *given_for != destination(method, config)) {
            return Attempt::Refused("its component's addresses have changed since it was connected".to_owned());
        }
        match self.is_kept_for_another(revocation, method).await {
            Ok(true) => return Attempt::Shared,
            Ok(false) => {}
            Err(error) => return Attempt::Failed(error.to_string()),
        }
        match self.party_of(scope, &definition.slug, method, config, &secrets).await {
            Ok(Some(party)) => {
                let Ok(provider) = party.provider(method, config, &secrets) else {
                    return Attempt::Refused("its component's addresses cannot be filled in".to_owned());
                };
                match self.end_at(&provider, &secrets).await {
                    Ok(Revoked::AccessTokenEnded) => {
                        self.end_renewed(revocation, definition, method, &party, secrets).await
                    }
                    answer => attempt_of(answer, &definition.name),
                }
            }
            Ok(None) => Attempt::Refused("its OAuth client was removed".to_owned()),
            Err(error) => Attempt::Failed(error.to_string()),
        }
    }
}

impl Services {
    /// Whether the provider would end, with this token, what another connection lives on.
    async fn is_kept_for_another(&self, revocation: &Revocation, method: &Method) -> Result<bool, StoreError> {
        let section = method.oauth.as_ref().and_then(|oauth| oauth.revoke.as_ref());
        match section {
            Some(section) if section.ends_grant => self.store.is_shared(&revocation.client, &revocation.account).await,
            _ => Ok(false),
        }
    }

    async fn end_at(&self, provider: &Provider<'_>, secrets: &Secrets) -> Result<Revoked, OAuthError> {
        match super::tokens::held(secrets) {
            Some(held) => provider.revoke(&self.line(), held).await,
            None => Ok(Revoked::Done),
        }
    }

    /// The provider wants to see an access token, and that has ended: a new one is asked for, kept, and ended.
    async fn end_renewed(
        &self,
        revocation: &Revocation,
        definition: &Definition,
        method: &Method,
        party: &Party,
        secrets: Secrets,
    ) -> Attempt {
        let Revocation { scope, connection, config, .. } = revocation;
        let renewed = match (party.provider(method, config, &secrets), super::tokens::held(&secrets)) {
            (Ok(provider), Some(held)) => provider.refresh(&self.line(), held).await,
            _ => Err(OAuthError::Unsupported),
        };
        let tokens = match renewed {
            Ok(tokens) => tokens,
            // Then it has ended as a whole.
            Err(OAuthError::Refused(_)) => return Attempt::Done,
            Err(error) => return attempt_of(Err(error), &definition.name),
        };
        let secrets = with_tokens(secrets, &tokens);
        let kept = match self.vault.seal(&context_of(revocation), &secrets).await {
            Ok(sealed) => self.store.keep_renewed(scope, connection, sealed).await.is_ok(),
            Err(_) => false,
        };
        if !kept {
            tracing::warn!(connection = connection.as_str(), "tokens renewed to be revoked could not be kept");
        }
        let Ok(provider) = party.provider(method, config, &secrets) else {
            return Attempt::Refused("its component's addresses cannot be filled in".to_owned());
        };
        attempt_of(self.end_at(&provider, &secrets).await, &definition.name)
    }
}

/// Whether a purge ends the tokens at the provider as well.
pub(super) fn can_revoke(view: &View, component: &ComponentSlug, method: &str, config: &FieldValues) -> bool {
    let Ok(chosen) = view.choose(component, method) else { return false };
    let told = Metadata::kept_in(config).is_some_and(|metadata| metadata.revocation_endpoint.is_some());
    told || chosen.method().oauth.as_ref().is_some_and(|oauth| oauth.revoke.is_some())
}

fn context_of(revocation: &Revocation) -> SealContext<'_> {
    SealContext {
        scope: &revocation.scope,
        holder: revocation.connection.as_str(),
        method: &revocation.method,
        secret_version: revocation.secret_version,
    }
}

fn attempt_of(answer: Result<Revoked, OAuthError>, component: &str) -> Attempt {
    match answer {
        Ok(Revoked::Done) => Attempt::Done,
        Ok(Revoked::NotOffered) => Attempt::NotOffered,
        Ok(Revoked::AccessTokenEnded) => {
            Attempt::Refused(format!("{component} does not take the token that it has just given"))
        }
        Err(OAuthError::NoEvidence(silence)) => Attempt::Failed(OAuthError::NoEvidence(silence).sentence(component)),
        Err(error) => Attempt::Refused(error.sentence(component)),
    }
}

/// Milliseconds until the next attempt.
fn wait_after(attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(16);
    FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_rarer_and_rarer() {
        assert_eq!([1, 2, 3, 40].map(wait_after), [MINUTE, 2 * MINUTE, 4 * MINUTE, 60 * MINUTE]);
    }
}
