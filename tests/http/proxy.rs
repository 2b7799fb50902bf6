//! The proxy against a service that misbehaves: the credential stays here, and nothing leads elsewhere.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures::stream;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::connect::{Provider, connected_as};
use crate::harness::{Answer, As, Site, request};
use crate::runtime::{intact, lines};
use patchbay::api::stream::Saving;
use patchbay::domain::environment::Environment::{Development, Production};
use patchbay::domain::role::Permission::{Credentials, Use};
use patchbay::domain::time::{HOUR, MINUTE};
use patchbay::server::http::listen::{self, Bounds};
use patchbay::server::http::router;

/// What the service counted.
#[derive(Default)]
struct Counts {
    requests: AtomicUsize,
    targets: Mutex<Vec<String>>,
    /// Bytes it has given away.
    given: AtomicU64,
}

struct Service {
    origin: String,
    counts: Arc<Counts>,
}

async fn echo(State(counts): State<Arc<Counts>>, request: Request) -> Response {
    counts.requests.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    counts.targets.lock().expect("a lock").push(parts.uri.to_string());
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let headers: Value = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or_default())))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let told = json!({
        "method": parts.method.as_str(), "target": parts.uri.to_string(), "headers": headers, "length": bytes.len(),
        "body": String::from_utf8_lossy(&bytes[..bytes.len().min(100)]),
    });
    ([(header::SET_COOKIE, "session=1"), (header::CONTENT_TYPE, "application/json")], told.to_string()).into_response()
}

/// 10 GB, as fast as they are taken.
async fn endless(State(counts): State<Arc<Counts>>) -> Body {
    let chunk = Bytes::from(vec![b'x'; 1 << 16]);
    Body::from_stream(stream::iter((0..160_000).map(move |_| {
        counts.given.fetch_add(1 << 16, Ordering::Relaxed);
        Ok::<_, Infallible>(chunk.clone())
    })))
}

/// Announces 10 GB, and sends nothing.
async fn huge() -> Response {
    let silent = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
    ([(header::CONTENT_LENGTH, "10000000000")], silent).into_response()
}

async fn moved(request: Request) -> Response {
    let to = request.uri().query().unwrap_or_default().replace("%26", "&");
    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
}

impl Service {
    async fn start() -> Self {
        let counts = Arc::new(Counts::default());
        let hang = || std::future::pending::<()>();
        let drip = || async {
            let parts = stream::unfold(0, |n| async move {
                if n == 0 { Some((Ok::<_, Infallible>("begun"), 1)) } else { std::future::pending().await }
            });
            Body::from_stream(parts)
        };
        let app = Router::new()
            .route("/v1/endless", any(endless))
            .route("/v1/hang", any(hang))
            .route("/v1/drip", any(drip))
            .route("/v1/moved", any(moved))
            .route("/v1/refuses", any(|| async { StatusCode::UNAUTHORIZED }))
            .route("/v1/huge", any(huge))
            .fallback(echo)
            .with_state(Arc::clone(&counts));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await.expect("served") });
        Self { origin, counts }
    }
}

async fn site() -> (Site, Service, As, String) {
    let limits = [("PATCHBAY_LIMITS_PROXIED_PAUSE_SECONDS", "1"), ("PATCHBAY_LIMITS_PROXIED_BODY_MIB", "1")];
    let (site, service) = (Site::with(&limits).await, Service::start().await);
    let id = site.vouched(Development, "API", &format!("{}/v1", service.origin)).await;
    let key = site.key(&[Use], &[Development]).await;
    (site, service, key, id)
}

