//! The one way out: resolve once, check every address, connect to a checked one.

pub mod address;
mod certificate;
pub mod host;
pub mod http;
pub mod policy;
mod steps;
pub mod tls;
mod wire;
#[cfg(test)]
pub mod world;

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::domain::evidence::StepKind;
use host::Host;
use policy::{NetworkPolicy, Refusal, is_same};
pub use steps::{Clean, Steps};
pub use wire::{Flood, Wire};

/// Time for resolving, and again for connecting.
const PATIENCE: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried; all are checked.
const MOST_TRIED: usize = 4;
/// Time for a service of this very machine to take a connection.
const LOCAL_PATIENCE: Duration = Duration::from_millis(300);

/// The addresses a name stands for.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Turns names into addresses.
pub trait Resolver: Send + Sync {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a>;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            #[expect(clippy::disallowed_methods, reason = "this is the one place")]
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}

/// A connection being opened.
pub type Opening = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// Opens a connection to an address that was checked.
pub type Open = Arc<dyn Fn(SocketAddr) -> Opening + Send + Sync>;

/// Connects to where the policy lets it, and nowhere else.
#[derive(Clone)]
pub struct Dialer {
    policy: Arc<NetworkPolicy>,
    resolver: Arc<dyn Resolver>,
    open: Open,
}

/// A connection and the checked address it goes to.
pub struct Connected {
    pub wire: Wire,
    pub peer: SocketAddr,
}

/// No connection. What it prints is for everybody; `detail` is for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// Refused by the policy or not resolved: these read alike, so that nobody maps a network with them.
    #[error("This address cannot be reached from here.")]
    Unreachable { detail: String },
    #[error("Nothing takes connections at this address and port. Check both, and that the service is running.")]
    NobodyListens { detail: String },
    #[error(
        "No answer from this address within 5 seconds. Check address and port, and that no firewall is in between."
    )]
    NoAnswer { detail: String },
}

impl DialError {
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Unreachable { detail } | Self::NobodyListens { detail } | Self::NoAnswer { detail } => detail,
        }
    }
}

impl Dialer {
    #[must_use]
    pub fn new(policy: NetworkPolicy, resolver: Arc<dyn Resolver>) -> Self {
        Self { policy: Arc::new(policy), resolver, open: Arc::new(|peer| Box::pin(open(peer))) }
    }

    /// The same with another way of opening connections, such as to a server that stands in for all others.
    #[must_use]
    pub fn opening_by(self, open: Open) -> Self {
        Self { open, ..self }
    }

    /// Whether the operator's rules let it reach networks that are not public.
    #[must_use]
    pub fn reaches_inward(&self) -> bool {
        self.policy.local || !self.policy.allow.is_empty()
    }

    /// Resolves once, checks every address, connects to the first checked one that takes the connection.
    /// A failed step is left running: whoever ends the probe ends it, with the error's words.
    ///
    /// # Errors
    /// [`DialError`]; its detail names the setting that would open a refused address.
    pub async fn connect(&self, host: &Host, port: u16, steps: &mut Steps) -> Result<Connected, DialError> {
        steps.begin(StepKind::Resolve);
        let addresses = self.checked(host, port).await?;
        let list = addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ");
        let message = if matches!(host, Host::Ip(_)) { "An address already." } else { "The name has an address." };
        steps.pass_with_detail(message, &list);
        steps.begin(StepKind::Connect);
        let connected = self.first_that_answers(&addresses).await?;
        steps.pass_with_detail("Connected.", &connected.peer.to_string());
        Ok(connected)
    }

