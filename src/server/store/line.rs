//! Lines: each webhook is one of its own, worked off by one replica at a time, in the order of the events as far as
//! attempts succeed.

use sqlx::{AnyConnection, Row};

use super::delivery::{Attempt, Delivery, deliveries, delivery};
use super::row::parsed;
use super::{Store, StoreError};
use crate::domain::id::{WebhookId, WorkspaceId};
use crate::domain::time::{DAY, MINUTE, Timestamp};
use crate::domain::webhook::DeliveryState;

/// Leases, pauses and waits that lie further ahead than these were written by a clock that was set back since: they count
/// as over.
const LONGEST_LEASE: i64 = 5 * MINUTE;
const LONGEST_WAIT: i64 = 2 * DAY;

/// A webhook's line, claimed: nobody else sends to it until the lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineClaim {
    pub workspace: WorkspaceId,
    pub webhook: WebhookId,
    pub fence: i64,
    pub until: Timestamp,
}

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// Tried again at a moment.
    Again(Timestamp),
    GivenUp,
}

/// That a webhook `w` can be claimed and something is due for it; by [`bind_due`].
macro_rules! due {
    () => {
        "w.enabled = 1 AND (w.lease_until <= $1 OR w.lease_until > $2) \
         AND (w.paused_until <= $1 OR w.paused_until > $2) AND (CASE WHEN w.failures > 0 THEN 1 ELSE 0 END) = $3 \
         AND EXISTS (SELECT 1 FROM deliveries d WHERE d.webhook = w.id AND d.state = 'waiting' \
          AND (d.next_at <= $1 OR d.next_at > $4)) "
    };
}

impl Store {
    /// Claims lines that something is due for, those that failed the last time or the others. A claim that somebody else
    /// holds is left alone.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn claim_lines(
        &self,
        now: Timestamp,
        lease: Timestamp,
        in_trouble: bool,
        most: i64,
    ) -> Result<Vec<LineClaim>, StoreError> {
        // Read first: most of the time nothing is due, and nobody shall wait for the writer because of that.
        let due = sqlx::query(concat!("SELECT w.id FROM webhooks w WHERE ", due!(), "LIMIT $5"));
        let due = bind_due(due, now, in_trouble).bind(most).fetch_all(&self.read).await?;
        let due = due.iter().map(|row| Ok(row.try_get("id")?)).collect::<Result<Vec<String>, StoreError>>()?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |tx| {
            Box::pin(async move {
                let mut claims = Vec::new();
                for id in due {
                    claims.extend(claim(tx, &id, now, lease, in_trouble).await?);
                }
                Ok(claims)
            })
        })
        .await
    }

    /// What is to be sent next on a line; `None`: nothing is due.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn next_delivery(&self, claim: &LineClaim, now: Timestamp) -> Result<Option<Delivery>, StoreError> {
        let row = sqlx::query(concat!(
            deliveries!(),
            "AND state = 'waiting' AND (next_at <= $2 OR next_at > $3) ORDER BY sequence, next_at, event LIMIT 1"
        ))
        .bind(claim.webhook.as_str())
        .bind(now.0)
        .bind(now.plus(LONGEST_WAIT).0)
        .fetch_optional(&self.read)
        .await?;
        row.as_ref().map(delivery).transpose()
    }

    /// Writes an attempt down. That something was delivered counts whoever holds the line by now; that it was not, only
    /// while the claim is held.
    ///
    /// # Errors
    /// `Unavailable`; `Stale` where the claim was lost, `NotFound` where the delivery is gone.
    pub async fn record_attempt(
        &self,
        claim: &LineClaim,
        delivery: &Delivery,
        attempt: Attempt,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        let (claim, delivery) = (claim.clone(), delivery.clone());
        self.write(move |tx| {
            Box::pin(async move {
                if outcome != Outcome::Delivered {
                    hold(tx, &claim).await?;
                }
                settle(tx, &claim, &delivery, outcome).await?;
                note(tx, &claim, &delivery, &attempt).await
            })
        })
        .await
    }

    /// Gives a line back, to be left alone until a moment.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn release_line(
        &self,
        claim: LineClaim,
        failures: i64,
        paused_until: Timestamp,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE webhooks SET lease_until = 0, failures = $3, paused_until = $4 WHERE id = $1 AND fence = $2",
                )
                .bind(claim.webhook.as_str())
                .bind(claim.fence)
                .bind(failures)
                .bind(paused_until.0)
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn bind_due(query: Query<'_>, now: Timestamp, in_trouble: bool) -> Query<'_> {
    query.bind(now.0).bind(now.plus(LONGEST_LEASE).0).bind(i64::from(in_trouble)).bind(now.plus(LONGEST_WAIT).0)
}

async fn claim(
    tx: &mut AnyConnection,
    id: &str,
    now: Timestamp,
    lease: Timestamp,
    in_trouble: bool,
) -> Result<Option<LineClaim>, StoreError> {
    let claimed = sqlx::query(concat!(
        "UPDATE webhooks AS w SET lease_until = $5, fence = fence + 1 WHERE w.id = $6 AND ",
        due!(),
        "RETURNING workspace, id, fence"
    ));
    let row = bind_due(claimed, now, in_trouble).bind(lease.0).bind(id.to_owned()).fetch_optional(tx).await?;
    row.map(|row| {
        Ok(LineClaim {
            workspace: parsed(row.try_get("workspace")?)?,
            webhook: parsed(row.try_get("id")?)?,
            fence: row.try_get("fence")?,
            until: lease,
        })
    })
    .transpose()
}

/// Locks the line; `Stale` where the claim is somebody else's by now.
async fn hold(tx: &mut AnyConnection, claim: &LineClaim) -> Result<(), StoreError> {
    let held = sqlx::query("UPDATE webhooks SET fence = fence WHERE id = $1 AND fence = $2");
    let held = held.bind(claim.webhook.as_str()).bind(claim.fence).execute(tx).await?;
    if held.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
}

async fn settle(
    tx: &mut AnyConnection,
    claim: &LineClaim,
    delivery: &Delivery,
    outcome: Outcome,
) -> Result<(), StoreError> {
    let (state, next_at) = match outcome {
        Outcome::Delivered => (DeliveryState::Delivered, delivery.next_at),
        Outcome::Again(at) => (DeliveryState::Waiting, at),
        Outcome::GivenUp => (DeliveryState::Failed, delivery.next_at),
    };
    let settled = sqlx::query(
        "UPDATE deliveries SET state = $3, next_at = $4, attempts = attempts + 1 WHERE webhook = $1 AND event = $2",
    )
    .bind(claim.webhook.as_str())
    .bind(delivery.event.as_str())
    .bind(state.as_str())
    .bind(next_at.0)
    .execute(tx)
    .await?;
    if settled.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

async fn note(
    tx: &mut AnyConnection,
    claim: &LineClaim,
    delivery: &Delivery,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO delivery_attempts (webhook, event, sequence, at, milliseconds, status, said) \
         SELECT $1, $2, COALESCE(MAX(sequence), 0) + 1, $3, $4, $5, $6 FROM delivery_attempts \
         WHERE webhook = $1 AND event = $2",
    )
    .bind(claim.webhook.as_str())
    .bind(delivery.event.as_str())
    .bind(attempt.at.0)
    .bind(attempt.milliseconds)
    .bind(attempt.status.map(i64::from))
    .bind(attempt.said.as_str())
    .execute(tx)
    .await?;
    Ok(())
}
