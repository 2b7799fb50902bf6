//! What runtimes do: credentials are handed out fresh, recorded, and to nobody else.

use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection as _, Executor as _};
use std::time::Instant;

use crate::connect::{Provider, connected};
use crate::harness::{Answer, As, Site};
use patchbay::api::stream::Saving;
use patchbay::domain::connection_set::ConnectionSet;
use patchbay::domain::environment::Environment::{Development, Production};
use patchbay::domain::id::{ConnectionId, WorkspaceId};
use patchbay::domain::role::Permission::{Credentials, Read, Use, Write};
use patchbay::domain::time::{HOUR, MINUTE, SECOND};
use patchbay::server::store::AuditVerdict;

const API: &str = "https://api.acme.example/v1/";

async fn fetch(site: &Site, who: &As, id: &str, body: Value) -> Answer {
    site.call("POST", &format!("/api/v1/connections/{id}/credentials"), who, &body).await
}

async fn token(site: &Site, who: &As, id: &str) -> Answer {
    site.call("POST", &format!("/api/v1/connections/{id}/token"), who, &json!({})).await
}

async fn report(site: &Site, who: &As, id: &str) -> Answer {
    site.call("POST", &format!("/api/v1/connections/{id}/refused"), who, &json!({ "status": 401 })).await
}

fn told(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["type"].as_str().unwrap_or_default().to_owned())
}

/// The lines of the audit trail with this action: who, about what.
pub async fn lines(site: &Site, action: &str) -> Vec<(String, String)> {
    let mut raw = AnyConnection::connect(site.app.config.database_url.reveal()).await.expect("a connection");
    let query = sqlx::query_as("SELECT actor_name, about FROM audit WHERE action = $1 ORDER BY sequence");
    query.bind(action).fetch_all(&mut raw).await.expect("lines")
}

pub async fn intact(site: &Site) {
    let verdict = site.app.services.store.verify_audit(&WorkspaceId::default_workspace()).await.expect("read");
    assert!(matches!(verdict, AuditVerdict::Intact { .. }), "{verdict:?}");
}

#[tokio::test]
async fn credentials_come_as_a_request_or_as_fields_and_each_hand_out_is_recorded() {
    let site = Site::new().await;
    let key = site.key(&[Credentials], &[Development]).await;
    let id = site.vouched(Development, "API", API).await;
    let shaped = fetch(&site, &key, &id, json!({})).await;
    assert_eq!((shaped.status, shaped.header("cache-control")), (StatusCode::OK, "no-store"), "{}", shaped.text);
    let request = shaped.json()["request"].clone();
    assert_eq!(request["base_url"], "https://api.acme.example/v1");
    assert_eq!(request["headers"], json!({ "authorization": "Bearer canary-bearer" }));
    assert_eq!(shaped.json().get("fields"), None);
    let raw = fetch(&site, &key, &id, json!({ "form": "fields" })).await.json();
    assert_eq!(raw["fields"], json!({ "base_url": API, "token": "canary-bearer" }));
    assert_eq!((&raw["component"], &raw["method"], raw.get("request")), (&json!("http"), &json!("bearer"), None));
    let expected = ["for a request", "as fields"].map(|about| ("test (API key)".to_owned(), about.to_owned()));
    assert_eq!(lines(&site, "credentials handed out").await, expected);
    intact(&site).await;
}

#[tokio::test]
async fn a_database_has_fields_and_no_request() {
    let site = Site::new().await;
    let key = site.key(&[Credentials], &[Development]).await;
    let values = [("host", "db.example"), ("database", "orders"), ("user", "ann"), ("password", "canary-pw")];
    let id = site.created(Development, "DB", ("postgresql", "password"), &values, Saving::AsNotActive).await;
    prove(&site).await;
    let fields = fetch(&site, &key, &id, json!({})).await;
    assert_eq!(fields.json()["fields"]["password"], "canary-pw", "{}", fields.text);
    assert_eq!(fields.json()["fields"]["port"], "5432", "what is left out has its default");
    let refused = fetch(&site, &key, &id, json!({ "form": "request" })).await;
    assert_eq!(told(&refused), (422, "/problems/no-request-form".to_owned()));
}

