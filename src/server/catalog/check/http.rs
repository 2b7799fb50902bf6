//! Rules for HTTP services: requests that can be built, answers that prove something.

use std::collections::BTreeMap;

use super::super::definition::{HttpMethod, HttpProbe, HttpService, Outcome, OutcomeVerdict, is_reserved_header};
use super::super::template::Template;
use super::{Fault, Findings, Location, find, url};
use crate::domain::field::Field;

pub(super) fn check(service: &HttpService, fields: &[Field], at: &Location, findings: &mut Findings) {
    url::check(&service.base_url, fields, &at.child("base_url"), findings);
    check_headers(&service.headers, fields, at, "headers", findings);
    check_query(&service.query, fields, at, findings);
    check_basic(service, fields, at, findings);
    check_signature(service, fields, at, findings);
    for (index, probe) in service.probes.iter().enumerate() {
        check_probe(probe, service, fields, &at.item("probes", index), findings);
    }
}

fn check_basic(service: &HttpService, fields: &[Field], at: &Location, findings: &mut Findings) {
    let Some(basic) = &service.basic else { return };
    let at = at.child("basic");
    request_template(&basic.user, fields, &at.child("user"), findings);
    check_secret(&basic.password, fields, &at.child("password"), findings);
}

fn check_signature(service: &HttpService, fields: &[Field], at: &Location, findings: &mut Findings) {
    let Some(aws) = &service.aws else { return };
    let at = at.child("aws");
    request_template(&aws.access_key_id, fields, &at.child("access_key_id"), findings);
    request_template(&aws.region, fields, &at.child("region"), findings);
    check_secret(&aws.secret_access_key, fields, &at.child("secret_access_key"), findings);
    if let Some(token) = &aws.session_token {
        check_secret(token, fields, &at.child("session_token"), findings);
    }
    findings.require(!aws.service.is_empty(), &at.child("service"), Fault::Empty);
}

/// A template for a request: it may refer to the method's fields and to nothing else.
pub(super) fn request_template(
    text: &str,
    fields: &[Field],
    at: &Location,
    findings: &mut Findings,
) -> Option<Template> {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(error) => {
            findings.add(at, Fault::BadTemplate(error));
            return None;
        }
    };
    findings.require(template.pointers().next().is_none(), at, Fault::PointerInRequest);
    for id in template.fields().filter(|id| find(fields, id).is_none()) {
        findings.add(at, Fault::UnknownField(id.to_owned()));
    }
    Some(template)
}

/// A text people read, made from the answer: it may point into the answer, and holds no field.
fn check_answer_text(text: &str, at: &Location, findings: &mut Findings) {
    match Template::parse(text) {
        Ok(template) => findings.require(template.fields().next().is_none(), at, Fault::FieldInAnswer),
        Err(error) => findings.add(at, Fault::BadTemplate(error)),
    }
}

/// A request template made of secrets.
fn check_secret(text: &str, fields: &[Field], at: &Location, findings: &mut Findings) {
    let Some(template) = request_template(text, fields, at, findings) else { return };
    for id in template.fields() {
        let hidden = find(fields, id).is_none_or(|field| field.secret);
        findings.require(hidden, at, Fault::NotSecret(id.to_owned()));
    }
}

pub(super) fn check_headers(
    headers: &BTreeMap<String, String>,
    fields: &[Field],
    at: &Location,
    key: &str,
    findings: &mut Findings,
) {
    for (name, value) in headers {
        let at = at.entry(key, name);
        if name.contains('{') {
            request_template(name, fields, &at, findings);
        } else {
            check_header_name(name, &at, findings);
        }
        if name.eq_ignore_ascii_case("authorization") {
            check_secret(value, fields, &at, findings);
        } else {
            request_template(value, fields, &at, findings);
        }
    }
}

/// RFC 9110, section 5.6.2 (token), and the names a client of HTTP/1.1 sets itself.
fn check_header_name(name: &str, at: &Location, findings: &mut Findings) {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    findings.require(!name.is_empty() && name.bytes().all(token), at, Fault::BadHeaderName);
    findings.require(!is_reserved_header(name), at, Fault::ReservedHeader);
}

fn check_query(query: &BTreeMap<String, String>, fields: &[Field], at: &Location, findings: &mut Findings) {
    for (name, value) in query {
        let at = at.entry("query", name);
        findings.require(!name.is_empty(), &at, Fault::Empty);
        request_template(name, fields, &at, findings);
        request_template(value, fields, &at, findings);
    }
}

