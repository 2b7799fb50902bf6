//! Webhooks through the API, and what becomes of events at endpoints that behave and at those that do not.

use axum::http::StatusCode;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{As, Site};
use patchbay::domain::environment::Environment;
use patchbay::domain::role::{Permission, Role};
use patchbay::domain::time::{DAY, HOUR, SECOND};
use patchbay::server::vault::SecretText;
use patchbay::server::webhook::sign::signature;

/// How an endpoint answers.
#[derive(Clone, Copy)]
enum Manner {
    Says(&'static str),
    Hangs,
    /// Begins to answer, and never ends.
    Endless,
    QuotesWhatItGot,
}

const OK: Manner = Manner::Says("HTTP/1.1 204 No Content\r\n\r\n");
const BROKEN: Manner = Manner::Says("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\noops");

#[derive(Clone, Debug)]
struct Received {
    headers: HashMap<String, String>,
    body: String,
}

/// An endpoint on this machine.
struct Endpoint {
    url: String,
    manner: Arc<Mutex<Manner>>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Endpoint {
    async fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://127.0.0.1:{}/hook?a=1", listener.local_addr().expect("an address").port());
        let endpoint = Self { url, manner: Arc::new(Mutex::new(manner)), received: Arc::default() };
        let (manner, received) = (Arc::clone(&endpoint.manner), Arc::clone(&endpoint.received));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let manner = *manner.lock().expect("a lock");
                tokio::spawn(answer(stream, manner, Arc::clone(&received)));
            }
        });
        endpoint
    }

    fn now(&self, manner: Manner) {
        *self.manner.lock().expect("a lock") = manner;
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().expect("a lock").clone()
    }
}

