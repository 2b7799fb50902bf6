//! The cases that come with a component a workspace describes itself: is what it asks documented, and are the answers
//! understood as the cases say? Nobody is asked.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use std::collections::BTreeMap;
use url::Url;

use super::Scrubber;
use super::http_outcome::classify;
use super::http_request::{Prepared, address, build};
use super::values::Values;
use crate::domain::evidence::Verdict;
use crate::domain::field::FieldValues;
use crate::domain::time::Timestamp;
use crate::server::catalog::cases::{self, Case, DocumentedRequest, MethodCases};
use crate::server::catalog::definition::{Definition, HttpProbe, HttpService, Method, OutcomeVerdict, Service};
use crate::server::dial::http::Answer;
use crate::server::vault::{SecretText, Secrets};

/// What differs from the cases of one method: where, below the method's cases, and in words.
#[must_use]
pub fn replay(definition: &Definition, given: &MethodCases, now: Timestamp) -> Vec<(String, String)> {
    let method = definition.methods.iter().find(|method| method.id == given.id);
    let Some((method, service)) = method.and_then(|method| Some((method, http(method)?))) else {
        return vec![("id".to_owned(), "The definition has no method of this id that is asked over HTTP.".to_owned())];
    };
    let differences = given.cases.iter().enumerate().filter_map(|(index, case)| {
        let difference = replay_case(method, service, given, case, now).err()?;
        Some((format!("cases/{index}"), difference))
    });
    differences.collect()
}

const fn http(method: &Method) -> Option<&HttpService> {
    if let Service::Http(service) = &method.service { Some(service) } else { None }
}

fn replay_case(
    method: &Method,
    service: &HttpService,
    given: &MethodCases,
    case: &Case,
    now: Timestamp,
) -> Result<(), String> {
    let (mut config, mut secrets) = (FieldValues::default(), Secrets::default());
    for (id, value) in given.fields.iter().chain(&case.fields) {
        match method.known_fields().iter().find(|field| field.id == *id) {
            Some(field) if field.secret => secrets.insert(id, SecretText::new(value.clone())),
            Some(_) => config.set(id, value.as_str()),
            None => return Err(format!("There is no field {id} in the method. Correct the name.")),
        }
    }
    let values = Values { fields: method.known_fields(), config: &config, secrets: &secrets };
    let scrub = Scrubber::new(&secrets);
    let holds = |id: &String| values.get(id).is_some();
    let mut verdict = Verdict::NotAskable;
    let mut identity = String::new();
    for probe in service.probes.iter().filter(|probe| probe.needs.iter().all(holds)) {
        let judged = classify(probe, &answer_to(service, probe, values, given, case, now)?, &scrub);
        identity.push_str(judged.account.identity.as_deref().unwrap_or_default());
        verdict = judged.verdict;
        if verdict != Verdict::Valid {
            break;
        }
    }
    if !is_as_told(&verdict, case.verdict) {
        return Err(format!("The definition understands this answer as {}. Correct one of them.", word(&verdict)));
    }
    match &case.identity {
        Some(told) if !identity.contains(told.as_str()) => {
            Err("The account that the definition reads from this answer is another. Correct one of them.".to_owned())
        }
        _ => Ok(()),
    }
}

/// What the cases say the service answers to a probe.
fn answer_to(
    service: &HttpService,
    probe: &HttpProbe,
    values: Values<'_>,
    given: &MethodCases,
    case: &Case,
    now: Timestamp,
) -> Result<Answer, String> {
    let unbuilt = |error: super::http_request::BuildError| error.to_string();
    let url = address(service, probe, values).map_err(unbuilt)?;
    let prepared = build(service, probe, values, now).map_err(unbuilt)?;
    let documented = given.requests.iter().find(|request| is_documented(&prepared, &url, request));
    let documented = documented.ok_or_else(|| {
        // No query: it may hold the made-up secret, and a made-up one is often a true one.
        let asked = format!("{} {}{}", prepared.request.method(), url.origin().ascii_serialization(), url.path());
        format!("The definition asks {asked}, which is not among the requests as documented. Correct one of them.")
    })?;
    let answer = case.answers.get(&documented.name).or(case.answer.as_ref());
    let answer = answer.ok_or_else(|| format!("The case has no answer to {}. Add it.", documented.name))?;
    Ok(Answer { status: answer.status, headers: headers(answer), body: answer.body.clone().into_bytes() })
}

fn headers(answer: &cases::Answer) -> HeaderMap {
    let pair = |(name, value): (&String, &String)| {
        Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value.as_str()).ok()?))
    };
    answer.headers.iter().filter_map(pair).collect()
}

fn is_documented(prepared: &Prepared, url: &Url, documented: &DocumentedRequest) -> bool {
    let Ok(wanted) = Url::parse(&documented.url) else { return false };
    let sent = |name: &str| prepared.request.headers().get(name).and_then(|value| value.to_str().ok());
    let same_header = |(name, value): (&String, &String)| match (sent(name), value.strip_suffix('*')) {
        (Some(sent), Some(start)) => sent.starts_with(start),
        (sent, _) => sent == Some(value.as_str()),
    };
    let pairs = |url: &Url| -> BTreeMap<String, String> { url.query_pairs().into_owned().collect() };
    let (given, demanded) = (pairs(url), pairs(&wanted));
    let free = |name: &String| documented.may.contains(name);
    let body = String::from_utf8_lossy(prepared.request.body());
    prepared.request.method().as_str() == documented.method
        && (url.origin(), url.path()) == (wanted.origin(), wanted.path())
        && demanded.iter().all(|(name, value)| given.get(name) == Some(value) || free(name))
        && given.keys().all(|name| demanded.contains_key(name) || free(name))
        && documented.headers.iter().all(same_header)
        && documented.body.as_ref().is_none_or(|wanted| is_same_text(wanted, &body))
        && documented.body_contains.as_ref().is_none_or(|part| body.contains(part.as_str()))
}

/// JSON is compared by what it says.
fn is_same_text(wanted: &str, sent: &str) -> bool {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    wanted == sent || (json(wanted).is_some() && json(wanted) == json(sent))
}

const fn is_as_told(verdict: &Verdict, told: OutcomeVerdict) -> bool {
    matches!(
        (verdict, told),
        (Verdict::Valid, OutcomeVerdict::Valid)
            | (Verdict::Limited { .. }, OutcomeVerdict::Limited)
            | (Verdict::Rejected { .. }, OutcomeVerdict::Rejected)
            | (Verdict::NoEvidence { .. }, OutcomeVerdict::NoEvidence)
    )
}

const fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "valid",
        Verdict::Limited { .. } => "limited",
        Verdict::Rejected { .. } => "rejected",
        Verdict::NoEvidence { .. } => "no_evidence",
        Verdict::NotAskable => "one that cannot be asked for",
    }
}
