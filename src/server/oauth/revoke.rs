//! Ending tokens at the provider (RFC 7009, or what the provider has in its place).

use hyper::Method;

use super::error::{Cause, OAuthError, Silence};
use super::line::Line;
use super::provider::Provider;
use super::reading::Reading;
use super::request::{Call, parameters};
use super::tokens::{Captured, Held};
use crate::server::catalog::oauth::{
    ACCESS_TOKEN, ClientAuthentication, Revocation, RevocationAuthentication, RevocationMethod, RevokedToken, TokenBody,
};
use crate::server::vault::SecretText;

/// What became of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The provider ended it, or it had ended before.
    Done,
    /// The provider has no way to end it, or nothing is held that it could end: it goes on until it lapses, or until
    /// the person ends it there.
    NotOffered,
    /// The access token that had to be presented has ended, and the refresh token lives on: to be renewed, and the new one
    /// ended.
    AccessTokenEnded,
}

impl Provider<'_> {
    /// Ends the grant, or the tokens, at the provider.
    ///
    /// # Errors
    /// Any [`OAuthError`] but those of the redirect: to be told, and tried again later.
    pub async fn revoke(&self, line: &Line, held: Held<'_>) -> Result<Revoked, OAuthError> {
        let Some(revoke) = self.revocation() else { return Ok(Revoked::NotOffered) };
        let token = match revoke.token {
            RevokedToken::Best => held.refresh_token.or(Some(held.access_token)),
            RevokedToken::AccessToken => Some(held.access_token),
            RevokedToken::RefreshToken => held.refresh_token,
        };
        let Some(token) = token else { return Ok(Revoked::NotOffered) };
        let call = self.revocation_call(&revoke, held, token)?;
        let answer = call.send(&self.line(line)).await?;
        if revoke.done.contains(&answer.status) && !self.denies(&answer.body) {
            return Ok(Revoked::Done);
        }
        let by_access_token =
            revoke.authentication == RevocationAuthentication::Bearer || revoke.token == RevokedToken::AccessToken;
        // What is not good any more needs no ending, unless there is more.
        let lives_on = by_access_token && held.refresh_token.is_some();
        let over = if lives_on { Revoked::AccessTokenEnded } else { Revoked::Done };
        let secrets = [token.reveal(), held.access_token.reveal()];
        let reading = match Reading::of(&answer, &self.section.answer, &self.scrubber(&secrets), line.now()) {
            Err(_) if answer.status == 401 && by_access_token => return Ok(over),
            reading => reading?,
        };
        match reading.code.as_str() {
            "invalid_grant" | "invalid_token" => Ok(over),
            "" if reading.status == 401 && by_access_token => Ok(over),
            "" => Err(Silence::new(Cause::Garbage(reading.status)).into()),
            _ => Err(reading.into_error()),
        }
    }

    fn revocation_call(&self, revoke: &Revocation, held: Held<'_>, token: &SecretText) -> Result<Call, OAuthError> {
        // The provider is shown the tokens it gave out.
        let own = [
            ("token", token.reveal()),
            (ACCESS_TOKEN, held.access_token.reveal()),
            ("refresh_token", held.refresh_token.map(SecretText::reveal).unwrap_or_default()),
        ];
        let nothing = Captured::default();
        let filled = self.filled(&nothing).with(&own);
        let in_header = revoke.authentication == RevocationAuthentication::Bearer
            || revoke.headers.values().any(|value| value.contains("token}"));
        let parameters = if revoke.parameters.is_empty() && !in_header {
            vec![("token".to_owned(), token.reveal().to_owned())]
        } else {
            parameters(&revoke.parameters, filled)?
        };
        let (method, sent_as) = match revoke.method {
            RevocationMethod::Post => (Method::POST, revoke.body),
            RevocationMethod::Get => (Method::GET, TokenBody::Query),
            RevocationMethod::Delete => (Method::DELETE, revoke.body),
        };
        let call = Call::new(method, filled.address(&revoke.url)?, sent_as, parameters);
        let call = match revoke.authentication {
            RevocationAuthentication::Client => call.prove(self.client, self.client_authentication())?,
            RevocationAuthentication::Basic => call.prove(self.client, ClientAuthentication::Basic)?,
            RevocationAuthentication::Bearer => call.with_bearer(held.access_token)?,
            RevocationAuthentication::None => call,
        };
        call.with_headers(&revoke.headers, filled)
    }

    /// Whether a good status brings a bad answer (Slack's `/ok`).
    fn denies(&self, body: &[u8]) -> bool {
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) else { return false };
        let mut conditions = self.section.answer.good.iter();
        conditions.any(|(pointer, values)| json.pointer(pointer).is_some_and(|value| !values.contains(value)))
    }
}
