//! The fields a person fills in, and the rules that run in the browser and again on the server.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::web_address;

/// What a field takes, and so which control shows it and which rule it obeys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    #[default]
    Text,
    /// More than one line, such as a PEM certificate.
    Multiline,
    /// One of `options`.
    Select,
    /// A host name or an IP address, without scheme, port or path.
    Host,
    /// 1 to 65535.
    Port,
    /// An absolute `https` URL without user information, or an `http` one where the field says so.
    Url,
    /// A DNS label: `^[a-z0-9-]{1,63}$`. The only kind that may stand inside a templated host.
    Subdomain,
    /// Scopes of OAuth 2.0, separated by spaces (RFC 6749, section 3.3).
    Scopes,
}

/// One entry of a [`FieldKind::Select`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelectOption {
    pub value: String,
    pub label: String,
}

/// Shows a field only while another one holds one of these values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownWhen {
    pub field: String,
    pub is: Vec<String>,
}

/// One field of an auth method.
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own in the catalog's files")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub id: String,
    pub label: String,
    #[serde(default)]
    pub kind: FieldKind,
    /// Authenticates: sealed, and never sent back to a browser.
    #[serde(default)]
    pub secret: bool,
    #[serde(default)]
    pub optional: bool,
    /// Part of where the secret is sent: changing it asks for the secret again.
    #[serde(default)]
    pub destination: bool,
    #[serde(default)]
    pub help: String,
    #[serde(default)]
    pub example: String,
    #[serde(default)]
    pub default: String,
    #[serde(default)]
    pub options: Vec<SelectOption>,
    /// The value begins with one of these; empty: with anything.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// Longest value in characters.
    #[serde(default = "default_limit")]
    pub max_length: usize,
    /// Where the vendor hands the value out.
    #[serde(default)]
    pub find_at: String,
    #[serde(default)]
    pub shown_when: Option<ShownWhen>,
    /// Of an address: `http://` is taken beside `https://`, as services that people run themselves need it.
    #[serde(default)]
    pub plain_http: bool,
    /// Takes half of the form's width beside its neighbour.
    #[serde(default)]
    pub half: bool,
}

const fn default_limit() -> usize {
    4096
}

/// Field values by id, as typed. Holds secrets on their way in; its `Debug` names the fields only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldValues(pub BTreeMap<String, String>);

impl FieldValues {
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn set(&mut self, id: &str, value: impl Into<String>) {
        self.0.insert(id.to_owned(), value.into());
    }
}

impl std::fmt::Debug for FieldValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A field that cannot be used as it is, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    pub field: String,
    pub message: String,
}

/// Ids that no field has: a problem with one of these is about the connection itself.
pub const RESERVED: [&str; 4] = ["component", "method", "name", "tags"];

impl FieldProblem {
    #[must_use]
    pub fn new(field: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), message: message.into() }
    }
}

impl Field {
    /// A field of plain text, of which nothing more is known than what it is called.
    #[must_use]
    pub fn text(id: &str, label: &str) -> Self {
        Self {
            id: id.to_owned(),
            label: label.to_owned(),
            kind: FieldKind::Text,
            secret: false,
            optional: false,
            destination: false,
            help: String::new(),
            example: String::new(),
            default: String::new(),
            options: Vec::new(),
            prefixes: Vec::new(),
            max_length: default_limit(),
            find_at: String::new(),
            shown_when: None,
            plain_http: false,
            half: false,
        }
    }

    /// Whether the field counts, given what the other fields hold.
    #[must_use]
    pub fn is_shown(&self, values: &FieldValues, fields: &[Self]) -> bool {
        let Some(condition) = &self.shown_when else { return true };
        let default =
            fields.iter().find(|field| field.id == condition.field).map_or("", |field| field.default.as_str());
        let value = values.get(&condition.field).unwrap_or(default);
        condition.is.iter().any(|expected| expected == value)
    }

    /// Checks one value. `Ok` for an empty one: whether it may be missing is for [`check_all`].
    ///
    /// # Errors
    /// One sentence that names the rule and the remedy.
    pub fn check(&self, value: &str) -> Result<(), String> {
        if value.is_empty() {
            return Ok(());
        }
        self.check_shape(value)?;
        let known_prefix = self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| value.starts_with(prefix));
        if known_prefix {
            Ok(())
        } else {
            Err(format!(
                "{} begins with {}. Check that the whole value was copied.",
                self.label,
                one_of(&self.prefixes)
            ))
        }
    }

    fn check_shape(&self, value: &str) -> Result<(), String> {
        if value.chars().count() > self.max_length {
            return Err(format!("{} is longer than {} characters. Shorten it.", self.label, self.max_length));
        }
        let line_break_allowed = self.kind == FieldKind::Multiline;
        if value.chars().any(|c| c.is_control() && !(line_break_allowed && matches!(c, '\n' | '\r' | '\t'))) {
            return Err(format!("{} holds a line break or another control character. Remove it.", self.label));
        }
        if value.trim() != value && !line_break_allowed {
            return Err(format!("{} begins or ends with a space. Remove it.", self.label));
        }
        self.check_kind(value)
    }

    fn check_kind(&self, value: &str) -> Result<(), String> {
        match self.kind {
            FieldKind::Text | FieldKind::Multiline => Ok(()),
            FieldKind::Select if self.options.iter().any(|option| option.value == value) => Ok(()),
            FieldKind::Select => Err(format!("{} is none of the choices. Choose one from the list.", self.label)),
            FieldKind::Port => match value.parse::<u16>() {
                Ok(1..) => Ok(()),
                _ => Err("A port is a number from 1 to 65535.".to_owned()),
            },
            FieldKind::Host => check_host(value),
            FieldKind::Subdomain => check_subdomain(value),
            FieldKind::Url => web_address::check(value, self.plain_http),
            FieldKind::Scopes => check_scopes(value),
        }
    }
}

