//! Tokens are renewed before they end: each presented once, by one worker over all replicas, and never lost on the way
//! from the provider into the database.
//!
//! A short transaction claims; the network is asked outside any. Tokens that come back are sealed, noted in the journal
//! where there is one, and held until they are stored: whatever became of the claim, they are the only good ones unless
//! somebody else has replaced the secrets since, which the secrets' version tells. What anything else means is decided by
//! [`crate::server::oauth::settle`], and counts only while the claim does.

use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{sleep, timeout};

use super::Services;
use super::candidate::Candidate;
use super::check::{is_redirected, redirected};
use super::connect::{Party, own_scopes};
use super::destinations::destination;
use super::tokens::{held, put_tokens};
use crate::api::error::ApiError;
use crate::domain::evidence::Verdict;
use crate::domain::health::Health;
use crate::domain::time::{MINUTE, SECOND, Timestamp};
use crate::server::catalog::Chosen;
use crate::server::catalog::definition::Method;
use crate::server::oauth::{Ending, Next, OAuthError, Standing, Tokens, settle};
use crate::server::probe::{askable, earliest, known_end};
use crate::server::store::record::{
    AuditAction, AuditEntry, Credentials, Grant, Proof, RenewalClaim, StoredConnection,
};
use crate::server::store::{RenewalChange, Renewed, Setback, StoreError};
use crate::server::vault::{SealContext, Secrets};

/// How long a claim lasts: more than twice the longest conversation with a provider.
pub const RENEWAL_LEASE: i64 = MINUTE;
/// A token that ends within this is no longer handed to a request.
const USABLE: i64 = 30 * SECOND;
/// How long what people have to mend, such as a wrong client, is left before it is tried again by itself.
const MENDING_WAIT: i64 = 15 * MINUTE;
/// When a renewal comes back that could not even be prepared.
const UNPREPARED_WAIT: i64 = MINUTE;
/// Between two looks at a renewal that somebody else carries out.
const LOOK_AGAIN: Duration = Duration::from_millis(150);
/// Between two attempts to store an answer.
const STORE_AGAIN: Duration = Duration::from_millis(500);
/// How long somebody who needs a token waits for it; the renewal itself goes on.
const PATIENCE: Duration = Duration::from_secs(40);

/// A connection whose renewal is claimed, opened.
struct Renewing {
    claim: RenewalClaim,
    stored: StoredConnection,
    grant: Grant,
    chosen: Chosen,
    secrets: Secrets,
    party: Option<Party>,
}

/// Why there are no new tokens.
enum NoTokens {
    Told(OAuthError),
    /// Nothing was presented, for this reason.
    NotAsked(String),
}

impl Services {
    /// A connection whose access token can be used: renewed first where it is due, or `force` says that the service
    /// refused it. A renewal under way elsewhere is waited for; none is begun beside it, nor before the provider wants to
    /// be asked again.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::NotFound`], [`ApiError::Internal`].
    pub(super) async fn fresh(&self, stored: StoredConnection, force: bool) -> Result<StoredConnection, ApiError> {
        let (scope, id) = (stored.scope.clone(), stored.summary.id.clone());
        let chosen = self.find(&scope.workspace, &stored.summary.component, &stored.credentials.method).await?;
        let method = chosen.method();
        let deadline = self.clock.now().plus(RENEWAL_LEASE);
        let before = stored.secret_version;
        let mut stored = stored;
        loop {
            let Some(grant) = self.store.grant(&scope, &id).await? else { return Ok(stored) };
            let now = self.clock.now();
            let usable = is_usable(&grant, now);
            let due = force || is_due(&grant, now);
            let waits = self.holds_renewals() || !may_be_asked(&grant, method, now);
            if !due || waits || stored.secret_version != before || now > deadline {
                return Ok(stored);
            }
            match self.store.claim_renewal(&scope, &id, now, now.plus(RENEWAL_LEASE)).await? {
                Some(claim) => {
                    timeout(PATIENCE, self.renew(claim)).await.map_err(|_| ApiError::Unavailable)??;
                    return self.present(&scope, &id).await;
                }
                None if usable && !force => return Ok(stored),
                None => sleep(LOOK_AGAIN).await,
            }
            stored = self.present(&scope, &id).await?;
        }
    }

