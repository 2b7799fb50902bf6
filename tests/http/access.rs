//! Walks every route as everybody who could ask, in the environments they have and in one they have not.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::components;
use crate::harness::{Answer, As, HOST, Site};
use patchbay::domain::environment::Environment;
use patchbay::domain::role::{Action, Permission, Role};
use patchbay::server::http::routes::{Access, ROUTES, Route};

/// What an answer says about the right to ask.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    LetIn,
    Forbidden,
    /// What lies in an environment one may not enter does not exist for one.
    NotFound,
    SignedOut,
}

fn verdict(answer: &Answer) -> Verdict {
    if answer.header("content-type").starts_with("text/event-stream") {
        let told = |kind: &str| answer.text.contains(&format!("{{\"error\":\"{kind}\"}}"));
        return match (told("not_found"), told("forbidden")) {
            (true, _) => Verdict::NotFound,
            (_, true) => Verdict::Forbidden,
            _ => Verdict::LetIn,
        };
    }
    match answer.status {
        StatusCode::FORBIDDEN => Verdict::Forbidden,
        StatusCode::NOT_FOUND => Verdict::NotFound,
        StatusCode::UNAUTHORIZED => Verdict::SignedOut,
        _ => Verdict::LetIn,
    }
}

/// The path and body that ask a route about a connection in an environment.
fn asked(route: &Route, environment: Environment, id: &str, fresh: &str) -> (String, Value) {
    let path = route.path;
    let concrete = path.replace("{id}", id);
    let here = format!("{concrete}?environment={environment}");
    let one = json!({ "environment": environment, "id": id });
    let with = |more: Value| {
        let mut whole = one.clone();
        whole.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        whole
    };
    let new = json!({
        "request_id": fresh, "environment": environment, "component": "github", "method": "token", "name": fresh,
        "values": { "token": "ghp_canary222222222222222222222222222222" }, "saving": "as_not_active"
    });
    match path {
        "/rpc/snapshot" | "/rpc/stream/changes" => (format!("{path}?env={environment}"), Value::Null),
        "/rpc/first_page" => {
            let query =
                json!({ "filter": { "component": null, "tags": [], "status": null, "text": "" }, "sort": "created" });
            (concrete, json!({ "environment": environment, "query": query, "offset": 0 }))
        }
        "/rpc/create_api_key" => {
            let request = json!({ "name": fresh, "permissions": ["read"], "environments": [environment],
                                  "connections": [], "days": 1 });
            (concrete, json!({ "request": request }))
        }
        "/rpc/revoke_api_key" => (concrete, json!({ "id": "key_00000000000000000000000000000000" })),
        "/rpc/connections_for_key" => (concrete, json!({ "environments": [environment], "words": "" })),
        "/rpc/component_versions" | "/rpc/remove_component" => (concrete, json!({ "slug": own(fresh), "version": 1 })),
        "/rpc/preview_component" | "/rpc/put_component" | "/rpc/stream/try" => {
            let (slug, definition) = (own(fresh), components::acme(&own(fresh)).to_string());
            let trial = json!({ "definition": definition, "method": "none", "values": {} });
            let other = json!({ "slug": slug, "definition": definition, "version": 0 });
            (concrete, if path == "/rpc/stream/try" { trial } else { other })
        }
        "/rpc/deleted" => (concrete, json!({ "environment": environment })),
        "/rpc/begin_connect" => {
            let request = json!({ "environment": environment, "component": "gmail", "method": "oauth", "name": fresh,
                                  "values": {}, "by": "window" });
            (concrete, json!({ "request": request }))
        }
        "/rpc/connect_progress" | "/rpc/cancel_connect" | "/rpc/decide_connect" => {
            let flow = "flow_00000000000000000000000000000000";
            (concrete, json!({ "environment": environment, "flow": flow, "replace": true }))
        }
        path if path.ends_with("_oauth_client") || path == "/rpc/oauth_client" => {
            let body = json!({ "environment": environment, "component": "gmail", "method": "oauth", "client_id": fresh,
                               "client_secret": "canary-client", "values": {} });
            (concrete, body)
        }
        "/rpc/set_tags" => (concrete, with(json!({ "version": 1, "tags": ["a"] }))),
        "/rpc/delete" | "/rpc/replace" => {
            let plan = json!({ "everywhere": null, "workflows": {} });
            (concrete, with(json!({ "replacement": plan, "foreseen": [] })))
        }
        "/rpc/rename" => (concrete, with(json!({ "version": 1, "name": fresh, "tags": [] }))),
        "/rpc/stream/create" => (concrete, new),
        "/rpc/stream/update" => {
            let more = json!({ "request_id": fresh, "version": 1, "name": fresh, "tags": [], "method": "token",
                               "values": {}, "saving": "as_not_active" });
            (concrete, with(more))
        }
        "/api/v1/connections" if route.method == "GET" => (here, Value::Null),
        "/api/v1/connections" => {
            let body = json!({ "environment": environment, "component": "github", "name": fresh,
                               "values": { "token": "ghp_canary333333333333333333333333333333" } });
            (format!("{path}?validate=false"), body)
        }
        path if path.starts_with("/api/v1/components/") => {
            let slug = own(fresh);
            (path.replace("{slug}", &slug).replace("{version}", "1"), components::acme(&slug))
        }
        "/api/v1/tags" | "/api/v1/workflows/changes" | "/api/v1/events" => (here, Value::Null),
        "/api/v1/workflows" => (here, json!({ "workflows": [] })),
        "/api/v1/workflows/{id}" => {
            let path = format!("/api/v1/workflows/nightly?environment={environment}");
            (path, json!({ "name": "Nightly", "connections": [] }))
        }
        "/api/v1/webhooks/{id}/replay" => (concrete, json!({ "failed_since": "2026-11-22T14:28:22Z" })),
        path if path.starts_with("/api/") => (concrete, json!({})),
        path if path.ends_with("_webhook") => {
            let request =
                json!({ "url": "https://a.example/", "types": [], "environments": [environment], "enabled": true });
            (concrete, json!({ "id": id, "request": request, "event": null }))
        }
        "/rpc/webhook_deliveries" => (concrete, json!({ "id": id, "failed": false })),
        _ => (concrete, one),
    }
}

