//! The URL people open: its origin is what cross-site checks compare with, its path what everything lives under.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

/// An absolute `http` or `https` URL without user, query or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// `https://host[:port]`, as browsers send it in `Origin`.
    origin: String,
    /// Empty, or such as `/tools/patchbay`: never ends with a slash.
    base: String,
    https: bool,
    loopback: bool,
    port: u16,
}

impl PublicUrl {
    /// Where a server on this address is opened when nothing else is said.
    #[must_use]
    pub fn of_address(address: SocketAddr) -> Self {
        let loopback = address.ip().is_loopback();
        Self { origin: format!("http://{address}"), base: String::new(), https: false, loopback, port: address.port() }
    }

    /// # Errors
    /// One sentence with the remedy.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url =
            Url::parse(text).map_err(|_| "give a complete URL, such as https://patchbay.example.com".to_owned())?;
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err("the URL begins with https:// or http://".to_owned()),
        };
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err("give the URL without user, query and fragment".to_owned());
        }
        let base = url.path().trim_end_matches('/').to_owned();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
        if !base.chars().all(plain) || base.contains("//") {
            return Err("the path of the URL holds letters, digits, hyphens, dots and single slashes only".to_owned());
        }
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            None => return Err("the URL names no host".to_owned()),
        };
        let port = url.port_or_known_default().unwrap_or_default();
        Ok(Self { origin: url.origin().ascii_serialization(), base, https, loopback, port })
    }

    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path everything lives under: empty, or `/…` without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    #[must_use]
    pub const fn https(&self) -> bool {
        self.https
    }

    #[must_use]
    pub const fn loopback(&self) -> bool {
        self.loopback
    }

    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The whole URL of a path that begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_and_base_are_told_apart() {
        let url = PublicUrl::parse("https://Example.com:443/tools/patchbay/").expect("a good URL");
        assert_eq!((url.origin(), url.base()), ("https://example.com", "/tools/patchbay"));
        assert_eq!(url.join("/sign-in"), "https://example.com/tools/patchbay/sign-in");
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for text in
            ["patchbay", "ftp://a", "https://u:p@a", "https://a?x", "https://a/#x", "https://a/{b}", "https://a//b"]
        {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn loopback_is_known_in_every_spelling() {
        for text in ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:3000", "http://a.localhost"] {
            assert!(PublicUrl::parse(text).expect(text).loopback(), "{text}");
        }
        assert!(!PublicUrl::parse("http://10.0.0.1").expect("a good URL").loopback());
    }
}
