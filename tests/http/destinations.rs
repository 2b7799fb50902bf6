//! A stored secret goes where it was given for, and nowhere else.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use std::sync::atomic::Ordering;

use crate::harness::{As, Site};
use patchbay::domain::component::MethodKind;
use patchbay::domain::component::{ComponentForm, MethodForm};
use patchbay::domain::environment::Environment;
use patchbay::domain::field::{Field, FieldKind, FieldValues};
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

/// What a person might fill in, and something else that leads elsewhere.
fn two_values(field: &Field) -> [String; 2] {
    match field.kind {
        FieldKind::Select => [0, field.options.len() - 1].map(|option| field.options[option].value.clone()),
        FieldKind::Host => ["db.acme.example", "db.evil.example"].map(String::from),
        FieldKind::Port => ["6001", "6002"].map(String::from),
        FieldKind::Url => ["https://api.acme.example", "https://api.evil.example"].map(String::from),
        FieldKind::Subdomain => ["acme", "evil"].map(String::from),
        FieldKind::Text | FieldKind::Multiline | FieldKind::Scopes => {
            let prefix = field.prefixes.first().map_or("", String::as_str);
            let [one, other] = ["canary-one", "canary-other"].map(|value| format!("{prefix}{value}"));
            if field.example.is_empty() { [one, other] } else { [field.example.clone(), other] }
        }
    }
}

/// The values of a method's form: all that are shown and needed, and every secret.
fn filled_in(method: &MethodForm) -> FieldValues {
    let mut values = FieldValues::default();
    for field in &method.fields {
        let given = field.secret || field.destination || !field.optional;
        if given && field.is_shown(&values, &method.fields) {
            values.set(&field.id, two_values(field)[0].clone());
        }
    }
    values
}

/// Moves every destination field of one method's connection in turn; how many were tried.
async fn move_destinations(site: &Site, key: &As, form: &ComponentForm, method: &MethodForm) -> usize {
    let slug = &form.badge.slug;
    let values = filled_in(method);
    let name = format!("{slug} {}", method.id);
    let body = json!({
        "environment": "development", "component": slug, "method": method.id, "name": name, "values": values
    });
    let created = site.call("POST", "/api/v1/connections?validate=false", key, &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{name}: {}", created.text);
    let one = created.header("location");
    let mut tried = 0;
    for field in method.fields.iter().filter(|field| field.destination && field.is_shown(&values, &method.fields)) {
        let [here, elsewhere] = two_values(field);
        assert_ne!(here, elsewhere, "{name}, {}", field.id);
        let mut moved = values.clone();
        moved.set(&field.id, elsewhere.clone());
        let secret = |field: &&Field| field.secret && field.is_shown(&moved, &method.fields);
        if !method.fields.iter().any(|field| secret(&field) && values.get(&field.id).is_some()) {
            continue;
        }
        for path in [one.to_owned(), format!("{one}?validate=false")] {
            let change = json!({ "values": Map::from_iter([(field.id.clone(), json!(elsewhere))]) });
            let answer = site.call("PATCH", &path, key, &change).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}, {}: {}", field.id, answer.text);
            let pointer = answer.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
            let at = method.fields.iter().find(|field| pointer == format!("/values/{}", field.id));
            assert!(at.is_some_and(|field| field.secret), "{name}, {}: {}", field.id, answer.text);
        }
        tried += 1;
    }
    tried
}

#[tokio::test]
async fn no_component_sends_a_stored_secret_to_another_destination() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let forms = site.app.services.catalog.forms().to_vec();
    let mut tried = 0;
    for form in &forms {
        // An account is connected by signing in: nothing of it is typed over the API.
        for method in form.methods.iter().filter(|method| method.kind != MethodKind::AuthorizationCode) {
            tried += move_destinations(&site, &key, form, method).await;
        }
    }
    assert!(tried > 80, "{tried} destinations were moved");
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
    assert_eq!(refused.json()["type"], "/problems/credential-not-checked", "nobody refused it");
    assert!(!site.app.services.setting.local);
    assert_eq!(site.dialled.load(Ordering::Relaxed), 0);
}
