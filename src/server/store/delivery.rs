//! What is to be sent to webhooks, and how it went.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::row::{corrupt, parsed};
use super::webhook::subscription;
use super::{Event, Store, StoreError};
use crate::domain::environment::Environment;
use crate::domain::id::{EventId, WebhookId, WorkspaceId};
use crate::domain::time::Timestamp;
use crate::domain::webhook::DeliveryState;

/// One event for one webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub event: EventId,
    /// The event's type.
    pub kind: String,
    pub body: String,
    pub state: DeliveryState,
    /// Since it was queued or replayed.
    pub attempts: i64,
    pub next_at: Timestamp,
    pub created_at: Timestamp,
}

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub at: Timestamp,
    pub milliseconds: i64,
    /// `None`: no answer.
    pub status: Option<u16>,
    /// What was answered, scrubbed, or why there was no answer.
    pub said: String,
}

macro_rules! deliveries {
    () => {
        "SELECT event, type, body, state, attempts, next_at, created_at FROM deliveries WHERE webhook = $1 "
    };
}
pub(super) use deliveries;

impl Store {
    /// Queues what is no event of the feed: a test.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` where the webhook is gone.
    pub async fn queue_test(
        &self,
        workspace: &WorkspaceId,
        webhook: &WebhookId,
        event: &EventId,
        kind: &'static str,
        body: String,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (workspace, webhook, event) = (workspace.clone(), webhook.clone(), event.clone());
        self.write(move |tx| {
            Box::pin(async move {
                let new = Queued { event: event.as_str(), sequence: 0, kind, body: &body, at };
                queue_one(tx, &workspace, webhook.as_str(), &new).await
            })
        })
        .await
    }

    /// A webhook's deliveries, the latest first, from behind one on, and their attempts, the latest first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn deliveries(
        &self,
        webhook: &WebhookId,
        state: Option<DeliveryState>,
        after: Option<(Timestamp, &EventId)>,
        limit: u32,
    ) -> Result<Vec<(Delivery, Vec<Attempt>)>, StoreError> {
        let (at, id) = after.map_or((i64::MAX, "~"), |(at, id)| (at.0, id.as_str()));
        let rows = sqlx::query(concat!(
            deliveries!(),
            "AND ($2 = '' OR state = $2) AND (created_at < $3 OR (created_at = $3 AND event < $4)) \
             ORDER BY created_at DESC, event DESC LIMIT $5"
        ))
        .bind(webhook.as_str())
        .bind(state.map_or("", DeliveryState::as_str))
        .bind(at)
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(&self.read)
        .await?;
        let mut all = Vec::new();
        for row in &rows {
            let delivery = delivery(row)?;
            let attempts = self.attempts(webhook, &delivery.event).await?;
            all.push((delivery, attempts));
        }
        Ok(all)
    }

    async fn attempts(&self, webhook: &WebhookId, event: &EventId) -> Result<Vec<Attempt>, StoreError> {
        let rows = sqlx::query(
            "SELECT at, milliseconds, status, said FROM delivery_attempts WHERE webhook = $1 AND event = $2 \
             ORDER BY sequence DESC LIMIT 20",
        );
        let rows = rows.bind(webhook.as_str()).bind(event.as_str()).fetch_all(&self.read).await?;
        rows.iter().map(attempt).collect()
    }

    /// Sends one delivery again, whatever became of it; says whether it is there.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn replay(&self, webhook: &WebhookId, event: &EventId, now: Timestamp) -> Result<bool, StoreError> {
        let (webhook, event) = (webhook.clone(), event.clone());
        self.write(move |tx| {
            Box::pin(async move {
                resume(tx, &webhook).await?;
                let queued = sqlx::query(
                    "UPDATE deliveries SET state = 'waiting', attempts = 0, next_at = $3 WHERE webhook = $1 AND event = $2",
                );
                let queued = queued.bind(webhook.as_str()).bind(event.as_str()).bind(now.0).execute(tx).await?;
                Ok(queued.rows_affected() == 1)
            })
        })
        .await
    }

    /// Sends again all that was given up since a moment; says how many.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn replay_failed(
        &self,
        webhook: &WebhookId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let webhook = webhook.clone();
        self.write(move |tx| {
            Box::pin(async move {
                resume(tx, &webhook).await?;
                let queued = sqlx::query(
                    "UPDATE deliveries SET state = 'waiting', attempts = 0, next_at = $3 \
                     WHERE webhook = $1 AND state = 'failed' AND created_at >= $2",
                );
                let queued = queued.bind(webhook.as_str()).bind(since.0).bind(now.0).execute(tx).await?;
                Ok(queued.rows_affected())
            })
        })
        .await
    }

    /// Forgets deliveries that were queued before a moment, whatever became of them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn forget_deliveries(&self, before: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM deliveries WHERE created_at < $1").bind(before.0).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Ends a pause: somebody wants to see it sent now. The line begins anew, so that an attempt under way says nothing of it
