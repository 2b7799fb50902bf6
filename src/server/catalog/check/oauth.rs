//! Rules for the OAuth 2.0 section.

use super::super::definition::OAuth;
use super::{Fault, Findings, Location, url};
use crate::domain::field::Field;

pub(super) fn check(oauth: &OAuth, fields: &[Field], at: &Location, findings: &mut Findings) {
    let addresses = [
        ("authorize_url", Some(&oauth.authorize_url)),
        ("token_url", Some(&oauth.token_url)),
        ("refresh_url", oauth.refresh_url.as_ref()),
        ("revoke_url", oauth.revoke_url.as_ref()),
    ];
    for (name, address) in addresses {
        if let Some(address) = address {
            url::check(address, fields, &at.child(name), findings);
        }
    }
    for (index, scope) in oauth.scopes.iter().enumerate() {
        let scope_at = at.item("scopes", index);
        findings.require(!scope.scope.trim().is_empty(), &scope_at.child("scope"), Fault::Empty);
        findings.require(!scope.allows.trim().is_empty(), &scope_at.child("allows"), Fault::Empty);
    }
    let pointers = [
        ("access_token", &oauth.access_token),
        ("refresh_token", &oauth.refresh_token),
        ("expires_in", &oauth.expires_in),
    ];
    for (name, pointer) in pointers {
        findings.require(pointer.starts_with('/'), &at.child(name), Fault::BadPointer);
    }
}
