//! A component that a workspace describes itself: the catalog's format as JSON, under the same rules, and a few more, for
//! whoever writes it may not be trusted with this server's networks or with what others keep here.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use serde_path_to_error::{Path, Segment};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use url::Url;

use super::cases::Cases;
use super::check::{self, Fault, Location, Problem};
use super::definition::{Definition, Fingerprint, HttpService, Method, Service};
use super::template::{Encode, Template};
use super::{Component, form};
use crate::domain::field::FieldKind;
use crate::domain::line::is_line;
use crate::server::dial::host::Host;

/// Longest name and category, in characters: they stand in every list.
const NAME_LIMIT: usize = 60;
/// Most methods, fields of one method, and questions of one method.
const METHODS_LIMIT: usize = 10;
const FIELDS_LIMIT: usize = 40;
const PROBES_LIMIT: usize = 5;

/// What a registration is judged by, besides the format's own rules.
pub struct Surroundings<'a> {
    /// Whether a probe might connect to an address.
    pub permits: &'a dyn Fn(SocketAddr) -> bool,
    /// The names under which a provider may hand the state back.
    pub state_names: BTreeSet<&'a str>,
}

/// Reads and checks a definition without its icon.
///
/// # Errors
/// Everything that is wrong with it; of a definition that is none, the first place.
pub fn read(document: &Value, around: &Surroundings<'_>) -> Result<Definition, Vec<Problem>> {
    let definition = parse(document).map_err(|problem| vec![problem])?;
    let mut problems = check::check(&definition, &BTreeSet::new());
    problems.extend(limits(&definition));
    for (index, method) in definition.methods.iter().enumerate() {
        let at = Location::default().item("methods", index);
        problems.extend(oauth_problems(method, &at, around));
        problems.extend(internal_addresses(method, &at, around.permits));
    }
    if problems.is_empty() { Ok(definition) } else { Err(problems) }
}

/// A definition that was checked when it was registered, as a component; `icon` is the path of its picture, or empty.
///
/// # Errors
/// The first place that is no definition to this version of Patchbay.
pub fn component(document: &Value, icon: String) -> Result<Component, Problem> {
    let definition = parse(document)?;
    let mut form = form::form(&definition, &std::collections::BTreeMap::new());
    form.badge.icon = icon;
    // The picker has the workspace's own first; among others their order is nobody's to claim.
    form.popularity = 0;
    Ok(Component { definition, form })
}

/// The syntax alone, with what each method's secrets are given for.
///
/// # Errors
/// The first place that is no definition.
pub fn parse(document: &Value) -> Result<Definition, Problem> {
    let root = Location::default();
    let methods = document.get("methods").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (index, method) in methods.iter().enumerate() {
        // Behind the protocol's name serde no longer tells the way: the part is read by itself first.
        let service = method.get("service").and_then(Value::as_object);
        if let Some(service) = service.filter(|service| service.get("protocol") == Some(&json!("http"))) {
            let mut service = service.clone();
            service.remove("protocol");
            typed::<HttpService>(&Value::Object(service), &root.item("methods", index).child("service"))?;
        }
    }
    let mut definition: Definition = typed(document, &root)?;
    for (method, written) in definition.methods.iter_mut().zip(methods) {
        method.fingerprint = Some(fingerprint(written));
    }
    Ok(definition)
}

/// Reads the cases that came with a definition.
///
/// # Errors
/// The first place that is none.
pub fn cases(written: &Value) -> Result<Cases, Problem> {
    typed(written, &Location::default().child("cases"))
}

fn typed<T: DeserializeOwned>(value: &Value, at: &Location) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| Problem {
        location: place(error.path(), at),
        fault: Fault::Syntax(format!("{}; correct it or leave it out", error.inner())),
    })
}

fn place(path: &Path, at: &Location) -> Location {
    let mut location = at.clone();
    for step in path {
        location = match step {
            Segment::Seq { index } => location.index(*index),
            Segment::Map { key } => location.child(key),
            Segment::Enum { .. } | Segment::Unknown => break,
        };
    }
    location
}

