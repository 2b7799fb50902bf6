//! What neither the documented cases nor the servers show: the authorization request, the redirect, what is missing, and
//! words without secrets.

use ring::hmac;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::*;
use crate::domain::field::FieldValues;
use crate::domain::time::{HOUR, Timestamp};
use crate::server::catalog::definition::Method;
use crate::server::clock::Clock;
use crate::server::dial::world::{Received, pairs, respond, world};
use crate::server::random::Random;
use crate::server::vault::{SecretText, Secrets};
use proptest::prelude::*;

pub(super) const NOW: Timestamp = Timestamp(1_795_608_000_000);
const REDIRECT_URI: &str = "https://patchbay.example/oauth/callback";

/// A method of kind `kind` with a subdomain and these OAuth facts.
pub(super) fn method_of(kind: &str, fields: &str, oauth: &str) -> Method {
    let text = format!(
        r#"
id = "oauth"
label = "Sign in"
kind = "{kind}"
fields = [{{ id = "site", label = "Site", kind = "subdomain", destination = true, help = "x" }}, {fields}]
service = {{ protocol = "http", base_url = "https://api.acme.example" }}
[oauth]
token_url = "https://{{site}}.acme.example/token"
{oauth}
"#
    );
    toml::from_str(&text).expect("a method")
}

/// All that a provider borrows.
pub(super) struct Parts {
    pub method: Method,
    pub config: FieldValues,
    pub secrets: Secrets,
    pub client: Client,
}

impl Parts {
    pub fn of(method: Method) -> Self {
        let config = FieldValues(BTreeMap::from([("site".to_owned(), "blue".to_owned())]));
        let client = Client { id: "id:1".to_owned(), secret: Some(SecretText::new("canary-secret/+".to_owned())) };
        Self { method, config, secrets: Secrets::default(), client }
    }

    pub fn provider(&self) -> Provider<'_> {
        Provider::of(&self.method, &self.config, &self.secrets, &self.client).expect("a section")
    }
}

fn parts(oauth: &str) -> Parts {
    let authorize = if oauth.contains("authorize_url") { "" } else { "authorize_url = \"https://acme.example/allow\"" };
    let scopes = if oauth.contains("scopes =") { "" } else { "scopes = []" };
    Parts::of(method_of("authorization_code", "", &format!("{authorize}\n{scopes}\n{oauth}")))
}

fn verifier() -> Verifier {
    // RFC 7636, appendix B.
    let text = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    Verifier::kept(SecretText::new(text.to_owned())).expect("a verifier")
}

fn address(parts: &Parts, scopes: &[&str]) -> Result<url::Url, OAuthError> {
    let scopes: Vec<_> = scopes.iter().map(|&scope| scope.to_owned()).collect();
    let verifier = verifier();
    let asked = Authorization { redirect_uri: REDIRECT_URI, state: "st ate", verifier: &verifier, scopes: &scopes };
    parts.provider().authorize_url(&asked)
}

