//! A code that somebody enters at the provider's page (RFC 8628): the provider is asked, not faster than it allows,
//! while somebody here asks how far it is.

use super::Party;
use super::settle::Settled;
use crate::api::connect::DeviceCode;
use crate::api::error::ApiError;
use crate::domain::time::SECOND;
use crate::server::catalog::definition::{Definition, Method};
use crate::server::oauth::{DevicePoll, OAuthError};
use crate::server::service::Services;
use crate::server::store::record::{FlowRequest, FlowStage};
use crate::server::store::{NewFlow, StoreError, StoredFlow};
use crate::server::vault::Secrets;

/// The provider's own code, among a flow's secrets.
const DEVICE_CODE: &str = "device_code";
/// Milliseconds more between two questions, each time the provider says so (RFC 8628, section 3.5).
const SLOWER: i64 = 5 * SECOND;

impl Services {
    pub(super) async fn begin_device(
        &self,
        party: &Party,
        (definition, method): (&Definition, &Method),
        flow: &mut NewFlow,
        secrets: &mut Secrets,
    ) -> Result<DeviceCode, ApiError> {
        let FlowRequest { config, scopes, .. } = &flow.request;
        let begun = party.provider(method, config, secrets)?.begin_device(&self.line(), scopes).await;
        let begun = begun.map_err(|error| ApiError::field("method", error.sentence(&definition.name)))?;
        secrets.insert(DEVICE_CODE, begun.device_code);
        let shown = DeviceCode {
            user_code: begun.user_code,
            verification_url: begun.verification_uri,
            complete_url: begun.verification_uri_complete,
        };
        let now = self.clock.now();
        flow.expires_at = begun.expires_at;
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
        self.finish(async move { services.put_question(flow, secrets).await }).await
    }

    async fn put_off(&self, flow: &StoredFlow, wait: i64, secrets: &Secrets) -> Result<Option<StoredFlow>, ApiError> {
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
        let chosen = self.method_of(&flow).await?;
        let (definition, method) = chosen.parts();
        let config = &flow.request.config;
        let code = secrets.take(DEVICE_CODE).ok_or(ApiError::Internal)?;
        let party = self.party_of(&flow.scope, &definition.slug, method, config, &secrets).await?;
        let party = party.ok_or_else(|| ApiError::field("client", super::NO_CLIENT))?;
        let answer = party.provider(method, config, &secrets)?.poll_device(&self.line(), &code).await;
        let failed = |words: &str| Settled::Failed(words.to_owned());
        let settled = match answer {
            Ok(DevicePoll::Pending) | Err(OAuthError::NoEvidence(_)) => return Ok(flow),
            Ok(DevicePoll::SlowDown) => {
                secrets.insert(DEVICE_CODE, code);
                let slower = interval_of(&flow.stage) + SLOWER;
                return Ok(self.put_off(&flow, slower, &secrets).await?.unwrap_or(flow));
            }
            Ok(DevicePoll::Granted(tokens)) => match self.settle(&flow, secrets, *tokens, None).await {
                Ok(settled) => settled,
                Err(error) => {
                    // The code is spent: nobody shall ask with it again.
                    self.fail_flow(&flow, error.to_string()).await?;
                    return Err(error);
                }
            },
            Ok(DevicePoll::Expired) => failed("Nobody entered the code in time. Connect again."),
            Ok(DevicePoll::Denied) => failed("Access was not allowed. Connect again and allow it, or ask who may."),
            Err(error) => self.note_refusal(&flow, &error).await?,
        };
        if let Settled::Failed(message) = settled {
            self.fail_flow(&flow, message).await?;
        }
        Ok(self.store.flow_now(&flow).await?.unwrap_or(flow))
    }
}

fn interval_of(stage: &FlowStage) -> i64 {
    if let FlowStage::Device { interval, .. } = stage { *interval } else { SLOWER }
}