fn limits(definition: &Definition) -> Vec<Problem> {
    let root = Location::default();
    let mut problems = Vec::new();
    let mut require = |holds: bool, location: Location, rule| {
        if !holds {
            problems.push(Problem { location, fault: Fault::Limit(rule) });
        }
    };
    for (name, text) in [("name", &definition.name), ("category", &definition.category)] {
        let short = text.is_empty() || is_line(text, NAME_LIMIT);
        require(short, root.child(name), "this stands in lists; give at most 60 characters on one line");
    }
    let few = definition.methods.len() <= METHODS_LIMIT;
    require(few, root.child("methods"), "a component has at most 10 methods; remove some");
    for (index, method) in definition.methods.iter().enumerate() {
        let at = root.item("methods", index);
        let few = method.fields.len() <= FIELDS_LIMIT;
        require(few, at.child("fields"), "a method has at most 40 fields; remove some");
        if let Service::Http(service) = &method.service {
            let few = service.probes.len() <= PROBES_LIMIT;
            require(few, at.child("service").child("probes"), "a method has at most 5 probes; remove some");
        }
    }
    problems
}

/// An OAuth client is shared by name: an own component has one of its own, and nobody who merely connects says where its
/// secret goes.
fn oauth_problems(method: &Method, at: &Location, around: &Surroundings<'_>) -> Vec<Problem> {
    let Some(oauth) = &method.oauth else { return Vec::new() };
    let at = at.child("oauth");
    let refuse = |name: &str, rule| Problem { location: at.child(name), fault: Fault::NotForOwn(rule) };
    let mut problems = Vec::new();
    if oauth.client.is_some() {
        problems.push(refuse("client", "a component of your own has an OAuth client of its own"));
    }
    let by_state = oauth.names.get("state").into_iter().chain(oauth.redirect_names.get("state"));
    for name in by_state.filter(|name| !around.state_names.contains(name.as_str())) {
        let fault = Fault::NotForOwn("the state is awaited under the name “state” alone");
        tracing::debug!(name, "an own component names the state otherwise");
        problems.push(Problem { location: at.child("names"), fault });
    }
    let typed_address = addresses(method).into_iter().any(|(location, text)| {
        let in_section = location.pointer().starts_with("/oauth");
        in_section && Template::parse(text).is_ok_and(|template| leads_anywhere(&template, method))
    });
    let own_client = method.fields.iter().any(|field| field.id == "client_id");
    if typed_address && !own_client {
        let rule = "whoever connects would say where the OAuth client's secret goes: give the method the fields \
                    client_id and client_secret";
        problems.push(refuse("token_url", rule));
    }
    problems
}

/// Begins with an address that a person types.
fn leads_anywhere(template: &Template, method: &Method) -> bool {
    template.fields().any(|id| method.fields.iter().any(|field| field.id == id && field.kind == FieldKind::Url))
}

/// Addresses that the server itself dials, by their place below the method.
fn addresses(method: &Method) -> Vec<(Location, &str)> {
    let root = Location::default();
    let mut found = Vec::new();
    if let Service::Http(service) = &method.service {
        let at = root.child("service");
        found.push((at.child("base_url"), service.base_url.as_str()));
        for (index, probe) in service.probes.iter().enumerate() {
            let own = probe.base_url.as_deref();
            found.extend(own.map(|url| (at.item("probes", index).child("base_url"), url)));
        }
    }
    if let Some(oauth) = &method.oauth {
        let at = root.child("oauth");
        found.push((at.child("token_url"), oauth.token_url.as_str()));
        let others = [
            ("refresh_url", oauth.refresh_url.as_deref()),
            ("device_url", oauth.device_url.as_deref()),
            ("registration_url", oauth.registration_url.as_deref()),
            ("discovery", oauth.discovery.as_deref()),
        ];
        found.extend(others.into_iter().filter_map(|(name, url)| Some((at.child(name), url?))));
        let sections = [
            ("revoke", oauth.revoke.as_ref().map(|section| section.url.as_str())),
            ("exchange", oauth.exchange.as_ref().map(|section| section.url.as_str())),
            ("lookup", oauth.lookup.as_ref().map(|section| section.url.as_str())),
        ];
        found.extend(sections.into_iter().filter_map(|(name, url)| Some((at.child(name).child("url"), url?))));
    }
    found
}

