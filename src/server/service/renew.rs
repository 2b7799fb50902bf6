//! Tokens are renewed before they end: each presented once, by one worker over all replicas, and never lost on the way
//! from the provider into the database.
//!
//! A short transaction claims; the network is asked outside any; what came back is stored only where the claim and the
//! secrets are still those it began with. What an outcome means is decided by [`crate::server::oauth::settle`].

use std::time::Duration;
use tokio::time::sleep;

use super::candidate::{Candidate, find};
use super::tokens::{held, put_tokens};
use super::{Services, finish};
use crate::api::error::ApiError;
use crate::domain::component::MethodKind;
use crate::domain::evidence::Verdict;
use crate::domain::health::Health;
use crate::domain::time::{MINUTE, SECOND, Timestamp};
use crate::server::catalog::definition::{Definition, Method};
use crate::server::catalog::oauth::OAuth;
use crate::server::oauth::{Ending, Next, OAuthError, Outcome, Said, Standing, Tokens, settle};
use crate::server::store::record::{
    AuditAction, AuditEntry, Credentials, Grant, Proof, RenewalClaim, StoredConnection,
};
use crate::server::store::{RenewalChange, Renewed, StoreError};
use crate::server::vault::{SealContext, Secrets};

/// How long a claim lasts: more than twice the longest conversation with a provider.
pub const RENEWAL_LEASE: i64 = MINUTE;
/// A token that ends within this is no longer handed to a request.
const USABLE: i64 = 30 * SECOND;
/// How long a wrong client is left before it is tried again by itself.
const CLIENT_WAIT: i64 = 15 * MINUTE;
/// Between two looks at a renewal that somebody else carries out.
const LOOK_AGAIN: Duration = Duration::from_millis(150);
/// Between two attempts to store an answer.
const STORE_AGAIN: Duration = Duration::from_millis(500);

/// A connection whose renewal is claimed, opened.
struct Renewing<'a> {
    claim: RenewalClaim,
    stored: StoredConnection,
    grant: Grant,
    definition: &'a Definition,
    method: &'a Method,
    oauth: &'a OAuth,
    secrets: Secrets,
}

impl Services {
    /// A connection whose access token can be used: renewed first where it is due, or `force` says that the service
    /// refused it. A renewal under way elsewhere is waited for; none is begun beside it.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::NotFound`], [`ApiError::Internal`].
    pub(super) async fn fresh(&self, stored: StoredConnection, force: bool) -> Result<StoredConnection, ApiError> {
        let (scope, id) = (stored.scope.clone(), stored.summary.id.clone());
        let Some(grant) = self.store.grant(&scope, &id).await? else { return Ok(stored) };
        let (_, method) = find(self, &stored.summary.component, &stored.credentials.method)?;
        // What the provider has ended is not presented again: a person has to reconnect.
        let ended = grant.refresh_at.is_none() && grant.access_expires_at.is_some() && method.by_person().is_some();
        if ended {
            return Ok(stored);
        }
        let deadline = self.clock.now().plus(RENEWAL_LEASE);
        let before = stored.secret_version;
        let mut stored = stored;
        loop {
            let now = self.clock.now();
            let usable = grant.access_expires_at.is_none_or(|at| at > now.plus(USABLE));
            let due = force || !usable || grant.refresh_at.is_some_and(|at| at <= now);
            if !due || stored.secret_version != before || now > deadline {
                return Ok(stored);
            }
            match self.store.claim_renewal(&scope, &id, now, now.plus(RENEWAL_LEASE)).await? {
                Some(claim) => {
                    let services = self.clone();
                    finish(async move { services.renew_claimed(claim).await }).await?;
                    return self.present(&scope, &id).await;
                }
                None if usable && !force => return Ok(stored),
                None => sleep(LOOK_AGAIN).await,
            }
            stored = self.present(&scope, &id).await?;
        }
    }

