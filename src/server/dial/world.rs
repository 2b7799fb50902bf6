//! A server that stands in for the whole world, for tests: reached by any name, over TLS with a certificate of that name.

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
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use url::{Url, form_urlencoded};

use super::policy::NetworkPolicy;
use super::tls::test_authority;
use super::{Dialer, Opening, Resolver, Resolving};

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

/// A request as the server received it.
pub struct Received {
    pub head: Parts,
    pub body: String,
    tls: bool,
}

/// The pairs of a query or of a form.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn query(&self) -> Vec<(String, String)> {
        pairs(self.head.uri.query().unwrap_or_default())
    }

    /// Whether method, scheme, host, port and path are the documented ones.
    ///
    /// # Errors
    /// The difference.
    pub fn compare_place(&self, method: &str, url: &Url) -> Result<(), String> {
        let scheme = if self.tls { "https" } else { "http" };
        let host = self.header("host").trim_end_matches(":443").trim_end_matches(":80");
        let asked = format!("{} {scheme}://{host}{}", self.head.method, self.head.uri.path());
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let (host, path) = (url.host_str().unwrap_or_default(), url.path());
        let wanted = format!("{method} {}://{host}{port}{path}", url.scheme());
        if asked == wanted { Ok(()) } else { Err(format!("it asked {asked}, documented is {wanted}")) }
    }

    /// Whether the documented headers are there; a value that ends in `*` is a prefix.
    ///
    /// # Errors
    /// The difference.
    pub fn compare_headers(&self, headers: &BTreeMap<String, String>) -> Result<(), String> {
        for (name, value) in headers {
            let given = self.header(name);
            let same = value.strip_suffix('*').map_or(given == value, |prefix| given.starts_with(prefix));
            if !same {
                return Err(format!("the header {name} is {given:?}, documented is {value:?}"));
            }
        }
        Ok(())
    }
}

/// Builds a documented answer.
///
/// # Panics
/// Where it is none.
pub fn respond(status: u16, headers: &BTreeMap<String, String>, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Full::from(body.to_owned())).expect("an answer")
}

/// What the server answers.
pub type Reply = Arc<dyn Fn(&Received) -> Response<Full<Bytes>> + Send + Sync>;

async fn answer(reply: Reply, tls: bool, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    reply(&Received { head, body: String::from_utf8_lossy(&body).into_owned(), tls })
}

async fn converse(stream: TcpStream, acceptor: TlsAcceptor, reply: Reply) {
    let mut first = [0];
    let tls = stream.peek(&mut first).await.is_ok() && first[0] == 0x16;
    let service = service_fn(move |request| {
        let reply = Arc::clone(&reply);
        async move { Ok::<_, std::convert::Infallible>(answer(reply, tls, request).await) }
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

/// A dialer for which the whole world is one server.
///
/// # Panics
/// Where there is no port, or no randomness for keys.
pub async fn world(reply: Reply) -> Dialer {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let here = listener.local_addr().expect("an address");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(AnyName::default()));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, acceptor.clone(), Arc::clone(&reply)));
        }
    });
    #[expect(clippy::disallowed_methods, reason = "the one server that stands in for all")]
    let open = move |_| -> Opening { Box::pin(TcpStream::connect(here)) };
    Dialer::new(NetworkPolicy::default(), Arc::new(EveryName)).opening_by(Arc::new(open))
}
