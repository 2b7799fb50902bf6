//! Credentials for what runs workflows: fresh, recorded before they leave, and no more than requests to the service need.

use std::collections::{BTreeMap, BTreeSet};

use super::Services;
use super::caller::Caller;
use super::check::{is_redirected, redirected};
use super::renew::is_due;
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::health::{Health, Status};
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::domain::time::Timestamp;
use crate::server::catalog::Chosen;
use crate::server::catalog::definition::{HttpService, Service};
use crate::server::catalog::oauth::ACCESS_TOKEN;
use crate::server::catalog::template::Template;
use crate::server::probe::Values;
use crate::server::probe::http_request::{BuildError, Shape, shape};
use crate::server::store::UseLine;
use crate::server::store::record::{AuditAction, Grant, StoredConnection};
use crate::server::vault::{SecretText, Secrets};

/// In which form credentials are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As they enter a request to the service, or as fields where it is not spoken to by HTTP.
    Fitting,
    /// As they enter a request.
    Request,
    /// As the component's fields.
    Fields,
}

/// Credentials of a connection, recorded.
pub struct HandedOut {
    pub id: ConnectionId,
    pub environment: Environment,
    pub component: String,
    pub method: String,
    /// When they end, as far as is known.
    pub expires_at: Option<Timestamp>,
    pub content: Content,
}

pub enum Content {
    Request(Box<Shape>),
    Fields(BTreeMap<String, SecretText>),
}

/// An access token, recorded.
pub struct AccessToken {
    pub token: SecretText,
    pub expires_at: Option<Timestamp>,
    /// Those granted, as far as the provider told; else those asked for.
    pub scopes: Vec<String>,
}

/// Why nothing was handed out or sent. What it prints is for everybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    #[error("This connection was deleted. Restore it in Patchbay, or use another one.")]
    Deleted,
    #[error("This connection expired on {0}. Renew it in Patchbay.")]
    Expired(String),
    #[error("This connection is NOT ACTIVE. {0}")]
    NotActive(String),
    #[error("{0}")]
    NotRenewed(String),
    #[error("This way of authenticating has no access token. Fetch the credentials instead.")]
    NoToken,
    #[error("This credential does not enter a request as headers and parameters. Fetch the fields instead.")]
    NoRequest,
    #[error("A request cannot be made of what this connection holds: {0} Update it, or fetch the fields.")]
    Unfit(String),
    #[error("This API key asks more often than it may. Wait {} ms.", .0)]
    TooFast(i64),
    #[error("This API key has as many proxied requests under way as it may. Wait for one to end.")]
    TooManyAtOnce,
    #[error("The use of this connection cannot be recorded right now, so nothing was handed out.")]
    NotRecorded,
    #[error(transparent)]
    Other(#[from] ApiError),
}

/// A connection that may be used now, opened.
pub(super) struct Usable {
    pub stored: StoredConnection,
    pub grant: Option<Grant>,
    pub chosen: Chosen,
    pub secrets: Secrets,
}

impl Usable {
    pub(super) fn values(&self) -> Values<'_> {
        let (fields, config) = (self.chosen.method().known_fields(), &self.stored.credentials.config);
        Values { fields, config, secrets: &self.secrets }
    }

    fn expires_at(&self) -> Option<Timestamp> {
        match &self.grant {
            Some(grant) => grant.access_expires_at,
            None => self.stored.summary.expires_at,
        }
    }

    /// What the component's file says of a request.
    ///
    /// # Errors
    /// `None` where the service is not spoken to by HTTP.
    pub(super) fn shape(&self) -> Option<Result<Shape, Withheld>> {
        let Service::Http(service) = &self.chosen.method().service else { return None };
        Some(shape(service, self.values()).map_err(|error| unfit(&error)))
    }

    /// The fields. What only serves to obtain tokens stays here: a refresh token, a client's secret.
    fn fields(&self) -> BTreeMap<String, SecretText> {
        let method = self.chosen.method();
        let values = self.values();
        let needed = method.oauth.as_ref().map(|oauth| {
            let obtained = oauth.obtained().map(|field| field.id);
            let named = match &method.service {
                Service::Http(service) => named_in(service),
                _ => BTreeSet::new(),
            };
            named.into_iter().chain(obtained).collect::<BTreeSet<_>>()
        });
        let fields = values.fields.iter();
        let given = fields.filter(|field| !field.secret || needed.as_ref().is_none_or(|ids| ids.contains(&field.id)));
        let pair = |id: &String| Some((id.clone(), SecretText::new(values.get(id)?.to_owned())));
        given.filter_map(|field| pair(&field.id)).collect()
    }
}

