//! A stored secret goes where it was given for, and nowhere else.

use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

use crate::harness::{As, Site};
use patchbay::domain::environment::Environment;
use patchbay::domain::role::Permission;

async fn machine(site: &Site) -> As {
    let permissions = [Permission::Use, Permission::Read, Permission::Write, Permission::Credentials];
    site.key(&permissions, &Environment::ALL).await
}

/// A connection whose password is optional, saved without asking.
async fn database(site: &Site, key: &As, component: &str) -> String {
    let values = json!({ "host": "127.0.0.1", "port": "1", "user": "app", "password": "canary-password" });
    let body = json!({ "environment": "development", "component": component, "name": component, "values": values });
    let created = site.call("POST", "/api/v1/connections?validate=false", key, &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    created.header("location").to_owned()
}

async fn secrets(site: &Site, key: &As, one: &str) -> Value {
    site.get(one, key).await.json()["secrets"].clone()
}

#[tokio::test]
async fn a_moved_destination_asks_for_the_secret_again_and_dials_nothing() {
    let site = Site::new().await;
    let key = machine(&site).await;
    for component in ["postgresql", "mysql", "redis"] {
        let one = database(&site, &key, component).await;
        for path in [one.clone(), format!("{one}?validate=false")] {
            let moved = site.call("PATCH", &path, &key, &json!({ "values": { "host": "127.0.0.2" } })).await;
            assert_eq!(moved.status, StatusCode::BAD_REQUEST, "{}", moved.text);
            assert_eq!(moved.json()["errors"][0]["pointer"], "/values/password", "{}", moved.text);
        }
        assert_eq!(secrets(&site, &key, &one).await[0]["field"], "password");
    }
    assert_eq!(site.dialled.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_secret_is_kept_when_left_out_and_given_up_by_null() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let one = database(&site, &key, "postgresql").await;
    let path = format!("{one}?validate=false");
    let edited = site.call("PATCH", &path, &key, &json!({ "values": { "user": "other" } })).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.text);
    assert_eq!(secrets(&site, &key, &one).await[0]["field"], "password");
    let body = json!({ "values": { "host": "127.0.0.2", "password": null } });
    let given_up = site.call("PATCH", &path, &key, &body).await;
    assert_eq!(given_up.status, StatusCode::OK, "{}", given_up.text);
    assert_eq!(secrets(&site, &key, &one).await, json!([]));
    assert_eq!(site.get(&one, &key).await.json()["values"]["host"], "127.0.0.2");
}

#[tokio::test]
async fn behind_a_proxy_nobody_probes_this_machine() {
    let site = Site::with(&[("PATCHBAY_PUBLIC_URL", "https://patchbay.example.com")]).await;
    let key = machine(&site).await;
    let values = json!({ "host": "127.0.0.1", "port": "1", "user": "app", "password": "canary-password" });
    let body = json!({ "environment": "development", "component": "postgresql", "name": "A", "values": values });
    let refused = site.call("POST", "/api/v1/connections", &key, &body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    assert!(!site.app.services.setting.local);
    assert_eq!(site.dialled.load(Ordering::Relaxed), 0);
}