/// any more. Before its deliveries are touched, in the order of whoever notes an attempt.
async fn resume(tx: &mut AnyConnection, webhook: &WebhookId) -> Result<(), StoreError> {
    let resumed = sqlx::query("UPDATE webhooks SET paused_until = 0, fence = fence + 1, lease_until = 0 WHERE id = $1");
    resumed.bind(webhook.as_str()).execute(tx).await?;
    Ok(())
}

/// What is queued for a webhook.
struct Queued<'a> {
    event: &'a str,
    sequence: i64,
    kind: &'a str,
    body: &'a str,
    at: Timestamp,
}

/// Queues events for the webhooks of their workspace that take them, in the transaction that writes them.
pub(super) async fn queue(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    environment: Environment,
    events: &[Event],
) -> Result<(), StoreError> {
    let rows = sqlx::query("SELECT id, types, environments FROM webhooks WHERE workspace = $1 AND enabled = 1");
    let rows = rows.bind(workspace.as_str()).fetch_all(&mut *tx).await?;
    for row in &rows {
        let (id, subscription): (String, _) = (row.try_get("id")?, subscription(row)?);
        for event in events.iter().filter(|event| subscription.takes(event.kind, environment)) {
            let body = body_of(event.kind.as_str(), event.at, &event.data);
            let (kind, at) = (event.kind.as_str(), event.at);
            let new = Queued { event: event.id.as_str(), sequence: event.sequence, kind, body: &body, at };
            queue_one(tx, workspace, &id, &new).await?;
        }
    }
    Ok(())
}

/// What is sent, in Standard Webhooks' form; `data` is JSON.
#[must_use]
pub fn body_of(kind: &str, at: Timestamp, data: &str) -> String {
    format!(r#"{{"type":"{kind}","timestamp":"{}","data":{data}}}"#, at.to_rfc3339())
}

async fn queue_one(
    tx: &mut AnyConnection,
    workspace: &WorkspaceId,
    webhook: &str,
    new: &Queued<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO deliveries (workspace, webhook, event, sequence, type, body, state, next_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $7)",
    )
    .bind(workspace.as_str())
    .bind(webhook)
    .bind(new.event)
    .bind(new.sequence)
    .bind(new.kind)
    .bind(new.body)
    .bind(new.at.0)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) fn delivery(row: &AnyRow) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        event: parsed(row.try_get("event")?)?,
        kind: row.try_get("type")?,
        body: row.try_get("body")?,
        state: DeliveryState::parse(row.try_get("state")?).ok_or_else(|| corrupt(()))?,
        attempts: row.try_get("attempts")?,
        next_at: Timestamp(row.try_get("next_at")?),
        created_at: Timestamp(row.try_get("created_at")?),
    })
}

fn attempt(row: &AnyRow) -> Result<Attempt, StoreError> {
    let status = row.try_get::<Option<i64>, _>("status")?.map(u16::try_from).transpose().map_err(corrupt)?;
    Ok(Attempt {
        at: Timestamp(row.try_get("at")?),
        milliseconds: row.try_get("milliseconds")?,
        status,
        said: row.try_get("said")?,
    })
}