/// Whether an answer depends on the environment asked about.
fn is_in_an_environment(path: &str) -> bool {
    // A key for an environment that its maker may not enter is a mistake in the form.
    let keys = ["/rpc/api_keys", "/rpc/create_api_key", "/rpc/revoke_api_key"];
    !keys.contains(&path) && path != "/rpc/local_services" && !is_of_components(path) && !is_of_all_webhooks(path)
}

/// Components belong to the workspace as a whole.
fn is_of_components(path: &str) -> bool {
    path.contains("component") || path == "/rpc/stream/try"
}

/// The slug of a component of the workspace's own.
fn own(fresh: &str) -> String {
    format!("own-{}", fresh.replace(' ', "-"))
}

fn is_of_all_webhooks(path: &str) -> bool {
    matches!(path, "/api/v1/webhooks" | "/rpc/webhooks" | "/rpc/create_webhook")
}

/// A webhook of one environment: there is as much room as for a few, so each is removed again.
async fn webhook(site: &Site, environment: Environment) -> String {
    let body = json!({ "url": "https://a.example/", "environments": [environment] });
    let made = site.call("POST", "/api/v1/webhooks", &site.sign_in().await, &body).await;
    made.json()["id"].as_str().unwrap_or_else(|| panic!("{}", made.text)).to_owned()
}

async fn ask(site: &Site, route: &Route, who: &As, environment: Environment, n: usize) -> Answer {
    if route.path.contains("webhook") && !is_of_all_webhooks(route.path) {
        let id = webhook(site, environment).await;
        let (path, body) = asked(route, environment, &id, &format!("fresh {n}"));
        let answer = send(site, route, who, &path, &body).await;
        site.call("DELETE", &format!("/api/v1/webhooks/{id}"), &site.sign_in().await, &json!({})).await;
        return answer;
    }
    let id = site.connection(environment, &format!("subject {n}")).await;
    let (path, body) = asked(route, environment, &id, &format!("fresh {n}"));
    if route.path == "/api/v1/workflows/{id}" && route.method != "PUT" {
        let owner = site.sign_in().await;
        site.call("PUT", &path, &owner, &body).await;
    }
    let by_name = route.path.starts_with("/api/v1/components/{slug}") && route.method != "PUT";
    let needed = by_name || matches!(route.path, "/rpc/component_versions" | "/rpc/remove_component");
    let slug = own(&format!("fresh {n}"));
    let owner = if is_of_components(route.path) { site.sign_in().await } else { As::Nobody };
    if needed {
        site.call("PUT", &format!("/api/v1/components/{slug}"), &owner, &components::acme(&slug)).await;
    }
    let answer = send(site, route, who, &path, &body).await;
    if is_of_components(route.path) {
        // A workspace has room for a hundred.
        site.call("DELETE", &format!("/api/v1/components/{slug}"), &owner, &Value::Null).await;
    }
    answer
}

async fn send(site: &Site, route: &Route, who: &As, path: &str, body: &Value) -> Answer {
    match route.method {
        // It goes on until its page is closed.
        _ if route.path == "/rpc/stream/changes" => site.head(path, who).await,
        "GET" => site.get(path, who).await,
        method => site.call(method, path, who, body).await,
    }
}

