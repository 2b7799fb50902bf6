//! The address corpus: every spelling that has been used to get past a check, and where it leads. None of them opens a
//! connection; a sentinel on all of this machine's addresses hears nothing.

use super::*;
use address::{effective, judge};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;

/// Where spellings lead, and the spellings.
type Row = (&'static str, &'static str);

pub(in crate::server) const THIS_MACHINE: &[Row] = &[
    ("127.0.0.1", "127.0.0.1 127.0.0.1. 127.0.1 127.1 127.1. 127.0.0.01 127.000.000.001"),
    ("127.0.0.1", "2130706433 2130706433. 017700000001 0177.0.0.1 0177.0.1 0177.1 00000177.1"),
    ("127.0.0.1", "0x7f000001 0X7F000001 0x7f.1 0x7F.1. 0x7f.0.0.1 0x7f.0x0.0x0.0x1 0x7f.000.0.01"),
    ("127.0.0.1", "127.0.0x1 127.0x000001 0177.0x0.0.1 0x0000007f.1 127.0.0.0x1 127.0x0.1"),
    ("127.0.0.1", "１２７.０.０.１ １２７.1 127。0。0。1 127．0．0．1 127｡0｡0｡1 ①②⑦.⓪.⓪.① 𝟏𝟐𝟕.𝟎.𝟎.𝟏"),
    ("127.0.0.1", "[::ffff:127.0.0.1] ::ffff:127.0.0.1 [::ffff:7f00:1] [0:0:0:0:0:ffff:7f00:0001] [::FFFF:127.0.0.1]"),
    ("127.0.0.1", "[::127.0.0.1] [::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [2002:7f00:1::1]"),
    ("127.1.2.3", "127.1.2.3 127.66051 0x7f010203 2130772483"),
    ("127.255.255.254", "127.255.255.254 127.16777214 0x7ffffffe"),
    ("::1", "[::1] ::1 [0:0:0:0:0:0:0:1] [0000:0000:0000:0000:0000:0000:0000:0001] [::0.0.0.1] [0::1]"),
    ("0.0.0.0", "0 0. 0.0 0.0.0.0 0x0 0x 00 0x0.0x0 ０ [::ffff:0.0.0.0]"),
    ("::", "[::] :: [0:0:0:0:0:0:0:0]"),
];

pub(in crate::server) const NEVER: &[Row] = &[
    ("169.254.169.254", "169.254.169.254 169.254.169.254. 2852039166 0xa9fea9fe 025177524776 169.254.43518"),
    ("169.254.169.254", "0251.0376.0251.0376 0xA9.0xFE.0xA9.0xFE 169.0xfe.0251.254 169.16689662 １６９.254.169.254"),
    (
        "169.254.169.254",
        "169。254。169。254 [::ffff:169.254.169.254] [::ffff:a9fe:a9fe] ::ffff:a9fe:a9fe [::169.254.169.254]",
    ),
    ("169.254.169.254", "[64:ff9b::169.254.169.254] [64:ff9b::a9fe:a9fe] [2002:a9fe:a9fe::] [2002:a9fe:a9fe::1]"),
    ("169.254.170.2", "169.254.170.2 0xa9feaa02"),
    ("100.100.100.200", "100.100.100.200 1684301000 0x646464c8 [::ffff:100.100.100.200] [2002:6464:64c8::]"),
    ("168.63.129.16", "168.63.129.16 0xa83f8110 [64:ff9b::168.63.129.16]"),
    ("192.0.0.192", "192.0.0.192 0xc00000c0"),
    ("fd00:ec2::254", "[fd00:ec2::254] fd00:ec2::254 [fd00:0ec2:0:0:0:0:0:0254]"),
    ("fd20:ce::254", "[fd20:ce::254]"),
    ("fe80::1", "[fe80::1] fe80::1 [FE80:0:0:0:0:0:0:1]"),
    ("febf::1", "[febf::1]"),
];

/// By the class of what they lead to.
pub(in crate::server) const CLOSED: &[Row] = &[
    ("private", "10.0.0.1 10.1 167772161 0xa000001 012.0.0.1 [::ffff:10.0.0.1] [::10.0.0.1] [64:ff9b::a00:1]"),
    ("private", "172.16.0.1 172.16.1 0xac100001 2886729729 [::ffff:172.16.0.1]"),
    ("private", "192.168.1.1 192.168.257 3232235777 0xc0a80101 0300.0250.1.1 [2002:c0a8:101::]"),
    ("unique-local", "[fc00::1] fc00::1 [fdff:ffff::1]"),
    ("carrier-grade NAT", "100.64.0.1 100.4194305 0x64400001 [::ffff:100.64.0.1]"),
    ("multicast", "224.0.0.1 0xe0000001 [::ffff:224.0.0.1] [ff02::1] ff02::1"),
    ("reserved", "255.255.255.255 4294967295 0xffffffff 037777777777 240.0.0.1 0xf0000001"),
    ("reserved", "192.0.2.1 198.51.100.1 203.0.113.1 198.18.0.1 192.88.99.1 0.0.0.1 192.0.0.8"),
    ("reserved", "[2001:db8::1] [3fff::1] [2001::1] [100::1] [64:ff9b:1::7f00:1] [fec0::1] [4000::1]"),
];

