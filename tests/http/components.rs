//! Components that a workspace describes itself: registered, seen, changed, removed.

use axum::http::StatusCode;
use base64::Engine as _;
use serde_json::{Value, json};

use crate::harness::{Answer, As, Site, request};
use patchbay::domain::environment::Environment;
use patchbay::domain::role::{Permission, Role};

pub fn acme(slug: &str) -> Value {
    json!({
        "slug": slug, "name": "Acme", "category": "Internal", "homepage": "https://acme.example",
        "sources": [{ "url": "https://docs.acme.example", "read": "2026-11-22" }],
        "methods": [{
            "id": "token", "label": "Token", "kind": "bearer_token",
            "fields": [{ "id": "token", "label": "Token", "secret": true, "help": "Under Settings." }],
            "service": {
                "protocol": "http", "base_url": "https://api.acme.example",
                "headers": { "authorization": "Bearer {token}" },
                "probes": [{ "path": "/me", "outcomes": [
                    { "verdict": "valid", "status": [200] },
                    { "verdict": "rejected", "status": [401], "message": "Refused." }
                ] }]
            }
        }]
    })
}

pub async fn machine(site: &Site) -> As {
    site.key(&[Permission::Use, Permission::Read, Permission::Write], &Environment::ALL).await
}

pub async fn put(site: &Site, key: &As, definition: &Value) -> Answer {
    let slug = definition["slug"].as_str().expect("a slug");
    site.call("PUT", &format!("/api/v1/components/{slug}"), key, definition).await
}

/// A connection saved without asking anybody; its address.
pub async fn connection(site: &Site, key: &As, component: &str, values: &Value) -> String {
    let body = json!({ "environment": "development", "component": component, "name": "Orders", "values": values });
    let created = site.call("POST", "/api/v1/connections?validate=false", key, &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    created.header("location").to_owned()
}

fn pointers(answer: &Answer) -> Vec<String> {
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["pointer"].as_str().expect("a pointer").to_owned()).collect()
}

fn svg(text: &str) -> String {
    format!("data:image/svg+xml;base64,{}", base64::engine::general_purpose::STANDARD.encode(text))
}

