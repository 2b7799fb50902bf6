//! API keys as owners look after them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{As, Site};
use patchbay::domain::environment::Environment;
use patchbay::domain::role::{Permission, Role};

fn request(name: &str, more: &Value) -> Value {
    let mut request = json!({ "name": name, "permissions": ["read"], "environments": ["development"],
                              "connections": [], "days": 30 });
    request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    json!({ "request": request })
}

async fn keys(site: &Site, who: &As) -> Vec<Value> {
    let answer = site.call("POST", "/rpc/api_keys", who, &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["keys"].as_array().expect("keys").clone()
}

#[tokio::test]
async fn a_key_works_from_the_moment_it_is_made_until_it_is_revoked() {
    let site = Site::new().await;
    let owner = site.sign_in().await;
    let made = site.call("POST", "/rpc/create_api_key", &owner, &request(" deploy ", &json!({}))).await;
    let key = made.json()["key"].as_str().expect("a key").to_owned();
    let list = "/api/v1/connections?environment=development";
    assert_eq!(site.get(list, &As::Key(key.clone())).await.status, StatusCode::OK);
    site.app.services.noted().await;
    let known = keys(&site, &owner).await;
    let line = known.iter().find(|line| line["name"] == "deploy").expect("listed");
    assert!(line["last_used_at"].is_i64() && line["expires_at"].is_i64(), "{line}");
    let prefix = line["prefix"].as_str().expect("a prefix");
    assert!(key.starts_with(prefix) && prefix.len() == 9, "{prefix}");
    assert!(!line.to_string().contains(&key));
    let revoked = site.call("POST", "/rpc/revoke_api_key", &owner, &json!({ "id": line["id"] })).await;
    assert_eq!(revoked.status, StatusCode::OK, "{revoked:?}");
    assert_eq!(site.get(list, &As::Key(key)).await.status, StatusCode::UNAUTHORIZED);
    let again = site.call("POST", "/rpc/revoke_api_key", &owner, &json!({ "id": line["id"] })).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_key_without_an_end_outlives_the_others() {
    let site = Site::new().await;
    let owner = site.sign_in().await;
    let mut made = Vec::new();
    for days in [json!(1), Value::Null] {
        let answer = site.call("POST", "/rpc/create_api_key", &owner, &request("k", &json!({ "days": days }))).await;
        made.push(As::Key(answer.json()["key"].as_str().expect("a key").to_owned()));
    }
    site.pass(20 * 365 * patchbay::domain::time::DAY);
    assert_eq!(site.get("/api/v1/components", &made[0]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.get("/api/v1/components", &made[1]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_owner_gives_no_key_more_than_they_have_and_sees_none_that_has_more() {
    let site = Site::new().await;
    let everywhere = site.sign_in().await;
    let home = site.member(Role::Owner, &[Environment::Development]).await;
    let wide = json!({ "environments": ["development", "production"] });
    let refused = site.call("POST", "/rpc/create_api_key", &home, &request("wide", &wide)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
    site.call("POST", "/rpc/create_api_key", &everywhere, &request("wide", &wide)).await;
    let all = keys(&site, &everywhere).await;
    assert_eq!(all.len(), 1);
    assert!(keys(&site, &home).await.is_empty());
    let revoked = site.call("POST", "/rpc/revoke_api_key", &home, &json!({ "id": all[0]["id"] })).await;
    assert_eq!(revoked.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_key_names_connections_that_are_where_it_is_valid() {
    let site = Site::new().await;
    let owner = site.sign_in().await;
    let here = site.connection(Environment::Development, "Orders").await;
    let elsewhere = site.connection(Environment::Production, "Orders").await;
    let search = json!({ "environments": ["development"], "words": "ord" });
    let found = site.call("POST", "/rpc/connections_for_key", &owner, &search).await.json();
    assert_eq!((found.as_array().expect("found").len(), &found[0]["id"]), (1, &json!(here)));
    let limited = |id: &str| request("limited", &json!({ "permissions": ["credentials"], "connections": [id] }));
    let refused = site.call("POST", "/rpc/create_api_key", &owner, &limited(&elsewhere)).await;
    assert!(refused.text.contains("not in the environments"), "{refused:?}");
    let made = site.call("POST", "/rpc/create_api_key", &owner, &limited(&here)).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    assert_eq!(keys(&site, &owner).await[0]["connections"][0]["name"], "Orders");
}

#[tokio::test]
async fn no_key_and_nobody_in_a_frame_makes_keys() {
    let site = Site::new().await;
    site.workspace("default").await;
    let mut others = vec![site.key(&Permission::ALL, &Environment::ALL).await];
    others.push(site.end_user("default", "ada", Role::Owner, &Environment::ALL).await);
    others.push(site.member(Role::Editor, &Environment::ALL).await);
    for who in others {
        let answer = site.call("POST", "/rpc/create_api_key", &who, &request("mine", &json!({}))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{who:?}");
    }
}
