//! Connecting an account, over the real router, against a provider that the test steers.

use axum::extract::{Form, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

use crate::harness::{Answer, As, ORIGIN, Site, request, value_of};
use patchbay::domain::environment::Environment;
use patchbay::domain::role::Role;
use patchbay::domain::time::{DAY, HOUR, MINUTE};

/// What the provider says, and what it was asked.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one way to misbehave, and they combine")]
pub struct Script {
    pub account: String,
    /// What tells it from every other one, where the provider says so.
    pub subject: Option<String>,
    pub refuse_refresh: bool,
    /// The client is not accepted.
    pub refuse_client: bool,
    /// Renewals are answered with 429, and an hour to wait.
    pub busy: bool,
    /// Nobody is told whose account it is.
    pub nameless: bool,
    /// A page for people answers where the metadata should lie first.
    pub web_page: bool,
    /// How many answers were given: tokens carry the number.
    pub answers: u32,
    pub asked: Vec<HashMap<String, String>>,
    pub revoked: Vec<String>,
}

/// A provider on loopback.
pub struct Provider {
    pub origin: String,
    script: Arc<Mutex<Script>>,
}

type Shared = State<Arc<Mutex<Script>>>;

async fn token(State(script): Shared, Form(form): Form<HashMap<String, String>>) -> impl IntoResponse {
    let mut script = script.lock().expect("a lock");
    let renewal = form.get("grant_type").is_some_and(|grant| grant == "refresh_token");
    script.asked.push(form);
    if renewal && script.refuse_refresh {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    if script.refuse_client {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    if renewal && script.busy {
        let wait = [(header::RETRY_AFTER, "3600")];
        return (StatusCode::TOO_MANY_REQUESTS, wait, Json(json!({ "error": "slow_down_please" }))).into_response();
    }
    script.answers += 1;
    let number = script.answers;
    let answer = json!({
        "access_token": format!("canary-access-{number}"), "refresh_token": format!("canary-refresh-{number}"),
        "token_type": "Bearer", "expires_in": 3600,
    });
    (StatusCode::OK, Json(answer)).into_response()
}

async fn me(State(script): Shared, headers: axum::http::HeaderMap) -> impl IntoResponse {
    let script = script.lock().expect("a lock");
    if script.nameless {
        return (StatusCode::FORBIDDEN, Json(json!({})));
    }
    let expected = format!("Bearer canary-access-{}", script.answers);
    if headers.get(header::AUTHORIZATION).is_some_and(|given| given.as_bytes() == expected.as_bytes()) {
        let mut told = json!({ "email": script.account });
        if let Some(subject) = &script.subject {
            told["sub"] = json!(subject);
        }
        (StatusCode::OK, Json(told))
    } else {
        (StatusCode::UNAUTHORIZED, Json(json!({})))
    }
}

async fn revoke(State(script): Shared, Form(form): Form<HashMap<String, String>>) -> impl IntoResponse {
    let mut script = script.lock().expect("a lock");
    let token = form["token"].clone();
    if token.starts_with("canary-access-") && token != format!("canary-access-{}", script.answers) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_token" })));
    }
    script.revoked.push(token);
    (StatusCode::OK, Json(json!({})))
}

async fn metadata_or_page(shared: Shared, headers: axum::http::HeaderMap) -> axum::response::Response {
    if shared.0.lock().expect("a lock").web_page {
        return axum::response::Html("<!doctype html><p>Welcome").into_response();
    }
    metadata(headers).await.into_response()
}

async fn metadata(headers: axum::http::HeaderMap) -> Json<Value> {
    let host = headers[header::HOST].to_str().expect("a host");
    let at = |path: &str| format!("http://{host}{path}");
    Json(json!({
        "issuer": format!("http://{host}"), "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"), "userinfo_endpoint": at("/me"), "revocation_endpoint": at("/revoke"),
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

impl Provider {
    pub async fn start() -> Self {
        let script = Arc::new(Mutex::new(Script { account: "ada@acme.example".to_owned(), ..Script::default() }));
        let app = Router::new()
            .route("/token", post(token))
            .route("/me", get(me))
            .route("/revoke", post(revoke))
            .route("/.well-known/oauth-authorization-server", get(metadata_or_page))
            .route("/.well-known/openid-configuration", get(metadata))
            .with_state(Arc::clone(&script));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await.expect("served") });
        Self { origin, script }
    }

    pub fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().expect("a lock")
    }

    pub fn request(&self, name: &str) -> Value {
        json!({ "request": {
            "environment": "production", "component": "oauth2", "method": "sign_in", "name": name, "tags": ["mail"],
            "values": { "issuer": self.origin, "client_id": "patchbay", "client_secret": "canary-client-secret", "scopes": "email" },
            "by": "window",
        } })
    }
}

/// The page before the provider, opened: where it leads, and the browser's cookie.
pub struct Opened {
    pub url: url::Url,
    pub browser: String,
}

impl Opened {
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(given, _)| given == name).map(|(_, value)| value.into_owned())
    }
}

