//! What is kept of redirect, token answer and look-up: read strictly, and never an address of somebody else's.

use serde_json::Value;
use url::{Position, Url};

use super::error::OAuthError;
use super::provider::Provider;
use super::tokens::Captured;
use crate::server::catalog::oauth::{Capture, CaptureFrom};
use crate::server::vault::SecretText;

/// Characters of a value at most.
const LONGEST: usize = 4096;

/// Whether what is missing or forbidden ends the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    /// While connecting: nothing is there yet to fall back on.
    Whole,
    /// While renewing: what was captured before goes on, and no token is lost over it.
    Lenient,
}

impl Provider<'_> {
    /// Reads all captures of one origin; `find` looks a place up.
    pub(super) fn capture(
        &self,
        from: CaptureFrom,
        strictness: Strictness,
        find: impl Fn(&str) -> Option<String>,
    ) -> Result<Captured, OAuthError> {
        let mut captured = Captured::default();
        for capture in self.section.captures.iter().filter(|capture| capture.from == from) {
            let value = find(&capture.at).map_or(Ok(None), |text| accept(capture, &text));
            match value {
                Ok(Some(value)) if capture.secret => captured.secret.insert(&capture.id, SecretText::new(value)),
                Ok(Some(value)) => captured.plain.set(&capture.id, value),
                _ if strictness == Strictness::Lenient => {}
                Err(error) => return Err(error),
                Ok(None) if capture.required => return Err(OAuthError::NotTold { capture: capture.id.clone() }),
                Ok(None) => {}
            }
        }
        Ok(captured)
    }
}

/// A value at a JSON pointer, as text.
pub(super) fn text_at(json: &Value, pointer: &str) -> Option<String> {
    match json.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}

/// The value if it can be one; none for nothing, or for what no request could hold.
fn accept(capture: &Capture, text: &str) -> Result<Option<String>, OAuthError> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) || text.chars().count() > LONGEST {
        return Ok(None);
    }
    if capture.hosts.is_empty() {
        return Ok(Some(text.to_owned()));
    }
    let forbidden = || OAuthError::ForbiddenHost { capture: capture.id.clone() };
    own_address(text, &capture.hosts).map(Some).ok_or_else(forbidden)
}

/// An `https` address without anything but host, standard port and path, whose host is one of these or, after `*.`, below
/// one of these.
fn own_address(text: &str, hosts: &[String]) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let bare = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    let plain = url.query().is_none() && url.fragment().is_none() && !text.contains(['\\', '@']);
    let host = url.host_str()?;
    let own = hosts.iter().any(|rule| match rule.strip_prefix("*.") {
        Some(parent) => host.strip_suffix(parent).is_some_and(|label| label.len() > 1 && label.ends_with('.')),
        None => host == rule,
    });
    let fit = url.scheme() == "https" && bare && plain && own;
    fit.then(|| url[..Position::AfterPath].trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> Option<String> {
        own_address(text, &["acme.example".to_owned(), "*.acme.example".to_owned()])
    }

    #[test]
    fn only_the_providers_own_addresses_pass() {
        for (text, kept) in [
            ("https://acme.example", "https://acme.example"),
            ("https://blue.acme.example/", "https://blue.acme.example"),
            ("https://a.b.ACME.example/v1/", "https://a.b.acme.example/v1"),
            ("https://acme.example:443/v1", "https://acme.example/v1"),
        ] {
            assert_eq!(address(text).as_deref(), Some(kept), "{text}");
        }
        for text in [
            "http://acme.example",
            "https://acme.example.evil.example",
            "https://evilacme.example",
            "https://.acme.example",
            "https://acme.example:8443",
            "https://u@acme.example",
            "https://evil.example\\@acme.example",
            "https://acme.example?x=1",
            "https://acme.example#x",
            "acme.example",
            "//acme.example",
            "javascript:alert(1)//acme.example",
            "",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_passes_leads_to_an_own_host(start in "(https://)?", text in "[a-z./:@#?\\\\%]{0,30}", end in "(\\.?acme\\.example)?.{0,4}") {
            if let Some(kept) = address(&format!("{start}{text}{end}")) {
                let host = Url::parse(&kept).expect("an address").host_str().expect("a host").to_owned();
                prop_assert!(host == "acme.example" || host.ends_with(".acme.example"), "{}", kept);
            }
        }
    }
}