#[tokio::test]
async fn a_component_is_registered_listed_read_and_removed() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let created = put(&site, &key, &acme("acme")).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    assert_eq!((created.header("etag"), &created.json()["version"]), ("\"1\"", &json!(1)));
    let again = put(&site, &key, &acme("acme")).await;
    assert_eq!(
        (again.status, &again.json()["version"]),
        (StatusCode::OK, &json!(1)),
        "the same once more is no version"
    );
    let list = site.get("/api/v1/components", &key).await.json();
    assert_eq!((&list["items"][0]["component"], &list["items"][0]["own"]), (&json!("acme"), &json!(true)));
    assert!(list["items"].as_array().is_some_and(|items| items[1..].iter().all(|item| item["own"] == false)));
    let one = site.get("/api/v1/components/acme", &key).await;
    assert_eq!(one.json()["described"]["definition"], acme("acme"), "{}", one.text);
    assert_eq!(site.get("/api/v1/components/slack", &key).await.json()["own"], false);
    let gone = site.call("DELETE", "/api/v1/components/acme", &key, &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    assert_eq!(site.get("/api/v1/components/acme", &key).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place_and_a_remedy() {
    let site = Site::with(&[("PATCHBAY_PUBLIC_URL", "https://patchbay.example.com")]).await;
    let key = machine(&site).await;
    let mut wrong = acme("acme");
    wrong["methods"][0]["service"]["probes"][0]["outcomes"][1]["field"] = json!("tokn");
    wrong["homepage"] = json!("http://acme.example");
    wrong["icon"] = json!("acme.svg");
    let icon = put(&site, &key, &wrong).await;
    assert_eq!((icon.status, pointers(&icon)), (StatusCode::BAD_REQUEST, vec!["/icon".to_owned()]), "{}", icon.text);
    wrong.as_object_mut().expect("an object").remove("icon");
    let both = put(&site, &key, &wrong).await;
    assert_eq!(pointers(&both), ["/homepage", "/methods/0/service/probes/0/outcomes/1/field"], "{}", both.text);
    assert!(both.text.contains("There is no field tokn; add it to the method's fields or correct the name."));
    let mut inside = acme("acme");
    inside["methods"][0]["service"]["base_url"] = json!("https://10.0.0.8");
    assert_eq!(pointers(&put(&site, &key, &inside).await), ["/methods/0/service/base_url"]);
    for (slug, definition) in [("slack", acme("slack")), ("acme", acme("other"))] {
        let refused = site.call("PUT", &format!("/api/v1/components/{slug}"), &key, &definition).await;
        assert_eq!((refused.status, pointers(&refused)), (StatusCode::BAD_REQUEST, vec!["/slug".to_owned()]));
    }
    for body in [json!([]), json!("text")] {
        let refused = site.call("PUT", "/api/v1/components/acme", &key, &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
    }
    let mut large = acme("acme");
    large["methods"][0]["intro"] = json!("x".repeat(70_000));
    assert!(put(&site, &key, &large).await.text.contains("larger than 64 KiB"));
}

#[tokio::test]
async fn versions_are_kept_and_a_stale_one_changes_nothing() {
    let site = Site::new().await;
    let key = machine(&site).await;
    put(&site, &key, &acme("acme")).await;
    let mut second = acme("acme");
    second["name"] = json!("Acme Two");
    let with = |version: &str, body: &Value| {
        let mut sent = request("PUT", "/api/v1/components/acme", &key, Some(body.to_string()));
        sent.headers_mut().insert("if-match", version.parse().expect("a header"));
        sent
    };
    let changed = site.send(with("\"1\"", &second)).await;
    assert_eq!((changed.status, &changed.json()["asks_again"]), (StatusCode::OK, &json!(false)), "{}", changed.text);
    let stale = site.send(with("\"1\"", &acme("acme"))).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{}", stale.text);
    assert_eq!(stale.json()["current_version"], 2);
    second["methods"][0]["service"]["base_url"] = json!("https://api2.acme.example");
    assert_eq!(put(&site, &key, &second).await.json()["asks_again"], true);
    let versions = site.get("/api/v1/components/acme/versions", &key).await.json()["items"].clone();
    let told: Vec<_> = versions.as_array().expect("items").iter().map(|it| (&it["version"], &it["changes"])).collect();
    assert_eq!(told.len(), 3, "{versions}");
    let place = |pointer: &str| json!([{ "pointer": pointer, "kind": "changed" }]);
    assert_eq!(told[0], (&json!(3), &place("/methods/0/service/base_url")));
    assert_eq!(told[1], (&json!(2), &place("/name")));
    let first = site.get("/api/v1/components/acme/versions/1", &key).await;
    assert_eq!(first.json()["definition"]["name"], "Acme", "{}", first.text);
}

#[tokio::test]
async fn what_is_to_be_changed_has_to_be_there() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let with = |condition: &str| {
        let mut sent = request("PUT", "/api/v1/components/acme", &key, Some(acme("acme").to_string()));
        sent.headers_mut().insert("if-match", condition.parse().expect("a header"));
        sent
    };
    for condition in ["*", "\"3\"", "\"0\""] {
        let refused = site.send(with(condition)).await;
        assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED, "{condition}: {}", refused.text);
        assert!(refused.text.contains("There is no such component"), "{}", refused.text);
        assert_eq!(refused.json()["current_version"], 0);
    }
    assert_eq!(site.get("/api/v1/components/acme", &key).await.status, StatusCode::NOT_FOUND);
    put(&site, &key, &acme("acme")).await;
    assert_eq!(site.send(with("*")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_component_in_use_does_not_vanish() {
    let site = Site::new().await;
    let key = machine(&site).await;
    put(&site, &key, &acme("acme")).await;
    let one = connection(&site, &key, "acme", &json!({ "token": "canary-token" })).await;
    for deleted in [false, true] {
        let refused = site.call("DELETE", "/api/v1/components/acme", &key, &Value::Null).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "deleted: {deleted}, {}", refused.text);
        assert!(refused.text.contains("1 in development"), "{}", refused.text);
        assert_eq!(refused.json()["type"], "/problems/in-use");
        site.call("DELETE", &one, &key, &Value::Null).await;
    }
}

#[tokio::test]
async fn another_workspace_neither_sees_nor_reaches_it() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let mut drawn = acme("acme");
    drawn["icon"] = json!(svg("<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0h9\"/></svg>"));
    assert_eq!(put(&site, &key, &drawn).await.status, StatusCode::CREATED);
    site.workspace("other").await;
    let stranger = site.end_user("other", "eve", Role::Owner, &Environment::ALL).await;
    assert!(!site.call("POST", "/rpc/components", &stranger, &json!({})).await.text.contains("\"slug\":\"acme\""));
    assert_eq!(site.get("/api/v1/components/acme", &stranger).await.status, StatusCode::NOT_FOUND);
    let versions = site.get("/api/v1/components/acme/versions", &stranger).await;
    assert_eq!(versions.status, StatusCode::FORBIDDEN, "whether there are any or not");
    let body = json!({ "request_id": "r", "environment": "development", "component": "acme", "method": "token",
                       "name": "x", "values": { "token": "t" }, "saving": "as_not_active" });
    let refused = site.call("POST", "/rpc/stream/create", &stranger, &body).await;
    assert!(refused.text.contains("There is no such component"), "{}", refused.text);
    let forms = site.call("POST", "/rpc/components", &site.sign_in().await, &json!({})).await.json();
    let icon = forms[0]["badge"]["icon"].as_str().expect("an icon").to_owned();
    let elsewhere = icon.replace("icons/own/default/", "icons/own/other/");
    assert_ne!(icon, elsewhere);
    assert_eq!(site.get(&format!("/{elsewhere}"), &As::Nobody).await.status, StatusCode::NOT_FOUND);
    site.workspace("default").await;
    let framed = site.end_user("default", "ada", Role::Editor, &Environment::ALL).await;
    assert!(site.call("POST", "/rpc/components", &framed, &json!({})).await.text.contains("\"slug\":\"acme\""));
}

#[tokio::test]
async fn an_icon_is_served_as_a_picture_and_nothing_more() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let mut drawn = acme("acme");
    let drawing = svg("<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0h9\"/></svg>");
    drawn["icon"] = json!(drawing);
    put(&site, &key, &drawn).await;
    let owner = site.sign_in().await;
    let icon = |forms: Value| format!("/{}", forms[0]["badge"]["icon"].as_str().expect("an icon"));
    let path = icon(site.call("POST", "/rpc/components", &owner, &json!({})).await.json());
    let served = site.get(&path, &As::Nobody).await;
    assert_eq!((served.status, served.header("content-type")), (StatusCode::OK, "image/svg+xml"));
    assert_eq!(served.header("x-content-type-options"), "nosniff");
    let policy = served.header("content-security-policy");
    assert_eq!(policy, "default-src 'none'; style-src 'unsafe-inline'; sandbox");
    drawn["name"] = json!("Acme Two");
    put(&site, &key, &drawn).await;
    assert_eq!(icon(site.call("POST", "/rpc/components", &owner, &json!({})).await.json()), path, "the picture stayed");
    assert_eq!(site.get("/api/v1/components/acme", &key).await.json()["described"]["definition"]["icon"], drawing);
    for wrong in ["<svg onload=\"alert(1)\"/>", "<svg><script>alert(1)</script></svg>", "<svg><foreignObject/></svg>"] {
        drawn["icon"] = json!(svg(wrong));
        let refused = put(&site, &key, &drawn).await;
        assert_eq!(
            (refused.status, pointers(&refused)),
            (StatusCode::BAD_REQUEST, vec!["/icon".to_owned()]),
            "{wrong}"
        );
    }
    drawn["icon"] = json!(format!("data:image/png;base64,{}", "A".repeat(60_000)));
    assert!(put(&site, &key, &drawn).await.text.contains("larger than 32 KiB"));
}

#[tokio::test]
async fn a_key_of_one_environment_changes_nothing_that_another_works_with() {
    let site = Site::new().await;
    let (key, developer) =
        (machine(&site).await, site.key(&[Permission::Read, Permission::Write], &[Environment::Staging]).await);
    put(&site, &developer, &acme("acme")).await;
    connection(&site, &key, "acme", &json!({ "token": "canary-token" })).await;
    let mut moved = acme("acme");
    moved["methods"][0]["service"]["base_url"] = json!("https://evil.example");
    let refused = put(&site, &developer, &moved).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text.contains("does not reach"), "{}", refused.text);
    assert_eq!(put(&site, &key, &moved).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_lies_in_an_environment_that_a_key_is_not_for_is_neither_counted_nor_named() {
    let site = Site::new().await;
    let (key, developer) =
        (machine(&site).await, site.key(&[Permission::Read, Permission::Write], &[Environment::Staging]).await);
    put(&site, &developer, &acme("acme")).await;
    connection(&site, &key, "acme", &json!({ "token": "canary-token" })).await;
    let counted =
        async |who: &As| site.get("/api/v1/components/acme", who).await.json()["described"]["connections"].clone();
    assert_eq!((counted(&key).await, counted(&developer).await), (json!(1), json!(0)));
    let refused = site.call("DELETE", "/api/v1/components/acme", &developer, &Value::Null).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert!(refused.text.contains("may not enter") && !refused.text.contains("1 in development"), "{}", refused.text);
}

#[tokio::test]
async fn who_uses_a_component_in_a_frame_sees_its_form_and_not_what_it_is_made_of() {
    let site = Site::new().await;
    put(&site, &machine(&site).await, &acme("acme")).await;
    site.workspace("default").await;
    let ada = site.end_user("default", "ada", Role::Owner, &Environment::ALL).await;
    for path in ["/rpc/own_components", "/rpc/component_versions"] {
        let refused = site.call("POST", path, &ada, &json!({ "slug": "acme" })).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}: {}", refused.text);
    }
    let seen = site.get("/api/v1/components/acme", &ada).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.text);
    assert!(seen.text.contains("\"methods\"") && !seen.text.contains("definition"), "{}", seen.text);
    assert!(!seen.text.contains("api.acme.example"), "{}", seen.text);
    assert_eq!(site.get("/api/v1/components/acme/versions", &ada).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn another_replica_notices_within_a_second() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let replica = site.replica();
    let listed = |answer: &Answer| answer.text.contains("\"acme\"");
    assert!(!listed(&replica.get("/api/v1/components", &key).await));
    put(&site, &key, &acme("acme")).await;
    connection(&replica, &key, "acme", &json!({ "token": "canary-token" })).await;
    let mut renamed = acme("acme");
    renamed["name"] = json!("Acme Two");
    put(&site, &key, &renamed).await;
    site.pass(1_000);
    assert!(replica.get("/api/v1/components", &key).await.text.contains("Acme Two"));
}

#[tokio::test]
async fn a_trial_asks_the_service_and_keeps_nothing() {
    let site = Site::new().await;
    let owner = site.sign_in().await;
    let mut definition = acme("acme");
    definition["methods"][0]["service"]["base_url"] = json!("https://127.0.0.1");
    let body =
        json!({ "definition": definition.to_string(), "method": "token", "values": { "token": "canary-token" } });
    let tried = site.call("POST", "/rpc/stream/try", &owner, &body).await;
    assert!(tried.text.contains("\"tried\"") && tried.text.contains("no_evidence"), "{}", tried.text);
    assert_eq!(site.dialled.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(site.call("POST", "/rpc/own_components", &owner, &json!({})).await.json(), json!([]));
    definition["name"] = json!(7);
    let wrong = json!({ "definition": definition.to_string(), "method": "token", "values": {} });
    let refused = site.call("POST", "/rpc/stream/try", &owner, &wrong).await;
    assert!(refused.text.contains("\"field\":\"name\""), "{}", refused.text);
}

#[tokio::test]
async fn cases_that_come_with_a_definition_are_held_against_it() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let cases = |url: &str, verdict: &str| {
        json!({
            "sources": [{ "url": "https://docs.acme.example", "read": "2026-11-22" }],
            "methods": [{
                "id": "token", "fields": { "token": "made-up" },
                "requests": [{ "name": "me", "method": "GET", "url": url, "headers": { "authorization": "Bearer made-up" } }],
                "cases": [
                    { "kind": "valid", "answer": { "status": 200, "body": "{}" }, "verdict": "valid" },
                    { "kind": "invalid", "answer": { "status": 401, "body": "{}" }, "verdict": verdict }
                ]
            }]
        })
    };
    let with = |cases: Value| {
        let mut definition = acme("acme");
        definition["cases"] = cases;
        definition
    };
    let (here, there) = ("https://api.acme.example/me", "https://api.acme.example/whoami");
    let wrong = put(&site, &key, &with(cases(here, "limited"))).await;
    assert_eq!(pointers(&wrong), ["/cases/methods/0/cases/1"], "{}", wrong.text);
    let other = put(&site, &key, &with(cases(there, "rejected"))).await;
    assert_eq!(pointers(&other), ["/cases/methods/0/cases/0", "/cases/methods/0/cases/1"], "{}", other.text);
    assert_eq!(pointers(&put(&site, &key, &with(json!({ "sources": 1 }))).await), ["/cases/sources"]);
    let right = put(&site, &key, &with(cases(here, "rejected"))).await;
    assert_eq!(right.status, StatusCode::CREATED, "{}", right.text);
    assert_eq!(right.json()["definition"], acme("acme"), "they are not kept");
    assert_eq!(site.dialled.load(std::sync::atomic::Ordering::Relaxed), 0);
}
