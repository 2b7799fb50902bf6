//! Reads a host as typed: an address in whatever spelling becomes that address, never a name to resolve.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// A host that can be dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Ip(IpAddr),
    /// ASCII, lower case, without the root's trailing dot.
    Name(String),
}

/// The text is no host: empty, a socket's path, a URL, or not a name at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a host name or an IP address")]
pub struct InvalidHost;

/// Longest name in the DNS, in characters (RFC 1035, 2.3.4).
const LONGEST_NAME: usize = 253;

impl Host {
    /// Reads a host. Decimal, octal, hexadecimal, short and full-width spellings of IPv4 become the address they
    /// mean (WHATWG URL, host parsing).
    ///
    /// # Errors
    /// [`InvalidHost`] for anything else than a host, such as a path of a Unix socket.
    pub fn parse(text: &str) -> Result<Self, InvalidHost> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(ip) = bare.parse::<Ipv6Addr>() {
            return Ok(Self::Ip(IpAddr::V6(ip).to_canonical()));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || "/\\%@:?#[]<>^|\"'`{}".contains(c)) {
            return Err(InvalidHost);
        }
        match url::Host::parse(text).map_err(|_| InvalidHost)? {
            url::Host::Ipv4(ip) => Ok(Self::Ip(IpAddr::V4(ip))),
            url::Host::Ipv6(ip) => Ok(Self::Ip(IpAddr::V6(ip).to_canonical())),
            url::Host::Domain(name) => Self::name(&name),
        }
    }

    fn name(text: &str) -> Result<Self, InvalidHost> {
        let name = text.strip_suffix('.').unwrap_or(text);
        let label = |label: &str| (1..=63).contains(&label.len()) && !label.starts_with('-');
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if name.len() <= LONGEST_NAME && name.bytes().all(plain) && name.split('.').all(label) {
            Ok(Self::Name(name.to_owned()))
        } else {
            Err(InvalidHost)
        }
    }

    /// Whether the host is this very machine by its common names.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.is_loopback(),
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => write!(f, "{ip}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_in_any_spelling_is_that_address() {
        let loopback = Ok(Host::Ip(IpAddr::from([127, 0, 0, 1])));
        let spellings = [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0X7F.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.01",
            "0x7f.0.0.0x1",
            "１２７.０.０.１",
            "127。0。0。1",
            "127．0．0．1",
            "①②⑦.0.0.1",
            "[::ffff:127.0.0.1]",
            "::ffff:7f00:1",
            "0x7F.1.",
        ];
        for text in spellings {
            assert_eq!(Host::parse(text), loopback, "{text}");
        }
        assert_eq!(Host::parse("[::1]"), Ok(Host::Ip(IpAddr::V6(Ipv6Addr::LOCALHOST))));
        assert_eq!(Host::parse("0"), Ok(Host::Ip(IpAddr::from([0, 0, 0, 0]))));
    }

    #[test]
    fn names_are_taken_in_their_plain_form() {
        for (text, name) in [("DB.Acme.Example.", "db.acme.example"), ("localhost", "localhost"), ("a_b", "a_b")] {
            assert_eq!(Host::parse(text), Ok(Host::Name(name.to_owned())), "{text}");
        }
        assert_eq!(Host::parse("bücher.example"), Ok(Host::Name("xn--bcher-kva.example".to_owned())));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let refused = [
            "",
            ".",
            "..",
            "/var/run/postgresql",
            "/",
            "a/b",
            "http://x",
            "x:80",
            "u@x",
            "x y",
            "x\n",
            "x\0",
            "fe80::1%eth0",
            "%31",
            "127.0.0.256",
            "1.2.3.4.5",
            "999999999999",
            "0x100000000",
            "a..b",
            "-a.example",
            "[127.0.0.1]",
            "[x]",
            "a\\b",
            "@",
            "x?y",
            "x#y",
        ];
        for text in refused {
            assert_eq!(Host::parse(text), Err(InvalidHost), "{text}");
        }
        assert!(Host::parse(&"a.".repeat(130)).is_err());
    }

    proptest! {
        #[test]
        fn a_name_never_reads_as_an_address(text in "[0-9a-fx.:\\[\\]０-９]{1,20}") {
            if let Ok(Host::Name(name)) = Host::parse(&text) {
                prop_assert!(name.parse::<IpAddr>().is_err());
                let last = name.rsplit('.').next().unwrap_or_default();
                prop_assert!(!last.bytes().all(|b| b.is_ascii_digit()));
            }
        }

        #[test]
        fn a_host_reads_back_as_itself(text in ".{0,40}") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(&host.to_string()), Ok(host));
            }
        }
    }
}
