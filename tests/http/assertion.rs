//! A key that signs for its tokens (RFC 7523): no client, nobody's consent.

use axum::http::StatusCode;
use serde_json::json;

use crate::connect::Provider;
use crate::harness::Site;
use patchbay::domain::environment::Environment;
use patchbay::domain::role::Permission;

const KEY: &str = include_str!("../../src/server/probe/test_key.pem");

fn component(origin: &str) -> String {
    let address = |id: &str, path: &str| {
        format!(
            "\n[[methods.fields]]\nid = \"{id}\"\nlabel = \"{id}\"\nkind = \"url\"\ndestination = true\n\
             help = \"For a test.\"\nplain_http = true\ndefault = \"{origin}{path}\"\n"
        )
    };
    format!(
        r#"slug = "machines"
name = "Machines"
category = "Test"
homepage = "https://acme.example"

[[sources]]
url = "https://www.rfc-editor.org/rfc/rfc7523"
read = "2026-11-25"

[[methods]]
id = "key"
label = "Key"
kind = "jwt"

[[methods.fields]]
id = "key"
label = "Private key"
kind = "multiline"
secret = true
max_length = 16384
help = "For a test."

[[methods.fields]]
id = "issuer"
label = "Issuer"
help = "For a test."
{}{}
[methods.oauth]
token_url = "{{token_url}}"
scopes = []

[methods.service]
protocol = "http"
base_url = "{{base_url}}"
headers = {{ authorization = "Bearer {{access_token}}" }}

[[methods.service.probes]]
path = "/me"
identity = "{{/email}}"

[[methods.service.probes.outcomes]]
verdict = "valid"
status = [200]

[[methods.service.probes.outcomes]]
verdict = "rejected"
status = [401]
message = "Machines does not accept the token (status 401). Check the key."
"#,
        address("token_url", "/token"),
        address("base_url", "")
    )
}

#[tokio::test]
async fn a_key_signs_for_a_token_without_any_client() {
    let provider = Provider::start().await;
    let folder = std::env::temp_dir().join(format!("patchbay-machines-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("machines.toml"), component(&provider.origin)).expect("written");
    let site = Site::with(&[("PATCHBAY_CATALOG_DIR", &folder.display().to_string())]).await;
    let key = site.key(&[Permission::Read, Permission::Write], &Environment::ALL).await;
    let body = json!({
        "environment": "development", "component": "machines", "name": "By key",
        "values": {
            "key": KEY, "issuer": "machine@acme.example",
            "token_url": format!("{}/token", provider.origin), "base_url": provider.origin,
        },
    });
    let created = site.call("POST", "/api/v1/connections?validate=true", &key, &body).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text);
    assert_eq!(created.json()["account"], json!("ada@acme.example"), "{}", created.text);
    let asked = provider.script().asked[0].clone();
    assert_eq!(asked["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_eq!(asked["assertion"].split('.').count(), 3);
    assert!(!asked.contains_key("client_id"));
    std::fs::remove_dir_all(folder).expect("removed");
}