/// What is no host at all, and so leads nowhere.
pub(in crate::server) const NO_HOST: &[&str] = &[
    // Sockets, URLs, ports.
    ". .. /var/run/postgresql /tmp/.s.PGSQL.5432 @abstract http://127.0.0.1 //127.0.0.1 127.0.0.1:22 [::1]:22 localhost:80",
    // What ends a host elsewhere, and what stands before one.
    r"127.0.0.1/ 127.0.0.1/x 127.0.0.1? 127.0.0.1# 127.0.0.1\ \\127.0.0.1 127.0.0.1#@1.1.1.1 127.0.0.1\@1.1.1.1",
    "user@127.0.0.1 1.1.1.1@127.0.0.1 127.0.0.1,1.1.1.1 127.0.0.1%00.example %31%32%37.0.0.1 {host} $(id)",
    // Zones, and brackets that do not match.
    "::1%lo [::1%25lo] fe80::1%eth0 [::1 ::1] [127.0.0.1] [[::1]] [::ffff:127.1]",
    // Numbers that are none, and names that are none.
    "127.0.0.256 127.0.0.1.1 127.0.0.0x100 4294967296 0x100000000 040000000000 1.2.3.08 127..1 .127.0.0.1 a..b -a.example",
];

/// The same, with spaces and controls in them.
pub(in crate::server) const NO_HOST_WITH_SPACES: [&str; 9] = [
    "",
    " ",
    " 127.0.0.1",
    "127.0.0.1 ",
    "127.0.0.1 1.1.1.1",
    "127.0.0.1\t",
    "127.0.0.1\n",
    "127.0.0.1\0",
    "127.0.\u{b}0.1",
];

/// Names that lead to what is closed, as resolvers answer them.
const NAMES: &[Row] = &[
    ("localhost", "127.0.0.1 ::1"),
    ("LOCALHOST.", "127.0.0.1"),
    ("app.localhost", "127.0.0.1"),
    ("ip6-loopback", "::1"),
    ("127.0.0.1.nip.example", "127.0.0.1"),
    ("7f000001.nip.example", "::ffff:127.0.0.1"),
    ("metadata.google.internal", "169.254.169.254"),
    ("instance-data.ec2.internal", "169.254.169.254 fd00:ec2::254"),
    ("database.internal", "10.0.0.5"),
    ("router.local", "192.168.1.1 fe80::1"),
    ("nat64.example", "64:ff9b::7f00:1"),
    ("six-to-four.example", "2002:7f00:1::1"),
    ("any.example", "0.0.0.0 ::"),
    ("many.example", "10.0.0.1 127.0.0.1 169.254.169.254 100.64.0.1 224.0.0.1"),
];

fn spellings(tables: &[&'static [Row]]) -> Vec<(&'static str, &'static str)> {
    let rows = tables.iter().flat_map(|rows| rows.iter());
    rows.flat_map(|(meant, spellings)| spellings.split_whitespace().map(move |spelling| (*meant, spelling))).collect()
}

/// A dialer that opens nothing and counts what it was about to open.
fn counting(policy: NetworkPolicy, resolver: Arc<dyn Resolver>) -> (Dialer, Arc<AtomicUsize>) {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let open: Open = Arc::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) })
    });
    (Dialer::new(policy, resolver).opening_by(open), opened)
}

fn everything_opened() -> NetworkPolicy {
    let allow = ["0.0.0.0/0", "::/0"].map(|net| net.parse().expect(net)).to_vec();
    NetworkPolicy { local: true, allow, denied_endpoints: Vec::new(), denied_names: Vec::new() }
}

async fn dial(dialer: &Dialer, host: &str, port: u16) -> Result<(), DialError> {
    dialer.connect(&Host::parse(host).expect(host), port, &mut Steps::unheard()).await.map(drop)
}

/// Hears everybody who comes to any address of this machine.
struct Sentinel {
    port: u16,
    heard: Arc<AtomicUsize>,
}