    /// Carries a claimed renewal out, to the end even if nobody waits for it any more.
    ///
    /// # Errors
    /// As [`Services::renew_claimed`].
    pub async fn renew(&self, claim: RenewalClaim) -> Result<(), ApiError> {
        let services = self.clone();
        self.finish(async move { services.renew_claimed(claim).await }).await
    }

    /// Carries a claimed renewal out. If it is dropped on the way, an answer may be lost.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`]: the claim ends by itself, and what it may have presented is
    /// presented once more.
    pub async fn renew_claimed(&self, claim: RenewalClaim) -> Result<(), ApiError> {
        let renewing = match self.renewing(&claim).await {
            Ok(Some(renewing)) => renewing,
            Ok(None) => return Ok(self.store.release_renewal(claim, None).await?),
            Err(error) => {
                let again = self.clock.now().plus(UNPREPARED_WAIT);
                self.store.release_renewal(claim, Some(again)).await?;
                return Err(error);
            }
        };
        // Its answer may have been written down and never committed: then nothing is presented again.
        if claim.presented > 1 && self.replay_noted(&renewing.stored).await? {
            return Ok(());
        }
        // Woken or made ready too late: somebody else is at it, and what was read is not this worker's to present.
        if self.clock.now() >= claim.until {
            return Ok(());
        }
        match self.ask_anew(&renewing).await {
            Ok(tokens) => {
                self.hold(self.sealed_renewal(&renewing, tokens).await?).await?;
                self.content_with_client(&claim.scope, &renewing.grant.client).await
            }
            Err(why) => self.set_back(&renewing, why).await,
        }
    }

    async fn renewing(&self, claim: &RenewalClaim) -> Result<Option<Renewing>, ApiError> {
        let stored = match self.present(&claim.scope, &claim.id).await {
            Err(ApiError::NotFound) => return Ok(None),
            stored => stored?,
        };
        let Some(grant) = self.store.grant(&claim.scope, &claim.id).await? else { return Ok(None) };
        let (component, method) = (&stored.summary.component, &stored.credentials.method);
        let chosen = self.find(&claim.scope.workspace, component, method).await?;
        let (definition, method) = chosen.parts();
        let secrets = self.stored_secrets(&stored).await?;
        let config = &stored.credentials.config;
        let party = self.party_of(&claim.scope, &definition.slug, method, config, &secrets).await?;
        Ok(Some(Renewing { claim: claim.clone(), stored, grant, chosen, secrets, party }))
    }

    /// Asks the provider for new tokens. From here on, until they are sealed, no database is needed.
    async fn ask_anew(&self, renewing: &Renewing) -> Result<Tokens, NoTokens> {
        let Renewing { stored, grant, chosen, secrets, party, .. } = renewing;
        let (definition, method) = chosen.parts();
        let (component, config) = (&definition.name, &stored.credentials.config);
        if is_redirected(stored, method) {
            return Err(NoTokens::NotAsked(redirected(component, method)));
        }
        let Some(party) = party else {
            return Err(NoTokens::Told(OAuthError::NoClient));
        };
        let by_itself = method.by_person().is_none();
        if !by_itself && grant.client_id.as_deref().is_some_and(|given_to| given_to != party.client_id()) {
            return Err(NoTokens::NotAsked(format!(
                "This account was connected with another OAuth client than {component} has here now, and only that one \
                 can renew the access. Put that client back, or reconnect the account."
            )));
        }
        let unusable = |_| NoTokens::Told(OAuthError::Unsupported);
        let provider = party.provider(method, config, secrets).map_err(unusable)?;
        let answer = match (by_itself, &method.oauth, held(secrets)) {
            (true, Some(oauth), _) => {
                let asked = [provider.scopes(|_| true), own_scopes(oauth, config)].concat();
                self.obtain(method, &provider, &asked).await
            }
            (false, _, Some(held)) => provider.refresh(&self.line(), held).await,
            _ => Err(OAuthError::Unsupported),
        };
        answer.map_err(NoTokens::Told)
    }

