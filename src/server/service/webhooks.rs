//! Webhooks: where the platform is told of events.

use url::Url;

use super::Services;
use super::caller::Caller;
use super::workflows::page_limit;
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::domain::id::{EventId, WebhookId, WorkspaceId};
use crate::domain::role::{Action, EnvironmentSet};
use crate::domain::time::{DAY, Timestamp};
use crate::domain::webhook::{DeliveryState, Subscription, URL_LIMIT};
use crate::server::store::record::{AuditAction, Scope};
use crate::server::store::{Attempt, Delivery, MOST_WEBHOOKS, StoreError, Webhook, body_of};
use crate::server::vault::{SealContext, SecretText, Secrets};
use crate::server::webhook::sign;

/// How long a replaced secret signs as well, in milliseconds.
const OVERLAP: i64 = DAY;
/// The field and the method a signing secret is sealed as.
pub(super) const SECRET: &str = "signing_secret";
const METHOD: &str = "webhook";
/// How often a change is applied to what somebody else left meanwhile.
const ATTEMPTS: usize = 5;

/// What is said of a webhook; `None` stays as it is, or is the default.
#[derive(Clone, Debug, Default)]
pub struct WebhookForm {
    pub url: Option<String>,
    /// Empty: all.
    pub types: Option<Vec<EventType>>,
    pub environments: Option<EnvironmentSet>,
    pub is_enabled: Option<bool>,
}

/// What to send again.
#[derive(Clone, Debug)]
pub enum Replay {
    /// One delivery, whatever became of it.
    One(EventId),
    /// All that was given up since then.
    FailedSince(Timestamp),
}

impl Services {
    /// Makes a webhook. Its signing secret is told here and never again.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::Invalid`], [`ApiError::Unavailable`].
    pub async fn create_webhook(&self, caller: &Caller, form: WebhookForm) -> Result<(Webhook, SecretText), ApiError> {
        caller.allow(Action::ManageWebhooks)?;
        let given = form.url.clone().ok_or_else(|| ApiError::field("url", "Say where events are sent."))?;
        let now = self.clock.now();
        let mut webhook = Webhook {
            id: WebhookId::from_bytes(self.random.uuid_v7(now)?),
            workspace: caller.workspace.clone(),
            url: self.endpoint(&given)?,
            subscription: Subscription { types: Vec::new(), environments: caller.environments },
            is_enabled: true,
            is_gone: false,
            sealed: Vec::new(),
            secret_version: 1,
            former: Vec::new(),
            former_until: Timestamp(0),
            created_at: now,
            failures: 0,
        };
        Self::fill_in(caller, &mut webhook, &form)?;
        let secret = sign::draw(&self.random)?;
        webhook.sealed = self.seal_signing(&webhook, 1, &secret).await?;
        let audit = caller.audit(&self.clock, AuditAction::WebhookCreated, host_of(&webhook.url));
        self.store.create_webhook(webhook.clone(), audit).await.map_err(|error| match error {
            StoreError::Full => {
                ApiError::field("url", format!("A workspace has at most {MOST_WEBHOOKS} webhooks. Remove one first."))
            }
            error => error.into(),
        })?;
        Ok((webhook, secret))
    }

    /// The workspace's webhooks whose environments the caller may enter.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::Unavailable`].
    pub async fn webhooks(&self, caller: &Caller) -> Result<Vec<Webhook>, ApiError> {
        caller.allow(Action::ManageWebhooks)?;
        let mut all = self.store.webhooks(&caller.workspace).await?;
        all.retain(|webhook| webhook.subscription.environments.is_within(caller.environments));
        Ok(all.into_iter().map(|webhook| self.as_it_signs(webhook)).collect())
    }

    /// One webhook.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::NotFound`], [`ApiError::Unavailable`].
    pub async fn webhook(&self, caller: &Caller, id: &WebhookId) -> Result<Webhook, ApiError> {
        caller.allow(Action::ManageWebhooks)?;
        let found = self.store.webhook(&caller.workspace, id).await?;
        let found = found.filter(|webhook| webhook.subscription.environments.is_within(caller.environments));
        found.map(|webhook| self.as_it_signs(webhook)).ok_or(ApiError::NotFound)
    }