/// Literal addresses of networks that are closed. What names stand for is judged when they are dialled.
fn internal_addresses(method: &Method, at: &Location, permits: &dyn Fn(SocketAddr) -> bool) -> Vec<Problem> {
    let closed = |text: &str| sample_hosts(text, method).into_iter().any(|address| !permits(address));
    let wrong = addresses(method).into_iter().filter(|(_, text)| closed(text));
    wrong.map(|(below, _)| Problem { location: at.join(&below), fault: Fault::Internal }).collect()
}

/// The literal addresses that a template can be filled to lead to.
fn sample_hosts(text: &str, method: &Method) -> Vec<SocketAddr> {
    let Ok(template) = Template::parse(text) else { return Vec::new() };
    let most = method.fields.iter().map(|field| field.options.len()).max().unwrap_or(0).max(1);
    let filled = |choice: usize| {
        let value = |id: &str| {
            let field = method.fields.iter().find(|field| field.id == id);
            let option = field.and_then(|field| field.options.get(choice.min(field.options.len().saturating_sub(1))));
            Some(option.map_or("x", |option| option.value.as_str()))
        };
        let url = Url::parse(&template.render(value, Encode::Plain).ok()?).ok()?;
        let ip = match Host::parse(url.host_str()?).ok()? {
            Host::Ip(ip) => ip,
            host if host.is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Host::Name(_) => return None,
        };
        Some(SocketAddr::new(ip, url.port_or_known_default()?))
    };
    (0..most).filter_map(filled).collect()
}

/// What people read, and what only says how an answer is understood: it sends nothing anywhere.
const WORDS: [&str; 2] = ["label", "intro"];
const FIELD_WORDS: [&str; 8] = ["label", "help", "example", "find_at", "half", "prefixes", "max_length", "optional"];
const READING: [&str; 5] = ["outcomes", "identity", "subject", "scopes", "expires"];
const OAUTH_WORDS: [&str; 2] = ["client_help", "scopes"];

/// Digests of a method as it is written. Whatever is not known to be harmless counts.
fn fingerprint(method: &Value) -> Fingerprint {
    let mut method = method.clone();
    forget(&mut method, &WORDS);
    for field in list(&mut method, "fields") {
        forget(field, &FIELD_WORDS);
    }
    if let Some(service) = method.get_mut("service") {
        for probe in list(service, "probes") {
            forget(probe, &READING);
        }
    }
    if let Some(oauth) = method.get_mut("oauth") {
        forget(oauth, &OAUTH_WORDS);
    }
    let client = json!({ "kind": method.get("kind"), "fields": method.get("fields"), "oauth": method.get("oauth") });
    Fingerprint { requests: digest(&method), client: digest(&client) }
}

fn forget(value: &mut Value, members: &[&str]) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|member, _| !members.contains(&member.as_str()));
    }
}

fn list<'a>(value: &'a mut Value, member: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(member).and_then(Value::as_array_mut).into_iter().flatten()
}

fn digest(value: &Value) -> String {
    let hash = Sha256::digest(in_order(value).to_string());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Members by name, without those that say nothing.
fn in_order(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().map(|(name, value)| (name.clone(), in_order(value))).collect();
            sorted.retain(|(_, value)| !is_empty(value));
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(sorted.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(in_order).collect()),
        other => other.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
#[path = "own_tests.rs"]
mod tests;
