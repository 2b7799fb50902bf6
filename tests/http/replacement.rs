//! The platform's side: many workflows at once, who uses what, deletion with a replacement, and the feed it follows.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Answer, As, Site};
use patchbay::domain::environment::Environment;
use patchbay::domain::role::Permission;

const HERE: &str = "environment=development";

async fn machine(site: &Site) -> As {
    site.key(&[Permission::Use, Permission::Read, Permission::Write], &Environment::ALL).await
}

fn workflow(id: &str, connections: &[&str]) -> Value {
    json!({ "id": id, "name": format!("Flow {id}"), "url": format!("https://flows.example/{id}"), "connections": connections })
}

async fn register(site: &Site, key: &As, workflows: Value) -> Answer {
    site.call("PUT", &format!("/api/v1/workflows?{HERE}"), key, &json!({ "workflows": workflows })).await
}

fn errors(answer: &Answer) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let all = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    all.iter().map(|error| (text(&error["pointer"]), text(&error["detail"]))).collect()
}

fn pointers(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    errors(answer).into_iter().map(|(pointer, _)| pointer).collect()
}

async fn mapping(site: &Site, key: &As, id: &str) -> Value {
    site.get(&format!("/api/v1/workflows/{id}?{HERE}"), key).await.json()["connections"].clone()
}

#[tokio::test]
async fn many_workflows_are_registered_at_once_and_listed_by_page() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let a = site.connection(Environment::Development, "A").await;
    let b = site.connection(Environment::Development, "B").await;
    let answer =
        register(&site, &key, json!([workflow("1", &[&a]), workflow("2", &[&a, &b]), workflow("3", &[])])).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    let first = site.get(&format!("/api/v1/workflows?{HERE}&limit=2"), &key).await.json();
    // Connections are told in the order of their ids, and two of one millisecond may have been named in either.
    let (low, high) = if a < b { (&a, &b) } else { (&b, &a) };
    assert_eq!((first["items"][1].clone(), first["next"].as_str()), (workflow("2", &[low, high]), Some("2")));
    let rest = site.get(&format!("/api/v1/workflows?{HERE}&limit=2&cursor=2"), &key).await.json();
    assert_eq!((rest["items"][0]["id"].as_str(), rest["next"].clone()), (Some("3"), Value::Null));
    let using = site.get(&format!("/api/v1/workflows?{HERE}&connection={b}"), &key).await.json();
    assert_eq!(using["items"].as_array().map(Vec::len), Some(1), "{using}");
    let unused = async |word: &str| {
        let listed = site.get(&format!("/api/v1/connections?{HERE}&used={word}"), &key).await.json();
        listed["items"].as_array().expect("items").len()
    };
    assert_eq!((unused("true").await, unused("false").await), (2, 0));
}

#[tokio::test]
async fn what_is_wrong_with_one_of_many_is_told_by_its_place_and_none_is_registered() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let a = site.connection(Environment::Development, "A").await;
    let elsewhere = site.connection(Environment::Production, "P").await;
    let long = "x".repeat(201);
    let wrong = json!([workflow("1", &[&a]), workflow("1", &[]), { "id": "2", "name": long, "connections": [] }]);
    assert_eq!(pointers(&register(&site, &key, wrong).await), ["/workflows/1/id", "/workflows/2/name"]);
    let unknown = json!([workflow("1", &[&a, &elsewhere]), workflow("2", &["x"])]);
    assert_eq!(pointers(&register(&site, &key, unknown).await), ["/workflows/1/connections/0"]);
    let absent = json!([workflow("1", &[&a, &elsewhere])]);
    assert_eq!(pointers(&register(&site, &key, absent).await), ["/workflows/0/connections/1"]);
    let many: Vec<Value> = (0..1_001).map(|n| workflow(&n.to_string(), &[])).collect();
    assert_eq!(pointers(&register(&site, &key, many.into()).await), ["/workflows"]);
    let no_number = register(&site, &key, json!([{ "id": 7 }])).await;
    assert_eq!(pointers(&no_number), ["/workflows/0/id"]);
    let listed = site.get(&format!("/api/v1/workflows?{HERE}"), &key).await.json();
    assert_eq!(listed["items"], json!([]));
    let odd = site.get(&format!("/api/v1/workflows?{HERE}&connection=x"), &key).await;
    assert_eq!(pointers(&odd), ["/connection"]);
}

#[tokio::test]
async fn a_deletion_with_a_replacement_is_followed_by_the_feed_and_undone() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let a = site.connection(Environment::Development, "A").await;
    let b = site.connection(Environment::Development, "B").await;
    let c = site.connection(Environment::Development, "C").await;
    register(&site, &key, json!([workflow("1", &[&a]), workflow("2/x", &[&a]), workflow("3", &[&a])])).await;
    let one = format!("/api/v1/connections/{a}");
    let body = json!({ "workflows": { "2/x": c } });
    let deleted = site.call("DELETE", &format!("{one}?replacement={b}"), &key, &body).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text);
    assert_eq!((mapping(&site, &key, "1").await, mapping(&site, &key, "2%2Fx").await), (json!([b]), json!([c])));
    let feed = format!("/api/v1/workflows/changes?{HERE}");
    let told = site.get(&format!("{feed}&limit=2"), &key).await.json();
    assert_eq!((told["items"].as_array().map(Vec::len), told["more"].as_bool()), (Some(2), Some(true)), "{told}");
    let line = &told["items"][0];
    let expected =
        json!({ "at": line["at"], "workflow": "1", "from": a, "to": b, "cause": "deletion", "by": "test (API key)" });
    assert_eq!(*line, expected);
    let cursor = told["cursor"].as_str().expect("a cursor").to_owned();
    register(&site, &key, json!([workflow("3", &[&c])])).await;
    let back = site.call("POST", &format!("{one}/undelete"), &key, &json!({})).await.json();
    assert_eq!((&back["workflows_returned"], &back["workflows_kept"]), (&json!(["1", "2/x"]), &json!(["3"])), "{back}");
    assert_eq!((back["workflows"].as_u64(), back["id"].as_str()), (Some(2), Some(a.as_str())));
    let rest = site.get(&format!("{feed}&after={cursor}"), &key).await.json();
    let causes: Vec<_> = rest["items"].as_array().expect("items").iter().map(|it| it["cause"].clone()).collect();
    assert_eq!(causes, ["deletion", "undo", "undo"]);
    let end = rest["cursor"].as_str().expect("a cursor");
    let nothing = site.get(&format!("{feed}&after={end}"), &key).await.json();
    assert_eq!((&nothing["items"], nothing["cursor"].as_str()), (&json!([]), Some(end)));
    for odd in ["x", "-1", "99"] {
        assert_eq!(pointers(&site.get(&format!("{feed}&after={odd}"), &key).await), ["/after"]);
    }
}

