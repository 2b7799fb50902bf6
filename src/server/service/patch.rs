//! The API's merge patch: what is left out stays as it is.

use tokio::sync::mpsc::unbounded_channel;

use super::Services;
use super::caller::Caller;
use crate::api::error::ApiError;
use crate::api::stream::{ProbeEvent, Saving, UpdateRequest};
use crate::domain::environment::Environment;
use crate::domain::field::FieldValues;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::domain::tag::Tag;

/// What to change of a connection; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub version: Option<i64>,
    pub name: Option<String>,
    pub tags: Option<Vec<String>>,
    pub method: Option<String>,
    /// Merged into the stored values; a secret left out is kept.
    pub values: Option<FieldValues>,
    /// Fields whose values are taken away, secrets too.
    pub given_up: Vec<String>,
    /// Whether the service is asked before new credentials replace the old.
    pub validate: bool,
}

impl Services {
    /// Changes a connection.
    ///
    /// # Errors
    /// Those of [`Services::rename`]; those of [`Services::update`] come as its event.
    pub async fn patch(
        &self,
        caller: &Caller,
        environment: Environment,
        id: ConnectionId,
        patch: Patch,
    ) -> Result<ProbeEvent, ApiError> {
        let scope = caller.scope(Action::EditConnection, environment)?;
        let stored = self.present(&scope, &id).await?;
        let version = patch.version.unwrap_or(stored.summary.version);
        let name = patch.name.unwrap_or_else(|| stored.summary.name.to_string());
        let tags = patch.tags.unwrap_or_else(|| stored.summary.tags.iter().map(Tag::to_string).collect());
        if patch.values.is_none() && patch.method.is_none() {
            let summary = self.rename(caller, environment, id, version, name, tags).await?;
            return Ok(ProbeEvent::Saved { summary: Box::new(summary), evidence: None });
        }
        let method = patch.method.unwrap_or_else(|| stored.credentials.method.clone());
        let mut values =
            if method == stored.credentials.method { stored.credentials.config } else { FieldValues::default() };
        values.0.extend(patch.values.unwrap_or_default().0);
        values.0.retain(|field, _| !patch.given_up.contains(field));
        let saving = if patch.validate { Saving::WhenValid } else { Saving::AsNotActive };
        let request_id = format!("patch {id} {version} without {:?}", patch.given_up);
        let request = UpdateRequest { request_id, environment, id, version, name, tags, method, values, saving };
        let (live, _steps) = unbounded_channel();
        Ok(self.update_without(caller, request, &patch.given_up, live).await)
    }
}
