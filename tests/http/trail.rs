//! What the audit trail says, and what a component's file may change afterwards.

use axum::http::StatusCode;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use crate::harness::{As, Site};
use patchbay::domain::environment::Environment;
use patchbay::domain::id::ConnectionId;
use patchbay::domain::role::Permission;
use patchbay::domain::time::MINUTE;
use patchbay::server::store::record::Scope;

async fn machine(site: &Site) -> As {
    site.key(&[Permission::Use, Permission::Read, Permission::Write], &Environment::ALL).await
}

/// Lines about a connection, the latest first.
async fn trail(site: &Site, one: &str) -> Vec<(String, String)> {
    let id = one.rsplit('/').next().expect("an id").to_owned();
    let scope = Scope::whole(site.owner.workspace.clone(), Environment::Development);
    let lines = site.app.services.store.audit_of(&scope, &ConnectionId::try_from(id).expect("an id"), 9).await;
    lines.expect("lines").into_iter().map(|line| (line.what, line.about)).collect()
}

async fn create(site: &Site, key: &As, component: &str, values: Value) -> String {
    let body = json!({ "environment": "development", "component": component, "name": "Orders", "values": values });
    let created = site.call("POST", "/api/v1/connections?validate=false", key, &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    created.header("location").to_owned()
}

#[tokio::test]
async fn an_edit_names_what_differs_and_a_try_leaves_a_line() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let values = json!({ "host": "127.0.0.1", "port": "1", "user": "app", "password": "canary-1" });
    let one = create(&site, &key, "postgresql", values).await;
    let line = |what: &str, about: &str| (what.to_owned(), about.to_owned());
    assert_eq!(trail(&site, &one).await, [line("created", "Orders; saved as not active")]);
    let unsaved = json!({ "values": { "user": "other", "password": "canary-1" } });
    let tried = site.call("PATCH", &one, &key, &unsaved).await;
    assert_eq!(tried.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", tried.text);
    assert_eq!(trail(&site, &one).await[0], line("tried", "user; not saved"));
    let edit = json!({ "name": "Bills", "values": { "user": "app", "port": "2", "password": "canary-2" } });
    let edited = site.call("PATCH", &format!("{one}?validate=false"), &key, &edit).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.text);
    assert_eq!(trail(&site, &one).await[0], line("edited", "name, password, port; saved as not active"));
    site.call("PATCH", &one, &key, &json!({ "name": "Bills", "tags": ["ops"] })).await;
    assert_eq!(trail(&site, &one).await[0], line("edited", "tags"));
}

/// Writes a component of the operator's own that sends its token to a host.
fn write_component(folder: &PathBuf, host: &str) {
    let text = format!(
        r#"
slug = "acme"
name = "Acme"
category = "Productivity"
homepage = "https://acme.example"
sources = [{{ url = "https://docs.acme.example", read = "2026-11-22" }}]
[[methods]]
id = "token"
label = "Token"
kind = "bearer_token"
fields = [{{ id = "token", label = "Token", secret = true, help = "Under Settings." }}]
[methods.service]
protocol = "http"
base_url = "https://{host}/v1"
headers = {{ authorization = "Bearer {{token}}" }}
[[methods.service.probes]]
path = "/me"
outcomes = [{{ verdict = "valid", status = [200] }}, {{ verdict = "rejected", status = [401], message = "Refused." }}]
"#
    );
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join("acme.toml"), text).expect("written");
}

#[tokio::test]
async fn an_edited_component_file_sends_no_stored_secret_elsewhere() {
    let folder = std::env::temp_dir().join(format!("patchbay-catalog-{}", std::process::id()));
    write_component(&folder, "127.0.0.1");
    let mut site = Site::with(&[("PATCHBAY_CATALOG_DIR", &folder.display().to_string())]).await;
    let key = machine(&site).await;
    let one = create(&site, &key, "acme", json!({ "token": "canary-token" })).await;
    let asked = site.call("POST", &format!("{one}/test"), &key, &json!({})).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text);
    assert_eq!(site.dialled.swap(0, Ordering::Relaxed), 1);

    write_component(&folder, "127.0.0.2");
    site.reload_catalog();
    let tested = site.call("POST", &format!("{one}/test"), &key, &json!({})).await;
    assert_eq!(tested.status, StatusCode::OK, "{}", tested.text);
    let connection = tested.json()["connection"].clone();
    assert_eq!((&connection["status"], &connection["health"]["missing"]), (&json!("not_active"), &json!(["Token"])));
    let kept = site.call("PATCH", &format!("{one}?validate=false"), &key, &json!({ "values": {} })).await;
    assert_eq!(kept.json()["errors"][0]["pointer"], "/values/token", "{}", kept.text);
    assert_eq!(site.dialled.load(Ordering::Relaxed), 0);

    let again = json!({ "values": { "token": "canary-token" } });
    let given = site.call("PATCH", &format!("{one}?validate=false"), &key, &again).await;
    assert_eq!(given.status, StatusCode::OK, "{}", given.text);
    site.call("POST", &format!("{one}/test"), &key, &json!({})).await;
    assert_eq!(site.dialled.load(Ordering::Relaxed), 1);
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[tokio::test]
async fn a_due_check_of_a_component_that_is_gone_is_told_and_not_put_off_in_silence() {
    let folder = std::env::temp_dir().join(format!("patchbay-catalog-gone-{}", std::process::id()));
    write_component(&folder, "127.0.0.1");
    let mut site = Site::with(&[("PATCHBAY_CATALOG_DIR", &folder.display().to_string())]).await;
    let key = machine(&site).await;
    let one = create(&site, &key, "acme", json!({ "token": "canary-token" })).await;
    std::fs::remove_file(folder.join("acme.toml")).expect("removed");
    site.reload_catalog();
    site.pass(60 * MINUTE);
    let services = &site.app.services;
    let now = services.clock.now();
    let claims = services.store.claim_checks(now, now.plus(MINUTE), 9).await.expect("claims");
    let [claim] = claims.as_slice() else { panic!("{claims:?}") };
    assert_eq!(services.host_of(claim).await, Ok(Some(String::new())));
    assert_eq!(services.carry_out(claim).await, Ok(false));
    let answer = site.get(&one, &key).await;
    let health = answer.json()["health"].clone();
    assert!(
        health["reason"].as_str().is_some_and(|reason| reason.contains("no component acme any more")),
        "{}",
        answer.text
    );
    assert_eq!(site.dialled.load(Ordering::Relaxed), 0);
    std::fs::remove_dir_all(&folder).expect("removed");
}
