//! Rules for templated addresses: nothing a person types may change the host beyond its place in the template.

use super::super::template::{Encode, Part, Template};
use super::{Fault, Findings, Location, find};
use crate::domain::field::{Field, FieldKind};

/// An absolute address: `https`, its host fixed but for restricted fields; or the whole is one field of kind `url`.
pub(super) fn check(text: &str, fields: &[Field], at: &Location, findings: &mut Findings) {
    let Some(template) = super::http::request_template(text, fields, at, findings) else { return };
    let whole = match template.parts() {
        [Part::Field(id)] => find(fields, id).filter(|field| field.kind == FieldKind::Url),
        _ => None,
    };
    if let Some(field) = whole {
        findings.require(!field.secret, at, Fault::SecretInHost(field.id.clone()));
        return findings.require(field.destination, at, Fault::NotDestination(field.id.clone()));
    }
    if !text.starts_with("https://") {
        return findings.add(at, Fault::NotHttps);
    }
    check_host(&host_parts(template.parts()), fields, at, findings);
    // A secret in the path is given anew whenever it changes, as a destination is.
    for field in template.fields().filter_map(|id| find(fields, id)) {
        findings.require(field.destination || field.secret, at, Fault::NotDestination(field.id.clone()));
    }
    findings.require(is_address(&template, fields), at, Fault::BadBaseUrl);
}

/// The parts between `https://` and the path, with the path cut off.
fn host_parts(parts: &[Part]) -> Vec<Part> {
    let mut host = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let Part::Text(text) = part else {
            host.push(part.clone());
            continue;
        };
        let text = if index == 0 { text.trim_start_matches("https://") } else { text };
        let end = text.find(['/', '?', '#']);
        host.push(Part::Text(text[..end.unwrap_or(text.len())].to_owned()));
        if end.is_some() {
            break;
        }
    }
    host
}

fn check_host(host: &[Part], fields: &[Field], at: &Location, findings: &mut Findings) {
    for part in host {
        match part {
            Part::Text(_) => {}
            Part::Field(id) => {
                let Some(field) = find(fields, id) else { continue };
                findings.require(!field.secret, at, Fault::SecretInHost(id.clone()));
                findings.require(may_stand_in_host(field), at, Fault::NotAHostField(id.clone()));
            }
            Part::RawField(id) | Part::Pointer(id) => findings.add(at, Fault::NotAHostField(id.clone())),
        }
    }
    // `https://api.{field}` would leave the registered domain to whoever fills in the form.
    let typed = |id: &str| find(fields, id).is_some_and(|field| field.kind == FieldKind::Subdomain);
    let last_typed = host.iter().rposition(|part| matches!(part, Part::Field(id) if typed(id)));
    let followed = last_typed.is_none_or(|index| {
        let rest = host[index + 1..].iter();
        rest.filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None })
            .any(|text| text.trim_start_matches(['.', '-']).contains('.'))
    });
    findings.require(followed, at, Fault::OpenHost);
}

fn may_stand_in_host(field: &Field) -> bool {
    match field.kind {
        FieldKind::Subdomain => true,
        FieldKind::Select => field.options.iter().all(|option| is_host(&option.value)),
        _ => false,
    }
}

/// DNS labels joined by dots.
fn is_host(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text.split('.').all(|label| (1..=63).contains(&label.len()) && label.bytes().all(allowed))
}

/// Filled with plain values, it is an `https` address that takes a path behind it.
fn is_address(template: &Template, fields: &[Field]) -> bool {
    let sample = |id: &str| {
        let first = find(fields, id).and_then(|field| field.options.first());
        Some(first.map_or("x", |option| option.value.as_str()))
    };
    let Ok(text) = template.render(sample, Encode::Plain) else { return false };
    let Ok(url) = ::url::Url::parse(&text) else { return false };
    let bare = url.username().is_empty() && url.password().is_none();
    url.scheme() == "https" && bare && url.query().is_none() && url.fragment().is_none() && !text.ends_with('/')
}
