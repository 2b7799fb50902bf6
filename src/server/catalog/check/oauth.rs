//! Rules for the OAuth 2.0 section: addresses that lead nowhere else, templates that name what is known by then.

use std::collections::{BTreeMap, BTreeSet};

use super::super::definition::{Method, unseen_field};
use super::super::oauth::{
    ACCESS_TOKEN, Capture, CaptureFrom, LongLived, Lookup, OAuth, RefreshBy, Revocation, TokenAnswer,
};
use super::super::template::is_name;
use super::{Fault, Findings, Location, http, url};
use crate::domain::component::MethodKind;
use crate::domain::field::Field;

/// Whether a kind of method has an OAuth section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Yes,
    No,
    Maybe,
}

impl Need {
    pub(super) const fn of(kind: MethodKind) -> Self {
        match kind {
            MethodKind::AuthorizationCode | MethodKind::ClientCredentials | MethodKind::DeviceCode => Self::Yes,
            // A protocol of its own may take a JWT too.
            MethodKind::Jwt => Self::Maybe,
            MethodKind::ApiKey
            | MethodKind::BearerToken
            | MethodKind::Basic
            | MethodKind::AwsSignature
            | MethodKind::DatabaseLogin
            | MethodKind::Fields
            | MethodKind::KeyPair => Self::No,
        }
    }
}

/// Parameters that may have another name, or be left out.
const PARAMETERS: [&str; 9] = [
    "client_id",
    "client_secret",
    "code",
    "grant_type",
    "redirect_uri",
    "refresh_token",
    "response_type",
    "scope",
    "state",
];

/// Others that the authorization request says itself.
const FLOW: [&str; 5] = ["code_challenge", "code_challenge_method", "nonce", "prompt", "response_mode"];

/// What templates may name, by when they are filled in.
struct Known<'a> {
    /// Before anything was asked: the form's fields.
    form: &'a [Field],
    /// At the token endpoint: also what the redirect told, and the client.
    redirect: Vec<Field>,
    /// With tokens in hand: everything.
    all: Vec<Field>,
}

impl<'a> Known<'a> {
    fn of(oauth: &OAuth, method: &'a Method) -> Self {
        let secret = |id| Field { secret: true, ..unseen_field(id) };
        let client = [Field { destination: true, ..unseen_field("client_id") }, secret("client_secret")];
        let early = |field: &Field| {
            let captured = oauth.captures.iter().find(|capture| capture.id == field.id);
            captured.map_or(field.id != ACCESS_TOKEN, |capture| capture.from == CaptureFrom::Redirect)
        };
        let all: Vec<_> = method.known_fields().iter().cloned().chain(client).collect();
        let redirect = all.iter().filter(|field| early(field)).cloned().chain([unseen_field("scopes")]).collect();
        let all = all.into_iter().chain([secret("refresh_token"), secret("token")]).collect();
        Self { form: &method.fields, redirect, all }
    }
}

