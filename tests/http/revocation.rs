//! What ends at the provider when a connection is purged, where one token's end is the end of all; and what the trail
//! says of links.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::Row as _;
use std::path::PathBuf;

use crate::connect::{Provider, begin, deletion, good, land, open, progress};
use crate::harness::{As, Site};

/// A component whose provider ends all of an account's tokens with one.
const COMPONENT: &str = r#"
slug = "shared"
name = "Shared"
category = "Test"
homepage = "https://acme.example"

[[sources]]
url = "https://www.rfc-editor.org/rfc/rfc7009"
read = "2026-11-25"

[[methods]]
id = "oauth"
label = "Sign in"
kind = "authorization_code"
FIELDS
[[methods.fields]]
id = "client_id"
label = "Client ID"
help = "For a test."

[methods.oauth]
authorize_url = "{authorize_url}"
token_url = "{token_url}"
revoke = { url = "{revoke_url}", ends_grant = true }
scopes = [{ scope = "email", allows = "See your email address" }]

[methods.service]
protocol = "http"
base_url = "{base_url}"
headers = { authorization = "Bearer {access_token}" }

[[methods.service.probes]]
path = "/me"
identity = "{/email}"
subject = "{/email}"

[[methods.service.probes.outcomes]]
verdict = "valid"
status = [200]

[[methods.service.probes.outcomes]]
verdict = "rejected"
status = [401]
message = "Shared no longer accepts this access (status 401). Reconnect the account."
"#;

const ADDRESSES: [(&str, &str); 4] =
    [("authorize_url", "/authorize"), ("token_url", "/token"), ("revoke_url", "/revoke"), ("base_url", "")];

/// The same with another text of the file, in a folder of its own.
pub fn catalog_of(provider: &Provider, name: &str, change: impl Fn(String) -> String) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("patchbay-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let field = |(id, path): &(&str, &str)| {
        let default = format!("{}{path}", provider.origin);
        format!(
            "\n[[methods.fields]]\nid = \"{id}\"\nlabel = \"{id}\"\nkind = \"url\"\ndestination = true\n\
             help = \"For a test.\"\nplain_http = true\ndefault = \"{default}\"\n"
        )
    };
    let fields: String = ADDRESSES.iter().map(field).collect();
    std::fs::write(folder.join("shared.toml"), change(COMPONENT.replace("FIELDS", &fields))).expect("written");
    folder
}

fn catalog(provider: &Provider) -> PathBuf {
    catalog_of(provider, "shared", |text| text)
}

pub async fn connect(site: &Site, provider: &Provider, owner: &As, name: &str) -> String {
    let mut values: serde_json::Map<String, Value> =
        ADDRESSES.iter().map(|(id, path)| ((*id).to_owned(), json!(format!("{}{path}", provider.origin)))).collect();
    values.insert("client_id".to_owned(), json!("patchbay"));
    let body = json!({ "request": {
        "environment": "production", "component": "shared", "method": "oauth", "name": name, "values": values, "by": "window",
    } });
    let begun = begin(site, owner, &body).await;
    let opened = open(site, &begun).await;
    let landed = land(site, Some(&opened.browser), &good(provider, &opened)).await;
    assert!(landed.text.contains("is connected"), "{}", landed.text);
    progress(site, owner, &begun).await["connected"]["summary"]["id"].as_str().expect("an id").to_owned()
}

pub async fn purge(site: &Site, owner: &As, id: &str) {
    for deed in ["delete", "purge"] {
        assert_eq!(site.call("POST", &format!("/rpc/{deed}"), owner, &deletion(id)).await.status, StatusCode::OK);
    }
    site.app.services.revoke_due().await.expect("carried out");
}

#[tokio::test]
async fn a_grant_that_others_live_on_is_revoked_only_with_the_last_of_them() {
    let provider = Provider::start().await;
    let folder = catalog(&provider);
    let site = Site::with(&[("PATCHBAY_CATALOG_DIR", &folder.display().to_string())]).await;
    let owner = site.sign_in().await;
    let first = connect(&site, &provider, &owner, "First").await;
    let second = connect(&site, &provider, &owner, "Second").await;
    provider.script().account = "bob@acme.example".to_owned();
    let others = connect(&site, &provider, &owner, "Of another account").await;
    purge(&site, &owner, &first).await;
    assert!(provider.script().revoked.is_empty(), "the second connection lives on the same grant");
    purge(&site, &owner, &second).await;
    assert_eq!(provider.script().revoked, ["canary-refresh-2"]);
    purge(&site, &owner, &others).await;
    assert_eq!(provider.script().revoked, ["canary-refresh-2", "canary-refresh-3"]);
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn what_waits_to_be_deleted_says_whether_its_access_is_revoked() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = crate::connect::connected(&site, &provider, &owner).await;
    site.call("POST", "/rpc/delete", &owner, &deletion(&id)).await;
    let body = json!({ "environment": "production" });
    let deleted = site.call("POST", "/rpc/deleted", &owner, &body).await.json();
    assert_eq!(deleted[0]["is_revoked"], json!(true), "{deleted}");
}

#[tokio::test]
async fn a_link_that_is_made_is_written_down() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    begin(&site, &owner, &provider.request("By window")).await;
    let mut body = provider.request("By link");
    body["request"]["by"] = json!("link");
    begin(&site, &owner, &body).await;
    let pool = sqlx::AnyPool::connect(site.app.config.database_url.reveal()).await.expect("the database");
    let lines = sqlx::query("SELECT about FROM audit WHERE action = 'connect link created'").fetch_all(&pool).await;
    let abouts: Vec<String> = lines.expect("lines").iter().map(|line| line.get("about")).collect();
    assert_eq!(abouts, ["By link"]);
}