fn named(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn the_person_is_sent_with_the_standards_parameters() {
    let url = address(&parts("authorize_parameters = { prompt = \"consent\" }"), &["read", "write:all"]);
    assert_eq!(
        url.expect("an address").as_str(),
        "https://acme.example/allow?response_type=code&client_id=id%3A1&state=st%20ate\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256\
         &redirect_uri=https%3A%2F%2Fpatchbay.example%2Foauth%2Fcallback&scope=read%20write%3Aall&prompt=consent"
    );
}

#[test]
fn the_authorization_request_deviates_as_the_file_says() {
    let oauth = r#"
authorize_url = "https://{site}.acme.example/?v=2#/allow"
pkce = false
scope_separator = ","
scopes = [{ scope = "a", allows = "A" }, { scope = "b", allows = "B" }, { scope = "u", allows = "U", parameter = "user_scope" }]
authorize_omits = ["response_type"]
authorize_parameters = { account = "{site}" }
names = { client_id = "client_key", state = "nonce" }
"#;
    let url = address(&parts(oauth), &["a", "b", "u"]).expect("an address");
    assert_eq!(url.query(), Some("v=2"));
    let (page, query) = url.fragment().expect("a fragment").split_once('?').expect("parameters");
    assert_eq!((url.host_str(), page), (Some("blue.acme.example"), "/allow"));
    let expected = named(&[
        ("client_key", "id:1"),
        ("nonce", "st ate"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "a,b"),
        ("user_scope", "u"),
        ("account", "blue"),
    ]);
    assert_eq!(pairs(query), expected);
}

#[test]
fn what_no_scope_is_asked_for_under_is_left_out() {
    let url = address(&parts(""), &[]).expect("an address");
    assert!(!url.query_pairs().any(|(name, _)| name == "scope"), "{url}");
}

#[test]
fn a_field_that_is_empty_is_named() {
    let mut parts = parts("authorize_url = \"https://{site}.acme.example/allow\"");
    parts.config = FieldValues::default();
    assert_eq!(address(&parts, &[]), Err(OAuthError::Incomplete { field: "site".to_owned() }));
    parts.config.set("site", "evil.example/");
    assert_eq!(address(&parts, &[]), Err(OAuthError::Incomplete { field: "site".to_owned() }));
}

#[test]
fn a_redirect_brings_a_code_or_says_why_not() {
    let parts = parts("");
    let read = |parameters: &[(&str, &str)]| parts.provider().read_redirect(&named(parameters));
    assert_eq!(read(&[("code", "c0de"), ("state", "s")]).expect("a code").code.reveal(), "c0de");
    assert_eq!(read(&[("state", "s")]), Err(OAuthError::NoCode));
    assert_eq!(read(&[("code", "")]), Err(OAuthError::NoCode));
    assert_eq!(read(&[("code", "one"), ("code", "two")]), Err(OAuthError::NoCode));
    let said = |code: &str| Said { code: code.to_owned(), description: "No, thanks".to_owned() };
    let refused = read(&[("error", "access_denied"), ("error_description", "No,\u{202e} thanks"), ("code", "c0de")]);
    assert_eq!(refused, Err(OAuthError::AccessDenied(said("access_denied"))));
    let wrong = read(&[("error", "unauthorized_client"), ("error_description", "No, thanks")]);
    assert_eq!(wrong, Err(OAuthError::WrongClient(said("unauthorized_client"))));
}

#[test]
fn state_is_found_once_or_not_at_all() {
    let parts = parts("redirect_names = { state = \"payload\" }");
    let state = |parameters: &[(&str, &str)]| parts.provider().state(&named(parameters)).map(str::to_owned);
    assert_eq!(state(&[("payload", "s")]).as_deref(), Some("s"));
    assert_eq!(state(&[("state", "s")]), None);
    assert_eq!(state(&[("payload", "s"), ("payload", "t")]), None);
}

#[test]
fn an_answer_of_another_issuer_is_not_believed() {
    let known = parts("issuer = \"https://{site}.acme.example\"");
    let promised = parts("issuer = \"https://{site}.acme.example\"\nissuer_promised = true");
    let read = |parts: &Parts, iss: &[&str]| {
        let mut parameters = named(&[("error", "access_denied")]);
        parameters.extend(iss.iter().map(|iss| ("iss".to_owned(), (*iss).to_owned())));
        parts.provider().read_redirect(&parameters) == Err(OAuthError::WrongIssuer)
    };
    for (parts, iss, refused) in [
        (&known, &["https://blue.acme.example"][..], false),
        (&known, &[], false),
        (&known, &["https://blue.acme.example/"], true),
        (&known, &["https://red.acme.example"], true),
        (&known, &["https://blue.acme.example", "https://blue.acme.example"], true),
        (&promised, &[], true),
        (&promised, &["https://blue.acme.example"], false),
    ] {
        assert_eq!(read(parts, iss), refused, "{iss:?}");
    }
}

#[test]
fn a_redirect_that_proves_itself_has_to() {
    let parts = parts("redirect_hmac = \"hmac\"\nredirect_expects = { shop = \"{site}.acme.example\" }");
    let proof = |text: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"canary-secret/+");
        hmac::sign(&key, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let read = |shop: &str, hmac: &str| {
        let given = [("state", "s"), ("shop", shop), ("hmac", hmac), ("code", "c0de")];
        parts.provider().read_redirect(&named(&given)).map(|redirect| redirect.code.reveal().to_owned())
    };
    let good = proof("code=c0de&shop=blue.acme.example&state=s");
    assert_eq!(read("blue.acme.example", &good), Ok("c0de".to_owned()));
    let other = proof("code=c0de&shop=red.acme.example&state=s");
    for (shop, hmac) in [
        ("red.acme.example", other.as_str()),
        ("blue.acme.example", &other),
        ("blue.acme.example", ""),
        ("blue.acme.example", &good[..62]),
        ("blue.acme.example", "zz"),
    ] {
        assert_eq!(read(shop, hmac), Err(OAuthError::WrongIssuer), "{shop} {hmac}");
    }
}

#[test]
fn what_was_not_granted_is_named() {
    let parts = parts(
        r#"scopes = [
  { scope = "read", allows = "R", granted_as = ["https://acme.example/read"] }, { scope = "write", allows = "W" },
  { scope = "extra", allows = "E", optional = true }, { scope = "offline_access", allows = "", silent = true },
]"#,
    );
    let provider = parts.provider();
    let asked = provider.scopes(|scope| scope == "extra");
    assert_eq!(asked, ["read", "write", "extra", "offline_access"]);
    assert_eq!(provider.scopes(|_| false), ["read", "write", "offline_access"]);
    let granted = |scopes: &[&str]| {
        let scopes: Vec<_> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        provider.missing(&asked, Some(&scopes))
    };
    assert_eq!(granted(&["https://acme.example/read", "write"]), Vec::<String>::new());
    assert_eq!(granted(&["read"]), ["write"]);
    assert_eq!(granted(&[]), ["read", "write"]);
    assert_eq!(provider.missing(&asked, None), Vec::<String>::new());
}

