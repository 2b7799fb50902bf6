//! The question after connecting: which site, tenant or account is this?

use super::capture::{Strictness, text_at};
use super::error::{Cause, OAuthError, Silence};
use super::line::Line;
use super::provider::Provider;
use super::reading::Reading;
use super::request::Call;
use super::tokens::{Captured, Tokens};
use crate::server::catalog::oauth::{ACCESS_TOKEN, CaptureFrom};

impl Provider<'_> {
    /// Asks, where the component's file says what; gives what it captured.
    pub(super) async fn look_up(&self, line: &Line, tokens: &Tokens) -> Result<Captured, OAuthError> {
        let Some(lookup) = &self.section.lookup else { return Ok(Captured::default()) };
        // The provider is shown the token it has just given out.
        let token = tokens.access_token.reveal();
        let own = [(ACCESS_TOKEN, token)];
        let filled = self.filled(&tokens.captured).with(&own);
        let call = Call::get(filled.address(&lookup.url)?, Vec::new())
            .with_bearer(&tokens.access_token)?
            .with_headers(&lookup.headers, filled)?;
        let answer = call.send(&self.line(line)).await?;
        let reading = Reading::of(&answer, &self.section.answer, &self.scrubber(&[token]), line.now())?;
        match reading.status {
            200..=299 => {
                self.capture(CaptureFrom::Lookup, Strictness::Whole, |pointer| text_at(&reading.json, pointer))
            }
            401 | 403 => Err(OAuthError::AccessDenied(reading.said)),
            status => Err(Silence::new(Cause::Garbage(status)).into()),
        }
    }
}
