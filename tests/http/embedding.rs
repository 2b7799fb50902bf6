//! Embedded pages: who is let in, on which page, and what they see of each other.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::harness::{Answer, As, COOKIE, HOST, Site};
use patchbay::domain::environment::Environment;
use patchbay::domain::role::{Permission, Role};
use patchbay::domain::time::MINUTE;

const HERE: [Environment; 1] = [Environment::Development];

async fn trade(site: &Site, ticket: &str, origin: &str) -> Answer {
    site.call("POST", "/embed/token", &As::Nobody, &json!({ "ticket": ticket, "origin": origin })).await
}

fn code(answer: &Answer) -> (StatusCode, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

/// Creates as the page would.
async fn create(site: &Site, who: &As, name: &str, audience: &str) -> Answer {
    let body = json!({
        "request_id": format!("r {name}"), "environment": "development", "component": "github", "method": "token",
        "name": name, "values": { "token": "ghp_canary444444444444444444444444444444" },
        "saving": "as_not_active", "audience": audience
    });
    site.call("POST", "/rpc/stream/create", who, &body).await
}

fn id_in(answer: &Answer) -> String {
    let start = answer.text.find("con_").unwrap_or_else(|| panic!("not created: {}", answer.text));
    answer.text[start..start + 36].to_owned()
}

fn without_nonce(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce");
    answer.text.replace(nonce, "")
}

async fn names(site: &Site, who: &As) -> Vec<String> {
    let snapshot = site.get("/rpc/snapshot?env=development", who).await.json();
    let rows = snapshot["rows"].as_array().expect("rows");
    let mut names: Vec<String> = rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_workspace_is_made_changed_and_told() {
    let site = Site::new().await;
    let platform = site.instance_key().await;
    let body = json!({ "name": "Acme", "allowed_origins": [HOST, HOST], "theme": { "accent": "#2563eb", "radius": 6 },
                       "settings": { "plan": "pro" } });
    let made = site.call("PUT", "/api/v1/workspaces/acme", &platform, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.json()["allowed_origins"], json!([HOST]));
    let again = site.call("PUT", "/api/v1/workspaces/acme", &platform, &json!({ "name": "Acme 2" })).await;
    assert_eq!((again.status, &again.json()["theme"]), (StatusCode::OK, &json!({})));
    let list = site.get("/api/v1/workspaces?limit=1", &platform).await.json();
    assert_eq!((&list["items"][0]["id"], &list["next"]), (&json!("acme"), &json!("acme")));
    let rest = site.get("/api/v1/workspaces?cursor=acme", &platform).await.json();
    assert_eq!(rest["items"][0]["id"], "default");
}

#[tokio::test]
async fn what_is_wrong_with_a_workspace_is_said() {
    let site = Site::new().await;
    let platform = site.instance_key().await;
    let wrong: [(&str, Value, &str); 6] = [
        ("Acme", json!({ "name": "x" }), "lower-case"),
        ("acme", json!({ "name": "" }), "1 to 120"),
        ("acme", json!({ "name": "x", "allowed_origins": ["https://*.acme.example"] }), "Entry 1"),
        ("acme", json!({ "name": "x", "allowed_origins": [HOST, "http://acme.example"] }), "Entry 2"),
        ("acme", json!({ "name": "x", "theme": { "accent": "red" } }), "#2563eb"),
        ("acme", json!({ "name": "x", "theme": { "font": "x; y" } }), "font"),
    ];
    for (id, body, words) in wrong {
        let answer = site.call("PUT", &format!("/api/v1/workspaces/{id}"), &platform, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.text.contains(words), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_ticket_lets_one_frame_in_once_for_two_minutes_on_its_page_only() {
    let site = Site::new().await;
    site.workspace("acme").await;
    let ticket = site.ticket("acme", "ada", Role::Editor, &HERE).await;
    assert_eq!(
        code(&trade(&site, &ticket, "https://evil.example").await),
        (StatusCode::FORBIDDEN, "origin_mismatch".into())
    );
    let good = trade(&site, &ticket, HOST).await;
    let told = good.json();
    assert_eq!(good.status, StatusCode::OK);
    assert_eq!(
        (&told["role"], &told["user"]["id"], &told["workspace"]["id"]),
        (&json!("editor"), &json!("ada"), &json!("acme"))
    );
    assert!(good.headers.get(header::SET_COOKIE).is_none());
    assert_eq!(code(&trade(&site, &ticket, HOST).await), (StatusCode::UNAUTHORIZED, "ticket_used".into()));
    let late = site.ticket("acme", "ada", Role::Editor, &HERE).await;
    site.pass(2 * MINUTE);
    assert_eq!(code(&trade(&site, &late, HOST).await), (StatusCode::UNAUTHORIZED, "ticket_expired".into()));
    assert_eq!(code(&trade(&site, "pb_tkt_guess", HOST).await), (StatusCode::UNAUTHORIZED, "no_ticket".into()));
}

#[tokio::test]
async fn another_sites_page_cannot_trade_a_ticket() {
    let site = Site::new().await;
    site.workspace("acme").await;
    let ticket = site.ticket("acme", "ada", Role::Editor, &HERE).await;
    for from in ["cross-site", "same-site", "none"] {
        let request = Request::post("/embed/token")
            .header("sec-fetch-site", from)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(json!({ "ticket": ticket, "origin": HOST }).to_string()))
            .expect("a request");
        assert_eq!(site.send(request).await.status, StatusCode::FORBIDDEN, "{from}");
    }
    assert_eq!(trade(&site, &ticket, HOST).await.status, StatusCode::OK, "nothing of it used the ticket up");
}

#[tokio::test]
async fn a_ticket_is_made_only_for_an_allowed_page() {
    let site = Site::new().await;
    site.workspace("acme").await;
    let platform = site.instance_key().await;
    let ask = |workspace: &str, origin: &str| {
        json!({ "workspace": workspace, "user": { "id": "ada" }, "role": "editor", "environments": ["development"],
                "origin": origin })
    };
    let answer = site.call("POST", "/api/v1/embed/sessions", &platform, &ask("acme", "https://evil.example")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text.contains("allowed_origins"), "{}", answer.text);
    let answer = site.call("POST", "/api/v1/embed/sessions", &platform, &ask("nobody", HOST)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_bearer_ends_after_a_quarter_of_an_hour_and_with_its_origin() {
    let site = Site::new().await;
    site.workspace("acme").await;
    let ada = site.end_user("acme", "ada", Role::Viewer, &HERE).await;
    assert_eq!(site.get("/rpc/snapshot?env=development", &ada).await.status, StatusCode::OK);
    let platform = site.instance_key().await;
    site.call("PUT", "/api/v1/workspaces/acme", &platform, &json!({ "name": "Acme" })).await;
    let ended = site.get("/rpc/snapshot?env=development", &ada).await;
    assert_eq!((ended.status, ended.json()), (StatusCode::UNAUTHORIZED, json!("frame_signed_out")), "its own words");
    site.workspace("acme").await;
    assert_eq!(site.get("/rpc/snapshot?env=development", &ada).await.status, StatusCode::OK);
    site.pass(15 * MINUTE);
    assert_eq!(site.get("/rpc/snapshot?env=development", &ada).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_cookie_beside_a_bearer_counts_for_nothing() {
    let site = Site::new().await;
    site.workspace("acme").await;
    create(&site, &site.sign_in().await, "of default", "workspace").await;
    let (As::Key(bearer), As::Cookie(cookie)) =
        (site.end_user("acme", "ada", Role::Viewer, &HERE).await, site.sign_in().await)
    else {
        panic!("a bearer and a cookie")
    };
    let request = Request::get("/rpc/snapshot?env=development")
        .header(header::AUTHORIZATION, format!("Bearer {bearer}"))
        .header(header::COOKIE, format!("{COOKIE}={cookie}"))
        .body(Body::empty())
        .expect("a request");
    let answer = site.send(request).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["rows"], json!([]), "the cookie's workspace is not shown");
}

#[tokio::test]
async fn the_shell_holds_no_data_and_names_who_may_frame_it() {
    let site = Site::new().await;
    site.workspace("default").await;
    site.connection(Environment::Development, "hidden name").await;
    let owner = site.sign_in().await;
    let answer = site.get("/embed/default/connections?v=1", &owner).await;
    assert_eq!(answer.status, StatusCode::OK);
    let policy = answer.header("content-security-policy");
    assert!(policy.ends_with(&format!("frame-ancestors {HOST}")), "{policy}");
    for absent in ["x-frame-options", "set-cookie"] {
        assert!(answer.headers.get(absent).is_none(), "{absent}");
    }
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.text.contains("hidden name") && !answer.text.contains("Owner"), "{}", answer.text);
    assert!(answer.text.contains(HOST));
    let other = site.get("/embed/default/connections?v=1", &As::Nobody).await;
    assert_eq!(without_nonce(&answer), without_nonce(&other), "a session makes no difference");
    let slash = site.get("/embed/default/connections/?env=staging", &As::Nobody).await;
    assert_eq!(slash.status, StatusCode::OK, "as the links within the frame are written");
    assert_eq!(without_nonce(&slash), without_nonce(&other));
    for nowhere in ["/embed/nobody/connections", "/embed/default/elsewhere", "/embed/NO/connections"] {
        let answer = site.get(nowhere, &As::Nobody).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{nowhere}");
        assert!(answer.header("content-security-policy").ends_with("frame-ancestors 'none'"));
    }
}

#[tokio::test]
async fn end_users_see_the_workspaces_and_their_own_and_nothing_of_each_other() {
    let site = Site::new().await;
    site.workspace("acme").await;
    let ada = site.end_user("acme", "ada", Role::Editor, &HERE).await;
    let bob = site.end_user("acme", "bob", Role::Owner, &HERE).await;
    let shared = id_in(&create(&site, &ada, "shared", "workspace").await);
    let own = id_in(&create(&site, &ada, "own", "me").await);
    // The same name and the same request id: neither tells that the other is there.
    assert_ne!(id_in(&create(&site, &bob, "own", "me").await), own);
    assert_eq!(names(&site, &ada).await, ["own", "shared"]);
    assert_eq!(names(&site, &bob).await, ["own", "shared"]);
    let at = |path: &str| format!("/api/v1/connections/{own}{path}");
    let one = json!({ "environment": "development", "id": own });
    let mut deletion = one.clone();
    deletion["replacement"] = json!({ "everywhere": null, "workflows": {} });
    deletion["foreseen"] = json!([]);
    let mut versioned = one.clone();
    versioned["version"] = json!(1);
    versioned["tags"] = json!([]);
    versioned["name"] = json!("mine now");
    for (path, body) in [
        ("/rpc/detail", &one),
        ("/rpc/deletion_impact", &one),
        ("/rpc/delete", &deletion),
        ("/rpc/undelete", &one),
        ("/rpc/purge", &one),
        ("/rpc/set_tags", &versioned),
        ("/rpc/rename", &versioned),
    ] {
        let answer = site.call("POST", path, &bob, body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text);
    }
    for (method, path, body) in [
        ("GET", at(""), Value::Null),
        ("PATCH", at(""), json!({ "name": "mine now" })),
        ("DELETE", at(""), json!({})),
        ("POST", at("/test"), json!({})),
        ("POST", at("/undelete"), json!({})),
    ] {
        let answer = site.call(method, &path, &bob, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}: {}", answer.text);
    }
    let tested = site.call("POST", "/rpc/stream/test", &bob, &one).await;
    assert!(tested.text.contains("not_found"), "{}", tested.text);
    let reconnect = json!({ "request": { "environment": "development", "component": "github", "method": "token", "name": "x",
                            "values": {}, "by": "window", "reconnect": own } });
    assert_eq!(site.call("POST", "/rpc/begin_connect", &bob, &reconnect).await.status, StatusCode::NOT_FOUND);
    // What workflows use would tell of every connection.
    for path in ["/api/v1/workflows", "/api/v1/workflows/nightly", "/api/v1/workflows/changes"] {
        let answer = site.get(&format!("{path}?environment=development&connection={own}"), &bob).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {}", answer.text);
    }
    // Deleted and purged: still nothing to see for the other.
    assert!(site.call("POST", "/rpc/delete", &ada, &deletion).await.status.is_success());
    assert_eq!(
        site.call("POST", "/rpc/deleted", &bob, &json!({ "environment": "development" })).await.json(),
        json!([])
    );
    let since = site.get("/rpc/snapshot?env=development&since=1", &bob).await;
    assert!(!since.text.contains(&own), "{}", since.text);
    assert_eq!(since.json()["deleted"], 0);
    assert!(site.call("POST", "/rpc/purge", &ada, &one).await.status.is_success());
    assert!(!site.get("/rpc/snapshot?env=development&since=1", &bob).await.text.contains(&own));
    assert!(site.get("/rpc/snapshot?env=development&since=1", &ada).await.text.contains(&own));
    assert_eq!(site.get(&format!("/api/v1/connections/{shared}"), &bob).await.status, StatusCode::OK);
}

#[tokio::test]
async fn members_see_the_workspaces_and_owners_and_keys_see_all() {
    let site = Site::new().await;
    site.workspace("default").await;
    let ada = site.end_user("default", "ada", Role::Editor, &HERE).await;
    create(&site, &ada, "own", "me").await;
    create(&site, &ada, "shared", "workspace").await;
    assert_eq!(names(&site, &site.member(Role::Editor, &HERE).await).await, ["shared"]);
    let owner = site.sign_in().await;
    assert_eq!(names(&site, &owner).await, ["own", "shared"]);
    let snapshot = site.get("/rpc/snapshot?env=development", &owner).await.text;
    assert!(snapshot.contains(r#""owner":{"id":"ada","name":"ada"}"#), "{snapshot}");
    let list =
        site.get("/api/v1/connections?environment=development", &site.key(&[Permission::Read], &HERE).await).await;
    assert_eq!(list.json()["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn nobody_is_shown_anothers_snapshot_from_a_cache() {
    let site = Site::new().await;
    site.workspace("acme").await;
    let ada = site.end_user("acme", "ada", Role::Editor, &HERE).await;
    let bob = site.end_user("acme", "bob", Role::Editor, &HERE).await;
    create(&site, &ada, "own", "me").await;
    let tag = site.get("/rpc/snapshot?env=development", &ada).await.header("etag").to_owned();
    assert_ne!(site.get("/rpc/snapshot?env=development", &bob).await.header("etag"), tag);
}

#[tokio::test]
async fn the_history_of_a_shared_connection_names_nobodys_private_one() {
    let site = Site::new().await;
    site.workspace("default").await;
    let ada = site.end_user("default", "ada", Role::Editor, &HERE).await;
    let own = id_in(&create(&site, &ada, "Ada's own mail", "me").await);
    let shared = id_in(&create(&site, &ada, "Shared", "workspace").await);
    let workflow = json!({ "name": "Nightly", "connections": [own] });
    let key = site.key(&[Permission::Use], &HERE).await;
    site.call("PUT", "/api/v1/workflows/nightly?environment=development", &key, &workflow).await;
    let plan = json!({ "everywhere": shared, "workflows": {} });
    let deletion = json!({ "environment": "development", "id": own, "replacement": plan, "foreseen": ["nightly"] });
    let deleted = site.call("POST", "/rpc/delete", &ada, &deletion).await;
    assert_eq!((deleted.status, deleted.json()), (StatusCode::OK, json!([["nightly", shared]])));
    let asked = json!({ "environment": "development", "id": shared });
    let bob = site.end_user("default", "bob", Role::Viewer, &HERE).await;
    for who in [bob, site.member(Role::Editor, &HERE).await] {
        let told = site.call("POST", "/rpc/detail", &who, &asked).await.text;
        assert!(told.contains("a private connection in 1 workflow"), "{told}");
        assert!(!told.contains("own mail"), "{told}");
    }
}

#[tokio::test]
async fn a_request_sent_again_for_another_audience_is_another_request() {
    let site = Site::new().await;
    site.workspace("acme").await;
    let ada = site.end_user("acme", "ada", Role::Editor, &HERE).await;
    create(&site, &ada, "mail", "workspace").await;
    let again = create(&site, &ada, "mail", "me").await;
    assert!(again.text.contains("reused"), "{}", again.text);
}

#[tokio::test]
async fn what_an_editor_makes_without_a_word_is_theirs_and_what_an_owner_makes_is_the_workspaces() {
    let site = Site::new().await;
    site.workspace("acme").await;
    for (user, role) in [("ada", Role::Editor), ("olga", Role::Owner)] {
        let who = site.end_user("acme", user, role, &HERE).await;
        let body = json!({ "environment": "development", "component": "github", "name": format!("of {user}"),
                           "values": { "token": "ghp_canary555555555555555555555555555555" } });
        let made = site.call("POST", "/api/v1/connections?validate=false", &who, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    }
    let bob = site.end_user("acme", "bob", Role::Viewer, &HERE).await;
    assert_eq!(names(&site, &bob).await, ["of olga"]);
}

#[tokio::test]
async fn only_an_end_user_can_keep_a_connection_to_themselves() {
    let site = Site::new().await;
    create(&site, &site.sign_in().await, "shared", "me").await;
    assert_eq!(names(&site, &site.member(Role::Viewer, &HERE).await).await, ["shared"]);
}

#[tokio::test]
async fn a_frames_bearer_opens_no_page_of_its_own() {
    let site = Site::new().await;
    site.workspace("acme").await;
    let ada = site.end_user("acme", "ada", Role::Owner, &HERE).await;
    assert_eq!(site.get("/?env=development", &ada).await.status, StatusCode::FORBIDDEN);
}