pub(super) fn check(oauth: &OAuth, method: &Method, at: &Location, findings: &mut Findings) {
    let known = Known::of(oauth, method);
    check_addresses(oauth, method.kind, &known, at, findings);
    for (index, scope) in oauth.scopes.iter().enumerate() {
        let scope_at = at.item("scopes", index);
        findings.require(!scope.scope.trim().is_empty(), &scope_at.child("scope"), Fault::Empty);
        let told = scope.silent || !scope.allows.trim().is_empty();
        findings.require(told, &scope_at.child("allows"), Fault::Empty);
        if let Some(parameter) = scope.parameter.as_deref().filter(|name| *name != "scope") {
            // Nothing that the flow says itself is said once more, otherwise.
            let free = !PARAMETERS.contains(&parameter) && !FLOW.contains(&parameter);
            findings.require(free, &scope_at.child("parameter"), Fault::TakenParameter(parameter.to_owned()));
        }
    }
    if let Some(id) = &oauth.scopes_from {
        let known = method.fields.iter().any(|field| &field.id == id);
        findings.require(known, &at.child("scopes_from"), Fault::UnknownField(id.clone()));
    }
    findings.require(!oauth.scope_separator.is_empty(), &at.child("scope_separator"), Fault::Empty);
    check_parameters(&oauth.authorize_parameters, known.form, at, "authorize_parameters", findings);
    check_parameters(&oauth.redirect_expects, known.form, at, "redirect_expects", findings);
    findings.require(oauth.redirect_hmac.as_deref() != Some(""), &at.child("redirect_hmac"), Fault::Empty);
    check_parameters(&oauth.token_parameters, &known.redirect, at, "token_parameters", findings);
    check_parameters(&oauth.refresh_parameters, &known.all, at, "refresh_parameters", findings);
    http::check_headers(&oauth.token_headers, &known.redirect, at, "token_headers", findings);
    check_names(oauth, at, findings);
    check_answer(&oauth.answer, &at.child("answer"), findings);
    check_captures(oauth, &method.fields, at, findings);
    if let Some(exchange) = &oauth.exchange {
        check_exchange(exchange, &known.all, &at.child("exchange"), findings);
    }
    if let Some(revoke) = &oauth.revoke {
        check_revocation(revoke, &known.all, &at.child("revoke"), findings);
    }
    if let Some(lookup) = &oauth.lookup {
        check_lookup(lookup, oauth, &known.all, &at.child("lookup"), findings);
    }
    let renewed = oauth.refresh.by != RefreshBy::AccessToken || oauth.exchange.is_some() || oauth.refresh_url.is_some();
    findings.require(renewed, &at.child("refresh").child("by"), Fault::RenewalMissing);
}

fn check_addresses(oauth: &OAuth, kind: MethodKind, known: &Known<'_>, at: &Location, findings: &mut Findings) {
    let addresses = [
        ("authorize_url", oauth.authorize_url.as_ref(), known.form),
        ("device_url", oauth.device_url.as_ref(), known.form),
        ("registration_url", oauth.registration_url.as_ref(), known.form),
        ("issuer", oauth.issuer.as_ref(), known.form),
        ("discovery", oauth.discovery.as_ref(), known.form),
        ("token_url", Some(&oauth.token_url), known.redirect.as_slice()),
        ("refresh_url", oauth.refresh_url.as_ref(), known.all.as_slice()),
    ];
    for (name, address, fields) in addresses {
        if let Some(address) = address {
            url::endpoint(address, fields, &at.child(name), findings);
        }
    }
    let by_code = kind == MethodKind::AuthorizationCode;
    findings.require(!by_code || oauth.authorize_url.is_some(), &at.child("authorize_url"), Fault::EndpointMissing);
    let by_device = kind == MethodKind::DeviceCode;
    findings.require(!by_device || oauth.device_url.is_some(), &at.child("device_url"), Fault::EndpointMissing);
}

fn check_parameters(
    parameters: &BTreeMap<String, String>,
    fields: &[Field],
    at: &Location,
    name: &str,
    findings: &mut Findings,
) {
    for (parameter, value) in parameters {
        let at = at.entry(name, parameter);
        findings.require(!parameter.is_empty(), &at, Fault::Empty);
        http::request_template(value, fields, &at, findings);
    }
}

fn check_names(oauth: &OAuth, at: &Location, findings: &mut Findings) {
    for (key, names) in [("names", &oauth.names), ("redirect_names", &oauth.redirect_names)] {
        for (standard, other) in names {
            let at = at.entry(key, standard);
            let known = PARAMETERS.contains(&standard.as_str());
            findings.require(known, &at, Fault::UnknownParameter(standard.clone()));
            findings.require(!other.is_empty(), &at, Fault::Empty);
        }
    }
    for (key, names) in [("authorize_omits", &oauth.authorize_omits), ("token_omits", &oauth.token_omits)] {
        for (index, name) in names.iter().enumerate() {
            let known = PARAMETERS.contains(&name.as_str());
            findings.require(known, &at.item(key, index), Fault::UnknownParameter(name.clone()));
        }
    }
}

