//! Endpoints that events are sent to.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::line::LineClaim;
use super::record::AuditEntry;
use super::row::{json, parsed, to_json};
use super::{Store, StoreError, audit};
use crate::domain::id::{WebhookId, WorkspaceId};
use crate::domain::time::Timestamp;
use crate::domain::webhook::Subscription;

/// Most webhooks of one workspace.
pub const MOST_WEBHOOKS: i64 = 20;

/// An endpoint, its secrets sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub workspace: WorkspaceId,
    pub url: String,
    pub subscription: Subscription,
    pub is_enabled: bool,
    /// It answered that it is gone, and was disabled because of that.
    pub is_gone: bool,
    pub sealed: Vec<u8>,
    /// Of `sealed`; `former` has the one before.
    pub secret_version: i64,
    /// The secret before, which signs as well until then; empty: none.
    pub former: Vec<u8>,
    pub former_until: Timestamp,
    pub created_at: Timestamp,
    /// Attempts in a row that failed.
    pub failures: i64,
}

macro_rules! webhooks {
    () => {
        "SELECT id, workspace, url, types, environments, enabled, gone, sealed, secret_version, former, former_until, \
         created_at, failures FROM webhooks WHERE workspace = $1 "
    };
}

impl Store {
    /// Stores a new webhook.
    ///
    /// # Errors
    /// `Full` where the workspace has as many as it may; `Unavailable`.
    pub async fn create_webhook(&self, new: Webhook, entry: AuditEntry) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                audit::append(tx, &new.workspace, None, Some(new.id.as_str()), &entry).await?;
                let there = sqlx::query("SELECT COUNT(*) AS total FROM webhooks WHERE workspace = $1");
                let there = there.bind(new.workspace.as_str()).fetch_one(&mut *tx).await?;
                if there.try_get::<i64, _>("total")? >= MOST_WEBHOOKS {
                    return Err(StoreError::Full);
                }
                insert(tx, &new).await
            })
        })
        .await
    }

    /// A workspace's webhooks, the oldest first.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn webhooks(&self, workspace: &WorkspaceId) -> Result<Vec<Webhook>, StoreError> {
        let rows = sqlx::query(concat!(webhooks!(), "ORDER BY id"));
        rows.bind(workspace.as_str()).fetch_all(&self.read).await?.iter().map(webhook).collect()
    }

    /// One webhook.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn webhook(&self, workspace: &WorkspaceId, id: &WebhookId) -> Result<Option<Webhook>, StoreError> {
        let row = sqlx::query(concat!(webhooks!(), "AND id = $2"));
        let row = row.bind(workspace.as_str()).bind(id.as_str()).fetch_optional(&self.read).await?;
        row.as_ref().map(webhook).transpose()
    }

    /// Changes where and what a webhook is sent, if it still is as it was read. What failed before counts no more.
    ///
    /// # Errors
    /// `Stale` where it is another by now, or gone; `Unavailable`.
    pub async fn change_webhook(&self, before: Webhook, changed: Webhook, entry: AuditEntry) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                audit::append(tx, &changed.workspace, None, Some(changed.id.as_str()), &entry).await?;
                let done = sqlx::query(
                    "UPDATE webhooks SET url = $3, types = $4, environments = $5, enabled = $6, gone = $7, \
                     failures = 0, paused_until = 0, fence = fence + 1, lease_until = 0 \
                     WHERE workspace = $1 AND id = $2 AND url = $8 AND types = $9 AND environments = $10 \
                     AND enabled = $11 AND gone = $12",
                )
                .bind(changed.workspace.as_str())
                .bind(changed.id.as_str())
                .bind(changed.url.as_str())
                .bind(to_json(&changed.subscription.types)?)
                .bind(to_json(&changed.subscription.environments)?)
                .bind(i64::from(changed.is_enabled))
                .bind(i64::from(changed.is_gone))
                .bind(before.url.as_str())
                .bind(to_json(&before.subscription.types)?)
                .bind(to_json(&before.subscription.environments)?)
                .bind(i64::from(before.is_enabled))
                .bind(i64::from(before.is_gone))
                .execute(tx)
                .await?;
                if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
            })
        })
        .await
    }

    /// Stores the secret of the next version; the one in force signs as well until a moment.
    ///
    /// # Errors
    /// `Stale` where the webhook has another secret by now; `Unavailable`.
    pub async fn rotate_webhook(
        &self,
        webhook: Webhook,
        sealed: Vec<u8>,
        former_until: Timestamp,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                audit::append(tx, &webhook.workspace, None, Some(webhook.id.as_str()), &entry).await?;
                let done = sqlx::query(
                    "UPDATE webhooks SET former = sealed, former_until = $5, sealed = $4, \
                     secret_version = secret_version + 1 WHERE workspace = $1 AND id = $2 AND secret_version = $3",
                )
                .bind(webhook.workspace.as_str())
                .bind(webhook.id.as_str())
                .bind(webhook.secret_version)
                .bind(sealed)
                .bind(former_until.0)
                .execute(tx)
                .await?;
                if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Stale) }
            })
        })
        .await
    }

    /// Disables a webhook whose endpoint says that it is gone; nothing where it is disabled already, or was changed since
    /// its line was claimed.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn disable_gone(&self, claim: &LineClaim, entry: AuditEntry) -> Result<(), StoreError> {
        let (workspace, id, fence) = (claim.workspace.clone(), claim.webhook.clone(), claim.fence);
        self.write(move |tx| {
            Box::pin(async move {
                audit::lock(tx, &workspace).await?;
                let done = sqlx::query(
                    "UPDATE webhooks SET enabled = 0, gone = 1 \
                     WHERE workspace = $1 AND id = $2 AND enabled = 1 AND fence = $3",
                );
                let done = done.bind(workspace.as_str()).bind(id.as_str()).bind(fence).execute(&mut *tx).await?;
                match done.rows_affected() {
                    0 => Ok(()),
                    _ => audit::append(tx, &workspace, None, Some(id.as_str()), &entry).await,
                }
            })
        })
        .await
    }

    /// Destroys the secrets that were replaced and sign no more.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn forget_former_secrets(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let lapsed = "UPDATE webhooks SET former = $2, former_until = 0 \
                              WHERE former_until > 0 AND former_until <= $1";
                sqlx::query(lapsed).bind(now.0).bind(Vec::<u8>::new()).execute(tx).await?;
                Ok(())
            })
        })
        .await
    }

    /// Removes a webhook, its secret, and what waits for it.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn remove_webhook(
        &self,
        workspace: &WorkspaceId,
        id: &WebhookId,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let (workspace, id) = (workspace.clone(), id.clone());
        self.write(move |tx| {
            Box::pin(async move {
                audit::append(tx, &workspace, None, Some(id.as_str()), &entry).await?;
                let gone = sqlx::query("DELETE FROM webhooks WHERE workspace = $1 AND id = $2");
                let gone = gone.bind(workspace.as_str()).bind(id.as_str()).execute(tx).await?;
                found(gone.rows_affected())
            })
        })
        .await
    }
}

