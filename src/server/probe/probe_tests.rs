use super::*;
use crate::domain::evidence::StepOutcome;
use crate::server::dial::SystemResolver;
use crate::server::dial::policy::NetworkPolicy;
use crate::server::vault::SecretText;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub(super) const SECRET: &str = "canary-secret-9f2";

/// A component of a protocol of its own. Its port is always given.
pub(super) fn login_component(protocol: &str) -> Definition {
    let ids =
        ["host", "port", "user", "database", "vhost", "base", "auth_source", "tls", "host_key", "private_key", "ca"];
    let fields = ids.map(|id| {
        let kind = if ["ca", "private_key"].contains(&id) { "multiline" } else { "text" };
        format!("{{ id = \"{id}\", label = \"{id}\", optional = true, kind = \"{kind}\" }}")
    });
    component(&format!(
        "fields = [{}, {{ id = \"password\", label = \"Password\", secret = true, optional = true }}]\n\
         [methods.service]\nprotocol = \"{protocol}\"\ndefault_port = 1\n",
        fields.join(", ")
    ))
}

pub(super) fn http_component() -> Definition {
    component(
        r#"
fields = [{ id = "base", label = "Base", kind = "url" }, { id = "token", label = "Token", secret = true }, { id = "test", label = "T", optional = true }]
[methods.service]
protocol = "http"
base_url = "{base}"
headers = { authorization = "Bearer {token}" }
[[methods.service.probes]]
path = "/me"
needs = ["base"]
identity = "{/login}"
outcomes = [{ verdict = "valid", status = [200] }, { verdict = "rejected", status = [401], message = "It said {/message}." }]
[[methods.service.probes]]
path = "/rights"
needs = ["test"]
outcomes = [{ verdict = "valid", status = [200] }, { verdict = "limited", status = [403], missing = ["repo:read"] }]
"#,
    )
}

fn component(method: &str) -> Definition {
    let text = format!(
        "slug = \"x\"\nname = \"X\"\ncategory = \"c\"\nhomepage = \"\"\nsources = []\n\
         [[methods]]\nid = \"m\"\nlabel = \"M\"\nkind = \"fields\"\n{method}"
    );
    toml::from_str(&text).expect("a component")
}

/// Opens exactly one address and port.
fn prober(open: SocketAddr, limit: Duration) -> Prober {
    let policy = NetworkPolicy { allow: vec![open.to_string().parse().expect("an entry")], ..NetworkPolicy::default() };
    Prober { limit, ..Prober::new(Dialer::new(policy, Arc::new(SystemResolver)), Clock::system()) }
}

async fn probe_with(
    prober: &Prober,
    component: &Definition,
    given: &[(&str, &str)],
) -> (Evidence, UnboundedReceiver<Step>) {
    let (mut config, mut secrets) = (FieldValues::default(), Secrets::default());
    for field in component.methods[0].fields.iter().filter(|field| field.secret) {
        secrets.insert(&field.id, SecretText::new(SECRET.to_owned()));
    }
    for (id, value) in given {
        config.set(id, *value);
    }
    let (live, told) = unbounded_channel();
    let question = Question { component, method: &component.methods[0], config: &config, secrets: &secrets };
    (prober.probe(question, live).await.expect("a turn"), told)
}

/// A server that treats every connection alike.
pub(super) async fn serve<F: Future<Output = ()> + Send + 'static>(
    treat: impl Fn(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(treat(stream));
        }
    });
    address
}

