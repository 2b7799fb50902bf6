//! Rules for services one logs in to over their own protocol: the fields the protocol reads by name.

use super::super::definition::Service;
use super::{Fault, Findings, Location, find};
use crate::domain::field::{Field, FieldKind};

/// What a protocol reads from the form.
pub(super) struct Protocol {
    required: &'static [&'static str],
    tls: &'static [&'static str],
    /// The same for people.
    tls_choices: &'static str,
}

/// Encrypted from the first byte, or by the protocol's only way.
const AT_ONCE: (&[&str], &str) = (&["auto", "verify", "require", "off"], "auto, verify, require or off");
/// Encrypted by a command, or from the first byte.
const BY_COMMAND: (&[&str], &str) = (&["starttls", "tls", "off"], "starttls, tls or off");

impl Protocol {
    /// The rules of a service that is no HTTP service.
    pub(super) fn of(service: &Service) -> Self {
        let (required, (tls, tls_choices)): (&[&str], _) = match service {
            Service::Postgresql(_) | Service::Mysql(_) | Service::Redis(_) | Service::Mongodb(_) => {
                (&["host", "port", "user", "password", "database", "tls", "ca"], AT_ONCE)
            }
            Service::Amqp(_) => (&["host", "port", "user", "password", "vhost", "tls", "ca"], AT_ONCE),
            Service::Mqtt(_) => (&["host", "port", "user", "password", "tls", "ca"], AT_ONCE),
            // Encrypted after a greeting in clear text, or from the first byte; user and password, or a token.
            Service::Nats(_) => (&["host", "port", "tls", "ca"], BY_COMMAND),
            Service::Smtp(_) | Service::Imap(_) | Service::Ftp(_) | Service::Ldap(_) => {
                (&["host", "port", "user", "password", "tls", "ca"], BY_COMMAND)
            }
            Service::Ssh(_) | Service::Sftp(_) => (&["host", "port", "user", "host_key"], AT_ONCE),
            Service::GoogleServiceAccount {} => (&["key"], AT_ONCE),
            Service::Http(_) => (&[], AT_ONCE),
        };
        Self { required, tls, tls_choices }
    }
}

/// Fields that decide where the secret goes, or who may read it on the way.
const DESTINATIONS: [&str; 5] = ["host", "port", "tls", "ca", "host_key"];

/// Fields that authenticate.
const SECRETS: [&str; 6] = ["password", "token", "private_key", "passphrase", "client_key", "key"];

const KINDS: [(&str, FieldKind, &str); 6] = [
    ("host", FieldKind::Host, "host"),
    ("port", FieldKind::Port, "port"),
    ("tls", FieldKind::Select, "select"),
    ("ca", FieldKind::Multiline, "multiline"),
    ("client_certificate", FieldKind::Multiline, "multiline"),
    ("client_key", FieldKind::Multiline, "multiline"),
];

pub(super) fn check(protocol: Protocol, fields: &[Field], method: &Location, findings: &mut Findings) {
    for id in protocol.required {
        findings.require(find(fields, id).is_some(), &method.child("fields"), Fault::ProtocolField(id));
    }
    for (index, field) in fields.iter().enumerate() {
        let at = method.item("fields", index);
        let destined = field.destination || !DESTINATIONS.contains(&field.id.as_str());
        findings.require(destined, &at.child("destination"), Fault::NotDestination(field.id.clone()));
        let hidden = field.secret || !SECRETS.contains(&field.id.as_str());
        findings.require(hidden, &at.child("secret"), Fault::NotSecret(field.id.clone()));
        if let Some((_, kind, name)) = KINDS.iter().find(|(id, ..)| *id == field.id) {
            findings.require(field.kind == *kind, &at.child("kind"), Fault::ProtocolKind(name));
        }
        if field.id == "tls" {
            check_tls(&protocol, field, &at, findings);
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
