//! Rules for templated addresses: nothing a person types may change the host beyond its place in the template.

use super::super::template::{Encode, Part, Template};
use super::{Fault, Findings, Location, find};
use crate::domain::field::{Field, FieldKind};

/// A base URL: an [`endpoint`] that takes a path behind it.
pub(super) fn check(text: &str, fields: &[Field], at: &Location, findings: &mut Findings) {
    let Some(address) = endpoint(text, fields, at, findings) else { return };
    findings.require(!address.contains(['?', '#']) && !address.ends_with('/'), at, Fault::BadBaseUrl);
}

/// An absolute address: `https`, its host fixed but for restricted fields; or it begins with one field of kind `url`.
/// Gives it filled with plain values, unless something is wrong with it.
pub(super) fn endpoint(text: &str, fields: &[Field], at: &Location, findings: &mut Findings) -> Option<String> {
    let template = super::http::request_template(text, fields, at, findings)?;
    let origin = origin_field(&template, fields);
    if let Some(field) = origin {
        findings.require(!field.secret, at, Fault::SecretInHost(field.id.clone()));
    } else if text.starts_with("https://") {
        check_host(&host_parts(template.parts()), fields, at, findings);
    } else {
        findings.add(at, Fault::NotHttps);
        return None;
    }
    // A secret in the path is given anew whenever it changes, as a destination is.
    for field in template.fields().filter_map(|id| find(fields, id)) {
        findings.require(field.destination || field.secret, at, Fault::NotDestination(field.id.clone()));
    }
    let address = filled(&template, fields);
    findings.require(address.is_some(), at, Fault::BadAddress);
    address
}

/// The field of kind `url` that an address begins with; a path may follow.
fn origin_field<'a>(template: &Template, fields: &'a [Field]) -> Option<&'a Field> {
    let (Part::Field(id), rest) = template.parts().split_first()? else { return None };
    let goes_on = match rest {
        [] => true,
        [Part::Text(text), ..] => text.starts_with('/'),
        _ => false,
    };
    find(fields, id).filter(|field| goes_on && field.kind == FieldKind::Url)
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
pub(super) fn is_host(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    text.split('.').all(|label| (1..=63).contains(&label.len()) && label.bytes().all(allowed))
}

/// Filled with plain values, if that makes an `https` address.
fn filled(template: &Template, fields: &[Field]) -> Option<String> {
    let sample = |id: &str| {
        let field = find(fields, id)?;
        let plain = if field.kind == FieldKind::Url { "https://x.example" } else { "x" };
        Some(field.options.first().map_or(plain, |option| option.value.as_str()))
    };
    let text = template.render(sample, Encode::Plain).ok()?;
    let url = ::url::Url::parse(&text).ok()?;
    let bare = url.username().is_empty() && url.password().is_none();
    (url.scheme() == "https" && bare).then_some(text)
}