pub async fn begin(site: &Site, who: &As, body: &Value) -> Value {
    let begun = site.call("POST", "/rpc/begin_connect", who, body).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
    begun.json()
}

async fn post_code(site: &Site, begun: &Value, browser: Option<&str>) -> Answer {
    let code = begun["url"].as_str().expect("a URL").split_once('#').expect("a fragment").1;
    let body = json!({ "code": code }).to_string();
    let mut sent = request("POST", "/oauth/start", &As::Nobody, Some(body));
    if let Some(browser) = browser {
        sent.headers_mut().insert(header::COOKIE, format!("patchbay-oauth-3000={browser}").parse().expect("a header"));
    }
    site.send(sent).await
}

pub async fn open(site: &Site, begun: &Value) -> Opened {
    let answer = post_code(site, begun, None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let url = answer.json()["authorize_url"].as_str().expect("a URL").parse().expect("a URL");
    Opened { url, browser: value_of(answer.header("set-cookie")) }
}

pub async fn land(site: &Site, browser: Option<&str>, query: &str) -> Answer {
    land_at(site, "/oauth/callback/own", browser, query).await
}

async fn land_at(site: &Site, path: &str, browser: Option<&str>, query: &str) -> Answer {
    let mut sent = request("GET", &format!("{path}?{query}"), &As::Nobody, None);
    if let Some(browser) = browser {
        sent.headers_mut().insert(header::COOKIE, format!("patchbay-oauth-3000={browser}").parse().expect("a header"));
    }
    site.send(sent).await
}

pub fn good(provider: &Provider, opened: &Opened) -> String {
    let state = opened.parameter("state").expect("a state");
    format!("code=c0de&state={state}&iss={}", provider.origin)
}

pub async fn progress(site: &Site, who: &As, begun: &Value) -> Value {
    let body = json!({ "environment": "production", "flow": begun["flow"] });
    site.call("POST", "/rpc/connect_progress", who, &body).await.json()
}

/// A connected account; its id.
pub async fn connected(site: &Site, provider: &Provider, who: &As) -> String {
    connected_as(site, provider, who, &provider.request("Mail")).await
}

/// The same for another request.
pub async fn connected_as(site: &Site, provider: &Provider, who: &As, body: &Value) -> String {
    let begun = begin(site, who, body).await;
    let opened = open(site, &begun).await;
    let landed = land(site, Some(&opened.browser), &good(provider, &opened)).await;
    assert!(landed.text.contains("is connected"), "{}", landed.text);
    let id = progress(site, who, &begun).await["connected"]["summary"]["id"].as_str().map(str::to_owned);
    id.expect("a connection")
}

#[tokio::test]
async fn an_account_is_connected_and_named() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let begun = begin(&site, &owner, &provider.request("Mail")).await;
    assert!(begun["url"].as_str().expect("a URL").starts_with(&format!("{ORIGIN}/oauth/start#")));
    assert_eq!(progress(&site, &owner, &begun).await, json!("waiting"));
    let opened = open(&site, &begun).await;
    assert_eq!(opened.parameter("redirect_uri").as_deref(), Some(&*format!("{ORIGIN}/oauth/callback/own")));
    assert_eq!(opened.parameter("scope").as_deref(), Some("email"));
    let page = post_code(&site, &begun, Some(&opened.browser)).await.json();
    assert_eq!((&page["host"], &page["scopes"]), (&json!("127.0.0.1"), &json!(["“email”, as the service calls it"])));
    let url = page["authorize_url"].as_str().expect("a URL").parse().expect("a URL");
    let opened = Opened { url, browser: opened.browser };
    assert_eq!(opened.parameter("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(progress(&site, &owner, &begun).await, json!("opened"));
    let landed = land(&site, Some(&opened.browser), &good(&provider, &opened)).await;
    assert_eq!((landed.status, landed.header("cross-origin-opener-policy")), (StatusCode::OK, "unsafe-none"));
    let summary = progress(&site, &owner, &begun).await["connected"]["summary"].clone();
    assert_eq!((&summary["name"], &summary["account"]), (&json!("Mail"), &json!("ada@acme.example")));
    assert!(summary["health"]["valid"].is_object(), "{summary}");
    let asked = provider.script().asked[0].clone();
    assert_eq!(asked["code"], "c0de");
    assert!(asked.contains_key("code_verifier"));
}

#[tokio::test]
async fn a_state_is_worth_something_once_and_in_one_browser() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let begun = begin(&site, &owner, &provider.request("Mail")).await;
    let opened = open(&site, &begun).await;
    let query = good(&provider, &opened);
    let other = post_code(&site, &begun, Some("another-browser")).await;
    assert_eq!(other.status, StatusCode::GONE, "the page belongs to the browser that opened it");
    for browser in [None, Some("another-browser")] {
        let landed = land(&site, browser, &query).await;
        assert!(landed.text.contains("belongs to nothing"), "{}", landed.text);
    }
    let forged = land(&site, Some(&opened.browser), "code=c0de&state=forged").await;
    assert!(forged.text.contains("belongs to nothing"), "{}", forged.text);
    assert!(provider.script().asked.is_empty());
    assert!(land(&site, Some(&opened.browser), &query).await.text.contains("is connected"));
    let replayed = land(&site, Some(&opened.browser), &query).await;
    assert!(replayed.text.contains("belongs to nothing"), "{}", replayed.text);
    assert_eq!(provider.script().asked.len(), 1);
}

#[tokio::test]
async fn what_comes_back_where_another_provider_answers_is_no_answer() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let begun = begin(&site, &owner, &provider.request("Mail")).await;
    let opened = open(&site, &begun).await;
    let query = good(&provider, &opened);
    let mixed_up = land_at(&site, "/oauth/callback", Some(&opened.browser), &query).await;
    assert!(mixed_up.text.contains("belongs to nothing"), "{}", mixed_up.text);
    assert!(provider.script().asked.is_empty(), "the code is handed to nobody");
    assert!(land(&site, Some(&opened.browser), &query).await.text.contains("is connected"));
}

