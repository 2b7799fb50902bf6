//! What a probe does with addresses, names and answers that lead elsewhere: nothing at all.

use super::tests::{
    SECRET, failed_step, http_component, is_spoken, log_in_without_tls, login_component, serve, silence, stall,
};
use super::*;
use crate::server::dial::corpus_tests::{CLOSED, NEVER, THIS_MACHINE};
use crate::server::dial::policy::NetworkPolicy;
use crate::server::dial::{Open, Resolver, Resolving, SystemResolver};
use crate::server::vault::SecretText;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::unbounded_channel;

async fn probed(prober: &Prober, component: &Definition, given: &[(&str, &str)]) -> Evidence {
    let (mut config, mut secrets) = (FieldValues::default(), Secrets::default());
    for field in component.methods[0].fields.iter().filter(|field| field.secret) {
        secrets.insert(&field.id, SecretText::new(SECRET.to_owned()));
    }
    for (id, value) in given {
        config.set(id, *value);
    }
    let question = Question { component, method: &component.methods[0], config: &config, secrets: &secrets };
    prober.probe(question, unbounded_channel().0).await.expect("a turn")
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
async fn a_web_server_in_place_of_another_is_told() {
    let address = serve(|mut stream| async move {
        let _ = stream.read(&mut [0; 1024]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n").await;
        // It goes on listening: nothing but what it says tells what it is.
        stall(stream).await;
    })
    .await;
    for protocol in ["postgresql", "redis", "ldap", "mongodb", "amqp", "mqtt"] {
        if is_spoken(protocol) {
            let evidence = log_in_without_tls(protocol, address).await;
            assert!(silence(&evidence).contains("does not speak"), "{protocol}: {evidence:?}");
        }
    }
}

#[tokio::test]
async fn a_neighbouring_port_is_refused() {
    let (open, opened) = sentinel().await;
    let (listener, neighbour) = sentinel().await;
    let policy =
        NetworkPolicy { allow: vec![opened.to_string().parse().expect("an entry")], ..NetworkPolicy::default() };
    let prober = Prober::new(Dialer::new(policy, Arc::new(SystemResolver)), Clock::system());
    let evidence = probed(&prober, &http_component(), &[("base", &format!("http://{neighbour}"))]).await;
    assert_eq!(silence(&evidence), "This address cannot be reached from here.");
    assert_eq!(failed_step(&evidence), Some(StepKind::Resolve));
    assert!(nobody_came(&listener).await && nobody_came(&open).await);
}

#[tokio::test]
async fn a_stored_address_at_a_port_of_another_protocol_is_not_dialled() {
    let policy = NetworkPolicy { local: true, ..NetworkPolicy::default() };
    let prober = Prober::new(Dialer::new(policy, Arc::new(SystemResolver)), Clock::system());
    for port in [25, 3306] {
        let evidence = probed(&prober, &http_component(), &[("base", &format!("http://127.0.0.1:{port}"))]).await;
        assert!(silence(&evidence).contains("another protocol"), "{evidence:?}");
        assert_eq!(evidence.steps, []);
    }
}

#[tokio::test]
async fn no_protocol_takes_an_address_of_the_corpus_from_a_form() {
    let (listener, here) = sentinel().await;
    let port = here.port().to_string();
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let open: Open = Arc::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err(std::io::ErrorKind::ConnectionRefused.into()) })
    });
    let dialer = Dialer::new(NetworkPolicy::default(), Arc::new(SystemResolver)).opening_by(open);
    let prober = Prober::new(dialer, Clock::system());
    let (database, api) = (login_component("postgresql"), http_component());
    for (_, spellings) in THIS_MACHINE.iter().chain(NEVER).chain(CLOSED) {
        for host in spellings.split(' ') {
            let evidence = probed(&prober, &database, &[("host", host), ("port", &port), ("user", "app")]).await;
            assert_eq!(silence(&evidence), "This address cannot be reached from here.", "{host}");
            let in_url =
                if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
            let evidence = probed(&prober, &api, &[("base", &format!("http://{in_url}:{port}"))]).await;
            assert_eq!(silence(&evidence), "This address cannot be reached from here.", "{in_url}");
        }
    }
    assert_eq!(opened.load(Ordering::SeqCst), 0);
    assert!(nobody_came(&listener).await);
}

