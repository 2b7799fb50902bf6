//! Renewing tokens: what they may be shown to, how often, and what is known afterwards.

use axum::http::StatusCode;
use patchbay::domain::time::{HOUR, MINUTE};
use serde_json::{Value, json};

use crate::connect::{Provider, begin, connected, good, land, open, progress, test};
use crate::harness::{As, Site};
use crate::revocation::{catalog_of, connect, purge};

async fn summary(site: &Site, who: &As, id: &str) -> Value {
    let body = json!({ "environment": "production", "id": id });
    site.call("POST", "/rpc/detail", who, &body).await.json()["summary"].clone()
}

fn reconnect(provider: &Provider, id: &str) -> Value {
    let mut again = provider.request("Mail");
    again["request"]["reconnect"] = json!(id);
    again["request"]["values"] = json!({});
    again
}

#[tokio::test]
async fn a_component_that_moves_gets_no_token_until_the_account_is_reconnected() {
    let provider = Provider::start().await;
    let folder = catalog_of(&provider, "moving", |text| text);
    let mut site = Site::with(&[("PATCHBAY_CATALOG_DIR", &folder.display().to_string())]).await;
    let owner = site.sign_in().await;
    let id = connect(&site, &provider, &owner, "First").await;
    let elsewhere =
        |text: String| text.replace("token_url = \"{token_url}\"", "token_url = \"https://evil.example/t\"");
    catalog_of(&provider, "moving", elsewhere);
    site.reload_catalog();
    site.pass(2 * HOUR);
    let asked = provider.script().asked.len();
    let services = &site.app.services;
    let now = services.clock.now();
    let claim =
        services.store.claim_renewals(now, now.plus(MINUTE), 1, Default::default()).await.expect("claims").remove(0);
    let dialled = site.dialled.load(std::sync::atomic::Ordering::Relaxed);
    services.renew_claimed(claim).await.expect("put off");
    let tested = test(&site, &owner, &id).await;
    assert!(tested.contains("has changed") && tested.contains("Reconnect the account"), "{tested}");
    purge(&site, &owner, &id).await;
    assert!(provider.script().revoked.is_empty());
    assert_eq!(provider.script().asked.len(), asked);
    assert_eq!(site.dialled.load(std::sync::atomic::Ordering::Relaxed), dialled, "nobody was even dialled");
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn where_an_access_token_is_revoked_one_that_has_ended_is_renewed_first() {
    let provider = Provider::start().await;
    let by_access_token = |text: String| text.replace("ends_grant = true", "token = \"access_token\"");
    let folder = catalog_of(&provider, "ended", by_access_token);
    let site = Site::with(&[("PATCHBAY_CATALOG_DIR", &folder.display().to_string())]).await;
    let owner = site.sign_in().await;
    let id = connect(&site, &provider, &owner, "First").await;
    provider.script().answers += 5;
    purge(&site, &owner, &id).await;
    assert_eq!(provider.script().revoked, ["canary-access-7"], "the one that works");
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn a_provider_that_wants_to_be_left_alone_is() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    site.pass(2 * HOUR);
    provider.script().busy = true;
    test(&site, &owner, &id).await;
    let asked = provider.script().asked.len();
    for _ in 0..3 {
        let tested = test(&site, &owner, &id).await;
        assert!(tested.contains("no_evidence"), "{tested}");
    }
    assert_eq!(provider.script().asked.len(), asked, "not before the hour is over");
    provider.script().busy = false;
    site.pass(HOUR);
    let tested = test(&site, &owner, &id).await;
    assert!(tested.contains("\"valid\""), "{tested}");
}

#[tokio::test]
async fn what_a_check_is_not_told_stays_known() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    provider.script().nameless = true;
    let tested = test(&site, &owner, &id).await;
    assert!(tested.contains("\"valid\""), "{tested}");
    assert_eq!(summary(&site, &owner, &id).await["account"], "ada@acme.example");
}

#[tokio::test]
async fn an_account_that_cannot_be_named_is_asked_about_before_it_replaces_one_that_was() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    provider.script().nameless = true;
    let begun = begin(&site, &owner, &reconnect(&provider, &id)).await;
    let opened = open(&site, &begun).await;
    land(&site, Some(&opened.browser), &good(&provider, &opened)).await;
    let asked = progress(&site, &owner, &begun).await["other_account"].clone();
    assert_eq!(asked["was"], "ada@acme.example");
    assert!(asked["is"].as_str().is_some_and(|is| is.contains("could not be told")), "{asked}");
}

