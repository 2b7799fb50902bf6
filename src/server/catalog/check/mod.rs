//! What a component file can have wrong though it is well-formed, and where.
//!
//! The build script compiles these files too: a wrong built-in component is a build error.

mod fields;
mod http;
mod login;
mod oauth;
mod problem;
mod url;

use std::collections::BTreeSet;

use super::definition::{Definition, Method, Service, Source};
use super::template::is_name;
use crate::domain::field::Field;

pub use problem::{Fault, Location, Problem};

/// What was found so far.
#[derive(Default)]
struct Findings(Vec<Problem>);

impl Findings {
    fn add(&mut self, location: &Location, fault: Fault) {
        self.0.push(Problem { location: location.clone(), fault });
    }

    fn require(&mut self, holds: bool, location: &Location, fault: Fault) {
        if !holds {
            self.add(location, fault);
        }
    }
}

/// Reads a component file. `icons` are the file names an icon may have.
///
/// # Errors
/// Everything that is wrong with it; a file that is no TOML, or has unknown keys, has one problem.
pub fn read(text: &str, icons: &BTreeSet<String>) -> Result<Definition, Vec<Problem>> {
    let definition = parse(text).map_err(|problem| vec![problem])?;
    let problems = check(&definition, icons);
    if problems.is_empty() { Ok(definition) } else { Err(problems) }
}

/// The syntax alone.
///
/// # Errors
/// The first place where the text is no component file, by line and column.
pub fn parse(text: &str) -> Result<Definition, Problem> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        Problem { location: Location::line_and_column(text, offset), fault: Fault::Syntax(error.message().to_owned()) }
    })
}

/// All that parsing cannot tell.
#[must_use]
pub fn check(definition: &Definition, icons: &BTreeSet<String>) -> Vec<Problem> {
    let mut findings = Findings::default();
    let root = Location::default();
    for (name, text) in [("name", &definition.name), ("category", &definition.category)] {
        findings.require(!text.trim().is_empty(), &root.child(name), Fault::Empty);
    }
    findings.require(is_https(&definition.homepage), &root.child("homepage"), Fault::NotHttps);
    if let Some(icon) = &definition.icon {
        findings.require(icons.contains(icon), &root.child("icon"), Fault::UnknownIcon);
    }
    findings.require(!definition.sources.is_empty(), &root.child("sources"), Fault::Empty);
    for (index, source) in definition.sources.iter().enumerate() {
        check_source(source, &root.item("sources", index), &mut findings);
    }
    if let Some(day) = &definition.tried_live {
        findings.require(is_date(day), &root.child("tried_live"), Fault::NotADate);
    }
    findings.require(!definition.methods.is_empty(), &root.child("methods"), Fault::Empty);
    let ids = definition.methods.iter().map(|method| method.id.as_str());
    check_ids(ids, |index| root.item("methods", index), &mut findings);
    for (index, method) in definition.methods.iter().enumerate() {
        check_method(method, &root.item("methods", index), &mut findings);
    }
    findings.0
}

fn check_source(source: &Source, at: &Location, findings: &mut Findings) {
    findings.require(is_https(&source.url), &at.child("url"), Fault::NotHttps);
    findings.require(is_date(&source.read), &at.child("read"), Fault::NotADate);
}

fn check_method(method: &Method, at: &Location, findings: &mut Findings) {
    findings.require(!method.label.trim().is_empty(), &at.child("label"), Fault::Empty);
    check_ids(method.fields.iter().map(|field| field.id.as_str()), |index| at.item("fields", index), findings);
    fields::check(&method.fields, at, findings);
    let service = at.child("service");
    match &method.service {
        Service::Http(http) => http::check(http, method.known_fields(), &service, findings),
        service => login::check(login::Protocol::of(service), &method.fields, at, findings),
    }
    match (&method.oauth, oauth::Need::of(method.kind)) {
        (Some(_), oauth::Need::No) => findings.add(&at.child("oauth"), Fault::OAuthNotExpected),
        (Some(section), _) => oauth::check(section, method, &at.child("oauth"), findings),
        (None, need) => findings.require(need != oauth::Need::Yes, &at.child("oauth"), Fault::OAuthMissing),
    }
}

/// Ids are names, each given once.
fn check_ids<'a>(ids: impl Iterator<Item = &'a str>, at: impl Fn(usize) -> Location, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for (index, id) in ids.enumerate() {
        let location = at(index).child("id");
        findings.require(is_name(id), &location, Fault::NotAnId);
        findings.require(seen.insert(id), &location, Fault::Duplicate);
    }
}

fn find<'a>(fields: &'a [Field], id: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.id == id)
}

fn is_https(text: &str) -> bool {
    ::url::Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.has_host())
}

/// A day as `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let &[year, month, day] = parts.as_slice() else { return false };
    let written_out = [year.len(), month.len(), day.len()] == [4, 2, 2];
    let month = month.parse::<u8>().ok().and_then(|month| time::Month::try_from(month).ok());
    match (year.parse(), month, day.parse()) {
        (Ok(year), Some(month), Ok(day)) => written_out && time::Date::from_calendar_date(year, month, day).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
