use super::*;
use crate::domain::evidence::{Step, StepOutcome};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;

/// Says the first list of addresses once, and the second ever after.
struct Rebinding {
    first: Vec<IpAddr>,
    then: Vec<IpAddr>,
    asked: AtomicUsize,
}

impl Resolver for Rebinding {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        let again = self.asked.fetch_add(1, Ordering::SeqCst) > 0;
        let addresses = if again { self.then.clone() } else { self.first.clone() };
        Box::pin(async move { Ok(addresses) })
    }
}

fn names(first: &[&str], then: &[&str]) -> Arc<Rebinding> {
    let ips = |list: &[&str]| list.iter().map(|ip| ip.parse().expect(ip)).collect();
    Arc::new(Rebinding { first: ips(first), then: ips(then), asked: AtomicUsize::new(0) })
}

fn opening(address: SocketAddr) -> NetworkPolicy {
    NetworkPolicy { allow: vec![address.to_string().parse().expect("an entry")], ..NetworkPolicy::default() }
}

async fn dial(dialer: &Dialer, host: &str, port: u16) -> (Result<SocketAddr, DialError>, Vec<Step>) {
    let (live, _) = unbounded_channel();
    let mut steps = Steps::new(live, Box::new(str::to_owned));
    let result = dialer.connect(&Host::parse(host).expect(host), port, &mut steps).await;
    (result.map(|connected| connected.peer), steps.into_ended())
}

async fn sentinel() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

async fn nobody_came(listener: &TcpListener) -> bool {
    timeout(Duration::from_millis(100), listener.accept()).await.is_err()
}

#[tokio::test]
async fn an_opened_port_is_reached_and_its_neighbour_refused() {
    let (_open, address) = sentinel().await;
    let (neighbour, closed) = sentinel().await;
    let dialer = Dialer::new(opening(address), Arc::new(SystemResolver));
    let (reached, steps) = dial(&dialer, "127.0.0.1", address.port()).await;
    assert_eq!(reached, Ok(address));
    assert!(steps.iter().all(|step| step.outcome == StepOutcome::Passed) && steps.len() == 2);
    let (refused, _) = dial(&dialer, "127.0.0.1", closed.port()).await;
    let error = refused.expect_err("closed");
    assert!(error.detail().contains(&format!("allow_nets = [\"{closed}\"]")), "{}", error.detail());
    assert!(nobody_came(&neighbour).await);
}

#[tokio::test]
async fn every_spelling_of_a_closed_address_stays_closed() {
    let (listener, address) = sentinel().await;
    let dialer = Dialer::new(NetworkPolicy::default(), Arc::new(SystemResolver));
    for host in
        ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0", "[::1]", "::ffff:127.0.0.1", "１２７.1"]
    {
        let (refused, _) = dial(&dialer, host, address.port()).await;
        assert!(matches!(refused, Err(DialError::Unreachable { .. })), "{host}: {refused:?}");
    }
    assert!(nobody_came(&listener).await);
}

#[tokio::test]
async fn a_rebinding_name_gets_no_second_look() {
    let (listener, address) = sentinel().await;
    let resolver = names(&["192.0.2.1"], &["127.0.0.1"]);
    let policy = NetworkPolicy { allow: vec!["192.0.2.1".parse().expect("an entry")], ..NetworkPolicy::default() };
    let dialer = Dialer::new(policy, resolver.clone());
    let attempt = dial(&dialer, "rebinding.example", address.port());
    let _ = timeout(Duration::from_millis(200), attempt).await;
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 1);
    assert!(nobody_came(&listener).await);
}

#[tokio::test]
async fn of_several_addresses_only_checked_ones_are_dialled() {
    let (listener, address) = sentinel().await;
    let dialer = Dialer::new(NetworkPolicy::default(), names(&["127.0.0.1", "10.0.0.1", "::1"], &[]));
    let (refused, _) = dial(&dialer, "mixed.example", address.port()).await;
    assert!(matches!(refused, Err(DialError::Unreachable { .. })));
    assert!(nobody_came(&listener).await);
    let dialer = Dialer::new(opening(address), names(&["::1", "10.0.0.1", "127.0.0.1"], &[]));
    assert_eq!(dial(&dialer, "mixed.example", address.port()).await.0, Ok(address));
}

#[tokio::test]
async fn refusal_and_failed_resolution_read_alike() {
    let refusing = Dialer::new(NetworkPolicy::default(), names(&["10.0.0.1"], &[]));
    let failing = Dialer::new(NetworkPolicy::default(), names(&[], &[]));
    let (refused, refused_steps) = dial(&refusing, "a.example", 80).await;
    let (failed, failed_steps) = dial(&failing, "a.example", 80).await;
    let (refused, failed) = (refused.expect_err("refused"), failed.expect_err("failed"));
    assert_eq!(refused.to_string(), failed.to_string());
    assert_eq!(refused_steps, failed_steps);
    assert_ne!(refused.detail(), failed.detail());
}

#[tokio::test]
async fn our_own_listener_is_refused_by_every_address_of_this_machine() {
    let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
    let own = listener.local_addr().expect("an address");
    let policy = NetworkPolicy { local: true, denied_endpoints: vec![own], ..NetworkPolicy::default() };
    let dialer = Dialer::new(policy, Arc::new(SystemResolver));
    let outward = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let mut hosts = vec!["127.0.0.1".to_owned(), "127.3.4.5".to_owned(), "localhost".to_owned()];
    if outward.connect("192.0.2.1:9").is_ok() {
        hosts.push(outward.local_addr().expect("an address").ip().to_string());
    }
    for host in hosts {
        let (refused, _) = dial(&dialer, &host, own.port()).await;
        assert!(matches!(refused, Err(DialError::Unreachable { .. })), "{host}: {refused:?}");
    }
    assert!(!dialer.answers_locally(own.port()).await);
    assert!(nobody_came(&listener).await);
}

#[tokio::test]
async fn a_database_that_moved_is_refused_where_it_is_now() {
    let policy = NetworkPolicy {
        local: true,
        allow: vec!["192.0.2.0/24".parse().expect("a network")],
        denied_names: vec![("database.example".to_owned(), 5432)],
        ..NetworkPolicy::default()
    };
    let dialer = Dialer::new(policy, names(&["192.0.2.1"], &["192.0.2.2"]));
    let own = async |host: &str, port| match dial(&dialer, host, port).await.0 {
        Err(DialError::Unreachable { detail }) => detail.contains("own address or database"),
        _ => false,
    };
    assert!(own("192.0.2.1", 5432).await);
    assert!(own("192.0.2.2", 5432).await);
    assert!(!own("192.0.2.2", 5433).await);
}

#[tokio::test]
async fn a_port_nobody_listens_at_says_so() {
    let (listener, address) = sentinel().await;
    let dialer = Dialer::new(NetworkPolicy { local: true, ..NetworkPolicy::default() }, Arc::new(SystemResolver));
    assert!(dialer.answers_locally(address.port()).await);
    drop(listener);
    assert!(!dialer.answers_locally(address.port()).await);
    let (result, _) = dial(&dialer, "127.0.0.1", address.port()).await;
    assert!(matches!(result, Err(DialError::NobodyListens { .. })), "{result:?}");
}