fn told(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["type"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_request_passes_with_a_credential_that_the_caller_never_sees() {
    let (site, _service, key, id) = site().await;
    let mut sent =
        request("POST", &format!("/api/v1/proxy/{id}/items/7?a=1&b=%2F"), &key, Some("{\"n\":1}".to_owned()));
    for (name, value) in [("x-forwarded-for", "10.0.0.1"), ("connection", "x-hop"), ("x-hop", "1"), ("x-own", "2")] {
        sent.headers_mut().insert(name, value.parse().expect("a value"));
    }
    let answer = site.send(sent).await;
    let seen = answer.json();
    assert_eq!((answer.status, answer.header("patchbay-answer")), (StatusCode::OK, "service"));
    assert_eq!((&seen["method"], &seen["target"]), (&json!("POST"), &json!("/v1/items/7?a=1&b=%2F")));
    assert_eq!((&seen["body"], &seen["headers"]["x-own"]), (&json!("{\"n\":1}"), &json!("2")));
    assert_eq!(seen["headers"]["authorization"], "Bearer canary-bearer");
    for gone in ["x-forwarded-for", "x-hop", "connection", "sec-fetch-site"] {
        assert_eq!(seen["headers"].get(gone), None, "{gone} in {seen}");
    }
    assert_eq!(answer.headers.get("set-cookie"), None, "another origin's cookie");
    let added = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect::<String>();
    assert!(!added.contains("canary"), "{added}");
    assert_eq!(lines(&site, "request sent").await, [("test (API key)".to_owned(), "POST /items/7 200".to_owned())]);
    for (path, target) in [("", "/v1"), ("/", "/v1/"), ("/a%2Fb", "/v1/a%2Fb")] {
        let answer = site.get(&format!("/api/v1/proxy/{id}{path}"), &key).await;
        assert_eq!(answer.json()["target"], target, "{path}");
        assert_eq!(answer.json()["headers"].get("transfer-encoding"), None, "there is no body");
    }
    let deleted = site.call("DELETE", &format!("/api/v1/proxy/{id}/items/7"), &key, &Value::Null).await;
    assert_eq!(deleted.json()["method"], "DELETE");
    intact(&site).await;
}

#[tokio::test]
async fn no_path_leads_outside_the_base_url() {
    let (site, service, key, id) = site().await;
    for path in [
        "/../admin",
        "/%2e%2e/admin",
        "/%252e%252e/admin",
        "/..%2fadmin",
        "/..%5cadmin",
        "//evil.example/x",
        "/%2f%2fevil.example",
        "/%5c%5cevil.example",
        "/a/../../admin",
        "/..;/admin",
        "/a%0d%0aHost:%20evil.example",
        "/a%00b",
    ] {
        let answer = site.get(&format!("/api/v1/proxy/{id}{path}"), &key).await;
        assert_eq!(told(&answer), (400, "/problems/path-refused".to_owned()), "{path}");
    }
    // No other host, however it is asked for.
    let absolute = site.get(&format!("http://evil.example/api/v1/proxy/{id}/x"), &key).await;
    assert_eq!(absolute.json()["headers"]["host"], service.origin["http://".len()..]);
    let mut sent = request("GET", &format!("/api/v1/proxy/{id}/x"), &key, None);
    sent.headers_mut().insert("host", "evil.example".parse().expect("a value"));
    assert_eq!(site.send(sent).await.json()["headers"]["host"], service.origin["http://".len()..]);
    assert_eq!(service.counts.requests.load(Ordering::Relaxed), 2, "the others were not sent");
}

#[tokio::test]
async fn who_may_not_use_it_reaches_nothing() {
    let (site, service, _key, id) = site().await;
    let path = format!("/api/v1/proxy/{id}/x");
    for (who, status) in [
        (site.key(&[Use], &[Production]).await, StatusCode::NOT_FOUND),
        (site.key(&[Credentials], &[Development]).await, StatusCode::FORBIDDEN),
        (site.sign_in().await, StatusCode::FORBIDDEN),
        (site.instance_key().await, StatusCode::FORBIDDEN),
        (As::Nobody, StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(site.get(&path, &who).await.status, status, "{who:?}");
    }
    let key = site.key(&[Use], &[Development]).await;
    let unproven = site.connection(Development, "GitHub").await;
    let refused = site.get(&format!("/api/v1/proxy/{unproven}/user"), &key).await;
    assert_eq!(told(&refused), (409, "/problems/connection-not-active".to_owned()));
    assert_eq!(service.counts.requests.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_database_has_no_proxy_and_an_upgrade_does_not_pass() {
    let (site, _service, key, id) = site().await;
    let values = [("host", "127.0.0.1"), ("database", "x"), ("user", "u"), ("password", "canary-pw")];
    let database = site.created(Development, "DB", ("postgresql", "password"), &values, Saving::AsNotActive).await;
    crate::runtime::prove(&site).await;
    let refused = site.get(&format!("/api/v1/proxy/{database}/x"), &key).await;
    assert_eq!(told(&refused), (422, "/problems/no-proxy".to_owned()));
    let mut sent = request("GET", &format!("/api/v1/proxy/{id}/socket"), &key, None);
    sent.headers_mut().insert("connection", "Upgrade".parse().expect("a value"));
    sent.headers_mut().insert("upgrade", "websocket".parse().expect("a value"));
    assert_eq!(told(&site.send(sent).await), (501, "/problems/upgrade-refused".to_owned()));
    let mut sent = request("POST", &format!("/api/v1/proxy/{id}/x"), &key, Some("{}".to_owned()));
    sent.headers_mut().insert("content-length", "2".parse().expect("a value"));
    sent.headers_mut().insert("transfer-encoding", "chunked".parse().expect("a value"));
    assert_eq!(told(&site.send(sent).await), (400, "/problems/malformed".to_owned()), "two opinions of its end");
}

#[tokio::test]
async fn a_service_that_sends_an_upgrade_is_not_followed() {
    let site = Site::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut head = [0; 4096];
        let _ = stream.read(&mut head).await;
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.expect("answered");
        std::future::pending::<()>().await;
    });
    let id = site.vouched(Development, "API", &origin).await;
    let key = site.key(&[Use], &[Development]).await;
    let answer = site.get(&format!("/api/v1/proxy/{id}/x"), &key).await;
    assert_eq!(told(&answer), (502, "/problems/upgrade-refused".to_owned()));
}

#[tokio::test]
async fn redirects_are_not_followed_and_take_no_key_along() {
    let (site, service, key, id) = site().await;
    let moved = async |to: &str| site.get(&format!("/api/v1/proxy/{id}/moved?{to}"), &key).await;
    let inside = moved("/v1/new?page=2").await;
    assert_eq!(
        (inside.status, inside.header("location")),
        (StatusCode::FOUND, &*format!("/api/v1/proxy/{id}/new?page=2"))
    );
    for to in ["http://169.254.169.254/latest/meta-data", "/admin", "http://127.0.0.1:1/x", "//evil.example/v1/x"] {
        let outside = moved(to).await;
        assert_eq!((outside.status, outside.headers.get("location")), (StatusCode::FOUND, None), "{to}");
        assert_eq!(outside.header("patchbay-location"), to);
    }
    let echoing = moved("https://evil.example/?token=canary-bearer").await;
    assert_eq!(echoing.headers.get("patchbay-location"), None, "it holds the credential");
    let dialled = site.dialled.load(Ordering::Relaxed);
    assert_eq!(dialled, 6, "once for each request");
    assert_eq!(service.counts.requests.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn ten_gigabytes_pass_no_further_than_they_are_taken() {
    let (site, service, key, id) = site().await;
    let response = site.stream(request("GET", &format!("/api/v1/proxy/{id}/endless"), &key, None)).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    body.frame().await.expect("a frame").expect("data");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let given = service.counts.given.load(Ordering::Relaxed);
    assert!(given < 16 << 20, "{given} bytes were taken from the service for one that was read");
    let mut read = 0;
    let broken = loop {
        match body.frame().await {
            Some(Ok(frame)) => read += frame.into_data().map_or(0, |data| data.len()),
            other => break other,
        }
    };
    assert!(matches!(broken, Some(Err(_))), "cut off, and not as if it were whole");
    assert!(read <= 1 << 20, "{read}");
    let huge = site.get(&format!("/api/v1/proxy/{id}/huge"), &key).await;
    assert_eq!(told(&huge), (502, "/problems/answer-too-large".to_owned()));
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up_and_its_place_is_free_again() {
    let limits = [("PATCHBAY_LIMITS_PROXIED_PAUSE_SECONDS", "1"), ("PATCHBAY_LIMITS_PROXIED_AT_ONCE", "1")];
    let (site, service) = (Site::with(&limits).await, Service::start().await);
    let id = site.vouched(Development, "API", &format!("{}/v1", service.origin)).await;
    let (key, other) = (site.key(&[Use], &[Development]).await, site.key(&[Use], &[Development]).await);
    let path = |rest: &str| format!("/api/v1/proxy/{id}/{rest}");
    let (hang, x) = (path("hang"), path("x"));
    let begun = Instant::now();
    let (slow, (second, others)) = tokio::join!(site.get(&hang, &key), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let both = (site.get(&x, &key).await, site.get(&x, &other).await);
        assert!(begun.elapsed() < Duration::from_secs(1), "neither waits for the one that hangs");
        both
    });
    assert_eq!(told(&slow), (504, "/problems/service-silent".to_owned()));
    assert_eq!(told(&second), (429, "/problems/too-many-at-once".to_owned()));
    assert_eq!(others.status, StatusCode::OK, "another key has places of its own");
    let pausing = site.stream(request("GET", &path("drip"), &key, None)).await;
    assert_eq!(site.get(&x, &key).await.status, StatusCode::TOO_MANY_REQUESTS, "as long as its body goes on");
    assert!(pausing.into_body().collect().await.is_err(), "begun, and broken off where it pauses");
    assert_eq!(site.get(&x, &key).await.status, StatusCode::OK);
    let abouts: Vec<_> = lines(&site, "request sent").await.into_iter().map(|(_, about)| about).collect();
    assert_eq!(abouts, ["GET /x 200", "GET /hang no answer", "GET /drip 200", "GET /x 200"]);
}

#[tokio::test]
async fn a_request_streams_and_one_that_is_too_large_is_refused() {
    let (site, _service, key, id) = site().await;
    let path = format!("/api/v1/proxy/{id}/upload");
    let parts =
        |count: usize| Body::from_stream(stream::iter((0..count).map(|_| Ok::<_, Infallible>(vec![b'y'; 1 << 16]))));
    let upload = |count| {
        let mut sent = request("PUT", &path, &key, None);
        *sent.body_mut() = parts(count);
        site.send(sent)
    };
    let passed = upload(8).await;
    assert_eq!((&passed.json()["length"], &passed.json()["method"]), (&json!(8 << 16), &json!("PUT")));
    assert_eq!(told(&upload(17).await), (413, "/problems/too-large".to_owned()));
    let mut announced = request("PUT", &path, &key, None);
    announced.headers_mut().insert("content-length", "1048577".parse().expect("a value"));
    assert_eq!(told(&site.send(announced).await), (413, "/problems/too-large".to_owned()));
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_request_sent_once_more() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let mut mail = provider.request("Mail");
    mail["request"]["values"]["base_url"] = json!(provider.origin);
    let id = connected_as(&site, &provider, &owner, &mail).await;
    let key = site.key(&[Use], &[Production]).await;
    let me = format!("/api/v1/proxy/{id}/me");
    let first = site.get(&me, &key).await;
    assert_eq!(first.json()["email"], "ada@acme.example", "{}", first.text);
    // From now on the service takes another token only.
    provider.script().answers += 1;
    let young = site.get(&me, &key).await;
    assert_eq!(young.status, StatusCode::UNAUTHORIZED, "a token just given is not renewed: {}", young.text);
    site.pass(2 * MINUTE);
    let asked = provider.script().asked.len();
    let again = site.get(&me, &key).await;
    assert_eq!((again.status, provider.script().asked.len()), (StatusCode::OK, asked + 1), "{}", again.text);
    site.pass(2 * HOUR);
    assert_eq!(site.get(&me, &key).await.status, StatusCode::OK, "renewed beforehand");
    let abouts: Vec<_> = lines(&site, "request sent").await.into_iter().map(|(_, about)| about).collect();
    assert_eq!(abouts, ["GET /me 200", "GET /me 401", "GET /me 200", "GET /me 200"], "one line a call");
}

#[tokio::test]
async fn a_call_that_cannot_be_recorded_gives_nothing_back() {
    let (site, _service, key, id) = site().await;
    crate::runtime::forbid_lines(&site).await;
    let answer = site.get(&format!("/api/v1/proxy/{id}/x"), &key).await;
    assert_eq!(told(&answer), (503, "/problems/not-recorded".to_owned()));
}

/// What a socket gets back for these very bytes.
async fn raw(address: std::net::SocketAddr, bytes: String) -> String {
    #[expect(clippy::disallowed_methods, reason = "the test is the client")]
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(bytes.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn no_request_is_smuggled_past_another() {
    let (site, service, key, id) = site().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(listen::serve(listener, router(&site.app), Bounds::of_this_process(), std::future::pending()));
    let As::Key(key) = key else { panic!("a key") };
    let head = |more: &str| {
        format!(
            "POST /api/v1/proxy/{id}/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n{more}"
        )
    };
    let hidden = "GET /v1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = 5 + hidden.len();
    for framing in [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{hidden}"),
        format!("Content-Length: 5\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n{hidden}"),
        format!("Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{hidden}"),
        format!("Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("X: a\r\n Content-Length: 5\r\n\r\n0\r\n\r\n{hidden}"),
    ] {
        let answer = raw(address, head(&framing)).await;
        let is_refused = answer.starts_with("HTTP/1.1 4") || answer.is_empty();
        assert!(is_refused || !answer.contains("smuggled"), "{framing:?} gave {answer}");
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{framing:?} gave {answer}");
    }
    let targets = service.counts.targets.lock().expect("a lock").clone();
    assert!(targets.iter().all(|target| target == "/v1/x"), "{targets:?}");
    let good = raw(address, head("Content-Length: 4\r\n\r\nbody")).await;
    assert!(good.contains("\"body\":\"body\""), "{good}");
    let line = raw(address, head("X-Own: a\rHost: evil.example\r\nContent-Length: 0\r\n\r\n")).await;
    assert!(line.starts_with("HTTP/1.1 400") || line.is_empty(), "{line}");
}