#[tokio::test]
async fn a_reconnection_stays_with_its_component_whatever_the_method_is_called() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    let mut body = reconnect(&provider, &id);
    (body["request"]["component"], body["request"]["method"]) = (json!("gmail"), json!("oauth"));
    let refused = site.call("POST", "/rpc/begin_connect", &owner, &body).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
    assert!(refused.text.contains("stays with its component"), "{}", refused.text);
}

#[tokio::test]
async fn a_moved_destination_asks_for_the_client_secret_again() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let id = connected(&site, &provider, &owner).await;
    let mut body = reconnect(&provider, &id);
    body["request"]["values"] = json!({ "base_url": "https://elsewhere.example" });
    let refused = site.call("POST", "/rpc/begin_connect", &owner, &body).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
    assert!(refused.text.contains("Give it again"), "{}", refused.text);
}

#[tokio::test]
async fn a_client_is_its_own_credential_obtains_its_first_token_late_and_ends_by_refusal() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let body = json!({
        "request_id": "one", "environment": "production", "component": "oauth2", "method": "client_credentials",
        "name": "Machine", "saving": "as_not_active", "values": {
            "token_url": format!("{}/token", provider.origin), "client_id": "patchbay", "client_secret": "canary-secret",
        },
    });
    let created = site.call("POST", "/rpc/stream/create", &owner, &body).await;
    let list = site.get("/rpc/snapshot?env=production", &owner).await.json();
    let id = list["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("{} {list}", created.text)).to_owned();
    let tested = test(&site, &owner, &id).await;
    assert!(tested.contains("\"valid\""), "saved without a token, it asks for one: {tested}");
    site.pass(2 * HOUR);
    assert_eq!(summary(&site, &owner, &id).await["expires_at"], Value::Null, "a token that lapses is no end");
    provider.script().refuse_client = true;
    let tested = test(&site, &owner, &id).await;
    assert!(tested.contains("rejected") && tested.contains("did not accept the client"), "{tested}");
    provider.script().refuse_client = false;
    let tested = test(&site, &owner, &id).await;
    assert!(tested.contains("\"valid\""), "nothing was used up: {tested}");
}

#[tokio::test]
async fn a_providers_hiccup_leaves_the_status_of_what_only_it_can_answer_for() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    let mut body = provider.request("Mail");
    body["request"]["values"] = json!({
        "authorize_url": format!("{}/authorize", provider.origin), "token_url": format!("{}/token", provider.origin),
        "client_id": "patchbay",
    });
    let begun = begin(&site, &owner, &body).await;
    let opened = open(&site, &begun).await;
    let state = opened.url.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    land(&site, Some(&opened.browser), &format!("code=c0de&state={state}")).await;
    let id = progress(&site, &owner, &begun).await["connected"]["summary"]["id"].as_str().expect("an id").to_owned();
    provider.script().busy = true;
    let tested = test(&site, &owner, &id).await;
    assert!(tested.contains("no_evidence"), "{tested}");
    assert_eq!(summary(&site, &owner, &id).await["health"]["unreachable"]["was_active"], true);
}

#[tokio::test]
async fn a_page_where_the_metadata_should_lie_first_is_passed_over() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    provider.script().web_page = true;
    connected(&site, &provider, &owner).await;
}

#[tokio::test]
async fn the_end_waits_for_what_must_finish() {
    let (site, provider) = (Site::new().await, Provider::start().await);
    let owner = site.sign_in().await;
    connected(&site, &provider, &owner).await;
    site.pass(2 * HOUR);
    let services = site.app.services.clone();
    let now = services.clock.now();
    let claim =
        services.store.claim_renewals(now, now.plus(MINUTE), 1, Default::default()).await.expect("claims").remove(0);
    let renewing = services.clone();
    let job = tokio::spawn(async move { renewing.renew(claim).await });
    tokio::task::yield_now().await;
    while provider.script().asked.len() < 2 && !job.is_finished() {
        tokio::task::yield_now().await;
    }
    job.abort();
    services.finished().await;
    assert_eq!(
        services.store.claim_renewals(now, now.plus(MINUTE), 1, Default::default()).await,
        Ok(Vec::new()),
        "it was carried through"
    );
}