/// The fields that requests to a service name.
fn named_in(service: &HttpService) -> BTreeSet<String> {
    let basic = service.basic.iter().flat_map(|basic| [&basic.user, &basic.password]);
    let pairs = service.headers.iter().chain(&service.query).flat_map(|(name, value)| [name, value]);
    let templates = pairs.chain(basic).chain([&service.base_url]).filter_map(|text| Template::parse(text).ok());
    templates.flat_map(|template| template.fields().map(str::to_owned).collect::<Vec<_>>()).collect()
}

fn unfit(error: &BuildError) -> Withheld {
    Withheld::Unfit(error.to_string())
}

impl Services {
    /// Hands a connection's credentials out, after that is recorded.
    ///
    /// # Errors
    /// [`Withheld`]: nothing left.
    pub async fn hand_out(&self, caller: &Caller, id: &ConnectionId, form: Form) -> Result<HandedOut, Withheld> {
        self.pace(caller, id)?;
        let usable = self.usable(caller, Action::FetchCredentials, id).await?;
        let shaped = match form {
            Form::Request => usable.shape().transpose()?,
            Form::Fitting => usable.shape().and_then(Result::ok),
            Form::Fields => None,
        };
        // A signature is of one request: the key that signs is all there is to hand out.
        let content = match shaped.filter(|shape| shape.signer.is_none()) {
            Some(shape) => Content::Request(Box::new(shape)),
            None if form == Form::Request => return Err(Withheld::NoRequest),
            None => Content::Fields(usable.fields()),
        };
        let about = if matches!(content, Content::Request(_)) { "for a request" } else { "as fields" };
        self.record_use(caller, &usable.stored, AuditAction::HandedOut, about.to_owned()).await?;
        let expires_at = usable.expires_at();
        let StoredConnection { scope, summary, credentials, .. } = usable.stored;
        Ok(HandedOut {
            id: summary.id,
            environment: scope.environment,
            component: summary.component.into(),
            method: credentials.method,
            expires_at,
            content,
        })
    }

    /// Hands a connection's access token out, after that is recorded.
    ///
    /// # Errors
    /// [`Withheld`]: nothing left.
    pub async fn hand_out_token(&self, caller: &Caller, id: &ConnectionId) -> Result<AccessToken, Withheld> {
        self.pace(caller, id)?;
        let usable = self.usable(caller, Action::FetchCredentials, id).await?;
        let (Some(grant), Some(token)) = (&usable.grant, usable.secrets.get(ACCESS_TOKEN)) else {
            return Err(Withheld::NoToken);
        };
        self.record_use(caller, &usable.stored, AuditAction::HandedOut, "access token".to_owned()).await?;
        let scopes = grant.granted.as_ref().unwrap_or(&grant.asked).clone();
        Ok(AccessToken { token: token.clone(), expires_at: grant.access_expires_at, scopes })
    }

    /// Takes one request from the key's share.
    ///
    /// # Errors
    /// [`Withheld::TooFast`], and as [`Caller::key_for`].
    pub(super) fn pace(&self, caller: &Caller, id: &ConnectionId) -> Result<(), Withheld> {
        let key = caller.key_for(id)?;
        self.pace.take(key, self.setting.runtime.key_rate, self.clock.now()).map_err(Withheld::TooFast)
    }

