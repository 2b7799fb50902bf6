//! Works the lines of webhooks off: signs, sends, and writes down how it went.

use super::Services;
use super::webhooks::host_of;
use crate::api::error::ApiError;
use crate::domain::time::{SECOND, Timestamp};
use crate::domain::webhook::{pause_after, wait_after};
use crate::server::dial::http::Answer;
use crate::server::dial::tls::Trust;
use crate::server::probe::Scrubber;
use crate::server::store::record::{AuditAction, AuditEntry};
use crate::server::store::{Attempt, Delivery, LineClaim, Outcome, StoreError, Webhook};
use crate::server::vault::{SecretText, Secrets};
use crate::server::webhook::send::{Message, send};
use crate::server::webhook::sign::signature;

/// How long a claim of a line lasts, in milliseconds.
pub const LINE_LEASE: i64 = 30 * SECOND;
/// The longest an attempt takes, with what is written before and after.
const LONGEST: i64 = 15 * SECOND;

const GONE: u16 = 410;

impl Services {
    /// Sends what is due on a claimed line, in its order, until an attempt fails, nothing is left, or the claim would not
    /// outlast another attempt.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`], [`ApiError::Internal`]: then the line comes back when its claim ends.
    pub async fn work_off(&self, claim: LineClaim) -> Result<(), ApiError> {
        let mut failures = 0;
        loop {
            let now = self.clock.now();
            let webhook = self.store.webhook(&claim.workspace, &claim.webhook).await?;
            let Some(webhook) = webhook.filter(|webhook| webhook.is_enabled) else { break };
            failures = webhook.failures;
            if now.plus(LONGEST) > claim.until {
                break;
            }
            let Some(delivery) = self.store.next_delivery(&claim, now).await? else { break };
            if self.deliver(&claim, &webhook, &delivery).await? != Outcome::Delivered {
                failures += 1;
                break;
            }
            if failures > 0 {
                // It answers again: its line is given back as one in order.
                failures = 0;
                break;
            }
        }
        let paused_until = if failures > 0 { self.clock.now().plus(pause_after(failures)) } else { Timestamp(0) };
        Ok(self.store.release_line(claim, failures, paused_until).await?)
    }

    async fn deliver(&self, claim: &LineClaim, webhook: &Webhook, delivery: &Delivery) -> Result<Outcome, ApiError> {
        let secrets = self.signing_secrets(webhook).await?;
        let at = self.clock.now();
        let answer = self.send_signed(webhook, delivery, &secrets, at).await;
        let ended = self.clock.now();
        let status = answer.as_ref().ok().map(|answer| answer.status);
        let outcome = self.follows(delivery, answer.as_ref().ok(), ended);
        let said = match answer {
            Ok(answer) => scrubber(secrets).said(&String::from_utf8_lossy(&answer.body)),
            Err(silence) => silence,
        };
        let attempt = Attempt { at, milliseconds: ended.since(at).max(0), status, said };
        match self.store.record_attempt(claim, delivery, attempt, outcome).await {
            // Somebody else holds the line by now, or the webhook was removed.
            Ok(()) | Err(StoreError::Stale | StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        if status == Some(GONE) {
            let entry = AuditEntry::system(ended, AuditAction::WebhookDisabled, host_of(&webhook.url));
            self.store.disable_gone(claim, entry).await?;
        }
        Ok(outcome)
    }

    async fn send_signed(
        &self,
        webhook: &Webhook,
        delivery: &Delivery,
        secrets: &[SecretText],
        at: Timestamp,
    ) -> Result<Answer, String> {
        let (id, seconds) = (delivery.event.as_str(), at.0.div_euclid(SECOND));
        let signed = secrets.iter().map(|secret| signature(secret, id, seconds, &delivery.body));
        let signatures = signed.collect::<Option<Vec<_>>>().unwrap_or_default().join(" ");
        let message = Message { id, at, body: &delivery.body, signatures: &signatures };
        send(&self.prober.dialer(), &Trust::Machine, &webhook.url, &message).await
    }

    /// What follows from an answer, or from none: only 2xx is a delivery. Who asks for more time gets it.
    fn follows(&self, delivery: &Delivery, answer: Option<&Answer>, now: Timestamp) -> Outcome {
        match answer {
            Some(answer) if (200..300).contains(&answer.status) => return Outcome::Delivered,
            Some(answer) if answer.status == GONE => return Outcome::GivenUp,
            _ => {}
        }
        let dice = self.random.bytes::<1>().map_or(0, |[dice]| dice);
        let asked = answer.and_then(|answer| answer.retry_after(now)).unwrap_or_default();
        match wait_after(delivery.attempts + 1, dice) {
            Some(wait) => Outcome::Again(now.plus(wait.max(asked))),
            None => Outcome::GivenUp,
        }
    }
}

/// What an endpoint says may quote what it was sent.
fn scrubber(signing: Vec<SecretText>) -> Scrubber {
    let mut secrets = Secrets::default();
    for (number, secret) in signing.into_iter().enumerate() {
        secrets.insert(&number.to_string(), secret);
    }
    Scrubber::new(&secrets)
}