/// A line to a server that answers everything alike, and what it was asked.
pub(super) async fn answering(status: u16, body: &str) -> (Line, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, body) = (Arc::clone(&asked), body.to_owned());
    let reply = move |received: &Received| {
        log.lock().expect("a lock").push(received.body.clone());
        let headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
        respond(status, &headers, &body)
    };
    (Line::new(world(Arc::new(reply)).await, Clock::steered(|| NOW)), asked)
}

#[tokio::test]
async fn no_error_repeats_a_secret_that_the_provider_echoes() {
    let parts = parts("");
    let echo = r#"{"error":"canary-code","error_description":"canary-secret/+ canary-secret%2F%2B Y2FuYXJ5LXNlY3JldC8r canary-code canary-refresh"}"#;
    let (line, _) = answering(400, echo).await;
    let (verifier, scopes) = (verifier(), Vec::new());
    let asked = Authorization { redirect_uri: REDIRECT_URI, state: "s", verifier: &verifier, scopes: &scopes };
    let redirect = parts.provider().read_redirect(&named(&[("code", "canary-code")])).expect("a code");
    let exchanged = parts.provider().exchange(&line, &asked, &redirect).await.expect_err("an error");
    let refresh_token = SecretText::new("canary-refresh".to_owned());
    let access_token = SecretText::new("canary-access".to_owned());
    let held = Held { access_token: &access_token, refresh_token: Some(&refresh_token) };
    let refreshed = parts.provider().refresh(&line, held).await.expect_err("an error");
    for text in [format!("{exchanged:?} {exchanged}"), refreshed.sentence("Acme")] {
        assert!(text.contains("***"), "{text}");
        assert!(!text.contains("canary-secret") && !text.contains("Y2FuYXJ5LXNlY3JldC"), "{text}");
    }
    assert!(!format!("{exchanged:?}").contains("canary-code"));
    assert!(!format!("{refreshed:?}").contains("canary-refresh"));
    let shown = format!("{asked:?} {redirect:?} {held:?} {:?}", parts.client);
    assert!(!shown.contains("canary") && !shown.contains(verifier.secret().reveal()), "{shown}");
}

