//! A code that somebody enters at the provider's page (RFC 8628): the provider is asked, not faster than it allows,
//! while somebody here asks how far it is.

use super::settle::Settled;
use crate::api::connect::DeviceCode;
use crate::api::error::ApiError;
use crate::server::oauth::{DevicePoll, Provider};
use crate::server::service::Services;
use crate::server::store::record::FlowStage;
use crate::server::store::{NewFlow, StoreError, StoredFlow};
use crate::server::vault::Secrets;

/// The provider's own code, among a flow's secrets.
const DEVICE_CODE: &str = "device_code";

impl Services {
    pub(super) async fn begin_device(
        &self,
        provider: &Provider<'_>,
        flow: &mut NewFlow,
        secrets: &mut Secrets,
    ) -> Result<DeviceCode, ApiError> {
        let begun = provider.begin_device(&self.line(), &flow.request.scopes).await;
        let begun = begun.map_err(|error| ApiError::field("method", error.sentence("The service")))?;
        secrets.insert(DEVICE_CODE, begun.device_code);
        let shown = DeviceCode {
            user_code: begun.user_code,
            verification_url: begun.verification_url,
            complete_url: begun.complete_url,
        };
        let now = self.clock.now();
        flow.expires_at = now.plus(begun.lifetime);
        flow.stage = FlowStage::Device {
            user_code: shown.user_code.clone(),
            verification_url: shown.verification_url.clone(),
            complete_url: shown.complete_url.clone(),
            interval: begun.interval,
            ask_at: now.plus(begun.interval),
        };
        Ok(shown)
    }

    /// Asks the provider, if it is time to, and carries on where it answers with tokens.
    pub(super) async fn ask_device(&self, flow: StoredFlow) -> Result<StoredFlow, ApiError> {
        let FlowStage::Device { interval, ask_at, .. } = &flow.stage else { return Ok(flow) };
        let (interval, ask_at, now) = (*interval, *ask_at, self.clock.now());
        if now < ask_at || flow.expires_at <= now {
            return Ok(flow);
        }
        // Whoever moves the next question on is the one to put this one.
        let secrets = self.open_flow_secrets(&flow).await?;
        let Some(flow) = self.put_off(&flow, interval, &secrets).await? else { return Ok(flow) };
        let services = self.clone();
        crate::server::service::finish(async move { services.put_question(flow, secrets).await }).await
    }

    async fn put_off(
        &self,
        flow: &StoredFlow,
        wait: i64,
        secrets: &Secrets,
    ) -> Result<Option<StoredFlow>, ApiError> {
        let mut stage = flow.stage.clone();
        if let FlowStage::Device { interval, ask_at, .. } = &mut stage {
            (*interval, *ask_at) = (wait, self.clock.now().plus(wait));
        }
        let sealed = self.seal_flow(&flow.scope, &flow.id, flow.version + 1, secrets).await?;
        match self.store.advance_flow(flow, stage, sealed).await {
            Ok(flow) => Ok(Some(flow)),
            Err(StoreError::Stale) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn put_question(&self, flow: StoredFlow, mut secrets: Secrets) -> Result<StoredFlow, ApiError> {
        let (definition, method) = self.method_of(&flow)?;
        let client = self.client_of(&flow.scope, &definition.slug, method, &flow.request.config, &secrets).await?;
        let client = client.ok_or_else(|| ApiError::field("client", super::NO_CLIENT))?;
        let code = secrets.take(DEVICE_CODE).ok_or(ApiError::Internal)?;
        let provider = self.provider(method, &flow.request.config, &secrets, &client)?;
        let settled = match provider.poll_device(&self.line(), &code).await {
            Ok(DevicePoll::Pending) => return Ok(flow),
            Ok(DevicePoll::SlowDown { interval }) => {
                secrets.insert(DEVICE_CODE, code);
                return Ok(self.put_off(&flow, interval, &secrets).await?.unwrap_or(flow));
            }
            Ok(DevicePoll::Tokens(tokens)) => self.settle(&flow, secrets, *tokens, None).await?,
            Err(error) if error.is_transient() => return Ok(flow),
            Err(error) => self.note_refusal(&flow, &error).await?,
        };
        if let Settled::Failed(message) = settled {
            self.fail_flow(&flow, message).await?;
        }
        Ok(self.store.flow(&flow.scope, &flow.id).await?.unwrap_or(flow))
    }
}
