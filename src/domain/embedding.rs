//! What a platform says of the pages it embeds: where they may be framed, and how they look.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An origin (RFC 6454) as browsers write it: `https`, or `http` on the machine itself; no path, no wildcard.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// The text is not such an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    #[error(
        "an origin is written as in a browser's address bar, in lower case and without a path: https://app.example.com"
    )]
    Form,
    #[error("an origin begins with https://; http:// is taken for localhost and 127.0.0.1 only")]
    Scheme,
    #[error("browsers frame no page of an address such as [::1]: open it by localhost, and give that")]
    Address,
    #[error("the port that the scheme has anyway is left out: browsers leave it out, too")]
    DefaultPort,
}

impl Origin {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Origin {
    type Error = InvalidOrigin;

    fn try_from(text: String) -> Result<Self, InvalidOrigin> {
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err(InvalidOrigin::Scheme),
        };
        // A policy's `frame-ancestors` can name no IPv6 address (CSP level 3, section 2.3.1).
        if rest.starts_with('[') {
            return Err(InvalidOrigin::Address);
        }
        let (host, port) = split_port(rest).ok_or(InvalidOrigin::Form)?;
        if !is_host(host) {
            return Err(InvalidOrigin::Form);
        }
        if !secure && !is_loopback(host) {
            return Err(InvalidOrigin::Scheme);
        }
        if port == Some(if secure { 443 } else { 80 }) {
            return Err(InvalidOrigin::DefaultPort);
        }
        Ok(Self(text))
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `None` for a port that no browser would write so.
fn split_port(rest: &str) -> Option<(&str, Option<u16>)> {
    let Some((host, digits)) = rest.split_once(':') else { return Some((rest, None)) };
    let port: u16 = digits.parse().ok()?;
    (port.to_string() == digits).then_some((host, Some(port)))
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    };
    host.len() <= 253 && host.split('.').all(label)
}

fn is_loopback(host: &str) -> bool {
    let four = || {
        let parts: Vec<_> = host.split('.').map(str::parse::<u8>).collect();
        parts.len() == 4 && parts.iter().all(Result::is_ok) && parts[0] == Ok(127)
    };
    host == "localhost" || host.ends_with(".localhost") || four()
}

/// How embedded pages look; `None`: as Patchbay looks by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostTheme {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accent: Option<String>,
    /// Of corners, in CSS pixels: 0 to 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius: Option<u8>,
    /// Families as CSS lists them, or `system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub font: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    Light,
    Dark,
    System,
}

impl HostTheme {
    /// What is wrong with it: the member, and what it should be.
    #[must_use]
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        let colour = |text: &String| {
            text.len() == 7 && text.starts_with('#') && text[1..].bytes().all(|b| b.is_ascii_hexdigit())
        };
        let families = |text: &String| {
            let plain = |c: char| c.is_alphanumeric() || " ,-_'\"".contains(c);
            (1..=200).contains(&text.chars().count()) && text.chars().all(plain)
        };
        if self.accent.as_ref().is_some_and(|accent| !colour(accent)) {
            return Some(("theme", "An accent is a colour such as #2563eb."));
        }
        if self.radius.is_some_and(|radius| radius > 16) {
            return Some(("theme", "A radius has 0 to 16 pixels."));
        }
        let font = self.font.as_ref().is_some_and(|font| !families(font));
        font.then_some(("theme", "A font is “system”, or names of families such as \"Inter, sans-serif\"."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Result<Origin, InvalidOrigin> {
        Origin::try_from(text.to_owned())
    }

    #[test]
    fn origins_as_browsers_write_them_are_taken() {
        for text in [
            "https://app.acme.example",
            "https://app.acme.example:8443",
            "http://localhost:5173",
            "http://127.0.0.1:3000",
            "http://app.localhost",
            "https://xn--bcher-kva.example",
        ] {
            assert!(origin(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn nothing_that_is_wider_than_one_origin_or_breaks_out_of_a_header_is() {
        for text in [
            "",
            "*",
            "https://",
            "https://*.acme.example",
            "https://a.example/",
            "https://a.example/x",
            "https://A.example",
            "https://a.example;script-src *",
            "https://a.example b",
            "https://a.example\r\nx: y",
            "https://u@a.example",
            "http://a.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "null",
            "http://[::1]:3000",
            "data:",
            "https://a.example:0443",
            "https://a.example:443",
            "http://localhost:80",
            "https://a.example:99999",
            "https://a..b",
        ] {
            assert!(origin(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_theme_holds_nothing_that_a_style_could_misread() {
        let font = |font: &str| HostTheme { font: Some(font.to_owned()), ..HostTheme::default() }.problem();
        assert_eq!(font("Inter, \"Segoe UI\", sans-serif"), None);
        assert!(font("x; background: url(//evil.example)").is_some());
        let accent = |accent: &str| HostTheme { accent: Some(accent.to_owned()), ..HostTheme::default() }.problem();
        assert!(accent("#2563eb").is_none() && accent("red").is_some() && accent("#2563e").is_some());
        assert!(HostTheme { radius: Some(17), ..HostTheme::default() }.problem().is_some());
    }
}