    /// A connection that may be used now; its token is renewed first where that is due, by joining a renewal under way.
    ///
    /// # Errors
    /// [`Withheld`], in the caller's words.
    pub(super) async fn usable(&self, caller: &Caller, action: Action, id: &ConnectionId) -> Result<Usable, Withheld> {
        caller.allow(action)?;
        let (mut stored, mut grant) = self.active(caller, id).await?;
        let now = self.clock.now();
        if grant.as_ref().is_some_and(|grant| is_due(grant, now)) {
            // Whatever comes of it: the token in force tells whether it can be used.
            let _ = Box::pin(self.fresh(stored, false)).await;
            (stored, grant) = self.active(caller, id).await?;
        }
        let StoredConnection { summary, credentials, .. } = &stored;
        let chosen = self.find(&caller.workspace, &summary.component, &credentials.method).await;
        let chosen = chosen.map_err(|error| match error {
            ApiError::Invalid { .. } => Withheld::NotActive(format!(
                "There is no component {} any more, or not this way of authenticating.",
                summary.component
            )),
            error => error.into(),
        })?;
        let (name, method) = (&chosen.definition().name, chosen.method());
        if is_redirected(&stored, method) {
            return Err(Withheld::NotActive(redirected(name, method)));
        }
        if let Some(ended) = grant.as_ref().and_then(|grant| grant.access_expires_at)
            && ended <= self.clock.now()
        {
            return Err(Withheld::NotRenewed(format!(
                "The access to {name} has ended, and no new token could be had just now."
            )));
        }
        let secrets = self.stored_secrets(&stored).await?;
        Ok(Usable { stored, grant, chosen, secrets })
    }

    /// A connection of the caller's that is ACTIVE, as it is stored.
    pub(super) async fn active(
        &self,
        caller: &Caller,
        id: &ConnectionId,
    ) -> Result<(StoredConnection, Option<Grant>), Withheld> {
        caller.key_for(id)?;
        let found = self.store.in_use(&caller.workspace, id).await.map_err(ApiError::from)?;
        let found = found.filter(|(stored, _)| caller.environments.contains(stored.scope.environment));
        let (stored, grant) = found.ok_or(ApiError::NotFound)?;
        if stored.deleted_at.is_some() {
            return Err(Withheld::Deleted);
        }
        let now = self.clock.now();
        match (stored.summary.status_at(now), stored.summary.health_at(now)) {
            (Status::Active, _) => Ok((stored, grant)),
            (_, Health::Expired { at }) => Err(Withheld::Expired(at.to_day())),
            (_, health) => Err(Withheld::NotActive(why(health))),
        }
    }

    /// Records a use; returns once it is committed.
    ///
    /// # Errors
    /// [`Withheld::NotRecorded`].
    pub(super) async fn record_use(
        &self,
        caller: &Caller,
        stored: &StoredConnection,
        action: AuditAction,
        about: String,
    ) -> Result<(), Withheld> {
        let entry = caller.audit(&self.clock, action, about);
        let line = UseLine { scope: stored.scope.clone(), connection: stored.summary.id.clone(), entry };
        self.trail.append(line).await.map_err(|_| Withheld::NotRecorded)?;
        self.note_connection(stored);
        Ok(())
    }
}

/// Why a connection is not ACTIVE, and what mends it.
fn why(health: Health) -> String {
    match health {
        Health::Unproven => "It was never proven to work: test it in Patchbay.".to_owned(),
        Health::Limited { missing, .. } => format!("It lacks {}: allow it at the service.", missing.join(", ")),
        Health::Rejected { reason, .. } | Health::Unreachable { reason, .. } => reason,
        Health::Missing { fields } => format!("{} is missing: update the connection.", fields.join(", ")),
        // ACTIVE, or told otherwise.
        Health::Valid { .. } | Health::Vouched { .. } | Health::Expired { .. } => String::new(),
    }
}