/// RFC 6749, section 3.3.
fn check_scopes(value: &str) -> Result<(), String> {
    let allowed = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
    match value.chars().find(|c| !allowed(*c)) {
        None => Ok(()),
        Some(other) => {
            let named =
                if other.is_ascii_graphic() { format!("“{other}”") } else { format!("U+{:04X}", u32::from(other)) };
            Err(format!(
                "No scope holds the character {named}. Copy the scopes as the service writes them, with spaces between."
            ))
        }
    }
}

fn one_of(choices: &[String]) -> String {
    choices.join(" or ")
}

fn check_host(value: &str) -> Result<(), String> {
    if value.contains("://") {
        return Err("Give the host name alone, without http:// or the like.".to_owned());
    }
    let bare = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(value);
    if bare.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok(());
    }
    if value.contains(':') {
        return Err("Give the port in its own field.".to_owned());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if value.len() <= 253 && value.chars().all(plain) && !value.starts_with(['.', '-']) {
        Ok(())
    } else {
        Err("A host name holds letters, digits, dots and hyphens only.".to_owned())
    }
}

fn check_subdomain(value: &str) -> Result<(), String> {
    let label = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=63).contains(&value.len()) && value.bytes().all(label) {
        Ok(())
    } else {
        Err("Give the first part of the address only: lower-case letters, digits and hyphens.".to_owned())
    }
}

/// Checks what was typed against a method's fields.
///
/// `kept` says of a secret field whether a stored value stays in force when it is left empty.
#[must_use]
pub fn check_all(fields: &[Field], values: &FieldValues, kept: impl Fn(&str) -> bool) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    for id in values.0.keys() {
        if !fields.iter().any(|field| &field.id == id) {
            problems.push(FieldProblem::new(id, format!("There is no field {id} here. Remove it.")));
        }
    }
    for field in fields.iter().filter(|field| field.is_shown(values, fields)) {
        match values.get(&field.id) {
            Some(value) => {
                if let Err(message) = field.check(value) {
                    problems.push(FieldProblem::new(&field.id, message));
                }
            }
            None if field.optional || !field.default.is_empty() || (field.secret && kept(&field.id)) => {}
            None => problems.push(FieldProblem::new(&field.id, format!("{} is needed.", field.label))),
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(kind: FieldKind) -> Field {
        let text = serde_json::json!({ "id": "x", "label": "X", "kind": kind });
        serde_json::from_value(text).expect("a field")
    }

    #[test]
    fn hosts_are_taken_bare() {
        let host = field(FieldKind::Host);
        for good in ["db.acme.example", "localhost", "127.0.0.1", "::1", "[::1]", "a_b.example"] {
            assert_eq!(host.check(good), Ok(()), "{good}");
        }
        for bad in ["http://x", "x:5432", "a b", "/var/run", "x/y", "user@x", "ⅹ.example"] {
            assert!(host.check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn scopes_hold_what_rfc_6749_lets_them() {
        let scopes = field(FieldKind::Scopes);
        for good in ["openid email", "https://www.googleapis.com/auth/drive", "a:b.c-d_e[0]~!#'"] {
            assert_eq!(scopes.check(good), Ok(()), "{good}");
        }
        for (bad, named) in [("a\"b", "“\"”"), ("a\\b", "“\\”"), ("zugriff\u{e9}", "U+00E9"), ("a\u{200b}b", "U+200B")]
        {
            assert!(scopes.check(bad).is_err_and(|told| told.contains(named)), "{bad}");
        }
    }

    #[test]
    fn a_field_that_is_not_shown_is_not_asked_for() {
        let mut mode = field(FieldKind::Text);
        mode.id = "mode".to_owned();
        mode.default = "a".to_owned();
        let mut extra = field(FieldKind::Text);
        extra.shown_when = Some(ShownWhen { field: "mode".to_owned(), is: vec!["b".to_owned()] });
        let fields = [mode, extra];
        let mut values = FieldValues::default();
        assert!(check_all(&fields, &values, |_| false).is_empty());
        values.set("mode", "b");
        assert_eq!(check_all(&fields, &values, |_| false).len(), 1);
    }

    #[test]
    fn a_missing_and_an_unknown_field_are_named() {
        let mut values = FieldValues::default();
        values.set("y", "1");
        let problems = check_all(&[field(FieldKind::Text)], &values, |_| false);
        assert_eq!(problems.iter().map(|p| p.field.as_str()).collect::<Vec<_>>(), ["y", "x"]);
    }

    proptest! {
        #[test]
        fn a_subdomain_never_changes_the_host(text in ".{0,70}") {
            if field(FieldKind::Subdomain).check(&text).is_ok() && !text.is_empty() {
                prop_assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            }
        }
    }
}
