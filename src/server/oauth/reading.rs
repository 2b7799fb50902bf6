//! What a provider's answer says, whatever form it has: JSON or form-encoded, success told by status or within.

use serde_json::Value;
use url::form_urlencoded;

use super::error::{Cause, OAuthError, Said, Silence};
use crate::domain::time::Timestamp;
use crate::server::catalog::oauth::TokenAnswer;
use crate::server::dial::http::Answer;
use crate::server::probe::Scrubber;

/// Codes that are part of the device flow whatever their status (RFC 8628, section 3.5).
const WAITING: [&str; 3] = ["authorization_pending", "slow_down", "expired_token"];

/// An answer that was understood as far as its form goes.
pub(super) struct Reading {
    pub json: Value,
    /// A good status, and every condition of the component's file holds.
    pub good: bool,
    pub status: u16,
    /// What it says went wrong, in the provider's words; empty where nothing did.
    pub said: Said,
    /// The standard name of what it says went wrong; empty where nothing did.
    pub code: String,
    /// `Retry-After`, in milliseconds.
    pub wait: Option<i64>,
}

impl Reading {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`Silence`] where it says nothing about what was asked.
    pub(super) fn of(answer: &Answer, words: &TokenAnswer, scrub: &Scrubber, now: Timestamp) -> Result<Self, Silence> {
        let status = answer.status;
        let silence = |cause, said| Silence { said, wait: answer.retry_after(now), ..Silence::new(cause) };
        if (300..400).contains(&status) {
            return Err(silence(Cause::Elsewhere(status), Said::default()));
        }
        let json = if answer.is_compressed() { None } else { document(answer) };
        let said = json.as_ref().map(|json| said(json, words, scrub)).unwrap_or_default();
        let code = standard_code(&said, words).to_owned();
        if !WAITING.contains(&code.as_str()) {
            match status {
                429 => return Err(silence(Cause::TooMany, said)),
                500.. => return Err(silence(Cause::Unavailable(status), said)),
                _ => {}
            }
        }
        let Some(json) = json else {
            let web_page = answer.is_web_page();
            return Err(silence(if web_page { Cause::WebPage(status) } else { Cause::Garbage(status) }, said));
        };
        let holds = |(pointer, values): (&String, &Vec<Value>)| {
            json.pointer(pointer).is_some_and(|value| values.contains(value))
        };
        let good = (200..300).contains(&status) && words.good.iter().all(holds);
        Ok(Self { good, status, said, code, wait: answer.retry_after(now), json })
    }

    /// The text at a pointer, unless it is empty.
    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        self.json.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// What went wrong.
    pub(super) fn into_error(self) -> OAuthError {
        if self.code.is_empty() {
            return Silence { wait: self.wait, ..Silence::new(Cause::Garbage(self.status)) }.into();
        }
        error_of(&self.code, self.said, self.status).after(self.wait)
    }
}

/// The standard's name for what the provider said.
pub(super) fn standard_code<'a>(said: &'a Said, words: &'a TokenAnswer) -> &'a str {
    let described = words.errors.get(&format!("{}: {}", said.code, said.description));
    described.or_else(|| words.errors.get(&said.code)).unwrap_or(&said.code)
}

/// What a standard error code means (RFC 6749, sections 4.1.2.1 and 5.2; OpenID Connect Core 1.0, section 3.1.2.6).
pub(super) fn error_of(code: &str, said: Said, status: u16) -> OAuthError {
    let silence = |cause| Silence { said: said.clone(), ..Silence::new(cause) }.into();
    match code {
        "invalid_grant" | "expired_token" | "interaction_required" | "login_required" | "consent_required" => {
            OAuthError::Refused(said)
        }
        "invalid_client" | "unauthorized_client" => OAuthError::WrongClient(said),
        "invalid_scope" => OAuthError::InvalidScope(said),
        "access_denied" => OAuthError::AccessDenied(said),
        "temporarily_unavailable" | "server_error" => silence(Cause::Unavailable(status)),
        "slow_down" => silence(Cause::TooMany),
        _ => OAuthError::Misunderstood(said),
    }
}

/// The body as JSON; a form becomes an object of texts.
fn document(answer: &Answer) -> Option<Value> {
    if let Ok(json @ (Value::Object(_) | Value::Array(_))) = serde_json::from_slice(&answer.body) {
        return Some(json);
    }
    let text = std::str::from_utf8(&answer.body).ok()?.trim();
    let form = answer.header("content-type").is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
    let like_one = ["access_token=", "error="].iter().any(|start| text.starts_with(start));
    if !(form || like_one && !answer.is_web_page()) {
        return None;
    }
    let pairs = form_urlencoded::parse(text.as_bytes()).into_owned();
    Some(Value::Object(pairs.map(|(name, value)| (name, Value::String(value))).collect()))
}

/// Where the component's file says, or else where the standard does.
fn said(json: &Value, words: &TokenAnswer, scrub: &Scrubber) -> Said {
    let at = |pointers: [&str; 2]| pointers.iter().find_map(|pointer| word(json.pointer(pointer)?)).unwrap_or_default();
    let (code, description) = (at([&words.error, "/error"]), at([&words.error_description, "/error_description"]));
    // Some put both into one text: "invalid_client: Invalid client_id".
    let (code, description) = match code.split_once(": ") {
        Some((code, rest)) if description.is_empty() => (code.to_owned(), rest.to_owned()),
        _ => (code, description),
    };
    Said { code: scrub.said(&code), description: scrub.said(&description) }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
