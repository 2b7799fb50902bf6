//! Against a real authorization server (npm `oidc-provider`), with rotation and reuse detection on.
//! `end2end/servers/start.mjs` starts it and names the file that describes it in `PATCHBAY_TEST_OIDC`.

use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use url::Url;

use super::request::Call;
use super::*;
use crate::domain::field::FieldValues;
use crate::server::catalog::definition::Method;
use crate::server::catalog::oauth::ClientAuthentication;
use crate::server::clock::Clock;
use crate::server::dial::policy::NetworkPolicy;
use crate::server::dial::{Dialer, SystemResolver};
use crate::server::random::Random;
use crate::server::vault::{SecretText, Secrets};

const REDIRECT_URI: &str = "https://patchbay.example/oauth/callback";

#[derive(Deserialize)]
struct Server {
    issuer: String,
    /// Where its state is read and changed.
    test: String,
    clients: Clients,
}

#[derive(Deserialize)]
struct Clients {
    basic: KnownClient,
    post: KnownClient,
    public: KnownClient,
}

#[derive(Deserialize)]
struct KnownClient {
    id: String,
    secret: Option<String>,
}

impl KnownClient {
    fn client(&self) -> Client {
        Client { id: self.id.clone(), secret: self.secret.clone().map(SecretText::new) }
    }
}

/// The method of a component for any provider, which says nothing but that it is discovered.
fn method(authentication: &str) -> Method {
    let text = format!(
        r#"
id = "oauth"
label = "Sign in"
kind = "authorization_code"
fields = [{{ id = "token_url", label = "Address", kind = "url", destination = true, optional = true }}]
service = {{ protocol = "http", base_url = "{{token_url}}" }}
[oauth]
token_url = "{{token_url}}"
client_authentication = "{authentication}"
scopes = [
  {{ scope = "openid", allows = "", silent = true }},
  {{ scope = "email", allows = "See your address" }},
  {{ scope = "api:read", allows = "Read things" }},
]
"#
    );
    toml::from_str(&text).expect("a method")
}

struct World {
    server: Server,
    line: Line,
    metadata: Metadata,
}

/// A connection in the making: what a provider is built of.
struct Parts {
    method: Method,
    config: FieldValues,
    secrets: Secrets,
    client: Client,
    verifier: Verifier,
}

impl Parts {
    fn of(client: Client, authentication: &str) -> Self {
        let verifier = Verifier::draw(&Random::system()).expect("random bytes");
        let (config, secrets) = (FieldValues::default(), Secrets::default());
        Self { method: method(authentication), config, secrets, client, verifier }
    }

    fn provider<'a>(&'a self, world: &'a World) -> Provider<'a> {
        let provider = Provider::of(&self.method, &self.config, &self.secrets, &self.client).expect("a section");
        provider.described_by(&world.metadata)
    }
}

impl World {
    /// None, said aloud, where there is no server.
    async fn open() -> Option<Self> {
        let Ok(path) = std::env::var("PATCHBAY_TEST_OIDC") else {
            println!("NOT RUN: PATCHBAY_TEST_OIDC is not set, so there is no authorization server.");
            return None;
        };
        let text = std::fs::read_to_string(path).expect("a description");
        let server: Server = serde_json::from_str(&text).expect("the description's form");
        let policy = NetworkPolicy { local: true, ..NetworkPolicy::default() };
        let line = Line::new(Dialer::new(policy, Arc::new(SystemResolver)), Clock::system());
        let metadata = discover(&line, &server.issuer).await.expect("its own description");
        Some(Self { server, line, metadata })
    }

