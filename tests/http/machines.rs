//! What programs are told: in problems, with the remedy, and never about browsers.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Answer, As, Site, request};
use patchbay::domain::environment::Environment;
use patchbay::domain::id::{ApiKeyId, WorkspaceId};
use patchbay::domain::role::Permission;
use patchbay::domain::time::Timestamp;
use patchbay::server::store::record::{AuditAction, AuditEntry};

async fn machine(site: &Site) -> As {
    site.key(&[Permission::Use, Permission::Read, Permission::Write], &Environment::ALL).await
}

fn github(name: &str) -> Value {
    json!({ "environment": "development", "component": "github", "name": name,
            "values": { "token": "ghp_canary111111111111111111111111111111" } })
}

fn create(key: &As, idempotency_key: &str, body: &Value) -> Request<Body> {
    let mut create = request("POST", "/api/v1/connections?validate=false", key, Some(body.to_string()));
    create.headers_mut().insert("idempotency-key", idempotency_key.parse().expect("a value"));
    create
}

fn problem(answer: &Answer) -> (u16, String, String) {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    let text = |member: &str| answer.json()[member].as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), text("type"), text("detail"))
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_request() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let first = site.send(create(&key, "deploy-7", &github("Once"))).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let mut others = [github("Twice"), github("Once"), github("Once")];
    others[1]["values"]["token"] = json!("ghp_canary999999999999999999999999999999");
    others[2]["tags"] = json!(["ops"]);
    for other in &others {
        let (status, kind, _) = problem(&site.send(create(&key, "deploy-7", other)).await);
        assert_eq!((status, kind.as_str()), (422, "/problems/idempotency-key-reused"));
    }
    site.call("DELETE", first.header("location"), &key, &json!({})).await;
    let (status, kind, detail) = problem(&site.send(create(&key, "deploy-7", &github("Once"))).await);
    assert_eq!((status, kind.as_str()), (410, "/problems/gone"));
    assert!(detail.contains("deleted"), "{detail}");
}

#[tokio::test]
async fn without_a_key_the_remedy_is_a_key() {
    let site = Site::new().await;
    for method in ["GET", "POST"] {
        let mut asked = request(method, "/api/v1/connections?environment=development", &As::Nobody, None);
        asked.headers_mut().remove("sec-fetch-site");
        let (status, kind, detail) = problem(&site.send(asked).await);
        assert_eq!((status, kind.as_str()), (401, "/problems/not-authenticated"), "{method}");
        assert_eq!(detail, "Send an API key as `Authorization: Bearer pb_…`.");
    }
    let mut forged = request("POST", "/api/v1/connections", &site.sign_in().await, Some("{}".to_owned()));
    forged.headers_mut().insert("sec-fetch-site", "cross-site".parse().expect("a value"));
    assert_eq!(problem(&site.send(forged).await).0, 403);
}

