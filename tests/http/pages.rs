//! What every answer carries, and the pages.

use axum::http::StatusCode;
use serde_json::json;
use sqlx::Connection as _;

use crate::harness::{As, Site, request};
use patchbay::api::transport::{CONTRACT, CONTRACT_HEADER};
use patchbay::domain::environment::Environment;

fn nonce(policy: &str) -> &str {
    policy.split_once("'nonce-").and_then(|(_, rest)| rest.split_once('\'')).expect("a nonce").0
}

#[tokio::test]
async fn every_answer_carries_a_policy_with_a_nonce_of_its_own() {
    let site = Site::new().await;
    let session = site.sign_in().await;
    let mut seen = Vec::new();
    for path in ["/sign-in", "/sign-in", "/?env=development", "/nowhere", "/api/v1/connections", "/healthz", "/"] {
        let answer = site.get(path, &session).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'nonce-"), "{path}: {policy}");
        assert!(policy.contains("'strict-dynamic' 'wasm-unsafe-eval'") && policy.ends_with("frame-ancestors 'none'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin-allow-popups", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "plain http: {path}");
        let nonce = nonce(policy).to_owned();
        assert!(!seen.contains(&nonce));
        seen.push(nonce);
    }
}

#[tokio::test]
async fn every_script_and_style_of_a_page_carries_the_answers_nonce() {
    let site = Site::new().await;
    let session = site.sign_in().await;
    for path in ["/sign-in", "/?env=development"] {
        let answer = site.get(path, &session).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        let nonce = format!("nonce=\"{}\"", nonce(answer.header("content-security-policy")));
        for tag in ["<script", "<style"] {
            for element in answer.text.split(tag).skip(1) {
                let attributes = element.split('>').next().expect("a tag");
                assert!(attributes.contains(&nonce), "{path}: {tag}{attributes}");
            }
        }
        assert!(!answer.text.contains(" style=\""), "{path}: a style attribute breaks the policy");
    }
}

#[tokio::test]
async fn behind_https_the_browser_is_told_to_stay_there() {
    let site = Site::with(&[("PATCHBAY_PUBLIC_URL", "https://a.example")]).await;
    assert_eq!(site.get("/sign-in", &As::Nobody).await.header("strict-transport-security"), "max-age=31536000");
}

#[tokio::test]
async fn who_is_signed_out_is_led_to_the_sign_in_page() {
    let site = Site::new().await;
    for path in ["/", "/?env=production", "/deleted?env=production"] {
        let answer = site.get(path, &As::Nobody).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/sign-in"), "{path}");
    }
}

#[tokio::test]
async fn without_an_environment_the_last_one_is_opened_and_the_rest_of_the_query_kept() {
    let site = Site::new().await;
    let As::Cookie(id) = site.sign_in().await else { unreachable!() };
    let first = site.get("/?tag=ops&q=a%20b", &As::Cookie(id.clone())).await;
    assert_eq!((first.status, first.header("location")), (StatusCode::SEE_OTHER, "/?env=development&tag=ops&q=a+b"));
    let remembered = site.get("/", &As::Cookie(format!("{id}; patchbay_env=staging"))).await;
    assert_eq!(remembered.header("location"), "/?env=staging");
    let shown = site.get("/?env=production", &As::Cookie(id)).await;
    assert!(shown.header("set-cookie").starts_with("patchbay_env=production; "));
}

#[tokio::test]
async fn the_first_rows_are_in_the_first_html_and_no_secret_is() {
    let site = Site::new().await;
    let session = site.sign_in().await;
    site.connection(Environment::Development, "Release bot").await;
    let page = site.get("/?env=development", &session).await;
    assert!(page.text.contains("Release bot"), "{}", page.text);
    assert!(!page.text.contains("canary"));
    assert!(!site.get("/?env=production", &session).await.text.contains("Release bot"));
}

#[tokio::test]
async fn below_a_path_everything_is_there_and_nothing_beside_it() {
    let site = Site::with(&[("PATCHBAY_PUBLIC_URL", "http://127.0.0.1:3000/tools/patchbay")]).await;
    assert_eq!(site.get("/tools/patchbay/healthz", &As::Nobody).await.status, StatusCode::OK);
    assert_eq!(site.get("/healthz", &As::Nobody).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/tools/patchbay", &As::Nobody).await.header("location"), "/tools/patchbay/");
    assert_eq!(site.get("/tools/patchbay/", &As::Nobody).await.header("location"), "/tools/patchbay/sign-in");
    let token = json!({ "token": site.link().await });
    let signed_in = site.call("POST", "/tools/patchbay/sign-in", &As::Nobody, &token).await;
    assert!(signed_in.header("set-cookie").contains("Path=/tools/patchbay"));
    let session = As::Cookie(crate::harness::value_of(signed_in.header("set-cookie")));
    let home = site.get("/tools/patchbay/", &session).await;
    assert_eq!(home.header("location"), "/tools/patchbay/?env=development");
    let page = site.get("/tools/patchbay/?env=development", &session).await;
    assert_eq!(page.status, StatusCode::OK);
    let rpc = site.call("POST", "/tools/patchbay/rpc/components", &session, &json!({})).await;
    assert_eq!(rpc.status, StatusCode::OK);
}

#[tokio::test]
async fn a_page_of_another_build_is_told_to_reload() {
    let site = Site::new().await;
    let session = site.sign_in().await;
    let mut old = request("POST", "/rpc/components", &session, Some("{}".to_owned()));
    old.headers_mut().insert(CONTRACT_HEADER, "0000000000000000".parse().expect("a value"));
    let answer = site.send(old).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::CONFLICT, json!("outdated")));
    let mut current = request("POST", "/rpc/components", &session, Some("{}".to_owned()));
    current.headers_mut().insert(CONTRACT_HEADER, CONTRACT.parse().expect("a value"));
    assert_eq!(site.send(current).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_unchanged_snapshot_is_not_sent_again() {
    let site = Site::new().await;
    let session = site.sign_in().await;
    let path = "/rpc/snapshot?env=development";
    let first = site.get(path, &session).await;
    assert_eq!((first.status, first.json()["whole"].as_bool()), (StatusCode::OK, Some(true)));
    let again = |tag: &str| {
        let mut again = request("GET", path, &session, None);
        again.headers_mut().insert("if-none-match", tag.parse().expect("a value"));
        again
    };
    let tag = first.header("etag").to_owned();
    assert_eq!(site.send(again(&tag)).await.status, StatusCode::NOT_MODIFIED);
    site.connection(Environment::Development, "New").await;
    assert_eq!(site.send(again(&tag)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn readiness_follows_the_database() {
    let site = Site::new().await;
    assert_eq!(site.get("/readyz", &As::Nobody).await.status, StatusCode::OK);
    sqlx::any::install_default_drivers();
    let url = site.app.config.database_url.reveal();
    let mut other = sqlx::AnyConnection::connect(url).await.expect("the database");
    // Nobody else can write now.
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.expect("the lock");
    let away = site.get("/readyz", &As::Nobody).await;
    assert_eq!((away.status, away.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "2"));
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.expect("the end");
    assert_eq!(site.get("/readyz", &As::Nobody).await.status, StatusCode::OK);
}
