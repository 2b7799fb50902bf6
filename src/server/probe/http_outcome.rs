//! What an answer means, by the rules of the catalog. Pure.

use serde_json::Value;

use super::Scrubber;
use crate::domain::evidence::{Account, Verdict};
use crate::domain::time::Timestamp;
use crate::server::catalog::definition::{Expires, HttpProbe, Outcome, OutcomeVerdict, Scopes};
use crate::server::catalog::template::{Encode, Template};
use crate::server::dial::http::Answer;

/// What the answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    pub account: Account,
    pub expires_at: Option<Timestamp>,
}

impl Judgement {
    fn bare(verdict: Verdict) -> Self {
        Self { verdict, account: Account::default(), expires_at: None }
    }

    fn silence(reason: impl Into<String>) -> Self {
        Self::bare(Verdict::NoEvidence { reason: reason.into(), field: None })
    }
}

/// Judges an answer: the first outcome that matches decides; none, and nothing was learned.
pub fn classify(probe: &HttpProbe, answer: &Answer, scrub: &Scrubber) -> Judgement {
    let status = answer.status;
    if answer.is_compressed() {
        return Judgement::silence("The answer is compressed although that was not asked for, so it was not read.");
    }
    let body = Body::read(&answer.body, scrub);
    match probe.outcomes.iter().find(|outcome| matches(outcome, status, &body)) {
        // Where an answer sends is followed by nobody; it tells something only where the catalog names its status.
        Some(outcome) if (300..400).contains(&status) && (accepts(outcome) || outcome.status.is_empty()) => {
            Judgement::silence(elsewhere(status))
        }
        Some(outcome) if answer.is_web_page() && !foresees_page(outcome, answer) => {
            Judgement::silence(undecided(answer))
        }
        Some(outcome) => judge(probe, outcome, answer, &body),
        None => Judgement::silence(undecided(answer)),
    }
}

fn accepts(outcome: &Outcome) -> bool {
    matches!(outcome.verdict, OutcomeVerdict::Valid | OutcomeVerdict::Limited)
}

/// Whether an outcome may be read from a web page. A proxy's or a hotel's sign-in page says 200 as well, and that of a
/// gateway in between 401 or 403; only a web server that asks for a password says so in a header (RFC 9110, section
/// 11.6.1).
fn foresees_page(outcome: &Outcome, answer: &Answer) -> bool {
    let challenged = answer.status == 401 && answer.header("www-authenticate").is_some();
    outcome.body_contains.is_some()
        || (challenged && !accepts(outcome))
        || outcome.verdict == OutcomeVerdict::NoEvidence
}

fn elsewhere(status: u16) -> String {
    format!("The service sends elsewhere ({status}), and a credential is never sent on. Check the address.")
}

fn judge(probe: &HttpProbe, outcome: &Outcome, answer: &Answer, body: &Body<'_>) -> Judgement {
    let message = body.fill(&outcome.message).unwrap_or_else(|| default_message(outcome.verdict, answer.status));
    match outcome.verdict {
        OutcomeVerdict::Rejected => {
            Judgement::bare(Verdict::Rejected { reason: message, field: outcome.field.clone() })
        }
        OutcomeVerdict::NoEvidence => {
            Judgement::bare(Verdict::NoEvidence { reason: message, field: outcome.field.clone() })
        }
        OutcomeVerdict::Valid | OutcomeVerdict::Limited => {
            let identity = probe.identity.as_ref().and_then(|template| body.identity(template));
            let subject = probe.subject.as_ref().and_then(|template| body.identity(template));
            let scopes = probe.scopes.as_ref().and_then(|scopes| granted(scopes, answer, body));
            let missing = match outcome.verdict {
                OutcomeVerdict::Limited => outcome.missing.clone(),
                _ => probe.scopes.as_ref().zip(scopes.as_ref()).map(lacking).unwrap_or_default(),
            };
            let limited = outcome.verdict == OutcomeVerdict::Limited || !missing.is_empty();
            Judgement {
                verdict: if limited { Verdict::Limited { missing } } else { Verdict::Valid },
                account: Account { identity, subject, scopes: scopes.unwrap_or_default() },
                expires_at: probe.expires.as_ref().and_then(|expires| expiry(expires, answer, body)),
            }
        }
    }
}