#[tokio::test]
async fn what_a_key_may_not_do_names_the_permission() {
    let site = Site::new().await;
    let key = site.key(&[Permission::Read], &Environment::ALL).await;
    let (status, _, detail) = problem(&site.call("POST", "/api/v1/connections", &key, &github("A")).await);
    assert!(status == 403 && detail.contains("`write`"), "{detail}");
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let path = "/api/v1/tags?environment=development";
    assert_eq!(site.get(path, &key).await.status, StatusCode::OK);
    let (store, workspace) = (&site.app.services.store, WorkspaceId::default_workspace());
    let entry = || AuditEntry::system(Timestamp(2), AuditAction::KeyRevoked, "test");
    let unknown = ApiKeyId::from_bytes([7; 16]);
    assert!(store.revoke_api_key(&workspace, &unknown, entry()).await.is_err());
    let keys = store.api_keys(&workspace).await.expect("keys");
    store.revoke_api_key(&workspace, &keys[0].id, entry()).await.expect("revoked");
    assert_eq!(problem(&site.get(path, &key).await).0, 401);
    assert!(store.api_keys(&workspace).await.expect("keys").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revoked_key_is_refused_at_once_however_many_requests_use_it() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let many =
        || join_all((0..64).map(|_| async { site.get("/api/v1/tags?environment=development", &key).await.status }));
    let revoke = async {
        let (store, workspace) = (&site.app.services.store, WorkspaceId::default_workspace());
        let keys = store.api_keys(&workspace).await.expect("keys");
        let entry = AuditEntry::system(Timestamp(2), AuditAction::KeyRevoked, "test");
        store.revoke_api_key(&workspace, &keys[0].id, entry).await.expect("revoked");
        many().await
    };
    let (meanwhile, after) = tokio::join!(many(), revoke);
    assert!(meanwhile.iter().all(|status| matches!(status.as_u16(), 200 | 401)), "{meanwhile:?}");
    assert!(after.iter().all(|status| *status == StatusCode::UNAUTHORIZED), "{after:?}");
}

#[tokio::test]
async fn what_is_not_there_is_called_by_its_name() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let (status, _, detail) = problem(&site.get("/api/v1/workflows/x?environment=development", &key).await);
    assert!(status == 404 && detail.contains("workflow"), "{detail}");
    let wrong = site.call("PUT", "/api/v1/connections", &key, &json!({})).await;
    assert_eq!(wrong.header("allow"), "GET, POST");
    let (status, kind, _) = problem(&wrong);
    assert_eq!((status, kind.as_str()), (405, "/problems/method-not-allowed"));
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_a_problem() {
    let site = Site::with(&[("PATCHBAY_LIMITS_REQUEST_SECONDS", "1")]).await;
    let key = machine(&site).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("an address").port().to_string();
    let values = json!({ "host": "127.0.0.1", "port": port, "user": "app", "password": "canary" });
    let body = json!({ "environment": "development", "component": "postgresql", "name": "A", "values": values });
    let slow = site.call("POST", "/api/v1/connections", &key, &body).await;
    assert_eq!(slow.header("retry-after"), "2");
    let (status, kind, detail) = problem(&slow);
    assert_eq!((status, kind.as_str()), (503, "/problems/unavailable"));
    assert!(detail.contains("too long"), "{detail}");
}

#[tokio::test]
async fn a_wrong_word_or_value_is_named_with_its_place() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let path = "/api/v1/connections?validate=false";
    for (pointer, word) in [("/environment", json!("canary")), ("/component", json!("Not a slug"))] {
        let mut body = github("A");
        *body.pointer_mut(pointer).expect("a member") = word;
        let wrong = site.call("POST", path, &key, &body).await;
        assert_eq!(wrong.json()["errors"][0]["pointer"], pointer, "{}", wrong.text);
        assert!(!wrong.text.contains("canary"));
    }
    let mut number = github("A");
    number["values"]["token"] = json!(5432);
    let wrong = site.call("POST", path, &key, &number).await;
    assert_eq!(
        (wrong.status, wrong.json()["errors"][0]["pointer"].as_str()),
        (StatusCode::BAD_REQUEST, Some("/values/token"))
    );
    let wrong = site.get("/api/v1/connections?environment=development&status=red", &key).await;
    assert_eq!(wrong.json()["errors"][0]["pointer"], "/status", "{}", wrong.text);
    let body = json!({ "name": "Nightly", "connections": ["x"] });
    let wrong = site.call("PUT", "/api/v1/workflows/x?environment=development", &key, &body).await;
    assert_eq!(wrong.json()["errors"][0]["pointer"], "/connections/0", "{}", wrong.text);
}

#[tokio::test]
async fn the_description_tells_of_errors_and_of_known_words() {
    let site = Site::new().await;
    let document = site.get("/api/v1/openapi.json", &machine(&site).await).await.json();
    assert!(document["components"]["schemas"]["Problem"].is_object());
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            for code in ["4XX", "5XX"] {
                let content = &operation["responses"][code]["content"];
                assert!(content["application/problem+json"].is_object(), "{method} {path}: {content}");
                assert_eq!(content.as_object().map(serde_json::Map::len), Some(1), "{method} {path}");
            }
        }
    }
    let new = &document["components"]["schemas"]["NewConnection"]["properties"]["environment"];
    assert_eq!(new["enum"], json!(["development", "staging", "production"]), "{new}");
    let parameters = document["paths"]["/api/v1/connections"]["get"]["parameters"].as_array().expect("parameters");
    let status = parameters.iter().find(|parameter| parameter["name"] == "status").expect("a parameter");
    assert!(status.to_string().contains("not_active"), "{status}");
}