#[tokio::test]
async fn a_link_that_was_opened_can_be_opened_again_for_days_but_answered_for_minutes() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let mut by_link = provider.request("Linked");
    by_link["request"]["by"] = json!("link");
    let begun = begin(&site, &owner, &by_link).await;
    let first = open(&site, &begun).await;
    site.pass(10 * MINUTE);
    let late = land(&site, Some(&first.browser), &good(&provider, &first)).await;
    assert!(late.text.contains("belongs to nothing"), "{}", late.text);
    site.pass(2 * DAY);
    let again = post_code(&site, &begun, Some(&first.browser)).await;
    let url = again.json()["authorize_url"].as_str().expect("a URL").parse().expect("a URL");
    let second = Opened { url, browser: first.browser };
    assert!(land(&site, Some(&second.browser), &good(&provider, &second)).await.text.contains("is connected"));
}

#[tokio::test]
async fn the_same_browser_may_open_the_page_again_with_another_state() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let begun = begin(&site, &owner, &provider.request("Mail")).await;
    let first = open(&site, &begun).await;
    let again = post_code(&site, &begun, Some(&first.browser)).await;
    let url = again.json()["authorize_url"].as_str().expect("a URL").parse().expect("a URL");
    let second = Opened { url, browser: value_of(again.header("set-cookie")) };
    assert_eq!(first.browser, second.browser);
    assert!(land(&site, Some(&first.browser), &good(&provider, &first)).await.text.contains("belongs to nothing"));
    assert!(land(&site, Some(&second.browser), &good(&provider, &second)).await.text.contains("is connected"));
}

#[tokio::test]
async fn what_is_wrong_with_an_answer_is_told_and_nothing_is_saved() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let cases = [
        ("error=access_denied&error_description=No+thanks", "Access was not allowed"),
        ("code=c0de&iss=http%3A%2F%2Fevil.example", "does not come from"),
        ("code=c0de", "does not come from"),
    ];
    for (query, words) in cases {
        let begun = begin(&site, &owner, &provider.request("Mail")).await;
        let opened = open(&site, &begun).await;
        let state = opened.parameter("state").expect("a state");
        let own = if query.contains("error=") { format!("&iss={}", provider.origin) } else { String::new() };
        let landed = land(&site, Some(&opened.browser), &format!("{query}&state={state}{own}")).await;
        assert!(landed.text.contains(words), "{query}: {}", landed.text);
        let failed = progress(&site, &owner, &begun).await["failed"]["message"].clone();
        assert!(failed.as_str().is_some_and(|message| message.contains(words)), "{failed}");
    }
    let list = site.get("/rpc/snapshot?env=production", &owner).await.json();
    assert_eq!(list["rows"], json!([]));
}