/// Where answers point to; `{elsewhere}` is the sentinel, `{here}` the server itself.
const POINTERS: [(&str, &str); 20] = [
    ("301 Moved Permanently", "location: http://{elsewhere}/me"),
    ("302 Found", "location: http://{elsewhere}/me"),
    ("303 See Other", "location: http://{elsewhere}/me"),
    ("307 Temporary Redirect", "location: http://{elsewhere}/me"),
    ("308 Permanent Redirect", "location: http://{elsewhere}/me"),
    ("300 Multiple Choices", "location: http://{elsewhere}/me"),
    ("305 Use Proxy", "location: http://{elsewhere}"),
    ("302 Found", "location: //{elsewhere}/me"),
    ("302 Found", "location: http://app:pw@{elsewhere}/me"),
    ("302 Found", "location: http://{here}@{elsewhere}/me"),
    ("302 Found", "location: file:///etc/passwd"),
    ("302 Found", "location: gopher://{elsewhere}/_x"),
    // The first link of a chain: the server itself would send on to the sentinel.
    ("302 Found", "location: /next"),
    ("307 Temporary Redirect", "location: http://{here}/next"),
    ("302 Found", "location: http://{here}/next\r\nlocation: http://{elsewhere}/me"),
    ("200 OK", "refresh: 0; url=http://{elsewhere}/me"),
    ("200 OK", "link: <http://{elsewhere}/me>; rel=preload"),
    ("200 OK", "alt-svc: h2=\"{elsewhere}\"; ma=3600"),
    ("201 Created", "location: http://{elsewhere}/me"),
    ("401 Unauthorized", "www-authenticate: Bearer resource_metadata=\"http://{elsewhere}/me\""),
];

#[tokio::test]
async fn no_answer_leads_a_credential_anywhere() {
    let (listener, elsewhere) = sentinel().await;
    for (status, header) in POINTERS {
        let requests = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&requests);
        let here = serve(move |mut stream: TcpStream| {
            let count = Arc::clone(&count);
            async move {
                let here = stream.local_addr().expect("an address").to_string();
                let header = header.replace("{here}", &here).replace("{elsewhere}", &elsewhere.to_string());
                let body = format!("<meta http-equiv=refresh content='0; url=http://{elsewhere}/me'>");
                let answer = format!("HTTP/1.1 {status}\r\n{header}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                while let Ok(1..) = stream.read(&mut [0; 4096]).await {
                    count.fetch_add(1, Ordering::SeqCst);
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            }
        })
        .await;
        let policy = NetworkPolicy {
            // Both are open, so that nothing but the probe's own restraint keeps it here.
            allow: [here, elsewhere].map(|address| address.to_string().parse().expect("an entry")).to_vec(),
            ..NetworkPolicy::default()
        };
        let prober = Prober::new(Dialer::new(policy, Arc::new(SystemResolver)), Clock::system());
        let evidence = probed(&prober, &http_component(), &[("base", &format!("http://{here}"))]).await;
        if status.starts_with('3') {
            assert!(silence(&evidence).contains("sends elsewhere"), "{status}, {header}: {evidence:?}");
        }
        assert_eq!(requests.load(Ordering::SeqCst), 1, "{status}, {header}");
    }
    assert!(nobody_came(&listener).await);
}

/// Says another address with every question: each of them in turn, the last one ever after.
struct Rebinding {
    addresses: Vec<IpAddr>,
    asked: AtomicUsize,
}

impl Resolver for Rebinding {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst).min(self.addresses.len() - 1);
        let address = self.addresses[turn];
        Box::pin(async move { Ok(vec![address]) })
    }
}

#[tokio::test]
async fn a_name_that_turns_to_this_machine_between_two_questions_is_refused_the_second() {
    let (listener, here) = sentinel().await;
    let server = serve(|mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    })
    .await;
    let public: IpAddr = "1.1.1.1".parse().expect("an address");
    let resolver = Arc::new(Rebinding { addresses: vec![public, here.ip()], asked: AtomicUsize::new(0) });
    // The public address stands for a server of ours; any other is dialled as it is.
    #[expect(clippy::disallowed_methods, reason = "the test is the network")]
    let open: Open =
        Arc::new(move |peer| Box::pin(TcpStream::connect(if peer.ip() == public { server } else { peer })));
    let dialer = Dialer::new(NetworkPolicy::default(), Arc::clone(&resolver) as _).opening_by(open);
    let base = format!("http://rebinding.example:{}", here.port());
    let prober = Prober::new(dialer, Clock::system());
    let evidence = probed(&prober, &http_component(), &[("base", &base), ("test", "1")]).await;
    assert_eq!(silence(&evidence), "This address cannot be reached from here.", "{evidence:?}");
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 2, "each question resolves once");
    assert!(nobody_came(&listener).await);
}
