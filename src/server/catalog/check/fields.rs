//! Rules for the fields of a method's form.

use super::{Fault, Findings, Location, find, is_https};
use crate::domain::field::{Field, FieldKind, RESERVED, ShownWhen};

pub(super) fn check(fields: &[Field], method: &Location, findings: &mut Findings) {
    for (index, field) in fields.iter().enumerate() {
        let at = method.item("fields", index);
        findings.require(!RESERVED.contains(&field.id.as_str()), &at.child("id"), Fault::Reserved);
        check_texts(field, &at, findings);
        check_options(field, &at, findings);
        check_values(field, &at, findings);
        if let Some(condition) = &field.shown_when {
            check_condition(condition, fields, &at.child("shown_when"), findings);
        }
    }
}

fn check_texts(field: &Field, at: &Location, findings: &mut Findings) {
    findings.require(!field.label.trim().is_empty(), &at.child("label"), Fault::Empty);
    findings.require(!field.help.trim().is_empty(), &at.child("help"), Fault::Empty);
    let linked = field.find_at.is_empty() || is_https(&field.find_at);
    findings.require(linked, &at.child("find_at"), Fault::NotHttps);
}

fn check_options(field: &Field, at: &Location, findings: &mut Findings) {
    let select = field.kind == FieldKind::Select;
    findings.require(!select || !field.options.is_empty(), &at.child("options"), Fault::NoOptions);
    findings.require(select || field.options.is_empty(), &at.child("options"), Fault::OptionsNotExpected);
    for (index, option) in field.options.iter().enumerate() {
        let option_at = at.item("options", index);
        let repeated = field.options[..index].iter().any(|earlier| earlier.value == option.value);
        findings.require(!repeated, &option_at.child("value"), Fault::Duplicate);
        findings.require(!option.value.is_empty(), &option_at.child("value"), Fault::Empty);
        findings.require(!option.label.trim().is_empty(), &option_at.child("label"), Fault::Empty);
    }
}

fn check_values(field: &Field, at: &Location, findings: &mut Findings) {
    findings.require(!field.secret || field.default.is_empty(), &at.child("default"), Fault::DefaultSecret);
    findings.require(field.check(&field.default).is_ok(), &at.child("default"), Fault::BadValue);
    findings.require(field.check(&field.example).is_ok(), &at.child("example"), Fault::BadValue);
}

fn check_condition(condition: &ShownWhen, fields: &[Field], at: &Location, findings: &mut Findings) {
    let Some(other) = find(fields, &condition.field) else {
        return findings.add(&at.child("field"), Fault::UnknownField(condition.field.clone()));
    };
    findings.require(!condition.is.is_empty(), &at.child("is"), Fault::Empty);
    for (index, value) in condition.is.iter().enumerate() {
        findings.require(other.check(value).is_ok(), &at.item("is", index), Fault::BadValue);
    }
}
