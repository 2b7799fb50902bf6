//! The API for machines: bad input, versions, and what never comes out.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{As, Site, request};
use patchbay::domain::environment::Environment;
use patchbay::domain::role::Permission;

const TOKEN: &str = "ghp_canary111111111111111111111111111111";

async fn machine(site: &Site) -> As {
    site.key(&[Permission::Use, Permission::Read, Permission::Write], &Environment::ALL).await
}

fn github(name: &str) -> Value {
    json!({ "environment": "development", "component": "github", "name": name, "values": { "token": TOKEN } })
}

#[tokio::test]
async fn a_connection_lives_its_life_and_its_secret_never_comes_out() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let path = "/api/v1/connections";
    let created = site.call("POST", &format!("{path}?validate=false"), &key, &github("Release bot")).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    let one = created.header("location").to_owned();
    assert_eq!(created.json()["status"], "not_active");
    let mut seen = created.text;
    let got = site.get(&one, &key).await;
    assert_eq!(got.json()["secrets"][0]["field"], "token", "{}", got.text);
    seen.push_str(&got.text);
    let patched = site.call("PATCH", &one, &key, &json!({ "name": "Renamed", "tags": ["ops"] })).await;
    assert_eq!(
        (patched.status, patched.json()["name"].as_str()),
        (StatusCode::OK, Some("Renamed")),
        "{}",
        patched.text
    );
    seen.push_str(&patched.text);
    let listed = site.get(&format!("{path}?environment=development&tag=OPS&q=ren"), &key).await;
    assert_eq!(listed.json()["items"].as_array().map(Vec::len), Some(1), "{}", listed.text);
    assert_eq!(site.get("/api/v1/tags?environment=development", &key).await.json()["items"][0]["tag"], "ops");
    assert_eq!(site.call("DELETE", &one, &key, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.get(&one, &key).await.status, StatusCode::NOT_FOUND);
    let back = site.call("POST", &format!("{one}/undelete"), &key, &json!({})).await;
    assert_eq!(back.status, StatusCode::OK, "{}", back.text);
    seen.push_str(&back.text);
    seen.push_str(&listed.text);
    assert!(!seen.contains("canary"), "{seen}");
}