fn default_message(verdict: OutcomeVerdict, status: u16) -> String {
    match verdict {
        OutcomeVerdict::Rejected => format!("The service refused this credential ({status})."),
        _ => format!("The service's answer ({status}) says nothing about the credential."),
    }
}

fn matches(outcome: &Outcome, status: u16, body: &Body<'_>) -> bool {
    let json = |(pointer, allowed): (&String, &Vec<Value>)| {
        body.json.pointer(pointer).is_some_and(|value| allowed.is_empty() || allowed.contains(value))
    };
    (outcome.status.is_empty() || outcome.status.contains(&status))
        && outcome.json.iter().all(json)
        && outcome.body_contains.as_ref().is_none_or(|text| body.text.contains(text))
}

/// What to say of an answer that no outcome foresees.
fn undecided(answer: &Answer) -> String {
    match answer.status {
        300..400 => elsewhere(answer.status),
        429 => "The service says there were too many requests (429). Try again in a while.".to_owned(),
        407 => "A proxy in between wants a sign-in of its own (407).".to_owned(),
        status @ 500.. => format!("The service has trouble of its own ({status}). Try again later."),
        status if answer.is_web_page() => {
            format!("The service answered with a web page ({status}); is a proxy or sign-in page in between?")
        }
        status => format!("The service's answer ({status}) says nothing about the credential. Check the address."),
    }
}

/// An answer's body as JSON, `null` where it is none, and as text.
struct Body<'a> {
    json: Value,
    text: String,
    scrub: &'a Scrubber,
}

impl<'a> Body<'a> {
    fn read(bytes: &[u8], scrub: &'a Scrubber) -> Self {
        let json = serde_json::from_slice(bytes).unwrap_or_default();
        Self { json, text: String::from_utf8_lossy(bytes).into_owned(), scrub }
    }

    /// A value as people read it, scrubbed.
    fn say(&self, pointer: &str) -> Option<String> {
        let text = match self.json.pointer(pointer)? {
            Value::String(text) => text.clone(),
            value @ (Value::Number(_) | Value::Bool(_)) => value.to_string(),
            _ => return None,
        };
        Some(self.scrub.said(&text)).filter(|text| !text.is_empty())
    }

    /// A message with what the service said in it; `None` for one that is empty or no template.
    fn fill(&self, message: &str) -> Option<String> {
        let template = Template::parse(message).ok()?;
        let filled = template.render(|pointer| Some(self.say(pointer).unwrap_or_default()), Encode::Plain);
        filled.ok().filter(|text| !text.is_empty())
    }

    /// Who the credential belongs to; `None` if the answer does not tell all of it.
    fn identity(&self, template: &str) -> Option<String> {
        Template::parse(template).ok()?.render(|pointer| self.say(pointer), Encode::Plain).ok()
    }
}

/// The granted scopes; `None` where the answer does not tell, which limits nothing.
fn granted(scopes: &Scopes, answer: &Answer, body: &Body<'_>) -> Option<Vec<String>> {
    let split = |text: &str| {
        let parts = text.split(scopes.separator.as_str()).map(|scope| body.scrub.said(scope.trim()));
        parts.filter(|scope| !scope.is_empty()).collect()
    };
    if let Some(text) = scopes.header.as_ref().and_then(|name| answer.header(name)) {
        return Some(split(text));
    }
    match body.json.pointer(scopes.pointer.as_ref()?)? {
        Value::String(text) => Some(split(text)),
        Value::Array(list) => Some(list.iter().filter_map(Value::as_str).map(|scope| body.scrub.said(scope)).collect()),
        _ => None,
    }
}

fn lacking((scopes, granted): (&Scopes, &Vec<String>)) -> Vec<String> {
    scopes.required.iter().filter(|scope| !granted.contains(scope)).cloned().collect()
}

fn expiry(expires: &Expires, answer: &Answer, body: &Body<'_>) -> Option<Timestamp> {
    if let Some(text) = expires.header.as_ref().and_then(|name| answer.header(name)) {
        return moment(text);
    }
    match body.json.pointer(expires.pointer.as_ref()?)? {
        Value::String(text) => moment(text),
        Value::Number(seconds) => seconds.as_i64().map(Timestamp::from_seconds),
        _ => None,
    }
}

/// A date as services write it, or seconds since the epoch.
fn moment(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|| text.trim().parse().ok().map(Timestamp::from_seconds))
}

#[cfg(test)]
#[path = "http_outcome_tests.rs"]
mod tests;
