//! Every component that is asked over HTTP, against what its vendor documents: a server that refuses any request but
//! the documented one, and answers as the vendor would. It is reached by name, over TLS, through the real probe.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use url::Url;

use super::*;
use crate::domain::component::ComponentSlug;
use crate::server::catalog::Catalog;
use crate::server::catalog::cases::{Answer, Case, Cases, DocumentedRequest, MethodCases, read};
use crate::server::catalog::definition::OutcomeVerdict;
use crate::server::dial::policy::NetworkPolicy;
use crate::server::dial::tls::test_authority;
use crate::server::dial::{Resolver, Resolving};
use crate::server::vault::SecretText;

/// Any public address: nothing is sent there.
const SOMEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14));

struct EveryName;

impl Resolver for EveryName {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        Box::pin(async { Ok(vec![SOMEWHERE]) })
    }
}

/// Certificates for whatever name is asked for.
#[derive(Debug, Default)]
struct AnyName(Mutex<HashMap<String, Arc<CertifiedKey>>>);

impl ResolvesServerCert for AnyName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_owned();
        let mut known = self.0.lock().expect("a lock");
        Some(Arc::clone(known.entry(name).or_insert_with_key(|name| {
            let (certificate, key) = test_authority::issue(name);
            let key = rustls::crypto::ring::sign::any_supported_type(&key).expect("a key");
            Arc::new(CertifiedKey::new(vec![certificate], key))
        })))
    }
}

/// What the server knows: the documented requests, and the answer to each by name.
struct Script {
    requests: Vec<(String, DocumentedRequest)>,
    answers: HashMap<String, Answer>,
    undocumented: Mutex<Vec<String>>,
}

/// A request as the server received it.
struct Received {
    head: Parts,
    body: String,
    tls: bool,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Why it is not the documented request.
    fn difference(&self, documented: &DocumentedRequest) -> Result<(), String> {
        self.compare_address(documented)?;
        for (name, value) in &documented.headers {
            let given = self.header(name);
            let same = value.strip_suffix('*').map_or(given == value, |prefix| given.starts_with(prefix));
            if !same {
                return Err(format!("the header {name} is {given:?}, documented is {value:?}"));
            }
        }
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        match (&documented.body, &documented.body_contains) {
            (Some(wanted), _)
                if *wanted != self.body && (json(wanted).is_none() || json(wanted) != json(&self.body)) =>
            {
                Err(format!("the body is {:?}, documented is {wanted:?}", self.body))
            }
            (_, Some(part)) if !self.body.contains(part) => Err(format!("the body {:?} lacks {part:?}", self.body)),
            _ => Ok(()),
        }
    }

    fn compare_address(&self, documented: &DocumentedRequest) -> Result<(), String> {
        let url = Url::parse(&documented.url).map_err(|error| format!("the case's URL: {error}"))?;
        let scheme = if self.tls { "https" } else { "http" };
        let host = self.header("host").trim_end_matches(":443").trim_end_matches(":80");
        let asked = format!("{} {scheme}://{host}{}", self.head.method, self.head.uri.path());
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let (host, path) = (url.host_str().unwrap_or_default(), url.path());
        let wanted = format!("{} {}://{host}{port}{path}", documented.method, url.scheme());
        if asked != wanted {
            return Err(format!("it asked {asked}, documented is {wanted}"));
        }
        let pairs = |query: &str| -> Vec<(String, String)> {
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
        };
        let (given, demanded) =
            (pairs(self.head.uri.query().unwrap_or_default()), pairs(url.query().unwrap_or_default()));
        let free = |name: &String| documented.may.contains(name);
        if let Some((name, value)) = demanded.iter().find(|pair| !given.contains(pair) && !free(&pair.0)) {
            return Err(format!("the query lacks {name}={value}: {given:?}"));
        }
        if let Some((name, _)) = given.iter().find(|pair| !demanded.contains(pair) && !free(&pair.0)) {
            return Err(format!("the query holds {name}, which is not documented"));
        }
        Ok(())
    }
}

/// The answer to a documented request; several may be documented for one purpose, and any of them will do.
async fn reply(script: Arc<Script>, tls: bool, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let received = Received { head, body: String::from_utf8_lossy(&body).into_owned(), tls };
    let mut differences = Vec::new();
    for (name, documented) in &script.requests {
        match received.difference(documented) {
            Ok(()) if script.answers.contains_key(name) => return respond(&script.answers[name]),
            Ok(()) => differences.push(format!("the case has no answer to {name}")),
            Err(difference) => differences.push(difference),
        }
    }
    let difference = differences.join("; or ");
    script.undocumented.lock().expect("a lock").push(difference.clone());
    Response::builder().status(418).body(Full::from(difference)).expect("an answer")
}

fn respond(answer: &Answer) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response.body(Full::from(answer.body.clone())).expect("an answer")
}