    /// Stores an answer, however long the database is away.
    async fn hold(&self, renewed: Renewed) -> Result<(), ApiError> {
        let noted = self.note_renewal(&renewed).await;
        let mut held = None;
        loop {
            match self.store.record_renewed(renewed.clone()).await {
                // Or others are stored by now: the account was reconnected, or the answer is in the database already.
                Ok(_) | Err(StoreError::Stale | StoreError::NotFound) => break,
                Err(StoreError::Unavailable) => {
                    held.get_or_insert_with(|| Held::one_more(self));
                    sleep(STORE_AGAIN).await;
                }
                // The note stays.
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(noted) = noted {
            noted.take_back();
        }
        Ok(())
    }

    /// Whether an answer waits for the database: then no renewal is begun, which could present the token that it replaces.
    #[must_use]
    pub fn holds_renewals(&self) -> bool {
        self.held.load(Ordering::Acquire) > 0
    }

    async fn sealed_renewal(&self, renewing: &Renewing, tokens: Tokens) -> Result<Renewed, ApiError> {
        let Renewing { claim, stored, grant, chosen, secrets, party, .. } = renewing;
        let method = chosen.method();
        let tokens = with_what_is_known(tokens, grant, secrets);
        let mut candidate = Candidate::of(stored, secrets.clone());
        put_tokens(&tokens, &mut candidate);
        let client = (grant.client.as_str(), party.as_ref().map(Party::client_id));
        let (new_grant, ends_at) = self.grant_of(method, client, &grant.asked, &tokens, grant.connected_at);
        let context = SealContext {
            scope: &claim.scope,
            holder: claim.id.as_str(),
            method: &method.id,
            secret_version: stored.secret_version + 1,
        };
        // The environment's key is at hand since the secrets were opened.
        let sealed = self.vault.seal(&context, &candidate.secrets).await?;
        // Who cannot be asked otherwise has been answered for by the provider.
        let asked_elsewhere = askable(method, &candidate.config);
        let health = if asked_elsewhere { Health::Unproven } else { Health::Valid { checked_at: tokens.issued_at } };
        let credentials = Credentials {
            method: method.id.clone(),
            destination: Some(destination(method, &candidate.config)),
            sealed,
            secrets: candidate.stored,
            grant: Some(new_grant),
            proof: Proof { health, expires_at: earliest(ends_at, known_end(&candidate.config)), ..Proof::default() },
            config: candidate.config,
        };
        let change = RenewalChange::Tokens(Box::new(credentials));
        Ok(self.renewed_to(claim, stored, change, "renewed"))
    }

    /// No tokens came: says so where it can be seen, and when it is tried again.
    async fn set_back(&self, renewing: &Renewing, why: NoTokens) -> Result<(), ApiError> {
        let Renewing { claim, stored, grant, chosen, .. } = renewing;
        let (definition, method) = chosen.parts();
        let (at, lost) = (self.clock.now(), claim.presented > 1);
        let standing = Standing {
            was_lost_before: lost,
            failures: u32::try_from(grant.failures).unwrap_or(u32::MAX),
            client_alone: method.by_person().is_none(),
        };
        let (next, sentence) = match &why {
            NoTokens::NotAsked(reason) => (Next::MendClient, reason.clone()),
            NoTokens::Told(error) => (settle(error, standing, self.spread()), error.sentence(&definition.name)),
        };
        if let (NoTokens::Told(OAuthError::WrongClient(_)), Next::MendClient) = (&why, &next) {
            self.discontent_with_client(&claim.scope, &grant.client, &sentence).await?;
        }
        // As long as the token works, a renewal that has to wait is nobody's concern.
        let over = grant.access_expires_at.is_some_and(|end| end <= at);
        let verdict = over.then(|| Verdict::NoEvidence { reason: sentence.clone(), field: None });
        let failures = grant.failures + 1;
        let waiting = |after, was_lost| Setback {
            at,
            verdict,
            refresh_at: Some(at.plus(after)),
            failures,
            presented: i64::from(was_lost),
            ended: false,
        };
        let setback = match next {
            Next::Later { after, was_lost } => waiting(after, was_lost),
            Next::MendClient => waiting(MENDING_WAIT, lost),
            Next::End(ending) => Setback {
                at,
                verdict: Some(Verdict::Rejected { reason: refused(&definition.name, &ending, &sentence), field: None }),
                refresh_at: None,
                failures: 0,
                presented: 0,
                // A client that was refused may be presented again: it has nothing that could be used up.
                ended: !standing.client_alone,
            },
        };
        let ended = setback.ended;
        let told = self.renewed_to(claim, stored, RenewalChange::Setback(setback), &sentence);
        match self.store.record_renewed(told).await {
            // Whoever was there first counts. But what was refused may have been replaced by then, and a provider that
            // ends a grant where a used token comes back has ended the new one as well: only presenting it tells.
            Err(StoreError::Stale) if ended => Ok(self.store.renew_now(&claim.scope, &claim.id, at).await?),
            Ok(_) | Err(StoreError::Stale | StoreError::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn renewed_to(
        &self,
        claim: &RenewalClaim,
        stored: &StoredConnection,
        change: RenewalChange,
        about: &str,
    ) -> Renewed {
        Renewed {
            scope: claim.scope.clone(),
            id: claim.id.clone(),
            claim: Some(claim.clone()),
            secret_version: stored.secret_version,
            change,
            entry: AuditEntry::system(self.clock.now(), AuditAction::Renewed, about),
        }
    }
}

/// An answer that waits for the database.
struct Held(Services);

impl Held {
    fn one_more(services: &Services) -> Self {
        services.held.fetch_add(1, Ordering::AcqRel);
        Self(services.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::AcqRel);
    }
}

fn is_usable(grant: &Grant, now: Timestamp) -> bool {
    grant.access_expires_at.is_none_or(|at| at > now.plus(USABLE))
}

/// Whether other tokens are wanted before these are used.
pub(super) fn is_due(grant: &Grant, now: Timestamp) -> bool {
    !is_usable(grant, now) || grant.refresh_at.is_some_and(|at| at <= now)
}

/// Whether the provider can be asked for other tokens now: not where it has ended them, where there is nothing to ask
/// with, or while it wants to be left alone.
fn may_be_asked(grant: &Grant, method: &Method, now: Timestamp) -> bool {
    let renewable = grant.refresh_at.is_some() || grant.access_expires_at.is_none() || method.by_person().is_none();
    let waits = grant.failures > 0 && grant.refresh_at.is_some_and(|at| at > now);
    renewable && !grant.ended && !waits
}

/// What a provider tells once, and leaves out where it has not changed (RFC 6749, section 6).
fn with_what_is_known(tokens: Tokens, grant: &Grant, secrets: &Secrets) -> Tokens {
    let same = held(secrets).is_some_and(|held| held.refresh_token == tokens.refresh_token.as_ref());
    let known_end = grant.refresh_expires_at.filter(|_| same);
    Tokens {
        scopes: tokens.scopes.or_else(|| grant.granted.clone()),
        refresh_expires_at: tokens.refresh_expires_at.or(known_end),
        ..tokens
    }
}

fn refused(component: &str, ending: &Ending, sentence: &str) -> String {
    match ending {
        Ending::Refused(said) => format!("{component} no longer renews this access.{said} Reconnect the account."),
        Ending::AnswerLost(said) => format!(
            "{component} had renewed this access, but its answer was lost, and it does not accept the token before \
             it.{said} Reconnect the account."
        ),
        Ending::ClientRefused(_) => sentence.to_owned(),
    }
}