fn check_probe(probe: &HttpProbe, service: &HttpService, fields: &[Field], at: &Location, findings: &mut Findings) {
    if let Some(base_url) = &probe.base_url {
        url::check(base_url, fields, &at.child("base_url"), findings);
    }
    check_path(&probe.path, fields, &at.child("path"), findings);
    check_headers(&probe.headers, fields, at, "headers", findings);
    check_query(&probe.query, fields, at, findings);
    check_body(probe, service, fields, at, findings);
    findings.require(probe.aws_service.is_none() || service.aws.is_some(), &at.child("aws_service"), Fault::NotSigned);
    for (index, id) in probe.needs.iter().enumerate() {
        let known = find(fields, id).is_some();
        findings.require(known, &at.item("needs", index), Fault::UnknownField(id.clone()));
    }
    check_outcomes(&probe.outcomes, fields, at, findings);
    check_answer(probe, at, findings);
}

fn check_path(path: &str, fields: &[Field], at: &Location, findings: &mut Findings) {
    let shaped = path.is_empty() || (path.starts_with('/') && !path.starts_with("//"));
    let text_only = request_template(path, fields, at, findings).is_none() || !path.contains(['?', '#']);
    findings.require(shaped && text_only, at, Fault::BadPath);
}

fn check_body(probe: &HttpProbe, service: &HttpService, fields: &[Field], at: &Location, findings: &mut Findings) {
    let Some(body) = &probe.body else { return };
    let at = at.child("body");
    request_template(body, fields, &at, findings);
    findings.require(probe.method == HttpMethod::Post, &at, Fault::BodyNotExpected);
    let mut names = probe.headers.keys().chain(service.headers.keys());
    let typed = names.any(|name| name.eq_ignore_ascii_case("content-type"));
    findings.require(typed, &at, Fault::ContentTypeMissing);
}

fn check_outcomes(outcomes: &[Outcome], fields: &[Field], at: &Location, findings: &mut Findings) {
    let any = |verdict| outcomes.iter().any(|outcome| outcome.verdict == verdict);
    findings.require(any(OutcomeVerdict::Valid), &at.child("outcomes"), Fault::NoValidOutcome);
    findings.require(any(OutcomeVerdict::Rejected), &at.child("outcomes"), Fault::NoRejectedOutcome);
    for (index, outcome) in outcomes.iter().enumerate() {
        check_outcome(outcome, fields, &at.item("outcomes", index), findings);
    }
}

fn check_outcome(outcome: &Outcome, fields: &[Field], at: &Location, findings: &mut Findings) {
    let evidence = outcome.verdict != OutcomeVerdict::NoEvidence;
    findings.require(!evidence || !outcome.status.is_empty(), &at.child("status"), Fault::NoStatus);
    for (index, &status) in outcome.status.iter().enumerate() {
        let at = at.item("status", index);
        findings.require((100..600).contains(&status), &at, Fault::BadStatus(status));
        let says_nothing = status == 429 || (500..600).contains(&status);
        findings.require(!evidence || !says_nothing, &at, Fault::StatusWithoutEvidence(status));
    }
    for (pointer, values) in &outcome.json {
        let at = at.entry("json", pointer);
        findings.require(pointer.starts_with('/'), &at, Fault::BadPointer);
        let scalars = values.iter().all(|value| !value.is_array() && !value.is_object());
        findings.require(scalars, &at, Fault::NotAScalar);
    }
    let contained = outcome.body_contains.as_deref() != Some("");
    findings.require(contained, &at.child("body_contains"), Fault::Empty);
    check_answer_text(&outcome.message, &at.child("message"), findings);
    let limited = outcome.verdict == OutcomeVerdict::Limited;
    let told = !outcome.message.trim().is_empty() || !(limited || outcome.verdict == OutcomeVerdict::Rejected);
    findings.require(told, &at.child("message"), Fault::NoMessage);
    if let Some(id) = &outcome.field {
        findings.require(find(fields, id).is_some(), &at.child("field"), Fault::UnknownField(id.clone()));
    }
    findings.require(!limited || !outcome.missing.is_empty(), &at.child("missing"), Fault::NoMissing);
    findings.require(limited || outcome.missing.is_empty(), &at.child("missing"), Fault::MissingNotExpected);
}

/// Where identity, scopes and expiry stand in the answer.
fn check_answer(probe: &HttpProbe, at: &Location, findings: &mut Findings) {
    if let Some(identity) = &probe.identity {
        check_answer_text(identity, &at.child("identity"), findings);
    }
    if let Some(subject) = &probe.subject {
        check_answer_text(subject, &at.child("subject"), findings);
    }
    if let Some(scopes) = &probe.scopes {
        check_place(scopes.header.as_deref(), scopes.pointer.as_deref(), &at.child("scopes"), findings);
    }
    if let Some(expires) = &probe.expires {
        check_place(expires.header.as_deref(), expires.pointer.as_deref(), &at.child("expires"), findings);
    }
}

fn check_place(header: Option<&str>, pointer: Option<&str>, at: &Location, findings: &mut Findings) {
    findings.require(header.is_some() != pointer.is_some(), at, Fault::HeaderOrPointer);
    let shaped = pointer.is_none_or(|pointer| pointer.starts_with('/'));
    findings.require(shaped, &at.child("pointer"), Fault::BadPointer);
}