#[tokio::test]
async fn nobody_reaches_what_the_table_does_not_grant() {
    let site = Site::new().await;
    let home = [Environment::Development];
    let mut everybody = Vec::new();
    for role in Role::ALL {
        let may = Box::new(move |action: Action| role.allows(action)) as Box<dyn Fn(Action) -> bool>;
        everybody.push((format!("{role:?}"), site.member(role, &home).await, may, true));
    }
    for permission in Permission::ALL {
        let may =
            Box::new(move |action: Action| action.permission() == Some(permission)) as Box<dyn Fn(Action) -> bool>;
        everybody.push((format!("{permission:?}"), site.key(&[permission], &home).await, may, false));
    }
    site.workspace("default").await;
    for role in Role::ALL {
        let may = Box::new(move |action: Action| role.allows_in_frame(action)) as Box<dyn Fn(Action) -> bool>;
        everybody.push((format!("{role:?} in a frame"), site.end_user("default", "ada", role, &home).await, may, true));
    }
    let nothing = Box::new(|_| false) as Box<dyn Fn(Action) -> bool>;
    everybody.push(("Platform".to_owned(), site.instance_key().await, nothing, false));
    let mut n = 0;
    for route in ROUTES {
        let Access::May(action) = route.access else { continue };
        for (name, who, may, is_person) in &everybody {
            for environment in [Environment::Development, Environment::Production] {
                n += 1;
                let answer = ask(&site, route, who, environment, n).await;
                let for_people = matches!(route.path, "/rpc/first_page" | "/rpc/local_services");
                let expected = if !may(action) {
                    Verdict::Forbidden
                } else if for_people && !is_person {
                    Verdict::SignedOut
                } else if environment == Environment::Production && is_in_an_environment(route.path) {
                    Verdict::NotFound
                } else if route.path == "/rpc/local_services" && name != "Owner" {
                    // Looking around on the machine is for its owner.
                    Verdict::Forbidden
                } else {
                    Verdict::LetIn
                };
                let found = verdict(&answer);
                assert!(!answer.status.is_server_error(), "{} {} gave {answer:?}", route.method, route.path);
                // What can only be done to a deleted connection, or to a flow, finds none.
                let of_flow =
                    matches!(route.path, "/rpc/connect_progress" | "/rpc/cancel_connect" | "/rpc/decide_connect");
                let absent = (matches!(route.path, "/rpc/purge" | "/rpc/revoke_api_key") || of_flow)
                    && expected == Verdict::LetIn;
                assert!(
                    found == expected || (absent && found == Verdict::NotFound),
                    "{name} in {environment}: {} {} gave {found:?} ({}), not {expected:?}: {}",
                    route.method,
                    route.path,
                    answer.status,
                    answer.text
                );
            }
        }
    }
    assert!(n > 300, "{n}");
}

#[tokio::test]
async fn without_a_session_or_a_key_nothing_but_the_public_answers() {
    let site = Site::new().await;
    for route in ROUTES {
        let path =
            route.path.replace("{id}", "x").replace("{*file}", "x").replace("{*page}", "x").replace("{*path}", "x");
        let path = path.replace("{workspace}", "x").replace("{view}", "x");
        let path = path.replace("{slug}", "x").replace("{version}", "1").replace("{name}", "x");
        let answer = match route.method {
            "GET" => site.get(&path, &As::Nobody).await,
            method => site.call(method, &path, &As::Nobody, &json!({})).await,
        };
        match route.access {
            Access::Public => assert_ne!(answer.status, StatusCode::FORBIDDEN, "{route:?}"),
            Access::Person => assert_eq!(answer.status, StatusCode::SEE_OTHER, "{route:?}"),
            Access::SignedIn | Access::Platform | Access::May(_) => {
                assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{route:?}");
            }
        }
    }
}

#[tokio::test]
async fn workspaces_and_tickets_are_for_the_platform_alone() {
    let site = Site::new().await;
    site.workspace("default").await;
    let everywhere = [Environment::Development, Environment::Staging, Environment::Production];
    let mut others = vec![site.sign_in().await, site.key(&Permission::ALL, &everywhere).await];
    others.push(site.end_user("default", "ada", Role::Owner, &everywhere).await);
    let platform = site.instance_key().await;
    // The end user's page stays allowed.
    let body = json!({ "name": "x", "allowed_origins": [HOST] });
    let mut seen = 0;
    for route in ROUTES.iter().filter(|route| route.access == Access::Platform) {
        let path = route.path.replace("{id}", "default");
        seen += 1;
        for who in &others {
            let answer = site.call(route.method, &path, who, &body).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{route:?} as {who:?}");
        }
        let answer = site.call(route.method, &path, &platform, &body).await;
        assert_ne!(verdict(&answer), Verdict::Forbidden, "{route:?}");
        assert_ne!(verdict(&answer), Verdict::SignedOut, "{route:?}");
    }
    assert_eq!(seen, 4);
}