#[tokio::test]
async fn an_answer_without_a_refresh_token_leaves_the_one_that_is_held() {
    let parts = parts("");
    let (line, asked) = answering(200, r#"{"access_token":"new","expires_in":3600}"#).await;
    let (access_token, refresh_token) = (SecretText::new("old".to_owned()), SecretText::new("kept".to_owned()));
    let held = Held { access_token: &access_token, refresh_token: Some(&refresh_token) };
    let tokens = parts.provider().refresh(&line, held).await.expect("tokens");
    assert_eq!(tokens.refresh_token, Some(refresh_token));
    assert_eq!(tokens.expires_at, Some(NOW.plus(HOUR)));
    assert_eq!(
        pairs(&asked.lock().expect("a lock")[0]),
        named(&[("grant_type", "refresh_token"), ("refresh_token", "kept")])
    );
}

#[tokio::test]
async fn a_forbidden_address_in_a_refresh_costs_no_token() {
    let oauth = r#"captures = [{ id = "api", from = "token", at = "/api", hosts = ["*.acme.example"] }]"#;
    let parts = parts(oauth);
    let (line, _) =
        answering(200, r#"{"access_token":"new","refresh_token":"next","api":"https://evil.example"}"#).await;
    let (access_token, refresh_token) = (SecretText::new("old".to_owned()), SecretText::new("used".to_owned()));
    let held = Held { access_token: &access_token, refresh_token: Some(&refresh_token) };
    let tokens = parts.provider().refresh(&line, held).await.expect("tokens");
    assert_eq!(tokens.refresh_token, Some(SecretText::new("next".to_owned())));
    assert_eq!(tokens.captured, Captured::default());
}

#[tokio::test]
async fn a_poll_tells_waiting_from_the_end() {
    let parts = parts("device_url = \"https://acme.example/device\"");
    let code = SecretText::new("dc".to_owned());
    for (status, error, poll) in [
        (400, "authorization_pending", DevicePoll::Pending),
        (428, "authorization_pending", DevicePoll::Pending),
        (429, "slow_down", DevicePoll::SlowDown),
        (400, "slow_down", DevicePoll::SlowDown),
        (400, "expired_token", DevicePoll::Expired),
        (200, "access_denied", DevicePoll::Denied),
    ] {
        let (line, _) = answering(status, &format!(r#"{{"error":"{error}"}}"#)).await;
        assert_eq!(parts.provider().poll_device(&line, &code).await, Ok(poll), "{status} {error}");
    }
    let (line, _) = answering(503, "{}").await;
    assert!(matches!(parts.provider().poll_device(&line, &code).await, Err(OAuthError::NoEvidence(_))));
}

#[tokio::test]
async fn a_device_code_leads_to_an_encrypted_page_only() {
    // What makes an answer with tokens good is not in one with a device code (GitHub).
    let section =
        "device_url = \"https://acme.example/device\"\nanswer = { good = { \"/token_type\" = [\"bearer\"] } }";
    let parts = parts(section);
    let body = |uri: &str| {
        format!(
            r#"{{"device_code":"dc","user_code":"AB-CD","verification_uri":"{uri}","expires_in":600,"interval":0}}"#
        )
    };
    let (line, asked) = answering(200, &body("https://acme.example/activate")).await;
    let code = parts.provider().begin_device(&line, &["read".to_owned()]).await.expect("a code");
    assert_eq!((code.user_code.as_str(), code.interval, code.expires_at), ("AB-CD", 1_000, NOW.plus(HOUR / 6)));
    assert_eq!(pairs(&asked.lock().expect("a lock")[0]), named(&[("scope", "read")]));
    let (line, _) = answering(200, &body("javascript:alert(1)")).await;
    let refused = parts.provider().begin_device(&line, &[]).await;
    assert!(matches!(refused, Err(OAuthError::ForbiddenHost { .. })), "{refused:?}");
}

#[test]
fn a_verifier_is_drawn_anew_and_kept_whole() {
    let [one, other] = [(); 2].map(|()| Verifier::draw(&Random::system()).expect("random bytes"));
    assert_ne!(one, other);
    assert_eq!(one.secret().reveal().len(), 43);
    assert_eq!(Verifier::kept(one.secret().clone()), Some(one));
    assert_eq!(Verifier::kept(SecretText::new("short".to_owned())), None);
}

proptest! {
    #[test]
    fn nothing_filled_in_leaves_its_place(site in ".{0,40}", state in ".{0,40}", scope in "[!-~]{1,20}") {
        let mut parts = parts("authorize_url = \"https://{site}.acme.example/allow\"");
        parts.config.set("site", site.as_str());
        let scopes = [scope];
        let verifier = verifier();
        let asked = Authorization { redirect_uri: REDIRECT_URI, state: &state, verifier: &verifier, scopes: &scopes };
        if let Ok(url) = parts.provider().authorize_url(&asked) {
            prop_assert!(url.host_str().is_some_and(|host| host.ends_with(".acme.example")), "{}", url);
            prop_assert_eq!(url.path(), "/allow");
            let given: Vec<_> = url.query_pairs().into_owned().collect();
            prop_assert!(given.contains(&("state".to_owned(), state)));
            prop_assert!(given.contains(&("scope".to_owned(), scopes[0].clone())));
            prop_assert_eq!(given.len(), 7);
        }
    }
}