    async fn control(&self, what: &str, parameters: &[(&str, &str)]) -> Value {
        let url = Url::parse(&format!("{}/{what}", self.server.test)).expect("an address");
        let parameters = parameters.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let answer = Call::post(url, parameters).send(&self.line).await.expect("an answer");
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// Sends a person to the authorization page; gives the parameters they come back with.
    async fn visit(&self, parts: &Parts, user: &str, decision: &str) -> Vec<(String, String)> {
        let provider = parts.provider(self);
        let scopes = provider.scopes(|_| true);
        let url = provider.authorize_url(&asked(parts, &scopes)).expect("an address");
        let told = self.control("authorize", &[("url", url.as_str()), ("user", user), ("decision", decision)]).await;
        let location = told["location"].as_str().unwrap_or_else(|| panic!("{told}"));
        Url::parse(location).expect("an address").query_pairs().into_owned().collect()
    }

    async fn connect(&self, parts: &Parts, user: &str) -> Result<Tokens, OAuthError> {
        let parameters = self.visit(parts, user, "allow").await;
        let provider = parts.provider(self);
        assert_eq!(provider.state(&parameters), Some("a-state"));
        let redirect = provider.read_redirect(&parameters)?;
        let scopes = provider.scopes(|_| true);
        provider.exchange(&self.line, &asked(parts, &scopes), &redirect).await
    }
}

fn asked<'a>(parts: &'a Parts, scopes: &'a [String]) -> Authorization<'a> {
    Authorization { redirect_uri: REDIRECT_URI, state: "a-state", verifier: &parts.verifier, scopes }
}

fn held(tokens: &Tokens) -> Held<'_> {
    Held { access_token: &tokens.access_token, refresh_token: tokens.refresh_token.as_ref() }
}

#[tokio::test]
async fn a_real_provider_connects_refreshes_and_punishes_reuse() {
    let Some(world) = World::open().await else { return };
    let clients = &world.server.clients;
    for (client, how) in [(&clients.basic, "basic"), (&clients.post, "body"), (&clients.public, "none")] {
        let parts = Parts::of(client.client(), how);
        let provider = parts.provider(&world);
        let first = world.connect(&parts, "alice@example.com").await.expect("tokens");
        assert!(first.expires_at.is_some() && first.refresh_token.is_some(), "{first:?}");
        assert_eq!(provider.missing(&provider.scopes(|_| true), first.scopes.as_deref()), Vec::<String>::new());
        let second = provider.refresh(&world.line, held(&first)).await.expect("tokens");
        assert!(second.access_token != first.access_token && second.refresh_token != first.refresh_token);
        // The one before is used up: presenting it again ends the whole family.
        let again = provider.refresh(&world.line, held(&first)).await;
        assert!(matches!(again, Err(OAuthError::Refused(_))), "{again:?}");
        let ended = provider.refresh(&world.line, held(&second)).await;
        assert!(matches!(ended, Err(OAuthError::Refused(_))), "{ended:?}");
    }
}

#[tokio::test]
async fn a_real_provider_ends_what_is_revoked() {
    let Some(world) = World::open().await else { return };
    let parts = Parts::of(world.server.clients.basic.client(), "basic");
    let provider = parts.provider(&world);
    let tokens = world.connect(&parts, "bob@example.com").await.expect("tokens");
    assert_eq!(provider.revoke(&world.line, held(&tokens)).await, Ok(Revoked::Done));
    let refused = provider.refresh(&world.line, held(&tokens)).await;
    assert!(matches!(refused, Err(OAuthError::Refused(_))), "{refused:?}");
    // What has ended needs no ending.
    assert_eq!(provider.revoke(&world.line, held(&tokens)).await, Ok(Revoked::Done));
}

#[tokio::test]
async fn a_real_providers_refusals_are_told_apart() {
    let Some(world) = World::open().await else { return };
    let parts = Parts::of(world.server.clients.basic.client(), "basic");
    let provider = parts.provider(&world);
    let refused = world.visit(&parts, "alice@example.com", "refuse").await;
    assert!(matches!(provider.read_redirect(&refused), Err(OAuthError::AccessDenied(_))), "{refused:?}");

    let parameters = world.visit(&parts, "alice@example.com", "allow").await;
    let mut forged = parameters.clone();
    forged.iter_mut().filter(|(name, _)| name == "iss").for_each(|(_, issuer)| issuer.push('x'));
    assert_eq!(provider.read_redirect(&forged), Err(OAuthError::WrongIssuer));
    forged.retain(|(name, _)| name != "iss");
    assert_eq!(provider.read_redirect(&forged), Err(OAuthError::WrongIssuer));

    let redirect = provider.read_redirect(&parameters).expect("a code");
    let scopes = provider.scopes(|_| true);
    let wrong = Client { secret: Some(SecretText::new("wrong".to_owned())), ..parts.client.clone() };
    let stranger = Parts::of(wrong, "basic");
    let answer = stranger.provider(&world).exchange(&world.line, &asked(&stranger, &scopes), &redirect).await;
    assert!(matches!(answer, Err(OAuthError::WrongClient(_))), "{answer:?}");
    let thief = Parts::of(parts.client.clone(), "basic");
    let answer = thief.provider(&world).exchange(&world.line, &asked(&thief, &scopes), &redirect).await;
    assert!(matches!(answer, Err(OAuthError::Refused(_))), "another verifier: {answer:?}");
}