    /// Carries a claimed renewal out.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`]: the claim ends by itself, and what it may have presented is
    /// presented once more.
    pub async fn renew_claimed(&self, claim: RenewalClaim) -> Result<(), ApiError> {
        // Woken too late: somebody else is at it, and what is stored by now is not this worker's to present.
        if self.clock.now() >= claim.until {
            return Ok(());
        }
        let Some(renewing) = self.renewing(&claim).await? else {
            return Ok(self.store.release_renewal(claim, None).await?);
        };
        // Its answer may have been written down and never committed: then nothing is presented again.
        if claim.presented > 1 && self.replay_noted(&renewing.stored).await {
            return Ok(());
        }
        let outcome = match self.ask_anew(&renewing).await? {
            Ok(tokens) => Outcome::Renewed(Box::new(tokens)),
            Err(error) => Outcome::Failed(error),
        };
        let standing = self.standing(&renewing).await?;
        match settle(outcome.clone(), standing, self.spread()) {
            Next::Store(tokens) => self.store_renewed(&renewing, &tokens).await,
            Next::Adopt | Next::HoldOn | Next::Again => Ok(()),
            next => self.set_back(&renewing, &outcome, next).await,
        }
    }

    async fn renewing(&self, claim: &RenewalClaim) -> Result<Option<Renewing<'_>>, ApiError> {
        let stored = match self.present(&claim.scope, &claim.id).await {
            Err(ApiError::NotFound) => return Ok(None),
            stored => stored?,
        };
        let Some(grant) = self.store.grant(&claim.scope, &claim.id).await? else { return Ok(None) };
        let (definition, method) = find(self, &stored.summary.component, &stored.credentials.method)?;
        let Some(oauth) = &method.oauth else { return Ok(None) };
        let secrets = self.stored_secrets(&stored).await?;
        Ok(Some(Renewing { claim: claim.clone(), stored, grant, definition, method, oauth, secrets }))
    }

    /// Asks the provider for new tokens.
    async fn ask_anew(&self, renewing: &Renewing<'_>) -> Result<Result<Tokens, OAuthError>, ApiError> {
        let Renewing { claim, stored, grant, definition, method, secrets, .. } = renewing;
        let config = &stored.credentials.config;
        let Some(party) = self.party_of(&claim.scope, &definition.slug, method, config, secrets).await? else {
            return Ok(Err(OAuthError::NoClient));
        };
        let provider = party.provider(method, config, secrets)?;
        Ok(match method.kind {
            MethodKind::ClientCredentials | MethodKind::Jwt => self.obtain(method, &provider, &grant.asked).await,
            _ => match held(secrets) {
                Some(held) => provider.refresh(&self.line(), held).await,
                None => Err(OAuthError::Refused(Said::default())),
            },
        })
    }

    /// What the row says now: somebody may have reconnected or edited meanwhile.
    async fn standing(&self, renewing: &Renewing<'_>) -> Result<Standing, ApiError> {
        let Renewing { claim, stored, grant, .. } = renewing;
        let now = self.store.connection(&claim.scope, &claim.id).await?;
        let unmoved = now.as_ref().is_some_and(|now| now.secret_version == stored.secret_version);
        Ok(Standing {
            // The commit itself compares again; this only spares it.
            is_current: unmoved,
            is_leased: true,
            was_lost_before: claim.presented > 1,
            failures: u32::try_from(grant.failures).unwrap_or(u32::MAX),
        })
    }

    /// Seals and stores, however long the database is away, until the lease ends; with a journal, beyond that.
    async fn store_renewed(&self, renewing: &Renewing<'_>, tokens: &Tokens) -> Result<(), ApiError> {
        let renewed = self.sealed_renewal(renewing, tokens).await?;
        let noted = self.note_renewal(&renewed).await;
        let until = self.clock.now().plus(RENEWAL_LEASE);
        loop {
            match self.store.record_renewed(renewed.clone()).await {
                // Or somebody else's are stored: reconnected, or renewed after this worker was given up for dead.
                Ok(_) | Err(StoreError::Stale | StoreError::NotFound) => break,
                Err(error) if self.clock.now() > until => return Err(error.into()),
                Err(_) => sleep(STORE_AGAIN).await,
            }
        }
        if let Some(noted) = noted {
            noted.take_back();
        }
        let client = &renewing.grant.client;
        if renewing.grant.failures > 0 {
            self.store.note_client_problem(&renewing.claim.scope, client, None).await?;
        }
        Ok(())
    }

    async fn sealed_renewal(&self, renewing: &Renewing<'_>, tokens: &Tokens) -> Result<Renewed, ApiError> {
        let Renewing { claim, stored, grant, method, oauth, secrets, .. } = renewing;
        let mut candidate = Candidate::of(stored, secrets.clone());
        put_tokens(tokens, &mut candidate);
        let (new_grant, ends_at) = self.grant_of(oauth, &grant.client, &grant.asked, tokens, grant.connected_at);
        let now = self.clock.now();
        let health = revived(&stored.summary.health, now);
        let entry = self.renewal_entry(stored, &health, "renewed");
        let context = SealContext {
            scope: &claim.scope,
            holder: claim.id.as_str(),
            method: &method.id,
            secret_version: stored.secret_version + 1,
        };
        let sealed = self.vault.seal(&context, &candidate.secrets).await?;
        let destination = crate::server::probe::destination(method, &candidate.config);
        let credentials = Credentials {
            method: method.id.clone(),
            config: candidate.config,
            sealed,
            secrets: candidate.stored,
            destination: Some(destination),
            grant: Some(new_grant),
            proof: Proof { health, expires_at: ends_at, ..Proof::default() },
        };
        Ok(Renewed {
            scope: claim.scope.clone(),
            id: claim.id.clone(),
            claim: Some(claim.clone()),
            secret_version: stored.secret_version,
            change: RenewalChange::Tokens(Box::new(credentials)),
            entry,
        })
    }

    /// No tokens came: says so where it can be seen, and when it is tried again.
    async fn set_back(&self, renewing: &Renewing<'_>, outcome: &Outcome, next: Next) -> Result<(), ApiError> {
        let Renewing { claim, stored, grant, definition, .. } = renewing;
        let now = self.clock.now();
        let sentence = match outcome {
            Outcome::Failed(error) => error.sentence(&definition.name),
            _ => String::new(),
        };
        let ended = grant.access_expires_at.is_some_and(|at| at <= now);
        let before = stored.summary.health.clone();
        let silent = |health: Health| {
            // As long as the token works, a renewal that has to wait is nobody's concern.
            let verdict = Verdict::NoEvidence { reason: sentence.clone(), field: None };
            if ended { health.after(&verdict, now) } else { health }
        };
        let failures = grant.failures + 1;
        let (health, refresh_at, failures, presented) = match next {
            Next::End(ending) => (refused(&definition.name, &ending, now), None, 0, 0),
            Next::MendClient(_) => {
                self.store.note_client_problem(&claim.scope, &grant.client, Some(sentence.clone())).await?;
                (silent(before), Some(now.plus(CLIENT_WAIT)), failures, 0)
            }
            Next::Later { after, was_lost } => (silent(before), Some(now.plus(after)), failures, i64::from(was_lost)),
            Next::Store(_) | Next::Adopt | Next::HoldOn | Next::Again => return Ok(()),
        };
        let entry = self.renewal_entry(stored, &health, &sentence);
        let renewed = Renewed {
            scope: claim.scope.clone(),
            id: claim.id.clone(),
            claim: Some(claim.clone()),
            secret_version: stored.secret_version,
            change: RenewalChange::Setback { health, refresh_at, failures, presented },
            entry,
        };
        match self.store.record_renewed(renewed).await {
            Ok(_) | Err(StoreError::Stale | StoreError::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A line in the trail, where lists show something else now.
    fn renewal_entry(&self, stored: &StoredConnection, after: &Health, about: &str) -> Option<AuditEntry> {
        let visible = !stored.summary.health.shows_like(after);
        visible.then(|| AuditEntry::system(self.clock.now(), AuditAction::Renewed, about))
    }
}

/// A provider that renews has answered for the credential.
fn revived(health: &Health, now: Timestamp) -> Health {
    match health {
        Health::Rejected { .. } | Health::Unreachable { .. } | Health::Expired { .. } | Health::Unproven => {
            Health::Valid { checked_at: now }
        }
        other => other.clone(),
    }
}

fn refused(component: &str, ending: &Ending, now: Timestamp) -> Health {
    let reason = match ending {
        Ending::Refused(said) => format!("{component} no longer renews this access.{said} Reconnect the account."),
        Ending::AnswerLost(said) => format!(
            "{component} had renewed this access, but its answer was lost, and it does not accept the token before \
             it.{said} Reconnect the account."
        ),
    };
    Health::Rejected { reason, at: now }
}