    /// Without a secret whose day is over.
    fn as_it_signs(&self, webhook: Webhook) -> Webhook {
        if webhook.former_until > self.clock.now() { webhook } else { Webhook { former: Vec::new(), ..webhook } }
    }

    /// Changes where and what is sent.
    ///
    /// # Errors
    /// As [`Services::webhook`]; [`ApiError::Invalid`]; [`ApiError::Busy`] where others change it all the time.
    pub async fn change_webhook(
        &self,
        caller: &Caller,
        id: &WebhookId,
        form: WebhookForm,
    ) -> Result<Webhook, ApiError> {
        for _ in 0..ATTEMPTS {
            let before = self.webhook(caller, id).await?;
            let mut webhook = before.clone();
            if let Some(given) = &form.url {
                webhook.url = self.endpoint(given)?;
            }
            Self::fill_in(caller, &mut webhook, &form)?;
            webhook.is_gone = webhook.is_gone && !webhook.is_enabled;
            let audit = caller.audit(&self.clock, AuditAction::WebhookChanged, host_of(&webhook.url));
            match self.store.change_webhook(before, webhook.clone(), audit).await {
                // Somebody else was faster: what this asks for is applied to what they left.
                Err(StoreError::Stale) => {}
                done => return Ok(done.map(|()| Webhook { failures: 0, ..webhook })?),
            }
        }
        Err(ApiError::Busy)
    }

    /// Gives a webhook another signing secret, told here and never again. The one before signs as well for a day.
    ///
    /// # Errors
    /// As [`Services::webhook`].
    pub async fn rotate_webhook(&self, caller: &Caller, id: &WebhookId) -> Result<(Webhook, SecretText), ApiError> {
        for _ in 0..ATTEMPTS {
            let webhook = self.webhook(caller, id).await?;
            let secret = sign::draw(&self.random)?;
            let sealed = self.seal_signing(&webhook, webhook.secret_version + 1, &secret).await?;
            let until = self.clock.now().plus(OVERLAP);
            let audit = caller.audit(&self.clock, AuditAction::WebhookSecretRotated, host_of(&webhook.url));
            match self.store.rotate_webhook(webhook.clone(), sealed, until, audit).await {
                // Somebody else was faster: theirs is the one before.
                Err(StoreError::Stale) => {}
                done => {
                    done?;
                    let (former, secret_version) = (webhook.sealed.clone(), webhook.secret_version + 1);
                    return Ok((Webhook { former, former_until: until, secret_version, ..webhook }, secret));
                }
            }
        }
        Err(ApiError::Busy)
    }

    /// Removes a webhook, and what waits for it.
    ///
    /// # Errors
    /// As [`Services::webhook`].
    pub async fn remove_webhook(&self, caller: &Caller, id: &WebhookId) -> Result<(), ApiError> {
        let webhook = self.webhook(caller, id).await?;
        let audit = caller.audit(&self.clock, AuditAction::WebhookRemoved, host_of(&webhook.url));
        Ok(self.store.remove_webhook(&caller.workspace, id, audit).await?)
    }

    /// Sends an event that tells nothing; says which.
    ///
    /// # Errors
    /// As [`Services::webhook`].
    pub async fn test_webhook(&self, caller: &Caller, id: &WebhookId) -> Result<EventId, ApiError> {
        let webhook = self.webhook(caller, id).await?;
        let now = self.clock.now();
        let event = EventId::from_bytes(self.random.uuid_v7(now)?);
        let data = serde_json::json!({ "workspace": webhook.workspace, "webhook": webhook.id }).to_string();
        let kind = EventType::Test.as_str();
        self.store.queue_test(&webhook.workspace, id, &event, kind, body_of(kind, now, &data), now).await?;
        Ok(event)
    }

