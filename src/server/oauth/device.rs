//! Signing in on another device (RFC 8628): a code to type there, and the question whether it was.

use oauth2::basic::BasicClient;
use oauth2::{ClientId, DeviceAuthorizationUrl, StandardDeviceAuthorizationResponse};

use super::dialect::{Dialect, Wanted};
use super::error::{Cause, OAuthError, Said};
use super::line::Line;
use super::provider::Provider;
use super::reading::standard_code;
use super::tokens::{Captured, Tokens};
use crate::domain::time::{SECOND, Timestamp};
use crate::server::vault::SecretText;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What the person types, and where. Its `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// Ours: polls with it.
    pub device_code: SecretText,
    /// The person's.
    pub user_code: String,
    /// An `https` page, or an `http` one where the provider itself is reached so.
    pub verification_uri: String,
    /// The same with the code in it, where the provider has such a page.
    pub verification_uri_complete: Option<String>,
    pub expires_at: Timestamp,
    /// Milliseconds between polls at least; 5 seconds more after each [`DevicePoll::SlowDown`].
    pub interval: i64,
}

/// What became of it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DevicePoll {
    Granted(Box<Tokens>),
    Pending,
    /// Poll less often from now on.
    SlowDown,
    /// Nobody typed the code in time: begin again.
    Expired,
    /// The person said no.
    Denied,
}

impl Provider<'_> {
    /// Asks for a code to type.
    ///
    /// # Errors
    /// [`OAuthError::Unsupported`] where the provider has no such flow, or any other but those of the redirect.
    pub async fn begin_device(&self, line: &Line, scopes: &[String]) -> Result<DeviceCode, OAuthError> {
        let nothing = Captured::default();
        let mut extra = Vec::new();
        self.add_scope(&mut extra, scopes);
        let dialect = Dialect::new(self, line, &nothing, &[])?.adding(extra).wanting(Wanted::DeviceCode);
        let url = self.device_endpoint()?;
        let client = BasicClient::new(ClientId::new(self.client.id.clone()))
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(url.clone()));
        let request = client.exchange_device_code();
        let (standard, heard): (StandardDeviceAuthorizationResponse, _) =
            dialect.outcome(request.request_async(&dialect).await)?;
        let page = |text: &str| {
            let page = url::Url::parse(text).ok()?;
            (page.scheme() == "https" || page.scheme() == url.scheme()).then(|| text.to_owned())
        };
        let milliseconds = |span: std::time::Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let forbidden = || OAuthError::ForbiddenHost { capture: "verification_uri".to_owned() };
        Ok(DeviceCode {
            device_code: SecretText::new(standard.device_code().secret().clone()),
            user_code: standard.user_code().secret().chars().filter(|c| !c.is_control()).take(64).collect(),
            verification_uri: page(standard.verification_uri()).ok_or_else(forbidden)?,
            verification_uri_complete: standard.verification_uri_complete().and_then(|uri| page(uri.secret())),
            expires_at: heard.at.plus(milliseconds(standard.expires_in())),
            interval: milliseconds(standard.interval()).max(SECOND),
        })
    }

    /// Asks once whether the code was typed.
    ///
    /// # Errors
    /// Any [`OAuthError`] but those of the redirect; after [`OAuthError::NoEvidence`] one may ask again.
    pub async fn poll_device(&self, line: &Line, device_code: &SecretText) -> Result<DevicePoll, OAuthError> {
        // The provider is shown the code it gave out.
        let code = device_code.reveal();
        let parameters =
            vec![("grant_type".to_owned(), GRANT_TYPE.to_owned()), ("device_code".to_owned(), code.to_owned())];
        let means = |said: &Said, code| standard_code(said, &self.section.answer) == code;
        match self.granted(line, parameters, &[], &[code]).await {
            Ok(tokens) => Ok(DevicePoll::Granted(Box::new(self.completed(line, tokens).await?))),
            Err(OAuthError::Misunderstood(said)) if means(&said, "authorization_pending") => Ok(DevicePoll::Pending),
            Err(OAuthError::NoEvidence(silence)) if silence.cause == Cause::TooMany => Ok(DevicePoll::SlowDown),
            Err(OAuthError::Refused(said)) if means(&said, "expired_token") => Ok(DevicePoll::Expired),
            Err(OAuthError::AccessDenied(_)) => Ok(DevicePoll::Denied),
            Err(error) => Err(error),
        }
    }
}
