//! Which addresses a probe may reach.

use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use super::address::{AddressClass, effective, judge};

/// The operator's rules. The default denies all but public addresses.
#[derive(Clone, Debug, Default)]
pub struct NetworkPolicy {
    /// The server listens on loopback and is opened there, so its user sits at the machine: loopback and private
    /// networks are allowed.
    pub local: bool,
    /// Opened by the setting `allow_nets`.
    pub allow: Vec<AllowedNet>,
    /// Our own listener and database: denied always, in whatever spelling they are reached.
    pub denied_endpoints: Vec<SocketAddr>,
    /// The same by name, for what it stands for when something is dialled: a database may move.
    pub denied_names: Vec<(String, u16)>,
}

/// Why an address may not be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this is Patchbay's own address or database, which a probe never reaches")]
    Own,
    #[error("{} addresses are never reached", .0.label())]
    Never(AddressClass),
    #[error("{} addresses are closed", .0.label())]
    Closed(AddressClass),
}

impl Refusal {
    /// The sentence for operators, with the line that would open the address where one can.
    #[must_use]
    pub fn explain(self, address: SocketAddr) -> String {
        match self {
            Self::Own | Self::Never(_) => format!("{address}: {self}."),
            Self::Closed(_) => format!("{address}: {self}. To open it: allow_nets = [\"{address}\"]"),
        }
    }
}

impl NetworkPolicy {
    /// Whether a probe may connect to this address and port.
    ///
    /// # Errors
    /// The [`Refusal`] that applies; link-local addresses and our own endpoints are refused whatever is allowed.
    pub fn permits(&self, address: SocketAddr) -> Result<(), Refusal> {
        if self.is_own(address) {
            return Err(Refusal::Own);
        }
        match judge(address.ip()) {
            class @ (AddressClass::LinkLocal | AddressClass::Metadata) => Err(Refusal::Never(class)),
            AddressClass::Public => Ok(()),
            AddressClass::Loopback | AddressClass::Private | AddressClass::UniqueLocal if self.local => Ok(()),
            _ if self.allow.iter().any(|allowed| allowed.contains(address)) => Ok(()),
            class => Err(Refusal::Closed(class)),
        }
    }

    /// Whether one of our own endpoints uses this port on an address of this very machine.
    #[must_use]
    pub fn guards_here(&self, port: u16) -> bool {
        self.is_own(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        self.denied_endpoints.iter().any(|own| is_same(*own, address))
    }
}

/// Whether two endpoints are one, in whatever spelling.
pub(super) fn is_same(own: SocketAddr, address: SocketAddr) -> bool {
    let (own_ip, ip) = (effective(own.ip()), effective(address.ip()));
    own.port() == address.port() && (own_ip == ip || (is_here(own_ip) && is_here(ip)))
}

/// Loopback and unspecified addresses all lead to this machine.
fn is_here(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified()
}

/// One entry of `allow_nets`: a network, and a port where only that is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowedNet {
    pub net: IpNet,
    pub port: Option<u16>,
}

impl AllowedNet {
    fn contains(&self, address: SocketAddr) -> bool {
        self.net.contains(&effective(address.ip())) && self.port.is_none_or(|port| port == address.port())
    }
}

/// An entry of `allow_nets` that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllowedNetError {
    #[error(
        "allow_nets: \"{0}\" is no network. Write an address or network, with a port if wanted: \
         \"10.0.0.0/8\", \"10.1.2.3:5432\", \"[::1]:80\""
    )]
    Network(String),
    #[error("allow_nets: \"{0}\" ends in no port. A port is a number from 1 to 65535")]
    Port(String),
    #[error("allow_nets: \"{text}\" has bits beyond its prefix. Write \"{meant}\", or the address alone")]
    BeyondPrefix { text: String, meant: IpNet },
}

impl FromStr for AllowedNet {
    type Err = AllowedNetError;

    fn from_str(text: &str) -> Result<Self, AllowedNetError> {
        let wrong = || AllowedNetError::Network(text.to_owned());
        let (network, port) = split_port(text).ok_or_else(wrong)?;
        let net = match (network.parse::<IpNet>(), network.parse::<IpAddr>()) {
            (Ok(net), _) => net,
            (_, Ok(ip)) => IpNet::from(ip.to_canonical()),
            _ => return Err(wrong()),
        };
        if net.trunc() != net {
            return Err(AllowedNetError::BeyondPrefix { text: text.to_owned(), meant: net.trunc() });
        }
        let port = match port.map(str::parse::<u16>) {
            None => None,
            Some(Ok(port @ 1..)) => Some(port),
            Some(_) => return Err(AllowedNetError::Port(text.to_owned())),
        };
        Ok(Self { net, port })
    }
}

/// Splits `10.0.0.0/8:443`, `[::1]:80`, `[fd00::/8]:443` and `fd00::/8` into network and port.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (network, rest) = rest.split_once(']')?;
        return match rest {
            "" => Some((network, None)),
            _ => Some((network, Some(rest.strip_prefix(':')?))),
        };
    }
    match text.split_once(':') {
        Some((network, port)) if !port.contains(':') => Some((network, Some(port))),
        _ => Some((text, None)),
    }
}