#[tokio::test]
async fn a_window_is_awaited_for_ten_minutes_and_a_link_for_seven_days() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let mut by_link = provider.request("Linked");
    by_link["request"]["by"] = json!("link");
    let (window, link) = (begin(&site, &owner, &provider.request("Mail")).await, begin(&site, &owner, &by_link).await);
    site.pass(10 * MINUTE);
    assert_eq!(progress(&site, &owner, &window).await, json!("expired"));
    assert_eq!(post_code(&site, &window, None).await.status, StatusCode::GONE);
    site.pass(6 * DAY);
    let opened = open(&site, &link).await;
    assert!(land(&site, Some(&opened.browser), &good(&provider, &opened)).await.text.contains("is connected"));
    let owner = site.sign_in().await;
    let late = begin(&site, &owner, &by_link).await;
    site.pass(7 * DAY);
    assert_eq!(post_code(&site, &late, None).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn another_account_is_asked_about_before_it_replaces_the_one_before() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    let again = |_: &str| {
        let mut again = provider.request("Mail");
        again["request"]["reconnect"] = json!(id);
        again["request"]["values"] = json!({});
        again
    };
    provider.script().account = "bob@acme.example".to_owned();
    for (replace, account) in [(false, "ada@acme.example"), (true, "bob@acme.example")] {
        let begun = begin(&site, &owner, &again(account)).await;
        let opened = open(&site, &begun).await;
        let landed = land(&site, Some(&opened.browser), &good(&provider, &opened)).await;
        assert!(landed.text.contains("another OAuth 2.0 service account"), "{}", landed.text);
        // For whoever looks at the connection days later, as after a link.
        site.pass(2 * DAY);
        let detail = json!({ "environment": "production", "id": id });
        let owner = site.sign_in().await;
        let undecided = site.call("POST", "/rpc/detail", &owner, &detail).await.json()["undecided"].clone();
        assert_eq!((&undecided["flow"], &undecided["is"]), (&begun["flow"], &json!("bob@acme.example")));
        let asked = progress(&site, &owner, &begun).await;
        assert_eq!(asked["other_account"], json!({ "was": "ada@acme.example", "is": "bob@acme.example" }));
        let body = json!({ "environment": "production", "flow": begun["flow"], "replace": replace });
        let decided = site.call("POST", "/rpc/decide_connect", &owner, &body).await;
        assert_eq!(decided.status, StatusCode::OK, "{}", decided.text);
        let seen = site.call("POST", "/rpc/detail", &owner, &detail).await.json();
        assert_eq!(seen["undecided"], Value::Null);
        let summary = seen["summary"].clone();
        assert_eq!((&summary["account"], &summary["id"]), (&json!(account), &json!(id)));
        assert_eq!(summary["tags"], json!(["mail"]));
    }
}

#[tokio::test]
async fn an_account_with_another_name_is_the_same_and_another_of_the_same_name_is_not() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    provider.script().subject = Some("7".to_owned());
    let id = connected(&site, &provider, &owner).await;
    let mut again = provider.request("Mail");
    again["request"]["reconnect"] = json!(id);
    again["request"]["values"] = json!({});
    let reconnect = async || {
        let begun = begin(&site, &owner, &again).await;
        let opened = open(&site, &begun).await;
        land(&site, Some(&opened.browser), &good(&provider, &opened)).await.text
    };
    provider.script().account = "ada.lovelace@acme.example".to_owned();
    let renamed = reconnect().await;
    assert!(renamed.contains("is connected"), "{renamed}");
    provider.script().subject = Some("8".to_owned());
    let other = reconnect().await;
    assert!(other.contains("another account by its id"), "{other}");
}

pub async fn test(site: &Site, who: &As, id: &str) -> String {
    site.call("POST", "/rpc/stream/test", who, &json!({ "environment": "production", "id": id })).await.text
}