async fn answer(mut stream: TcpStream, manner: Manner, received: Arc<Mutex<Vec<Received>>>) {
    let Some(got) = read(&mut stream).await else { return };
    received.lock().expect("a lock").push(got.clone());
    match manner {
        Manner::Says(text) => drop(stream.write_all(text.as_bytes()).await),
        Manner::Hangs => tokio::time::sleep(Duration::from_mins(1)).await,
        Manner::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n").await;
            while stream.write_all(&[b'x'; 8_192]).await.is_ok() {}
        }
        Manner::QuotesWhatItGot => {
            let said = format!("{} {}", got.headers["webhook-signature"], got.body);
            let head = format!("HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\n\r\n", said.len());
            let _ = stream.write_all(format!("{head}{said}").as_bytes()).await;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        let mut more = [0; 4096];
        let count = stream.read(&mut more).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&more[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let headers: HashMap<_, _> = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        if headers.get("content-length").and_then(|length| length.parse().ok()) == Some(body.len()) {
            return Some(Received { body: body.to_owned(), headers });
        }
    }
}

async fn machine(site: &Site) -> As {
    site.key(&[Permission::Write], &Environment::ALL).await
}

/// A webhook's id and its secret.
async fn webhook(site: &Site, key: &As, url: &str) -> (String, String) {
    let answer = site.call("POST", "/api/v1/webhooks", key, &json!({ "url": url })).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let text = |name: &str| answer.json()[name].as_str().expect("text").to_owned();
    (text("id"), text("secret"))
}

/// Sends what is due, as the job does.
async fn work_off(site: &Site) {
    let services = &site.app.services;
    let now = services.clock.now();
    let mut claims = Vec::new();
    for in_trouble in [false, true] {
        claims.extend(services.store.claim_lines(now, now.plus(30 * SECOND), in_trouble, 20).await.expect("claimed"));
    }
    let all = claims.into_iter().map(|claim| services.work_off(claim));
    for done in futures::future::join_all(all).await {
        done.expect("worked off");
    }
}

async fn deliveries(site: &Site, key: &As, id: &str) -> Vec<Value> {
    let answer = site.get(&format!("/api/v1/webhooks/{id}/deliveries"), key).await;
    answer.json()["items"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone()
}

fn is_signed_with(received: &Received, secret: &str) -> bool {
    let header = |name: &str| received.headers[name].as_str();
    let seconds = header("webhook-timestamp").parse().expect("seconds");
    let expected = signature(&SecretText::new(secret.to_owned()), header("webhook-id"), seconds, &received.body);
    header("webhook-signature").split(' ').any(|given| Some(given) == expected.as_deref())
}

#[tokio::test]
async fn an_event_arrives_signed_and_the_secret_is_told_once() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let endpoint = Endpoint::new(OK).await;
    let (id, secret) = webhook(&site, &key, &endpoint.url).await;
    assert!(secret.starts_with("whsec_"));
    let connection = site.connection(Environment::Production, "A").await;
    work_off(&site).await;
    let received = endpoint.received();
    assert_eq!(received.len(), 1);
    assert!(is_signed_with(&received[0], &secret), "{received:?}");
    assert_eq!(received[0].headers["content-type"], "application/json");
    let body: Value = serde_json::from_str(&received[0].body).expect("JSON");
    assert_eq!((&body["type"], &body["data"]["connection"]), (&"connection.created".into(), &connection.into()));
    assert!(!received[0].body.contains("canary"));
    let listed =
        site.get("/api/v1/webhooks", &key).await.text + &site.get(&format!("/api/v1/webhooks/{id}"), &key).await.text;
    assert!(listed.contains(&id) && !listed.contains("whsec_"), "{listed}");
    let told = deliveries(&site, &key, &id).await;
    assert_eq!((&told[0]["state"], &told[0]["attempts"][0]["status"]), (&"delivered".into(), &204.into()));
    assert_eq!(told[0]["event"], received[0].headers["webhook-id"].as_str());
}

#[tokio::test]
async fn what_cannot_be_a_webhook_is_refused_by_its_place() {
    let site = Site::new().await;
    let key = machine(&site).await;
    for (body, pointer) in [
        (json!({}), "/url"),
        (json!({ "url": "ftp://a.example" }), "/url"),
        (json!({ "url": "https://ada:pw@a.example/" }), "/url"),
        (json!({ "url": "https://a.example/", "types": ["connection.renamed"] }), "/types"),
        (json!({ "url": "https://a.example/", "environments": [] }), "/environments"),
        (json!({ "url": "https://a.example/", "environments": ["test"] }), "/environments"),
    ] {
        let answer = site.call("POST", "/api/v1/webhooks", &key, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{}", answer.text);
    }
    let away = Site::with(&[("PATCHBAY_PUBLIC_URL", "https://patchbay.example")]).await;
    let key = machine(&away).await;
    let plain = away.call("POST", "/api/v1/webhooks", &key, &json!({ "url": "http://127.0.0.1/" })).await;
    assert!(plain.text.contains("https only"), "{}", plain.text);
}

#[tokio::test]
async fn only_who_may_manage_webhooks_sees_them_and_only_those_of_their_environments() {
    let site = Site::new().await;
    let (id, _) = webhook(&site, &machine(&site).await, "https://a.example/").await;
    let reader = site.key(&[Permission::Read, Permission::Use], &Environment::ALL).await;
    let editor = site.member(Role::Editor, &Environment::ALL).await;
    for who in [reader, editor] {
        assert_eq!(site.get("/api/v1/webhooks", &who).await.status, StatusCode::FORBIDDEN);
    }
    let elsewhere = site.key(&[Permission::Write], &[Environment::Staging]).await;
    assert_eq!(site.get("/api/v1/webhooks", &elsewhere).await.json()["items"], json!([]));
    assert_eq!(site.get(&format!("/api/v1/webhooks/{id}"), &elsewhere).await.status, StatusCode::NOT_FOUND);
    let beyond = json!({ "url": "https://a.example/", "environments": ["production"] });
    let refused = site.call("POST", "/api/v1/webhooks", &elsewhere, &beyond).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
    assert_eq!(site.get("/api/v1/webhooks", &site.sign_in().await).await.status, StatusCode::OK);
}

#[tokio::test]
async fn bad_endpoints_hold_up_no_other_and_are_tried_again() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let manners = [
        ("hangs", Manner::Hangs, "10 seconds"),
        ("speaks no HTTP", Manner::Says("\0\u{1}garbage\r\n\r\n"), "does not speak HTTP"),
        ("dies mid-answer", Manner::Says("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"), ""),
        (
            "redirects inward",
            Manner::Says("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"),
            "",
        ),
    ];
    let mut all = Vec::new();
    for (name, manner, said) in manners {
        let endpoint = Endpoint::new(manner).await;
        let (id, _) = webhook(&site, &key, &endpoint.url).await;
        all.push((name, endpoint, id, said));
    }
    let (inward, _) = webhook(&site, &key, "https://169.254.169.254/latest").await;
    let endless = Endpoint::new(Manner::Endless).await;
    let (long, _) = webhook(&site, &key, &endless.url).await;
    let good = Endpoint::new(OK).await;
    let (id, _) = webhook(&site, &key, &good.url).await;
    site.connection(Environment::Production, "A").await;
    let began = std::time::Instant::now();
    let arrived = async {
        while good.received().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(began.elapsed() < Duration::from_secs(5));
    };
    tokio::join!(work_off(&site), arrived);
    for (name, endpoint, id, said) in &all {
        let told = deliveries(&site, &key, id).await;
        assert_eq!((endpoint.received().len(), &told[0]["state"]), (1, &"waiting".into()), "{name}: {told:?}");
        let heard = told[0]["attempts"][0]["said"].as_str().expect("words");
        assert!(heard.contains(said), "{name}: {heard}");
    }
    let refused = deliveries(&site, &key, &inward).await;
    assert_eq!(refused[0]["attempts"][0]["said"], "This address cannot be reached from here.");
    assert_eq!(site.dialled.load(std::sync::atomic::Ordering::Relaxed), 6, "nobody was redirected");
    for id in [&long, &id] {
        assert_eq!(deliveries(&site, &key, id).await[0]["state"], "delivered");
    }
}

#[tokio::test]
async fn what_fails_is_tried_for_three_days_then_given_up_and_sent_again_by_hand() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let endpoint = Endpoint::new(BROKEN).await;
    let (id, secret) = webhook(&site, &key, &endpoint.url).await;
    site.connection(Environment::Production, "A").await;
    for attempt in 1..=10 {
        work_off(&site).await;
        assert_eq!(endpoint.received().len(), attempt);
        work_off(&site).await;
        assert_eq!(endpoint.received().len(), attempt, "not before its time");
        site.pass(27 * HOUR);
    }
    work_off(&site).await;
    assert_eq!(endpoint.received().len(), 10);
    // The first key has expired meanwhile.
    let key = machine(&site).await;
    let told = deliveries(&site, &key, &id).await;
    assert_eq!((&told[0]["state"], told[0]["attempts"].as_array().map(Vec::len)), (&"failed".into(), Some(10)));
    assert_eq!(told[0]["attempts"][0]["said"], "oops");
    assert_eq!(site.get(&format!("/api/v1/webhooks/{id}"), &key).await.json()["failures"], 10);
    endpoint.now(OK);
    let replay = format!("/api/v1/webhooks/{id}/replay");
    let none = site.call("POST", &replay, &key, &json!({ "failed_since": "2100-01-01T00:00:00Z" })).await;
    assert_eq!(none.json()["replayed"], 0);
    let all = site.call("POST", &replay, &key, &json!({ "failed_since": "2020-01-01T00:00:00Z" })).await;
    assert_eq!((all.status, &all.json()["replayed"]), (StatusCode::ACCEPTED, &1.into()));
    work_off(&site).await;
    let received = endpoint.received();
    assert_eq!(received[10].headers["webhook-id"], received[0].headers["webhook-id"]);
    assert!(
        is_signed_with(&received[10], &secret)
            && received[10].headers["webhook-timestamp"] > received[0].headers["webhook-timestamp"]
    );
    let one = site.call("POST", &replay, &key, &json!({ "event": received[0].headers["webhook-id"] })).await;
    assert_eq!(one.status, StatusCode::ACCEPTED, "{}", one.text);
    work_off(&site).await;
    assert_eq!(endpoint.received().len(), 12);
    let unknown = site.call("POST", &replay, &key, &json!({ "event": format!("evt_{:032x}", 5) })).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_and_may_come_back() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let endpoint = Endpoint::new(Manner::Says("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n")).await;
    let (id, _) = webhook(&site, &key, &endpoint.url).await;
    for name in ["A", "B"] {
        site.connection(Environment::Production, name).await;
    }
    work_off(&site).await;
    let shown = site.get(&format!("/api/v1/webhooks/{id}"), &key).await.json();
    assert_eq!((&shown["enabled"], &shown["gone"]), (&false.into(), &true.into()));
    site.connection(Environment::Production, "C").await;
    site.pass(HOUR);
    work_off(&site).await;
    assert_eq!(endpoint.received().len(), 1, "nothing is sent to a disabled one");
    endpoint.now(OK);
    let enabled = site.call("PATCH", &format!("/api/v1/webhooks/{id}"), &key, &json!({ "enabled": true })).await;
    assert_eq!((&enabled.json()["enabled"], &enabled.json()["gone"]), (&true.into(), &false.into()));
    work_off(&site).await;
    assert_eq!(endpoint.received().len(), 2, "what waited is sent, what happened meanwhile is not");
}