#[tokio::test]
async fn a_real_provider_gives_a_client_a_token_of_its_own() {
    let Some(world) = World::open().await else { return };
    let parts = Parts::of(world.server.clients.post.client(), "body");
    let scopes = ["api:read".to_owned()];
    let tokens = parts.provider(&world).client_credentials(&world.line, &scopes).await.expect("a token");
    assert!(tokens.refresh_token.is_none() && tokens.expires_at.is_some());
    assert_eq!(tokens.scopes.as_deref(), Some(scopes.as_slice()));
}

#[tokio::test]
async fn a_code_is_typed_on_another_device() {
    let Some(world) = World::open().await else { return };
    for (decision, allowed) in [("allow", true), ("refuse", false)] {
        let parts = Parts::of(world.server.clients.public.client(), "none");
        let provider = parts.provider(&world);
        let code = provider.begin_device(&world.line, &provider.scopes(|_| true)).await.expect("a code");
        assert!(code.verification_uri.starts_with(&world.server.issuer) && code.interval >= 1_000, "{code:?}");
        assert!(!format!("{code:?}").contains(code.device_code.reveal()));
        let poll = provider.poll_device(&world.line, &code.device_code).await;
        assert_eq!(poll, Ok(DevicePoll::Pending));
        let person = [("user_code", code.user_code.as_str()), ("user", "alice@example.com"), ("decision", decision)];
        world.control("device", &person).await;
        let poll = provider.poll_device(&world.line, &code.device_code).await.expect("an answer");
        assert_eq!(matches!(poll, DevicePoll::Granted(_)), allowed, "{poll:?}");
        assert_eq!(matches!(poll, DevicePoll::Denied), !allowed, "{poll:?}");
    }
}

#[tokio::test]
async fn a_client_is_made_by_request_and_works() {
    let Some(world) = World::open().await else { return };
    let url = world.metadata.registration_endpoint.clone().expect("an endpoint");
    for authentication in [ClientAuthentication::Basic, ClientAuthentication::Body] {
        let wish = Wish {
            url: &url,
            redirect_uri: REDIRECT_URI,
            name: "Patchbay",
            authentication,
            scopes: &[],
            initial_access_token: None,
        };
        let made = register(&world.line, &wish).await.expect("a client");
        assert!(made.client.secret.is_some());
        let how = if authentication == ClientAuthentication::Basic { "basic" } else { "body" };
        let parts = Parts::of(made.client, how);
        world.connect(&parts, "alice@example.com").await.expect("tokens");
    }
    let wish = Wish {
        url: &url,
        redirect_uri: "not an address",
        name: "Patchbay",
        authentication: ClientAuthentication::Basic,
        scopes: &[],
        initial_access_token: None,
    };
    let refused = register(&world.line, &wish).await;
    assert!(matches!(refused, Err(OAuthError::Misunderstood(_))), "{refused:?}");
}

#[tokio::test]
async fn another_issuers_description_is_refused() {
    let Some(world) = World::open().await else { return };
    let other = format!("{}/", world.server.issuer);
    assert_eq!(discover(&world.line, &other).await, Err(OAuthError::WrongIssuer));
    let nowhere = format!("{}/nowhere", world.server.issuer);
    assert!(matches!(discover(&world.line, &nowhere).await, Err(OAuthError::Unsupported | OAuthError::WrongIssuer)));
}