#[tokio::test]
async fn a_token_is_renewed_before_it_is_used_and_its_end_is_told() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    site.pass(2 * HOUR);
    let tested = test(&site, &owner, &id).await;
    assert!(tested.contains("\"valid\""), "{tested}");
    let asked = provider.script().asked.last().cloned().expect("a renewal");
    assert_eq!(asked["refresh_token"], "canary-refresh-1");
    site.pass(2 * HOUR);
    provider.script().refuse_refresh = true;
    let tested = test(&site, &owner, &id).await;
    assert!(tested.contains("rejected") && tested.contains("Reconnect"), "{tested}");
    let presented = provider.script().asked.len();
    test(&site, &owner, &id).await;
    assert_eq!(provider.script().asked.len(), presented, "what was refused is not presented again");
}

/// What a deletion that replaces nothing sends; a purge looks at its first two members alone.
pub fn deletion(id: &str) -> Value {
    let nothing = json!({ "everywhere": null, "workflows": {} });
    json!({ "environment": "production", "id": id, "replacement": nothing, "foreseen": [] })
}

#[tokio::test]
async fn what_is_purged_is_revoked_at_the_provider() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    for deed in ["delete", "purge"] {
        assert_eq!(site.call("POST", &format!("/rpc/{deed}"), &owner, &deletion(&id)).await.status, StatusCode::OK);
    }
    assert_eq!(site.app.services.revoke_due().await.expect("carried out"), 1);
    assert_eq!(provider.script().revoked, ["canary-refresh-1"]);
    assert_eq!(site.app.services.revoke_due().await.expect("carried out"), 0);
}

#[tokio::test]
async fn nobody_sees_a_flow_of_another_environment_and_only_owners_change_clients() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let begun = begin(&site, &owner, &provider.request("Mail")).await;
    let elsewhere = json!({ "environment": "staging", "flow": begun["flow"] });
    let answer = site.call("POST", "/rpc/connect_progress", &owner, &elsewhere).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let editor = site.member(Role::Editor, &[Environment::Production]).await;
    let client = json!({
        "environment": "production", "component": "gmail", "method": "oauth",
        "client_id": "own", "client_secret": "canary-own-secret",
    });
    assert_eq!(site.call("POST", "/rpc/store_oauth_client", &editor, &client).await.status, StatusCode::FORBIDDEN);
    let stored = site.call("POST", "/rpc/store_oauth_client", &owner, &client).await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.text);
    assert_eq!(stored.json()["origin"]["own"]["client_id"], "own");
    assert!(!stored.text.contains("canary-own-secret"));
    assert_eq!(stored.json()["redirect_url"], format!("{ORIGIN}/oauth/callback"));
}

#[tokio::test]
async fn without_a_client_nothing_begins_and_the_remedy_is_told() {
    let site = Site::new().await;
    let owner = site.sign_in().await;
    let body = json!({ "request": {
        "environment": "production", "component": "gmail", "method": "oauth", "name": "Mail", "values": {}, "by": "window",
    } });
    let refused = site.call("POST", "/rpc/begin_connect", &owner, &body).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
    assert!(refused.text.contains("Set one up first"), "{}", refused.text);
}

#[tokio::test]
async fn without_issuer_and_addresses_neither_a_window_nor_a_link_begins() {
    let site = Site::new().await;
    let owner = site.sign_in().await;
    let half = json!({ "authorize_url": "https://login.acme.example/authorize" });
    for (by, given) in [("window", json!({})), ("link", json!({})), ("window", half)] {
        let mut values = json!({ "client_id": "patchbay", "client_secret": "canary-client-secret", "scopes": "email" });
        values.as_object_mut().expect("fields").extend(given.as_object().cloned().unwrap_or_default());
        let body = json!({ "request": {
            "environment": "production", "component": "oauth2", "method": "sign_in", "name": "Mail", "values": values, "by": by,
        } });
        let refused = site.call("POST", "/rpc/begin_connect", &owner, &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
        assert!(refused.text.contains("issuer") && refused.text.contains("Give the issuer"), "{}", refused.text);
    }
}

#[tokio::test]
async fn no_token_code_or_secret_stands_in_an_answer_or_in_the_database() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    let detail = site.call("POST", "/rpc/detail", &owner, &json!({ "environment": "production", "id": id })).await;
    let list = site.get("/rpc/snapshot?env=production", &owner).await;
    for text in [detail.text, list.text] {
        assert!(!text.contains("canary-"), "{text}");
    }
    let file = site.app.config.sqlite_file().expect("a file");
    let folder = file.parent().expect("a folder");
    for entry in std::fs::read_dir(folder).expect("read").flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        for canary in ["canary-access", "canary-refresh", "canary-client-secret", "c0de"] {
            assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()), "{canary}");
        }
    }
}