pub(super) async fn stall(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

async fn hang_up(_: TcpStream) {}

/// Sends one block over and over: 10 GB at most, or until nobody takes it.
async fn flood(mut stream: TcpStream, head: &'static str, block: &'static [u8]) {
    let _ = stream.write_all(head.as_bytes()).await;
    for _ in 0..10_000_000_000 / block.len() {
        if stream.write_all(block).await.is_err() {
            return;
        }
    }
}

/// Answers each path with a status, headers and a body.
async fn http(pages: &'static [(&'static str, &'static str, &'static str)]) -> SocketAddr {
    serve(move |mut stream| async move {
        let mut request = vec![0; 4096];
        let read = stream.read(&mut request).await.unwrap_or_default();
        let request = String::from_utf8_lossy(&request[..read]).into_owned();
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (_, head, body) = pages.iter().find(|(page, ..)| *page == path).unwrap_or(&("", "404 Not Found", ""));
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await
}

fn login_at(address: SocketAddr) -> [(&'static str, String); 5] {
    [
        ("host", address.ip().to_string()),
        ("port", address.port().to_string()),
        ("user", "app".to_owned()),
        ("database", "0".to_owned()),
        ("tls", "off".to_owned()),
    ]
}

async fn log_in(protocol: &str, address: SocketAddr, tls: &str, limit: Duration) -> Evidence {
    let mut given = login_at(address);
    given[4].1 = tls.to_owned();
    let given = given.each_ref().map(|(id, value)| (*id, value.as_str()));
    probe_with(&prober(address, limit), &login_component(protocol), &given).await.0
}

pub(super) async fn log_in_without_tls(protocol: &str, address: SocketAddr) -> Evidence {
    log_in(protocol, address, "off", AMPLE).await
}

/// The same, with more filled in.
pub(super) async fn log_in_with(protocol: &str, address: SocketAddr, more: &[(&str, &str)]) -> Evidence {
    let login = login_at(address);
    let given: Vec<_> = login.iter().map(|(id, value)| (*id, value.as_str())).chain(more.iter().copied()).collect();
    probe_with(&prober(address, AMPLE), &login_component(protocol), &given).await.0
}

/// Asks a server that treats one connection as `script` does, and has the script run to its end.
pub(super) async fn ask_scripted<F: Future<Output = ()> + Send + 'static>(
    protocol: &str,
    script: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> Evidence {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        script(stream).await;
    });
    let evidence = log_in_without_tls(protocol, address).await;
    server.await.expect("the script ran to its end");
    evidence
}

pub(super) fn failed_step(evidence: &Evidence) -> Option<StepKind> {
    evidence.steps.iter().find(|step| step.outcome == StepOutcome::Failed).map(|step| step.kind)
}

pub(super) fn silence(evidence: &Evidence) -> &str {
    match &evidence.verdict {
        Verdict::NoEvidence { reason, .. } => reason,
        verdict => panic!("evidence: {verdict:?}"),
    }
}

/// The field at which the service refused the credential.
pub(super) fn refused_field(evidence: &Evidence) -> &str {
    match &evidence.verdict {
        Verdict::Rejected { field, .. } => field.as_deref().unwrap_or_default(),
        verdict => panic!("no refusal: {verdict:?}"),
    }
}

/// Whether this build speaks a protocol.
pub(super) fn is_spoken(protocol: &str) -> bool {
    cfg!(feature = "protocols") || protocol != "mongodb"
}

const QUICK: Duration = Duration::from_millis(300);
const AMPLE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_server_that_stalls_stops_at_exactly_that_step() {
    let address = serve(stall).await;
    for (protocol, tls, step) in [
        ("postgresql", "require", StepKind::Tls),
        ("postgresql", "off", StepKind::Authenticate),
        ("mysql", "require", StepKind::Tls),
        ("mysql", "off", StepKind::Authenticate),
        ("redis", "require", StepKind::Tls),
        ("redis", "off", StepKind::Authenticate),
        ("smtp", "starttls", StepKind::Tls),
        ("smtp", "off", StepKind::Authenticate),
        ("imap", "starttls", StepKind::Tls),
        ("imap", "off", StepKind::Authenticate),
        ("ldap", "starttls", StepKind::Tls),
        ("ldap", "off", StepKind::Authenticate),
        ("mongodb", "require", StepKind::Tls),
        ("mongodb", "off", StepKind::Authenticate),
        ("amqp", "require", StepKind::Tls),
        ("amqp", "off", StepKind::Authenticate),
        ("nats", "starttls", StepKind::Tls),
        ("nats", "tls", StepKind::Tls),
        ("nats", "off", StepKind::Authenticate),
        ("mqtt", "require", StepKind::Tls),
        ("mqtt", "off", StepKind::Authenticate),
        ("ftp", "starttls", StepKind::Tls),
        ("ftp", "off", StepKind::Authenticate),
    ] {
        if !is_spoken(protocol) {
            continue;
        }
        let evidence = log_in(protocol, address, tls, QUICK).await;
        assert_eq!(failed_step(&evidence), Some(step), "{protocol}, tls {tls}: {evidence:?}");
        assert!(silence(&evidence).starts_with("No answer within"), "{protocol}: {evidence:?}");
    }
    let base = format!("http://{address}");
    let (evidence, mut told) = probe_with(&prober(address, QUICK), &http_component(), &[("base", &base)]).await;
    assert_eq!(failed_step(&evidence), Some(StepKind::Authenticate));
    let mut last = None;
    while let Ok(step) = told.try_recv() {
        last = Some(step);
    }
    assert_eq!(last.as_ref(), evidence.steps.last());
}

#[tokio::test]
async fn a_server_that_stalls_after_the_sign_in_stops_at_permissions() {
    let address = serve(|mut stream| async move {
        let mut read = [0; 512];
        let _ = stream.read(&mut read).await;
        let _ = stream.write_all(b"+OK\r\n").await;
        stall(stream).await;
    })
    .await;
    let evidence = log_in("redis", address, "off", QUICK).await;
    assert_eq!(failed_step(&evidence), Some(StepKind::Authorise), "{evidence:?}");
}

#[tokio::test]
async fn garbage_floods_and_hang_ups_are_no_evidence() {
    let garbage = serve(|mut stream| async move {
        let _ = stream.write_all(b"\x16\x03\x01garbage \xff\xfe\r\n\r\nmore of it, and a line\r\n").await;
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await;
    let flooding = serve(|stream| flood(stream, "", &[b'x'; 16_384])).await;
    let hanging_up = serve(hang_up).await;
    for address in [garbage, flooding, hanging_up] {
        for (protocol, tls) in [
            ("postgresql", "off"),
            ("postgresql", "require"),
            ("mysql", "off"),
            ("mysql", "require"),
            ("redis", "off"),
            ("redis", "require"),
            ("smtp", "off"),
            ("smtp", "starttls"),
            ("smtp", "tls"),
            ("imap", "off"),
            ("imap", "starttls"),
            ("imap", "tls"),
            ("ldap", "off"),
            ("ldap", "starttls"),
            ("ldap", "tls"),
            ("mongodb", "off"),
            ("mongodb", "require"),
            ("amqp", "off"),
            ("amqp", "require"),
            ("nats", "off"),
            ("nats", "starttls"),
            ("mqtt", "off"),
            ("mqtt", "require"),
            ("ftp", "off"),
            ("ftp", "starttls"),
        ] {
            if !is_spoken(protocol) {
                continue;
            }
            let evidence = log_in(protocol, address, tls, AMPLE).await;
            assert!(!silence(&evidence).starts_with("No answer"), "{protocol}, tls {tls}: {evidence:?}");
        }
        let base = format!("http://{address}");
        let (evidence, _) = probe_with(&prober(address, AMPLE), &http_component(), &[("base", &base)]).await;
        assert!(!silence(&evidence).starts_with("No answer"), "{evidence:?}");
    }
}

#[tokio::test]
async fn of_an_endless_body_one_mebibyte_is_read() {
    let head = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 10000000000\r\n\r\n";
    let address = serve(move |stream| flood(stream, head, &[b' '; 16_384])).await;
    let base = format!("http://{address}");
    let (evidence, _) = probe_with(&prober(address, AMPLE), &http_component(), &[("base", &base)]).await;
    assert!(matches!(evidence.verdict, Verdict::Rejected { .. }), "{evidence:?}");
}

#[tokio::test]
async fn an_endless_redis_answer_ends_at_the_limit() {
    let address = serve(|stream| flood(stream, "$10000000000\r\n", &[b'x'; 16_384])).await;
    let evidence = log_in("redis", address, "off", AMPLE).await;
    assert!(!silence(&evidence).starts_with("No answer"), "{evidence:?}");
}

#[tokio::test]
async fn a_credential_is_accepted_refused_and_limited() {
    let address = http(&[("/me", "200 OK", r#"{"login": "octo"}"#), ("/rights", "403 Forbidden", "{}")]).await;
    let base = format!("http://{address}");
    let prober = prober(address, AMPLE);
    let (evidence, _) = probe_with(&prober, &http_component(), &[("base", &base)]).await;
    assert_eq!(evidence.verdict, Verdict::Valid);
    assert_eq!(evidence.account.identity.as_deref(), Some("octo"));
    assert_eq!(evidence.steps.iter().map(|step| step.kind).collect::<Vec<_>>(), StepKind::ALL);
    let (evidence, _) = probe_with(&prober, &http_component(), &[("base", &base), ("test", "1")]).await;
    assert_eq!(evidence.verdict, Verdict::Limited { missing: vec!["repo:read".to_owned()] });
    assert_eq!(failed_step(&evidence), Some(StepKind::Authorise));
}

#[tokio::test]
async fn a_service_that_echoes_the_secret_gets_it_into_no_evidence() {
    let address = http(&[("/me", "401 Unauthorized", r#"{"message": "no such token: canary-secret-9f2"}"#)]).await;
    let base = format!("http://{address}");
    let (evidence, mut told) = probe_with(&prober(address, AMPLE), &http_component(), &[("base", &base)]).await;
    assert!(matches!(evidence.verdict, Verdict::Rejected { .. }), "{evidence:?}");
    assert!(!format!("{evidence:?}").contains(SECRET));
    while let Ok(step) = told.try_recv() {
        assert!(!format!("{step:?}").contains(SECRET));
    }
}

#[tokio::test]
async fn dropping_a_probe_closes_its_socket() {
    for protocol in ["postgresql", "mysql", "redis", "smtp", "imap", "ldap", "mongodb", "amqp", "nats", "mqtt", "ftp"] {
        if !is_spoken(protocol) {
            continue;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let probe = tokio::spawn(async move { log_in(protocol, address, "off", AMPLE).await });
        let (mut stream, _) = listener.accept().await.expect("a connection");
        tokio::time::sleep(Duration::from_millis(50)).await;
        probe.abort();
        let mut read = Vec::new();
        let end = timeout(Duration::from_secs(2), stream.read_to_end(&mut read)).await;
        assert!(end.is_ok(), "{protocol}: the socket stayed open");
    }
}

#[tokio::test]
async fn a_service_with_nothing_to_ask_is_not_askable() {
    let component = http_component();
    assert!(!askable(&component.methods[0], &FieldValues::default()));
    let address = "127.0.0.1:9".parse().expect("an address");
    let (evidence, _) = probe_with(&prober(address, QUICK), &component, &[]).await;
    assert_eq!((evidence.verdict, evidence.steps), (Verdict::NotAskable, Vec::new()));
}

#[tokio::test]
async fn a_mail_server_is_signed_in_to_and_refuses() {
    async fn mail(mut stream: TcpStream, code: &'static str) {
        let _ = stream.write_all(b"220 mail ESMTP\r\n").await;
        let mut read = [0; 512];
        while let Ok(length @ 1..) = stream.read(&mut read).await {
            let line = String::from_utf8_lossy(&read[..length]).into_owned();
            let answer = match line.split(' ').next() {
                Some("EHLO") => "250-mail\r\n250-SIZE 1000\r\n250 AUTH LOGIN PLAIN\r\n".to_owned(),
                Some("AUTH") => format!("{code} said\r\n"),
                _ => "221 bye\r\n".to_owned(),
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }
    let good = serve(|stream| mail(stream, "235 2.7.0")).await;
    let evidence = log_in("smtp", good, "off", AMPLE).await;
    assert_eq!((&evidence.verdict, evidence.account.identity.as_deref()), (&Verdict::Valid, Some("app")));
    let bad = serve(|stream| mail(stream, "535 5.7.8")).await;
    let evidence = log_in("smtp", bad, "off", AMPLE).await;
    assert!(
        matches!(&evidence.verdict, Verdict::Rejected { field: Some(field), .. } if field == "password"),
        "{evidence:?}"
    );
}

#[tokio::test]
async fn sixty_questions_to_a_silent_host_hold_up_no_other_host() {
    let silent = serve(stall).await;
    let other = http(&[("/me", "200 OK", "{}")]).await;
    let allow = [silent, other].map(|address| address.to_string().parse().expect("an entry")).to_vec();
    let policy = NetworkPolicy { allow, ..NetworkPolicy::default() };
    let prober = Prober::new(Dialer::new(policy, Arc::new(SystemResolver)), Clock::system());
    let prober = Prober { turns: Turns::default().waiting(QUICK), ..prober };
    let asked = |base: String, prober: Prober| async move {
        let (component, mut config, mut secrets) = (http_component(), FieldValues::default(), Secrets::default());
        config.set("base", base);
        secrets.insert("token", SecretText::new(SECRET.to_owned()));
        let question =
            Question { component: &component, method: &component.methods[0], config: &config, secrets: &secrets };
        prober.probe(question, unbounded_channel().0).await
    };
    let mut waiting = tokio::task::JoinSet::new();
    for spelling in ["127.0.0.1", "127.1", "2130706433"].into_iter().cycle().take(60) {
        waiting.spawn(asked(format!("http://{spelling}:{}", silent.port()), prober.clone()));
    }
    tokio::task::yield_now().await;
    let answered = tokio::time::timeout(AMPLE, asked(format!("http://localhost:{}", other.port()), prober)).await;
    assert_eq!(answered.expect("in time").expect("a turn").verdict, Verdict::Valid);
    let mut turned_away = 0;
    while turned_away < 56 {
        let ended = waiting.join_next().await.expect("more").expect("no panic");
        assert_eq!(ended.err(), Some(NoTurn));
        turned_away += 1;
    }
}