    /// A webhook's deliveries, the latest first, and their attempts.
    ///
    /// # Errors
    /// As [`Services::webhook`].
    pub async fn deliveries(
        &self,
        caller: &Caller,
        id: &WebhookId,
        state: Option<DeliveryState>,
        after: Option<(Timestamp, EventId)>,
        limit: Option<u32>,
    ) -> Result<(Vec<(Delivery, Vec<Attempt>)>, bool), ApiError> {
        self.webhook(caller, id).await?;
        let (limit, after) = (page_limit(limit), after.as_ref().map(|(at, event)| (*at, event)));
        let mut found = self.store.deliveries(id, state, after, limit + 1).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        Ok((found, more))
    }

    /// Sends again; says how many.
    ///
    /// # Errors
    /// As [`Services::webhook`], also where there is no such delivery.
    pub async fn replay_deliveries(&self, caller: &Caller, id: &WebhookId, what: Replay) -> Result<u64, ApiError> {
        self.webhook(caller, id).await?;
        let now = self.clock.now();
        match what {
            Replay::FailedSince(since) => Ok(self.store.replay_failed(id, since, now).await?),
            Replay::One(event) if self.store.replay(id, &event, now).await? => Ok(1),
            Replay::One(_) => Err(ApiError::NotFound),
        }
    }

    fn fill_in(caller: &Caller, webhook: &mut Webhook, form: &WebhookForm) -> Result<(), ApiError> {
        if let Some(environments) = form.environments {
            if !environments.is_within(caller.environments) {
                return Err(ApiError::field("environments", "Name only environments that you may enter."));
            }
            webhook.subscription.environments = environments;
        }
        if let Some(types) = &form.types {
            webhook.subscription.types.clone_from(types);
        }
        webhook.is_enabled = form.is_enabled.unwrap_or(webhook.is_enabled);
        Ok(())
    }

    /// An address that events may be sent to: encrypted, unless it can only be meant for a network of our own.
    fn endpoint(&self, text: &str) -> Result<String, ApiError> {
        let refuse = |message: &str| Err(ApiError::field("url", message));
        let url = Url::parse(text.trim()).ok().filter(|url| url.has_host() && text.len() <= URL_LIMIT);
        let Some(mut url) = url else { return refuse("Give an https:// address of at most 2,000 characters.") };
        match url.scheme() {
            "https" => {}
            "http" if self.prober.dialer().reaches_inward() => {}
            _ => return refuse("Events are sent over https only: give an https:// address."),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("Leave user and password out: each message is signed.");
        }
        url.set_fragment(None);
        Ok(url.into())
    }

    async fn seal_signing(&self, webhook: &Webhook, version: i64, secret: &SecretText) -> Result<Vec<u8>, ApiError> {
        let mut secrets = Secrets::default();
        secrets.insert(SECRET, secret.clone());
        let scope = place(&webhook.workspace);
        Ok(self.vault.seal(&context(&scope, &webhook.id, version), &secrets).await?)
    }

    /// The secrets that sign now, the one in force first.
    pub(super) async fn signing_secrets(&self, webhook: &Webhook) -> Result<Vec<SecretText>, ApiError> {
        let scope = place(&webhook.workspace);
        let mut sealed = vec![(webhook.secret_version, &webhook.sealed)];
        if webhook.former_until > self.clock.now() {
            sealed.push((webhook.secret_version - 1, &webhook.former));
        }
        let mut secrets = Vec::new();
        for (version, sealed) in sealed {
            let mut opened = self.vault.open_sealed(&context(&scope, &webhook.id, version), sealed).await?;
            secrets.extend(opened.take(SECRET));
        }
        Ok(secrets)
    }
}

/// A webhook belongs to the workspace; its secret is sealed with the key of one environment, whichever it is sent.
fn place(workspace: &WorkspaceId) -> Scope {
    Scope::whole(workspace.clone(), Environment::Production)
}

fn context<'a>(scope: &'a Scope, id: &'a WebhookId, secret_version: i64) -> SealContext<'a> {
    SealContext { scope, holder: id.as_str(), method: METHOD, secret_version }
}

/// What the audit trail says of an address: its path may hold what only its owner should know.
pub(super) fn host_of(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}