fn check_answer(answer: &TokenAnswer, at: &Location, findings: &mut Findings) {
    let pointers = [
        ("access_token", Some(&answer.access_token)),
        ("refresh_token", Some(&answer.refresh_token)),
        ("expires", Some(&answer.expires)),
        ("refresh_expires", answer.refresh_expires.as_ref()),
        ("scope", Some(&answer.scope)),
        ("error", Some(&answer.error)),
        ("error_description", Some(&answer.error_description)),
    ];
    for (name, pointer) in pointers {
        findings.require(pointer.is_none_or(|pointer| pointer.starts_with('/')), &at.child(name), Fault::BadPointer);
    }
    for (pointer, values) in &answer.good {
        let at = at.entry("good", pointer);
        findings.require(pointer.starts_with('/'), &at, Fault::BadPointer);
        let scalars = values.iter().all(|value| !value.is_array() && !value.is_object());
        findings.require(scalars, &at, Fault::NotAScalar);
    }
    findings.require(answer.scope_separator.as_deref() != Some(""), &at.child("scope_separator"), Fault::Empty);
}

fn check_captures(oauth: &OAuth, fields: &[Field], at: &Location, findings: &mut Findings) {
    let mut taken: BTreeSet<&str> = fields.iter().map(|field| field.id.as_str()).collect();
    taken.extend([ACCESS_TOKEN, "refresh_token", "client_id", "client_secret", "token", "scopes"]);
    for (index, capture) in oauth.captures.iter().enumerate() {
        let at = at.item("captures", index);
        findings.require(is_name(&capture.id), &at.child("id"), Fault::NotAnId);
        findings.require(taken.insert(&capture.id), &at.child("id"), Fault::Taken(capture.id.clone()));
        check_capture(capture, &at, findings);
        let asked = capture.from != CaptureFrom::Lookup || oauth.lookup.is_some();
        findings.require(asked, &at.child("from"), Fault::LookupMissing);
    }
}

fn check_capture(capture: &Capture, at: &Location, findings: &mut Findings) {
    if capture.from == CaptureFrom::Redirect {
        findings.require(!capture.at.is_empty(), &at.child("at"), Fault::Empty);
    } else {
        findings.require(capture.at.starts_with('/'), &at.child("at"), Fault::BadPointer);
    }
    for (index, rule) in capture.hosts.iter().enumerate() {
        let host = rule.strip_prefix("*.").unwrap_or(rule);
        let registered = host.contains('.') && url::is_host(host);
        findings.require(registered, &at.item("hosts", index), Fault::BadHostRule);
    }
    findings.require(!capture.secret || capture.hosts.is_empty(), &at.child("secret"), Fault::SecretAddress);
}

fn check_exchange(exchange: &LongLived, fields: &[Field], at: &Location, findings: &mut Findings) {
    url::endpoint(&exchange.url, fields, &at.child("url"), findings);
    check_parameters(&exchange.parameters, fields, at, "parameters", findings);
}

fn check_revocation(revoke: &Revocation, fields: &[Field], at: &Location, findings: &mut Findings) {
    url::endpoint(&revoke.url, fields, &at.child("url"), findings);
    check_parameters(&revoke.parameters, fields, at, "parameters", findings);
    http::check_headers(&revoke.headers, fields, at, "headers", findings);
    findings.require(!revoke.done.is_empty(), &at.child("done"), Fault::Empty);
    for (index, &status) in revoke.done.iter().enumerate() {
        let done = (200..300).contains(&status) || (400..500).contains(&status) && status != 429;
        findings.require(done, &at.item("done", index), Fault::BadStatus(status));
    }
}

fn check_lookup(lookup: &Lookup, oauth: &OAuth, fields: &[Field], at: &Location, findings: &mut Findings) {
    url::endpoint(&lookup.url, fields, &at.child("url"), findings);
    http::check_headers(&lookup.headers, fields, at, "headers", findings);
    let read = oauth.captures.iter().any(|capture| capture.from == CaptureFrom::Lookup);
    findings.require(read, at, Fault::LookupNotExpected);
}