impl fmt::Display for AllowedNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.net, self.port) {
            (IpNet::V6(net), Some(port)) => write!(f, "[{net}]:{port}"),
            (net, Some(port)) => write!(f, "{net}:{port}"),
            (net, None) => write!(f, "{net}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy(local: bool, allow: &[&str], own: &[&str]) -> NetworkPolicy {
        NetworkPolicy {
            local,
            allow: allow.iter().map(|text| text.parse().expect(text)).collect(),
            denied_endpoints: own.iter().map(|text| text.parse().expect(text)).collect(),
            denied_names: Vec::new(),
        }
    }

    fn permits(policy: &NetworkPolicy, address: &str) -> bool {
        policy.permits(address.parse().expect(address)).is_ok()
    }

    #[test]
    fn an_exact_address_and_port_open_nothing_beside_them() {
        let policy = policy(false, &["127.0.0.1:5432", "10.1.0.0/16", "[::1]:80", "100.64.0.0/10"], &[]);
        for open in
            ["127.0.0.1:5432", "[::ffff:127.0.0.1]:5432", "10.1.9.9:1", "[::1]:80", "100.64.0.1:9", "8.8.8.8:53"]
        {
            assert!(permits(&policy, open), "{open}");
        }
        for closed in ["127.0.0.1:5433", "127.0.0.2:5432", "10.2.0.1:1", "[::1]:81", "[::2]:80", "192.168.0.1:80"] {
            assert!(!permits(&policy, closed), "{closed}");
        }
    }

    #[test]
    fn a_local_server_reaches_this_machine_and_its_networks_only() {
        let policy = policy(true, &[], &[]);
        for open in ["127.0.0.1:5432", "[::1]:5432", "10.0.0.1:1", "192.168.1.1:1", "[fd00::1]:1"] {
            assert!(permits(&policy, open), "{open}");
        }
        for closed in ["169.254.169.254:80", "[fe80::1]:80", "100.64.0.1:80", "0.0.0.0:80", "[fd00:ec2::254]:80"] {
            assert!(!permits(&policy, closed), "{closed}");
        }
    }

    #[test]
    fn link_local_and_metadata_stay_closed_whatever_is_allowed() {
        let policy = policy(true, &["0.0.0.0/0", "::/0"], &[]);
        for closed in ["169.254.169.254:80", "[fe80::1]:80", "[::ffff:169.254.1.1]:80", "[64:ff9b::a9fe:a9fe]:80"] {
            assert!(!permits(&policy, closed), "{closed}");
        }
        assert!(permits(&policy, "100.64.0.1:80"));
    }

    #[test]
    fn our_own_endpoints_are_refused_in_every_spelling() {
        let policy = policy(true, &["0.0.0.0/0", "::/0"], &["127.0.0.1:3000", "10.0.0.9:5432"]);
        for own in ["127.0.0.1:3000", "127.9.9.9:3000", "[::1]:3000", "0.0.0.0:3000", "[::]:3000", "10.0.0.9:5432"] {
            assert_eq!(policy.permits(own.parse().expect(own)), Err(Refusal::Own), "{own}");
        }
        for own in ["[::ffff:127.0.0.1]:3000", "[::ffff:10.0.0.9]:5432", "[64:ff9b::7f00:1]:3000"] {
            assert_eq!(policy.permits(own.parse().expect(own)), Err(Refusal::Own), "{own}");
        }
        assert!(permits(&policy, "127.0.0.1:3001") && permits(&policy, "10.0.0.8:5432"));
        assert!(policy.guards_here(3000) && !policy.guards_here(5432));
    }

    #[test]
    fn an_operator_reads_the_line_that_opens_an_address() {
        let address = "10.1.2.3:5432".parse().expect("an address");
        let refusal = NetworkPolicy::default().permits(address).expect_err("closed");
        assert!(refusal.explain(address).ends_with(r#"allow_nets = ["10.1.2.3:5432"]"#));
    }

    #[test]
    fn a_wrong_entry_says_what_is_wrong_with_it() {
        for text in ["", "10.0.0.0/33", "example.com", "10.0.0", "[::1", "[::1]80", "::1]:80", "10.0.0.1/8/8"] {
            assert_eq!(text.parse::<AllowedNet>(), Err(AllowedNetError::Network(text.to_owned())), "{text}");
        }
        for text in ["10.0.0.1:0", "10.0.0.1:", "10.0.0.1:65536", "[::1]:x", "10.0.0.1:1-9"] {
            assert_eq!(text.parse::<AllowedNet>(), Err(AllowedNetError::Port(text.to_owned())), "{text}");
        }
        let message = "10.1.2.3/8".parse::<AllowedNet>().expect_err("host bits").to_string();
        assert!(message.contains("\"10.0.0.0/8\""), "{message}");
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(bits in any::<u128>(), v4 in any::<u32>(), length in 0_u8..=32, port in proptest::option::of(1_u16..)) {
            let nets = [
                IpNet::new(IpAddr::V6(bits.into()), length).expect("a network").trunc(),
                IpNet::new(IpAddr::V4(v4.into()), length).expect("a network").trunc(),
            ];
            for net in nets {
                let allowed = AllowedNet { net, port };
                prop_assert_eq!(allowed.to_string().parse(), Ok(allowed));
            }
        }

        #[test]
        fn reading_never_panics(text in ".{0,40}") {
            let _ = text.parse::<AllowedNet>();
        }
    }
}