#[tokio::test]
async fn for_a_day_after_a_rotation_both_secrets_sign() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let endpoint = Endpoint::new(BROKEN).await;
    let (id, old) = webhook(&site, &key, &endpoint.url).await;
    site.connection(Environment::Production, "A").await;
    work_off(&site).await;
    // Rotated while a delivery waits for its next attempt.
    let rotated = site.call("POST", &format!("/api/v1/webhooks/{id}/rotate"), &key, &json!({})).await.json();
    let new = rotated["secret"].as_str().expect("a secret");
    assert!(rotated["rotated_until"].is_string() && new != old);
    site.pass(HOUR);
    endpoint.now(OK);
    work_off(&site).await;
    let received = endpoint.received();
    assert!(is_signed_with(&received[1], &old) && is_signed_with(&received[1], new));
    assert!(is_signed_with(&received[0], &old) && !is_signed_with(&received[0], new));
    site.pass(DAY);
    let key = machine(&site).await;
    let sent = site.call("POST", &format!("/api/v1/webhooks/{id}/test"), &key, &json!({})).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{}", sent.text);
    work_off(&site).await;
    let last = endpoint.received().remove(2);
    assert!(!is_signed_with(&last, &old) && is_signed_with(&last, new));
    assert!(last.body.starts_with(r#"{"type":"webhook.test""#), "{}", last.body);
    let shown = site.get(&format!("/api/v1/webhooks/{id}"), &key).await.json();
    assert!(shown["rotated_until"].is_null(), "{shown}");
}

#[tokio::test]
async fn an_answer_that_quotes_the_secret_is_scrubbed() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let endpoint = Endpoint::new(Manner::QuotesWhatItGot).await;
    let (id, secret) = webhook(&site, &key, &endpoint.url).await;
    site.connection(Environment::Production, "A").await;
    work_off(&site).await;
    let told = deliveries(&site, &key, &id).await;
    let said = told[0]["attempts"][0]["said"].as_str().expect("words");
    assert!(said.starts_with("v1,") && said.chars().count() <= 201, "{said}");
    assert!(!said.contains(&secret));
    let trail = site.app.services.store.verify_audit(&site.owner.workspace).await.expect("read");
    assert!(matches!(trail, patchbay::server::store::AuditVerdict::Intact { .. }));
}

#[tokio::test]
async fn a_webhook_that_is_removed_is_sent_nothing_more() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let endpoint = Endpoint::new(OK).await;
    let (id, _) = webhook(&site, &key, &endpoint.url).await;
    site.connection(Environment::Production, "A").await;
    let removed = site.call("DELETE", &format!("/api/v1/webhooks/{id}"), &key, &json!({})).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    work_off(&site).await;
    assert!(endpoint.received().is_empty());
    assert_eq!(site.get(&format!("/api/v1/webhooks/{id}/deliveries"), &key).await.status, StatusCode::NOT_FOUND);
}