#[tokio::test]
async fn a_replacement_that_does_not_fit_is_refused_in_words() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let a = site.connection(Environment::Development, "A").await;
    let gone = site.connection(Environment::Development, "Gone").await;
    let elsewhere = site.connection(Environment::Production, "P").await;
    let slack = json!({ "environment": "development", "component": "slack", "name": "Chat",
                        "values": { "token": format!("xoxb-{}", "0".repeat(24)) } });
    let slack = site.call("POST", "/api/v1/connections?validate=false", &key, &slack).await.json();
    let slack = slack["id"].as_str().expect("an id").to_owned();
    site.call("DELETE", &format!("/api/v1/connections/{gone}"), &key, &json!({})).await;
    register(&site, &key, json!([workflow("a/b", &[&a])])).await;
    let one = format!("/api/v1/connections/{a}");
    for (to, words) in [
        (a.as_str(), "cannot replace itself"),
        (&gone, "was deleted"),
        (&elsewhere, "no such connection in this environment"),
        (&slack, "“Chat” is a connection to Slack. Only another one to GitHub can replace “A”."),
        ("x", "no connection's id"),
    ] {
        for (method, path) in [("DELETE", one.clone()), ("POST", format!("{one}/replace"))] {
            let refused = site.call(method, &path, &key, &json!({ "replacement": to })).await;
            assert_eq!(pointers(&refused), ["/replacement"], "{}", refused.text);
            assert!(errors(&refused)[0].1.contains(words), "{}", refused.text);
            let of_one = site.call(method, &path, &key, &json!({ "workflows": { "a/b": to } })).await;
            assert_eq!(pointers(&of_one), ["/workflows/a~1b"], "{}", of_one.text);
        }
    }
    let nothing = site.call("POST", &format!("{one}/replace"), &key, &json!({})).await;
    assert_eq!(pointers(&nothing), ["/replacement"]);
    assert_eq!(site.get(&one, &key).await.json()["workflows"], 1);
    let viewer = site.key(&[Permission::Read], &Environment::ALL).await;
    let refused = site.call("POST", &format!("{one}/replace"), &viewer, &json!({ "replacement": a })).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn replacing_everywhere_says_which_workflows_use_what_now() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let a = site.connection(Environment::Development, "A").await;
    let b = site.connection(Environment::Development, "B").await;
    register(&site, &key, json!([workflow("1", &[&a]), workflow("2", &[&a])])).await;
    let path = format!("/api/v1/connections/{a}/replace");
    let done = site.call("POST", &path, &key, &json!({ "replacement": b })).await;
    let items = json!([{ "workflow": "1", "connection": b }, { "workflow": "2", "connection": b }]);
    assert_eq!(done.json()["items"], items, "{}", done.text);
    assert_eq!(site.get(&format!("/api/v1/connections/{a}"), &key).await.json()["workflows"], 0);
    let told = site.get(&format!("/api/v1/workflows/changes?{HERE}"), &key).await.json();
    assert_eq!(told["items"][1]["cause"], "replacement");
}

#[tokio::test]
async fn the_page_is_told_who_uses_it_and_what_could_replace_it() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let person = site.sign_in().await;
    let a = site.connection(Environment::Development, "A").await;
    let b = site.connection(Environment::Development, "B").await;
    let asked = json!({ "environment": "development", "id": a });
    let impact = async || site.call("POST", "/rpc/deletion_impact", &person, &asked).await.json();
    assert_eq!(impact().await, json!({ "workflows": null, "offers": [], "revocable": false }));
    register(&site, &key, json!([workflow("1", &[&a])])).await;
    let told = impact().await;
    assert_eq!(told["workflows"][0]["url"], "https://flows.example/1");
    assert_eq!(told["offers"], json!([{ "id": b, "name": "B", "account": null, "active": false }]));
    let delete = |foreseen: &[&str], plan: Value| json!({ "environment": "development", "id": a, "replacement": plan, "foreseen": foreseen });
    let none = json!({ "everywhere": null, "workflows": {} });
    let surprised = site.call("POST", "/rpc/delete", &person, &delete(&[], none)).await;
    assert!(surprised.text.contains("has begun to use this connection"), "{}", surprised.text);
    let plan = json!({ "everywhere": b, "workflows": {} });
    let done = site.call("POST", "/rpc/delete", &person, &delete(&["1"], plan)).await;
    assert_eq!((done.status, done.json()), (StatusCode::OK, json!([["1", b]])));
    assert_eq!(mapping(&site, &key, "1").await, json!([b]));
}
