//! The feed of events through the API: by cursor, as a stream, and what is refused.

use axum::http::{StatusCode, header};
use serde_json::Value;
use std::time::Duration;
use tower::ServiceExt as _;

use crate::harness::{As, Site, request};
use patchbay::domain::environment::Environment;
use patchbay::domain::role::{Permission, Role};
use patchbay::domain::time::Timestamp;

async fn reader(site: &Site) -> As {
    site.key(&[Permission::Read], &Environment::ALL).await
}

fn types(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().expect("items").iter().map(|item| item["type"].as_str().expect("a type")).collect()
}

#[tokio::test]
async fn what_happens_is_followed_by_cursor() {
    let site = Site::new().await;
    let key = reader(&site).await;
    let latest = site.get("/api/v1/events?cursor=latest", &key).await.json();
    assert_eq!((types(&latest).len(), latest["cursor"].as_str()), (0, Some("0")));
    let id = site.connection(Environment::Production, "A").await;
    let first = site.get("/api/v1/events?cursor=0", &key).await.json();
    assert_eq!(types(&first), ["connection.created"]);
    let event = &first["items"][0];
    assert_eq!(event["data"]["connection"], id.as_str());
    assert_eq!((&event["data"]["status"], &event["data"]["reason"]), (&"not_active".into(), &"unproven".into()));
    assert!(event["id"].as_str().is_some_and(|id| id.starts_with("evt_")), "{event}");
    let cursor = first["cursor"].as_str().expect("a cursor");
    let rest = site.get(&format!("/api/v1/events?cursor={cursor}"), &key).await.json();
    assert_eq!((types(&rest).len(), rest["cursor"].as_str()), (0, Some(cursor)));
    let others = site.get("/api/v1/events?types=connection.deleted,connection.expiring", &key).await.json();
    assert_eq!((types(&others).len(), others["cursor"].as_str()), (0, Some(cursor)));
    assert!(!first.to_string().contains("canary"));
}

#[tokio::test]
async fn a_key_follows_only_the_environments_it_may_enter() {
    let site = Site::new().await;
    site.connection(Environment::Production, "A").await;
    site.connection(Environment::Development, "B").await;
    let key = site.key(&[Permission::Read], &[Environment::Development]).await;
    let all = site.get("/api/v1/events", &key).await.json();
    assert_eq!(types(&all).len(), 1);
    assert_eq!(all["items"][0]["data"]["environment"], "development");
    let refused = site.get("/api/v1/events?environment=production", &key).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let writer = site.key(&[Permission::Write], &Environment::ALL).await;
    assert_eq!(site.get("/api/v1/events", &writer).await.status, StatusCode::FORBIDDEN);
    let editor = site.member(Role::Editor, &Environment::ALL).await;
    assert_eq!(site.get("/api/v1/events", &editor).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_wrong_cursor_says_what_is_wrong_and_a_forgotten_one_how_to_go_on() {
    let site = Site::new().await;
    let key = reader(&site).await;
    for path in ["cursor=x", "cursor=-1", "cursor=7", "types=connection.renamed"] {
        let answer = site.get(&format!("/api/v1/events?{path}"), &key).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.text);
    }
    for name in ["A", "B"] {
        site.connection(Environment::Production, name).await;
    }
    site.app.services.store.forget_events(Timestamp(i64::MAX)).await.expect("forgotten");
    let gone = site.get("/api/v1/events?cursor=1", &key).await;
    assert_eq!((gone.status, &gone.json()["type"]), (StatusCode::GONE, &"/problems/cursor-expired".into()));
    assert!(gone.text.contains("cursor=latest"), "{}", gone.text);
    assert_eq!(site.get("/api/v1/events?cursor=2", &key).await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_waits_is_answered_when_something_happens() {
    let site = Site::new().await;
    let key = reader(&site).await;
    let waiting = site.get("/api/v1/events?cursor=0&wait=15", &key);
    let happening = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        site.connection(Environment::Production, "A").await
    };
    let (answer, _) = tokio::join!(waiting, happening);
    assert_eq!(types(&answer.json()), ["connection.created"]);
}

#[tokio::test]
async fn a_stream_tells_what_is_there_and_what_comes_and_resumes_behind_the_last_one() {
    let site = Site::new().await;
    let key = reader(&site).await;
    for name in ["A", "B"] {
        site.connection(Environment::Production, name).await;
    }
    let mut asked = request("GET", "/api/v1/events", &key, None);
    asked.headers_mut().insert(header::ACCEPT, "text/event-stream".parse().expect("a value"));
    asked.headers_mut().insert("last-event-id", "1".parse().expect("a value"));
    let answer = site.router().oneshot(asked).await.expect("an answer");
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = answer.into_body().into_data_stream();
    let mut text = String::new();
    let mut read = async |until: &str| {
        while !text.contains(until) {
            let next = tokio::time::timeout(Duration::from_secs(10), futures::StreamExt::next(&mut body)).await;
            text.push_str(std::str::from_utf8(&next.expect("in time").expect("more").expect("bytes")).expect("text"));
        }
        text.clone()
    };
    let first = read("id: 2").await;
    assert!(first.contains("event: connection.created") && !first.contains("id: 1\n"), "{first}");
    site.connection(Environment::Production, "C").await;
    read("id: 3").await;
}