    /// Whether something on this machine takes connections at a port. Asks loopback, within 300 ms, and sends nothing.
    pub async fn answers_locally(&self, port: u16) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let own = self.own_at(port).await;
        self.check(address, &own).is_ok() && matches!(timeout(LOCAL_PATIENCE, (self.open)(address)).await, Ok(Ok(_)))
    }

    /// The addresses of a host that may be dialled; never empty.
    async fn checked(&self, host: &Host, port: u16) -> Result<Vec<SocketAddr>, DialError> {
        let mut permitted = Vec::new();
        let mut refusals = Vec::new();
        let own = self.own_at(port).await;
        for ip in self.resolved(host).await? {
            let address = SocketAddr::new(ip.to_canonical(), port);
            match self.check(address, &own) {
                Ok(()) => permitted.push(address),
                Err(refusal) => refusals.push(refusal.explain(address)),
            }
        }
        permitted.truncate(MOST_TRIED);
        if permitted.is_empty() { Err(DialError::Unreachable { detail: refusals.join(" ") }) } else { Ok(permitted) }
    }

    /// Where our own services of this port are by now. A name that does not resolve leads us nowhere either.
    async fn own_at(&self, port: u16) -> Vec<SocketAddr> {
        let mut found = Vec::new();
        for (name, _) in self.policy.denied_names.iter().filter(|(_, own)| *own == port) {
            if let Ok(Ok(addresses)) = timeout(PATIENCE, self.resolver.resolve(name)).await {
                found.extend(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)));
            }
        }
        found
    }

    async fn resolved(&self, host: &Host) -> Result<Vec<IpAddr>, DialError> {
        let unreachable = |detail| Err(DialError::Unreachable { detail });
        match host {
            Host::Ip(ip) => Ok(vec![*ip]),
            Host::Name(name) => match timeout(PATIENCE, self.resolver.resolve(name)).await {
                Ok(Ok(addresses)) if addresses.is_empty() => unreachable(format!("{name} has no address.")),
                Ok(Ok(addresses)) => Ok(addresses),
                Ok(Err(error)) => unreachable(format!("{name} was not resolved: {error}.")),
                Err(_) => unreachable(format!("{name} was not resolved within 5 seconds.")),
            },
        }
    }

    /// Tries the addresses in turn, each for its share of the time, so that a silent one leaves some for the next.
    async fn first_that_answers(&self, addresses: &[SocketAddr]) -> Result<Connected, DialError> {
        let share = PATIENCE / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
        let (mut causes, mut silent) = (Vec::new(), false);
        for &peer in addresses {
            match timeout(share, (self.open)(peer)).await {
                Ok(Ok(stream)) => return Ok(Connected { wire: Wire::plain(stream), peer }),
                Ok(Err(error)) => causes.push(format!("{peer}: {error}.")),
                Err(_) => {
                    silent = true;
                    causes.push(format!("{peer}: no answer."));
                }
            }
        }
        let detail = causes.join(" ");
        Err(if silent { DialError::NoAnswer { detail } } else { DialError::NobodyListens { detail } })
    }

    /// Whether an address might be connected to, as far as that can be told without resolving a name.
    #[must_use]
    pub fn permits(&self, address: SocketAddr) -> bool {
        self.check(address, &[]).is_ok()
    }

    /// `own` are further endpoints of ours.
    fn check(&self, address: SocketAddr, own: &[SocketAddr]) -> Result<(), Refusal> {
        self.policy.permits(address)?;
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()));
        let among_own = |address| own.iter().any(|own| is_same(*own, address));
        let guarded = self.policy.guards_here(address.port()) || among_own(here);
        if among_own(address) || (guarded && is_this_machine(address)) {
            return Err(Refusal::Own);
        }
        Ok(())
    }
}

/// Whether an address is one of this machine's own: packets to it would leave from that same address.
/// Connecting a UDP socket chooses the route and sends nothing.
fn is_this_machine(address: SocketAddr) -> bool {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    UdpSocket::bind((any, 0))
        .and_then(|socket| socket.connect(address).and_then(|()| socket.local_addr()))
        .is_ok_and(|local| local.ip() == address.ip())
}

/// Opens a connection to an address that was checked.
async fn open(peer: SocketAddr) -> io::Result<TcpStream> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place, and the address was checked")]
    let stream = TcpStream::connect(peer).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
#[path = "corpus_tests.rs"]
pub(in crate::server) mod corpus_tests;
#[cfg(test)]
#[path = "dial_tests.rs"]
mod tests;
