//! Signing in and out, and where requests may come from.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use sqlx::{Connection as _, Executor as _, Row as _};
use std::time::{Duration, Instant};

use crate::harness::{As, COOKIE, ORIGIN, Site, request, value_of};
use patchbay::domain::environment::Environment;
use patchbay::domain::role::Permission;
use patchbay::domain::time::{DAY, MINUTE};

#[tokio::test]
async fn a_link_signs_in_once_and_the_cookie_is_strict() {
    let site = Site::new().await;
    let token = json!({ "token": site.link().await });
    let first = site.call("POST", "/sign-in", &As::Nobody, &token).await;
    assert_eq!(first.status, StatusCode::NO_CONTENT);
    let cookie = first.header("set-cookie");
    for part in [format!("{COOKIE}="), "HttpOnly".into(), "SameSite=Lax".into(), "Path=/".into()] {
        assert!(cookie.contains(&part), "{part} is missing in {cookie}");
    }
    let second = site.call("POST", "/sign-in", &As::Nobody, &token).await;
    assert_eq!(second.status, StatusCode::UNAUTHORIZED);
    assert!(second.json()["message"].as_str().expect("a message").contains("patchbay sign-in-link"));
}

#[tokio::test]
async fn a_link_is_not_used_up_by_opening_it_and_ends_after_its_time() {
    let site = Site::new().await;
    let token = site.link().await;
    for _ in 0..2 {
        assert_eq!(site.get("/sign-in", &As::Nobody).await.status, StatusCode::OK);
    }
    site.pass(16 * MINUTE);
    let late = site.call("POST", "/sign-in", &As::Nobody, &json!({ "token": token })).await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() {
    let site = Site::new().await;
    let before = site.sign_in().await;
    let again = site.call("POST", "/sign-in", &before, &json!({ "token": site.link().await })).await;
    let after = As::Cookie(value_of(again.header("set-cookie")));
    assert_eq!(site.call("POST", "/rpc/components", &before, &json!({})).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.call("POST", "/rpc/components", &after, &json!({})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_ends_when_unused_and_however_much_it_is_used() {
    let site = Site::new().await;
    let idle = site.sign_in().await;
    site.pass(8 * DAY);
    assert_eq!(site.call("POST", "/rpc/components", &idle, &json!({})).await.status, StatusCode::UNAUTHORIZED);
    let used = site.sign_in().await;
    for _ in 0..5 {
        site.pass(5 * DAY);
        assert_eq!(site.call("POST", "/rpc/components", &used, &json!({})).await.status, StatusCode::OK);
        site.app.services.noted().await;
    }
    site.pass(5 * DAY + MINUTE);
    assert_eq!(site.call("POST", "/rpc/components", &used, &json!({})).await.status, StatusCode::UNAUTHORIZED);
}

/// Noting a use is a write; whoever only reads does not wait for it.
#[tokio::test]
async fn reads_are_answered_while_nothing_can_be_written() {
    let site = Site::new().await;
    let session = site.sign_in().await;
    let key = site.key(&[Permission::Read], &Environment::ALL).await;
    site.pass(2 * MINUTE);
    let mut writer = sqlx::AnyConnection::connect(site.app.config.database_url.reveal()).await.expect("connected");
    writer.execute(sqlx::raw_sql("BEGIN IMMEDIATE")).await.expect("the writer's lock");
    let begun = Instant::now();
    for _ in 0..3 {
        assert_eq!(site.call("POST", "/rpc/components", &session, &json!({})).await.status, StatusCode::OK);
        assert_eq!(site.get("/api/v1/components", &key).await.status, StatusCode::OK);
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "answered only after {:?}", begun.elapsed());
    writer.execute(sqlx::raw_sql("ROLLBACK")).await.expect("let go");
    site.app.services.noted().await;
    let noted = sqlx::query("SELECT (SELECT seen_at FROM sessions) - (SELECT last_used_at FROM api_keys) AS apart");
    let apart: i64 = noted.fetch_one(&mut writer).await.expect("read").get("apart");
    assert_eq!(apart, 0, "both were noted afterwards, at the time of their use");
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_and_takes_the_cookie_back() {
    let site = Site::new().await;
    let (here, there) = (site.sign_in().await, site.sign_in().await);
    let out = site.call("POST", "/rpc/sign_out", &here, &json!({ "everywhere": true })).await;
    assert_eq!(out.status, StatusCode::OK, "{}", out.text);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    for session in [&here, &there] {
        assert_eq!(site.call("POST", "/rpc/components", session, &json!({})).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_key_and_a_cookie_together_are_refused() {
    let site = Site::new().await;
    let As::Cookie(id) = site.sign_in().await else { unreachable!() };
    let key = site.key(&[Permission::Read], &Environment::ALL).await;
    let mut both = request("GET", "/api/v1/components", &key, None);
    both.headers_mut().insert(header::COOKIE, format!("{COOKIE}={id}").parse().expect("a header"));
    let answer = site.send(both).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn an_unknown_or_expired_key_is_told_apart_from_no_permission() {
    let site = Site::new().await;
    let key = site.key(&[Permission::Write], &Environment::ALL).await;
    assert_eq!(site.get("/api/v1/components", &key).await.status, StatusCode::FORBIDDEN);
    site.pass(2 * DAY);
    for key in [key, As::Key("pb_unknown".to_owned()), As::Key("other".to_owned())] {
        let answer = site.get("/api/v1/components", &key).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

/// A request with a session, from somewhere.
fn from(path: &str, who: &As, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = request("POST", path, who, Some("{}".to_owned()));
    request.headers_mut().remove("sec-fetch-site");
    for (name, value) in headers {
        let name: header::HeaderName = name.parse().expect("a name");
        request.headers_mut().insert(name, value.parse().expect("a value"));
    }
    request
}

#[tokio::test]
async fn another_sites_page_changes_nothing_not_even_through_server_functions() {
    let site = Site::new().await;
    let session = site.sign_in().await;
    for path in ["/rpc/components", "/rpc/sign_out", "/rpc/stream/create", "/api/v1/connections", "/sign-in"] {
        for foreign in [
            &[][..],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", ORIGIN)],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
        ] {
            let answer = site.send(from(path, &session, foreign)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {foreign:?}");
        }
    }
    let ours = site.send(from("/rpc/components", &session, &[("origin", ORIGIN)])).await;
    assert_eq!(ours.status, StatusCode::OK, "{}", ours.text);
}
