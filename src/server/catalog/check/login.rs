//! Rules for services one logs in to over their own protocol: the fields the protocol reads by name.

use super::{Fault, Findings, Location, find};
use crate::domain::field::{Field, FieldKind};

/// What a protocol reads from the form.
pub(super) struct Protocol {
    required: &'static [&'static str],
    tls: &'static [&'static str],
    /// The same for people.
    tls_choices: &'static str,
}

const DATABASE_TLS: &[&str] = &["auto", "verify", "require", "off"];

pub(super) const DATABASE: Protocol = Protocol {
    required: &["host", "port", "user", "password", "database", "tls", "ca"],
    tls: DATABASE_TLS,
    tls_choices: "auto, verify, require or off",
};

pub(super) const REDIS: Protocol = DATABASE;

pub(super) const SMTP: Protocol = Protocol {
    required: &["host", "port", "user", "password", "tls", "ca"],
    tls: &["starttls", "tls", "off"],
    tls_choices: "starttls, tls or off",
};

/// Fields that decide where the secret goes, or who may read it on the way.
const DESTINATIONS: [&str; 4] = ["host", "port", "tls", "ca"];

const KINDS: [(&str, FieldKind, &str); 4] = [
    ("host", FieldKind::Host, "host"),
    ("port", FieldKind::Port, "port"),
    ("tls", FieldKind::Select, "select"),
    ("ca", FieldKind::Multiline, "multiline"),
];

pub(super) fn check(protocol: &Protocol, fields: &[Field], method: &Location, findings: &mut Findings) {
    for id in protocol.required {
        findings.require(find(fields, id).is_some(), &method.child("fields"), Fault::ProtocolField(id));
    }
    for (index, field) in fields.iter().enumerate() {
        let at = method.item("fields", index);
        let destined = field.destination || !DESTINATIONS.contains(&field.id.as_str());
        findings.require(destined, &at.child("destination"), Fault::NotDestination(field.id.clone()));
        let hidden = field.secret || field.id != "password";
        findings.require(hidden, &at.child("secret"), Fault::NotSecret(field.id.clone()));
        if let Some((_, kind, name)) = KINDS.iter().find(|(id, ..)| *id == field.id) {
            findings.require(field.kind == *kind, &at.child("kind"), Fault::ProtocolKind(name));
        }
        if field.id == "tls" {
            check_tls(protocol, field, &at, findings);
        }
    }
}

fn check_tls(protocol: &Protocol, field: &Field, at: &Location, findings: &mut Findings) {
    for (index, option) in field.options.iter().enumerate() {
        let known = protocol.tls.contains(&option.value.as_str());
        let location = at.item("options", index).child("value");
        findings.require(known, &location, Fault::ProtocolChoice(protocol.tls_choices));
    }
}