#[tokio::test]
async fn repeating_an_idempotency_key_creates_nothing_twice() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut create = request("POST", "/api/v1/connections?validate=false", &key, Some(github("Once").to_string()));
        create.headers_mut().insert("idempotency-key", "deploy-7".parse().expect("a value"));
        let answer = site.send(create).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        ids.push(answer.json()["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_stale_version_is_refused_with_the_one_in_force() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let one = format!("/api/v1/connections/{}", site.connection(Environment::Development, "A").await);
    let version = site.get(&one, &key).await.header("etag").to_owned();
    let change = |tag: &str, name: &str| {
        let mut change = request("PATCH", &one, &key, Some(json!({ "name": name }).to_string()));
        change.headers_mut().insert("if-match", tag.parse().expect("a value"));
        change
    };
    assert_eq!(site.send(change(&version, "B")).await.status, StatusCode::OK);
    let stale = site.send(change(&version, "C")).await;
    let expected = (StatusCode::PRECONDITION_FAILED, Some("/problems/stale-version"));
    assert_eq!((stale.status, stale.json()["type"].as_str()), expected);
    assert!(stale.json()["current_version"].is_i64());
    let said_in_body = site.call("PATCH", &one, &key, &json!({ "name": "C", "version": 1 })).await;
    assert_eq!(said_in_body.status, StatusCode::CONFLICT, "{}", said_in_body.text);
    assert_eq!(site.send(change("\"x\"", "C")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_cannot_be_used_is_named_with_its_place() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let path = "/api/v1/connections?validate=false";
    // Asking the service needs every field; saving without asking would keep the connection as one that lacks some.
    let missing = site
        .call(
            "POST",
            "/api/v1/connections",
            &key,
            &json!({ "environment": "development", "component": "github", "name": "A", "values": {} }),
        )
        .await;
    assert_eq!(missing.status, StatusCode::BAD_REQUEST);
    assert_eq!(missing.json()["errors"][0]["pointer"], "/values/token", "{}", missing.text);
    site.connection(Environment::Development, "Taken").await;
    let taken = site.call("POST", path, &key, &github("taken")).await;
    assert_eq!((taken.status, taken.json()["type"].as_str()), (StatusCode::CONFLICT, Some("/problems/name-taken")));
    let mut unknown = github("A");
    unknown["component"] = json!("no-such");
    assert_eq!(site.call("POST", path, &key, &unknown).await.status, StatusCode::BAD_REQUEST);
    let mut long = github("A");
    long["name"] = json!("x".repeat(121));
    assert_eq!(site.call("POST", path, &key, &long).await.json()["errors"][0]["pointer"], "/name");
    for (member, wrong) in [("name", json!(7)), ("tags", json!("ops")), ("values", json!([])), ("method", json!({}))] {
        let mut body = github("A");
        body[member] = wrong;
        let answer = site.call("POST", path, &key, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        assert_eq!(answer.json()["errors"][0]["pointer"], format!("/{member}"), "{}", answer.text);
    }
    let body =
        json!({ "environment": "development", "component": "elasticsearch", "name": "A", "values": { "url": "x" } });
    let answer = site.call("POST", path, &key, &body).await;
    assert_eq!(answer.json()["errors"][0]["pointer"], "/values/url", "{}", answer.text);
    let mut no_text = github("A");
    no_text["values"]["token"] = json!(7);
    assert_eq!(site.call("POST", path, &key, &no_text).await.json()["errors"][0]["pointer"], "/values/token");
    let mut many = github("A");
    many["tags"] = (0..10_000).map(|n| json!(format!("t{n}"))).collect();
    assert_eq!(site.call("POST", path, &key, &many).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_as_a_problem() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let post = |body: Vec<u8>| {
        let mut post = request("POST", "/api/v1/connections", &key, Some(String::new()));
        *post.body_mut() = Body::from(body);
        post
    };
    for (body, status) in [
        (b"{\"name\": \"\xff\xfe\"}".to_vec(), StatusCode::BAD_REQUEST),
        (b"{".to_vec(), StatusCode::BAD_REQUEST),
        (b"{\"canary\": 1}".to_vec(), StatusCode::BAD_REQUEST),
        (vec![b' '; 2 << 20], StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let answer = site.send(post(body)).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let mut no_json = request("POST", "/api/v1/connections", &key, Some("{}".to_owned()));
    no_json.headers_mut().insert("content-type", "text/plain".parse().expect("a value"));
    assert_eq!(site.send(no_json).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(site.get("/api/v1/nothing", &key).await.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn a_huge_or_garbled_request_of_a_page_is_refused() {
    let site = Site::new().await;
    let session = site.sign_in().await;
    let id = site.connection(Environment::Development, "A").await;
    let tags = |tag: String| {
        let body = json!({ "environment": "development", "id": id, "version": 1, "tags": [tag] }).to_string();
        let length = body.len().to_string();
        let mut set_tags = request("POST", "/rpc/set_tags", &session, Some(body));
        set_tags.headers_mut().insert("content-length", length.parse().expect("a value"));
        set_tags
    };
    assert_eq!(site.send(tags("x".repeat(1 << 20))).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(site.send(tags("x".to_owned())).await.status, StatusCode::OK);
    let mut garbled = request("POST", "/rpc/detail", &session, Some(String::new()));
    *garbled.body_mut() = Body::from(vec![0xff, 0xfe]);
    assert_eq!(site.send(garbled).await.status, StatusCode::BAD_REQUEST);
    let streamed = site.call("POST", "/rpc/stream/create", &session, &json!({ "x": 1 })).await;
    assert_eq!(streamed.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn workflows_are_registered_and_forgotten() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let id = site.connection(Environment::Development, "Used").await;
    let path = "/api/v1/workflows/nightly?environment=development";
    let body = json!({ "name": "Nightly", "connections": [id] });
    assert_eq!(site.call("PUT", path, &key, &body).await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.get(path, &key).await.json()["connections"][0], json!(id));
    let row = site.get(&format!("/api/v1/connections/{id}"), &key).await;
    assert_eq!(row.json()["workflows"], 1);
    assert_eq!(site.call("DELETE", path, &key, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(site.get(path, &key).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_api_describes_itself() {
    let site = Site::new().await;
    let document = site.get("/api/v1/openapi.json", &machine(&site).await).await.json();
    assert!(document["openapi"].as_str().expect("a version").starts_with("3."));
    assert!(document["paths"]["/api/v1/connections/{id}"]["patch"].is_object());
}

#[tokio::test]
async fn texts_that_cannot_be_stored_are_refused_by_the_name_of_their_field() {
    let site = Site::new().await;
    let key = site.key(&Permission::ALL, &Environment::ALL).await;
    let path = |id: &str| format!("/api/v1/workflows/{id}?environment=production");
    let workflow = |name: &str, url: &str| json!({ "name": name, "url": url, "connections": [] });
    let good = workflow("Nightly", "https://flows.example/1");
    let long = format!("https://flows.example/{}", "x".repeat(2_000));
    for (id, body, pointer) in [
        ("a%00b", good.clone(), "/id"),
        ("a%0Ab", good.clone(), "/id"),
        ("a", workflow("a\0b", "https://flows.example/1"), "/name"),
        ("a", workflow("a", "https://flows.example/\0"), "/url"),
        ("a", workflow("a", "javascript:alert(1)"), "/url"),
        ("a", workflow("a", "https://"), "/url"),
        ("a", workflow("a", &long), "/url"),
    ] {
        let answer = site.call("PUT", &path(id), &key, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{id} {body}: {}", answer.text);
        assert!(answer.text.contains(pointer), "{id} {body}: {}", answer.text);
    }
    assert_eq!(site.get(&path("a%00b"), &key).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.call("DELETE", &path("a%00b"), &key, &json!({})).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(site.call("PUT", &path("a"), &key, &good).await.status, StatusCode::NO_CONTENT);
    let create = json!({
        "request_id": "a\0b", "environment": "production", "component": "github", "method": "token", "name": "One",
        "values": { "token": "ghp_canary222222222222222222222222222222" }, "saving": "as_not_active"
    });
    let answer = site.call("POST", "/rpc/stream/create", &site.sign_in().await, &create).await;
    assert!(answer.text.contains("request_id") && answer.text.contains("on one line"), "{}", answer.text);
}

/// A client certificate that ends on the first day of a year, and its key.
fn certificate(year: i32) -> (String, String) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut parameters = rcgen::CertificateParams::new(["app".to_owned()]).expect("parameters");
    parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
    (parameters.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

#[tokio::test]
async fn the_end_of_a_client_certificate_counts_though_nobody_was_asked() {
    let site = Site::new().await;
    let key = machine(&site).await;
    for (year, end, health) in [(2031, "2031-01-01T00:00:00Z", "unproven"), (2026, "2026-01-01T00:00:00Z", "expired")] {
        let (client_certificate, client_key) = certificate(year);
        let values = json!({
            "host": "127.0.0.1", "port": "1", "user": "app", "tls": "verify",
            "client_certificate": client_certificate, "client_key": client_key
        });
        let name = format!("until {year}");
        let body = json!({ "environment": "development", "component": "postgresql", "name": name, "values": values });
        let created = site.call("POST", "/api/v1/connections?validate=false", &key, &body).await;
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
        assert_eq!(created.json()["expires_at"], end, "{}", created.text);
        assert_eq!(created.json()["health"]["state"], health, "{}", created.text);
    }
}