async fn converse(stream: TcpStream, acceptor: TlsAcceptor, script: Arc<Script>) {
    let mut first = [0];
    let tls = stream.peek(&mut first).await.is_ok() && first[0] == 0x16;
    let service = service_fn(move |request| {
        let script = Arc::clone(&script);
        async move { Ok::<_, std::convert::Infallible>(reply(script, tls, request).await) }
    });
    let server = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
    if tls {
        if let Ok(stream) = acceptor.accept(stream).await {
            drop(server.serve_connection(TokioIo::new(stream), service).await);
        }
    } else {
        drop(server.serve_connection(TokioIo::new(stream), service).await);
    }
}

/// A prober for which the whole world is one server.
async fn world(script: &Arc<Script>) -> Prober {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let here = listener.local_addr().expect("an address");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(AnyName::default()));
    let (acceptor, script) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(script));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, acceptor.clone(), Arc::clone(&script)));
        }
    });
    #[expect(clippy::disallowed_methods, reason = "the one server that stands in for all")]
    let open = move |_| -> crate::server::dial::Opening { Box::pin(TcpStream::connect(here)) };
    let dialer = Dialer::new(NetworkPolicy::default(), Arc::new(EveryName)).opening_by(Arc::new(open));
    Prober::new(dialer, Clock::system())
}

/// What differs from what the vendor's documentation makes one expect; empty: nothing.
async fn replay(definition: &Definition, documented: &MethodCases, case: &Case) -> Vec<String> {
    let Some(method) = definition.methods.iter().find(|method| method.id == documented.id) else {
        return vec![format!("there is no method {}", documented.id)];
    };
    let mut answers: HashMap<String, Answer> = case.answers.clone().into_iter().collect();
    if let Some(answer) = &case.answer {
        for request in &documented.requests {
            answers.entry(request.name.clone()).or_insert_with(|| answer.clone());
        }
    }
    let requests = documented.requests.iter().map(|request| (request.name.clone(), request.clone())).collect();
    let script = Arc::new(Script { requests, answers, undocumented: Mutex::default() });
    let prober = world(&script).await;
    let (mut config, mut secrets) = (FieldValues::default(), Secrets::default());
    for (id, value) in documented.fields.iter().chain(&case.fields) {
        match method.fields.iter().find(|field| field.id == *id) {
            Some(field) if field.secret => secrets.insert(id, SecretText::new(value.clone())),
            Some(_) => config.set(id, value.as_str()),
            None => return vec![format!("there is no field {id}")],
        }
    }
    let (live, _told) = tokio::sync::mpsc::unbounded_channel();
    let question = Question { component: definition, method, config: &config, secrets: &secrets };
    let evidence = prober.probe(question, live).await.expect("a turn");
    let mut wrong = script.undocumented.lock().expect("a lock").clone();
    let same = matches!(
        (&evidence.verdict, case.verdict),
        (Verdict::Valid, OutcomeVerdict::Valid)
            | (Verdict::Limited { .. }, OutcomeVerdict::Limited)
            | (Verdict::Rejected { .. }, OutcomeVerdict::Rejected)
            | (Verdict::NoEvidence { .. }, OutcomeVerdict::NoEvidence)
    );
    if !same {
        wrong.push(format!("{:?} was expected, and it is {:?}", case.verdict, evidence.verdict));
    }
    let shown = evidence.account.identity.unwrap_or_default();
    if let Some(identity) = case.identity.as_ref().filter(|identity| !shown.contains(identity.as_str())) {
        wrong.push(format!("the identity {shown:?} lacks {identity:?}"));
    }
    wrong
}

/// All differences of one component, and how many cases were replayed.
async fn replay_all(catalog: Catalog, slug: String) -> (usize, Vec<String>) {
    let definition = catalog.get(&ComponentSlug::try_from(slug.clone()).expect("a slug")).expect("a component");
    let text = std::fs::read_to_string(format!("catalog/cases/{slug}.toml")).expect("a text");
    let cases: Cases = read(&text, definition).unwrap_or_else(|problem| panic!("{slug}: {problem}"));
    let (mut replayed, mut wrong) = (0, Vec::new());
    for method in &cases.methods {
        for case in &method.cases {
            replayed += 1;
            for difference in replay(definition, method, case).await {
                wrong.push(format!("{slug} {} {:?} {}: {difference}", method.id, case.kind, case.note));
            }
        }
    }
    (replayed, wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_component_asks_as_its_vendor_documents_and_understands_the_answers() {
    let catalog = Catalog::load(None).expect("the catalog");
    let mut components = tokio::task::JoinSet::new();
    for file in std::fs::read_dir("catalog/cases").expect("the cases") {
        let path = file.expect("a file").path();
        let slug = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        components.spawn(replay_all(catalog.clone(), slug));
    }
    let results = components.join_all().await;
    let replayed: usize = results.iter().map(|(replayed, _)| replayed).sum();
    let wrong: Vec<_> = results.into_iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{replayed} cases, {} differences:\n{}", wrong.len(), wrong.join("\n"));
}