async fn insert(tx: &mut AnyConnection, new: &Webhook) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO webhooks (id, workspace, url, types, environments, enabled, sealed, secret_version, former, \
         former_until, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10)",
    )
    .bind(new.id.as_str())
    .bind(new.workspace.as_str())
    .bind(new.url.as_str())
    .bind(to_json(&new.subscription.types)?)
    .bind(to_json(&new.subscription.environments)?)
    .bind(i64::from(new.is_enabled))
    .bind(new.sealed.clone())
    .bind(new.secret_version)
    .bind(Vec::<u8>::new())
    .bind(new.created_at.0)
    .execute(tx)
    .await?;
    Ok(())
}

fn found(rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

fn webhook(row: &AnyRow) -> Result<Webhook, StoreError> {
    Ok(Webhook {
        id: parsed(row.try_get("id")?)?,
        workspace: parsed(row.try_get("workspace")?)?,
        url: row.try_get("url")?,
        subscription: subscription(row)?,
        is_enabled: row.try_get::<i64, _>("enabled")? == 1,
        is_gone: row.try_get::<i64, _>("gone")? == 1,
        sealed: row.try_get("sealed")?,
        secret_version: row.try_get("secret_version")?,
        former: row.try_get("former")?,
        former_until: Timestamp(row.try_get("former_until")?),
        created_at: Timestamp(row.try_get("created_at")?),
        failures: row.try_get("failures")?,
    })
}

pub(super) fn subscription(row: &AnyRow) -> Result<Subscription, StoreError> {
    Ok(Subscription { types: json(row.try_get("types")?)?, environments: json(row.try_get("environments")?)? })
}