/// As if the services of all connections had accepted them.
pub async fn prove(site: &Site) {
    health(site, r#"{"valid":{"checked_at":1800000000000}}"#).await;
}

async fn health(site: &Site, health: &str) {
    let mut raw = AnyConnection::connect(site.app.config.database_url.reveal()).await.expect("a connection");
    sqlx::query("UPDATE connections SET health = $1").bind(health).execute(&mut raw).await.expect("proved");
}

#[tokio::test]
async fn what_is_not_there_not_active_expired_or_deleted_says_so() {
    let site = Site::new().await;
    let key = site.key(&[Credentials, Write], &[Development]).await;
    let unknown = ConnectionId::from_bytes([9; 16]);
    assert_eq!(told(&fetch(&site, &key, unknown.as_str(), json!({})).await), (404, "/problems/not-found".to_owned()));
    assert_eq!(told(&fetch(&site, &key, "nonsense", json!({})).await), (404, "/problems/not-found".to_owned()));
    let elsewhere = site.vouched(Production, "API", API).await;
    let foreign = fetch(&site, &key, &elsewhere, json!({})).await;
    assert_eq!(told(&foreign), (404, "/problems/not-found".to_owned()), "another environment");
    let unproven = site.connection(Development, "Unproven").await;
    let refused = fetch(&site, &key, &unproven, json!({})).await;
    assert_eq!(told(&refused), (409, "/problems/connection-not-active".to_owned()));
    assert!(refused.json()["detail"].as_str().expect("words").contains("never proven"), "{}", refused.text);
    let id = site.vouched(Development, "API", API).await;
    let mut raw = AnyConnection::connect(site.app.config.database_url.reveal()).await.expect("a connection");
    raw.execute("UPDATE connections SET expires_at = 1800000000001").await.expect("expiring");
    assert_eq!(fetch(&site, &key, &id, json!({})).await.status, StatusCode::OK);
    site.pass(1);
    assert_eq!(told(&fetch(&site, &key, &id, json!({})).await), (409, "/problems/connection-expired".to_owned()));
    assert_eq!(site.call("DELETE", &format!("/api/v1/connections/{id}"), &key, &json!({})).await.status, 204);
    for answer in
        [fetch(&site, &key, &id, json!({})).await, token(&site, &key, &id).await, report(&site, &key, &id).await]
    {
        assert_eq!(told(&answer), (410, "/problems/connection-deleted".to_owned()), "{}", answer.text);
    }
    assert_eq!(lines(&site, "credentials handed out").await.len(), 1, "nothing else left");
    assert_eq!(fetch(&site, &key, &id, json!({ "form": "curl" })).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_key_for_named_connections_reaches_those_alone() {
    let site = Site::new().await;
    let (own, other) = (site.vouched(Development, "One", API).await, site.vouched(Development, "Two", API).await);
    let named = ConnectionSet::try_from(Some(vec![own.parse().expect("an id")])).expect("a set");
    let key = site.key_for(&[Credentials, Use, Read], &[Development], named).await;
    assert_eq!(fetch(&site, &key, &own, json!({})).await.status, StatusCode::OK);
    for answer in [fetch(&site, &key, &other, json!({})).await, report(&site, &key, &other).await] {
        assert_eq!(told(&answer), (404, "/problems/not-found".to_owned()));
    }
    let list = site.get("/api/v1/connections?environment=development", &key).await;
    assert_eq!(list.status, StatusCode::FORBIDDEN, "it does nothing else");
}

#[tokio::test]
async fn a_token_that_is_due_is_renewed_once_for_all_who_ask() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    let key = site.key(&[Credentials], &[Production]).await;
    let first = token(&site, &key, &id).await;
    let expected = json!({
        "access_token": "canary-access-1", "token_type": "Bearer", "expires_in": 3600, "scope": "email"
    });
    assert_eq!((first.json(), first.header("cache-control")), (expected, "no-store"));
    site.pass(2 * HOUR);
    let asked = provider.script().asked.len();
    let answers = join_all((0..20).map(|_| token(&site, &key, &id))).await;
    for answer in &answers {
        assert_eq!(answer.json()["access_token"], "canary-access-2", "{}", answer.text);
    }
    assert_eq!(provider.script().asked.len(), asked + 1, "one renewal in flight, which all join");
    let raw = fetch(&site, &key, &id, json!({ "form": "fields" })).await;
    assert_eq!(raw.json()["fields"]["access_token"], "canary-access-2");
    for hidden in ["canary-refresh", "canary-client-secret"] {
        assert!(!raw.text.contains(hidden), "what only obtains tokens stays here: {}", raw.text);
    }
    assert_eq!(lines(&site, "credentials handed out").await.len(), 22);
    intact(&site).await;
}

#[tokio::test]
async fn no_ended_token_leaves_while_the_provider_is_in_trouble() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    let key = site.key(&[Credentials], &[Production]).await;
    provider.script().busy = true;
    site.pass(HOUR - 10 * SECOND);
    let still = token(&site, &key, &id).await;
    assert_eq!(still.json()["expires_in"], 10, "for as long as it works: {}", still.text);
    site.pass(10 * SECOND);
    let ended = token(&site, &key, &id).await;
    assert_eq!(told(&ended), (503, "/problems/token-not-renewed".to_owned()), "{}", ended.text);
    assert!(!ended.text.contains("canary"), "{}", ended.text);
    assert!(ended.headers.contains_key("retry-after"));
    let static_one = site.vouched(Production, "API", API).await;
    assert_eq!(told(&token(&site, &key, &static_one).await), (422, "/problems/no-access-token".to_owned()));
}

/// From now on the audit trail takes no line.
pub async fn forbid_lines(site: &Site) -> AnyConnection {
    let mut raw = AnyConnection::connect(site.app.config.database_url.reveal()).await.expect("a connection");
    let trigger = "CREATE TRIGGER no_lines BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'on purpose'); END";
    raw.execute(trigger).await.expect("a trigger");
    raw
}

#[tokio::test]
async fn nothing_is_handed_out_that_cannot_be_recorded() {
    let site = Site::new().await;
    let key = site.key(&[Credentials], &[Development]).await;
    let id = site.vouched(Development, "API", API).await;
    let mut raw = forbid_lines(&site).await;
    let refused = fetch(&site, &key, &id, json!({})).await;
    assert_eq!(told(&refused), (503, "/problems/not-recorded".to_owned()));
    assert!(!refused.text.contains("canary"), "{}", refused.text);
    raw.execute("DROP TRIGGER no_lines").await.expect("dropped");
    assert_eq!(fetch(&site, &key, &id, json!({})).await.status, StatusCode::OK, "it goes on by itself");
    intact(&site).await;
}

#[tokio::test]
async fn a_flood_of_one_key_is_stopped_and_leaves_another_s_calls_quick() {
    let site = Site::with(&[("PATCHBAY_LIMITS_KEY_REQUESTS_PER_SECOND", "20")]).await;
    let (flood, calm) =
        (site.key(&[Credentials], &[Development]).await, site.key(&[Credentials], &[Development]).await);
    let id = site.vouched(Development, "API", API).await;
    let begun = Instant::now();
    let (answers, quick) = tokio::join!(join_all((0..200).map(|_| fetch(&site, &flood, &id, json!({})))), async {
        let answer = fetch(&site, &calm, &id, json!({})).await;
        (answer.status, begun.elapsed())
    });
    let passed = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(passed, 20, "its clock stands still, so there is no second share");
    let stopped = answers.iter().find(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS).expect("stopped");
    assert_eq!(told(stopped), (429, "/problems/rate-limited".to_owned()));
    assert_eq!(stopped.header("retry-after"), "1");
    assert_eq!(quick.0, StatusCode::OK);
    assert!(quick.1 < std::time::Duration::from_secs(2), "{:?}", quick.1);
    site.pass(SECOND);
    assert_eq!(fetch(&site, &flood, &id, json!({})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_report_has_the_service_asked_and_turns_nothing_red_by_itself() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    let key = site.key(&[Credentials], &[Production]).await;
    let young = report(&site, &key, &id).await;
    assert_eq!((young.status, &young.json()["check"]), (StatusCode::ACCEPTED, &json!("checked")), "{}", young.text);
    site.pass(5 * MINUTE);
    let services = &site.app.services;
    let claims = |now| services.store.claim_checks(now, now.plus(MINUTE), 8);
    assert!(claims(services.clock.now()).await.expect("read").is_empty(), "nothing is due by itself");
    for answer in join_all((0..5).map(|_| report(&site, &key, &id))).await {
        assert_eq!(answer.json()["check"], "checking", "{}", answer.text);
        assert_eq!(answer.json()["connection"]["status"], "active", "{}", answer.text);
    }
    assert_eq!(claims(services.clock.now()).await.expect("read").len(), 1, "five reports are one question");
    assert_eq!(lines(&site, "refusal reported").await, [("test (API key)".to_owned(), "status 401".to_owned())]);
    let vouched = site.vouched(Production, "API", API).await;
    assert_eq!(report(&site, &key, &vouched).await.json()["check"], "not_askable");
}

#[tokio::test]
async fn a_use_is_noted_at_its_connection_and_hides_no_change() {
    let site = Site::new().await;
    let (key, reader) = (site.key(&[Credentials], &[Development]).await, site.key(&[Read], &[Development]).await);
    let id = site.vouched(Development, "API", API).await;
    for _ in 0..60 {
        fetch(&site, &key, &id, json!({})).await;
    }
    site.app.services.noted().await;
    let seen = site.get(&format!("/api/v1/connections/{id}"), &reader).await.json();
    assert_eq!(seen["last_used_at"], "2027-01-15T08:00:00Z", "{seen}");
    let owner = site.sign_in().await;
    let detail = site.call("POST", "/rpc/detail", &owner, &json!({ "environment": "development", "id": id })).await;
    let whats: Vec<_> =
        detail.json()["audit"].as_array().expect("lines").iter().map(|line| line["what"].clone()).collect();
    assert_eq!(whats, ["created"], "{}", detail.text);
}