impl Sentinel {
    async fn new() -> Self {
        let listener = match TcpListener::bind("[::]:0").await {
            Ok(both) => both,
            Err(_) => TcpListener::bind("0.0.0.0:0").await.expect("a port"),
        };
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&heard);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { port, heard }
    }

    async fn heard(&self) -> usize {
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.heard.load(Ordering::SeqCst)
    }
}

#[test]
fn every_spelling_is_read_as_the_address_it_leads_to() {
    let read = |spelling| match Host::parse(spelling) {
        Ok(Host::Ip(ip)) => ip,
        other => panic!("{spelling}: {other:?}"),
    };
    let exact = spellings(&[THIS_MACHINE, NEVER]);
    for (meant, spelling) in &exact {
        assert_eq!(effective(read(spelling)), meant.parse::<IpAddr>().expect(meant), "{spelling}");
    }
    let by_class = spellings(&[CLOSED]);
    for (meant, spelling) in &by_class {
        assert_eq!(judge(read(spelling)).label(), *meant, "{spelling}");
    }
    let none: Vec<_> = NO_HOST.iter().flat_map(|row| row.split(' ')).chain(NO_HOST_WITH_SPACES).collect();
    for spelling in &none {
        assert!(Host::parse(spelling).is_err(), "{spelling:?}");
    }
    let count = exact.len() + by_class.len() + none.len();
    assert!(count > 200, "{count} spellings");
}

#[tokio::test]
async fn nothing_but_public_addresses_is_dialled_from_a_server_that_others_open() {
    let (dialer, opened) = counting(NetworkPolicy::default(), Arc::new(SystemResolver));
    for (_, spelling) in spellings(&[THIS_MACHINE, NEVER, CLOSED]) {
        for port in [22, 80, 443, 5432] {
            let refused = dial(&dialer, spelling, port).await;
            assert!(matches!(refused, Err(DialError::Unreachable { .. })), "{spelling}: {refused:?}");
        }
    }
    assert_eq!(opened.load(Ordering::SeqCst), 0);
    // The same dialer does open what it may.
    assert!(matches!(dial(&dialer, "1.1.1.1", 443).await, Err(DialError::NobodyListens { .. })));
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn metadata_and_our_own_endpoints_stay_closed_whatever_is_opened() {
    let own = SocketAddr::from(([127, 0, 0, 1], 3000));
    let policy = NetworkPolicy { denied_endpoints: vec![own], ..everything_opened() };
    let (dialer, opened) = counting(policy, Arc::new(SystemResolver));
    for (_, spelling) in spellings(&[NEVER]) {
        assert!(matches!(dial(&dialer, spelling, 80).await, Err(DialError::Unreachable { .. })), "{spelling}");
    }
    for (_, spelling) in spellings(&[THIS_MACHINE]) {
        let refused = dial(&dialer, spelling, own.port()).await;
        assert!(matches!(refused, Err(DialError::Unreachable { .. })), "{spelling}: {refused:?}");
    }
    assert_eq!(opened.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_is_as_closed_as_the_addresses_it_stands_for() {
    struct Answers(&'static str);
    impl Resolver for Answers {
        fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
            let addresses = self.0.split(' ').map(|ip| ip.parse().expect(ip)).collect();
            Box::pin(async move { Ok(addresses) })
        }
    }
    for &(name, addresses) in NAMES {
        let (dialer, opened) = counting(NetworkPolicy::default(), Arc::new(Answers(addresses)));
        assert!(matches!(dial(&dialer, name, 80).await, Err(DialError::Unreachable { .. })), "{name}");
        assert_eq!(opened.load(Ordering::SeqCst), 0, "{name}");
    }
}

#[tokio::test]
async fn the_sentinel_hears_of_no_spelling_until_this_machine_is_opened() {
    let sentinel = Sentinel::new().await;
    let closed = Dialer::new(NetworkPolicy::default(), Arc::new(SystemResolver));
    let here = spellings(&[THIS_MACHINE]);
    for (_, spelling) in here.iter().copied().chain([("", "localhost"), ("", "LOCALHOST.")]) {
        assert!(dial(&closed, spelling, sentinel.port).await.is_err(), "{spelling}");
    }
    assert_eq!(sentinel.heard().await, 0);
    let opened = Dialer::new(everything_opened(), Arc::new(SystemResolver));
    // Addresses that carry an IPv4 address are not routed here, and not every machine has IPv6.
    let v4 = here.iter().filter(|(_, spelling)| matches!(Host::parse(spelling), Ok(Host::Ip(IpAddr::V4(_)))));
    let mut count = 0;
    for (_, spelling) in v4 {
        assert_eq!(dial(&opened, spelling, sentinel.port).await, Ok(()), "{spelling}");
        count += 1;
    }
    assert_eq!(sentinel.heard().await, count, "it would have heard");
}
