//! Against the server that deviates and misbehaves on purpose: every scenario of
//! `end2end/servers/misbehaving-oauth/scenarios.toml` has to end as is written there.
//! `end2end/servers/start.mjs` starts it and gives its origin in `PATCHBAY_TEST_MISBEHAVING_OAUTH`.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

use super::request::Call;
use super::*;
use crate::domain::field::FieldValues;
use crate::domain::time::SECOND;
use crate::server::catalog::definition::Method;
use crate::server::catalog::oauth::{ACCESS_TOKEN, TokenBody};
use crate::server::clock::Clock;
use crate::server::dial::policy::NetworkPolicy;
use crate::server::dial::{Dialer, SystemResolver};
use crate::server::random::Random;
use crate::server::vault::{SecretText, Secrets};

const REDIRECT_URI: &str = "https://patchbay.example/oauth/callback";
const STATE: &str = "a-state-of-this-flow";

#[derive(Deserialize)]
struct Sheet {
    client_id: String,
    client_secret: String,
    scenarios: Vec<Scenario>,
}

#[derive(Clone, Deserialize)]
struct Scenario {
    name: String,
    exchange: String,
    refresh: Vec<String>,
    revoke: Option<String>,
    expect: Expected,
    addresses: BTreeMap<String, String>,
    oauth: toml::Table,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Expected {
    lifetime: Option<i64>,
    scopes: Option<Vec<String>>,
    captured: Option<BTreeMap<String, String>>,
    refresh_token: Option<String>,
    retry_after: Option<i64>,
}

impl Scenario {
    /// The catalog's method of such a provider: each address is a field of kind `url`.
    fn method(&self) -> Method {
        let field = |id: &String| {
            toml::toml! { label = "Address" kind = "url" destination = true help = "x" }
                .into_iter()
                .chain([("id".to_owned(), id.as_str().into())])
                .collect::<toml::Table>()
        };
        let mut method = toml::toml! { id = "oauth" label = "Sign in" kind = "authorization_code" };
        method.insert("fields".to_owned(), self.addresses.keys().map(field).collect::<Vec<_>>().into());
        let service = toml::toml! { protocol = "http" base_url = "{base_url}" };
        method.insert("service".to_owned(), service.into());
        method.insert("oauth".to_owned(), self.oauth.clone().into());
        method.try_into().expect("a method")
    }
}

/// What is held on the way.
struct Player {
    scenario: Scenario,
    method: Method,
    client: Client,
    config: FieldValues,
    line: Line,
    verifier: Verifier,
    /// All that no error may show.
    canaries: Vec<String>,
    wait: Option<i64>,
}

/// How a step ended, in the scenarios' words.
type Verdict = String;

impl Player {
    fn provider<'a>(&'a self, secrets: &'a Secrets) -> Provider<'a> {
        Provider::of(&self.method, &self.config, secrets, &self.client).expect("an OAuth section")
    }

    /// Notes the end of a failed step, and that its words hold no secret.
    fn verdict(&mut self, error: &OAuthError, issuer_named: bool) -> Verdict {
        for text in [format!("{error:?}"), error.to_string(), error.sentence("Acme")] {
            for canary in &self.canaries {
                assert!(!text.contains(canary.as_str()), "{}: {text}", self.scenario.name);
            }
            assert!(!text.contains('\u{202e}') && text.chars().count() < 1_000, "{text}");
        }
        let text = match error {
            OAuthError::Refused(_) => "invalid_grant",
            OAuthError::WrongClient(_) => "invalid_client",
            OAuthError::AccessDenied(_) => "refused",
            OAuthError::NoCode => "provider_error",
            OAuthError::WrongIssuer if issuer_named => "issuer_wrong",
            OAuthError::WrongIssuer => "issuer_missing",
            OAuthError::NotTold { .. } => "capture_missing",
            OAuthError::ForbiddenHost { .. } => "capture_refused",
            OAuthError::NoEvidence(silence) => {
                self.wait = silence.wait.map(|wait| (wait + 500) / SECOND).or(self.wait);
                "transient"
            }
            OAuthError::Misunderstood(_) => "transient",
            other => panic!("{}: {other:?}", self.scenario.name),
        };
        text.to_owned()
    }

    /// The wait that was asked for; a second more or less is the clocks' doing.
    fn waited(&self, expect: &Expected) -> Option<i64> {
        let close = self.wait.zip(expect.retry_after).is_some_and(|(seen, wanted)| (seen - wanted).abs() <= 1);
        if close { expect.retry_after } else { self.wait }
    }

    fn hide(&mut self, tokens: &Tokens) {
        self.canaries.push(tokens.access_token.reveal().to_owned());
        self.canaries.extend(tokens.refresh_token.iter().map(|token| token.reveal().to_owned()));
    }

    /// What a browser brings back: the parameters of the redirect.
    async fn visit(&self, url: &Url) -> Option<Vec<(String, String)>> {
        let address = Url::parse(&url.as_str().replace("#/oauth/", "")).expect("an address");
        let answer = Call::get(address, Vec::new()).send(&self.line).await.expect("an answer");
        let location = Url::parse(answer.header("location")?).expect("an address");
        Some(location.query_pairs().into_owned().collect())
    }

    async fn connect(&mut self) -> Result<(Tokens, Vec<String>), Verdict> {
        let nothing = Secrets::default();
        let scopes = self.provider(&nothing).scopes(|_| true);
        let verifier = self.verifier.clone();
        let asked = Authorization { redirect_uri: REDIRECT_URI, state: STATE, verifier: &verifier, scopes: &scopes };
        let url = self.provider(&nothing).authorize_url(&asked).expect("an address");
        let parameters = self.visit(&url).await.ok_or("no_return")?;
        if self.provider(&nothing).state(&parameters) != Some(STATE) {
            return Err("state_wrong".to_owned());
        }
        let issuer_named = parameters.iter().any(|(name, _)| name == "iss");
        let redirect = self.provider(&nothing).read_redirect(&parameters).map_err(|error| {
            let verdict = self.verdict(&error, issuer_named);
            // The token endpoint's trouble reads otherwise than the authorization endpoint's.
            if verdict == "transient" { "provider_error".to_owned() } else { verdict }
        })?;
        self.canaries.push(redirect.code.reveal().to_owned());
        assert!(!format!("{redirect:?}").contains(redirect.code.reveal()));
        let result = self.provider(&nothing).exchange(&self.line, &asked, &redirect).await;
        let tokens = result.map_err(|error| self.verdict(&error, false))?;
        self.hide(&tokens);
        assert!(!format!("{tokens:?}").contains(tokens.access_token.reveal()));
        Ok((tokens, scopes))
    }

    async fn refresh(&mut self, held: &Tokens) -> Result<Tokens, Verdict> {
        let mut secrets = Secrets::default();
        secrets.insert(ACCESS_TOKEN, held.access_token.clone());
        let presented = Held { access_token: &held.access_token, refresh_token: held.refresh_token.as_ref() };
        let result = self.provider(&secrets).refresh(&self.line, presented).await;
        result.map_err(|error| self.verdict(&error, false))
    }

    /// What differs from how it has to end.
    async fn play(&mut self) -> Vec<String> {
        let expect = self.scenario.expect.clone();
        let mut wrong = Vec::new();
        let mut compare = |what: &str, seen: String, wanted: String| {
            if seen != wanted {
                wrong.push(format!("{what} is {seen}, expected is {wanted}"));
            }
        };
        let connected = self.connect().await;
        let verdict = connected.as_ref().err().cloned().unwrap_or_else(|| "connected".to_owned());
        compare("exchange", verdict, self.scenario.exchange.clone());
        let Ok((first, asked)) = connected else {
            compare("retry_after", format!("{:?}", self.waited(&expect)), format!("{:?}", expect.retry_after));
            return wrong;
        };
        let lifetime = first.expires_at.map(|end| (end.since(first.issued_at) + 500) / SECOND);
        let close = lifetime.zip(expect.lifetime).is_some_and(|(seen, wanted)| (seen - wanted).abs() <= 2);
        if !close {
            compare("lifetime", format!("{lifetime:?}"), format!("{:?}", expect.lifetime));
        }
        let missing = self.provider(&Secrets::default()).missing(&asked, first.scopes.as_deref());
        let granted: Vec<_> = asked.iter().filter(|scope| !missing.contains(scope)).cloned().collect();
        compare("scopes", format!("{granted:?}"), format!("{:?}", expect.scopes.clone().unwrap_or_default()));
        if let Some(captured) = &expect.captured {
            compare("captured", format!("{:?}", first.captured.plain.0), format!("{captured:?}"));
        }
        self.config.0.extend(first.captured.plain.0.clone());
        if self.scenario.name == "refresh-too-early" {
            tokio::time::sleep(Duration::from_millis(2_100)).await;
        }
        let mut held = first.clone();
        let mut ends = Vec::new();
        for _ in &self.scenario.refresh.clone() {
            match self.refresh(&held).await {
                Ok(tokens) => {
                    self.hide(&tokens);
                    ends.push(
                        if tokens.access_token == held.access_token { "unchanged" } else { "renewed" }.to_owned(),
                    );
                    held = tokens;
                }
                Err(verdict) => ends.push(verdict),
            }
        }
        compare("refresh", format!("{ends:?}"), format!("{:?}", self.scenario.refresh));
        compare("retry_after", format!("{:?}", self.waited(&expect)), format!("{:?}", expect.retry_after));
        let kept = match &held.refresh_token {
            None => "none",
            token if *token == first.refresh_token => "kept",
            Some(_) => "new",
        };
        if let Some(refresh_token) = expect.refresh_token.clone() {
            compare("refresh_token", kept.to_owned(), refresh_token);
        }
        if let Some(revoke) = self.scenario.revoke.clone() {
            let presented = Held { access_token: &held.access_token, refresh_token: held.refresh_token.as_ref() };
            let secrets = Secrets::default();
            let result = self.provider(&secrets).revoke(&self.line, presented).await;
            let end = match result {
                Ok(Revoked::Done) => "revoked".to_owned(),
                Ok(Revoked::NotOffered) => "not offered".to_owned(),
                Ok(Revoked::AccessTokenEnded) => "access token ended".to_owned(),
                Err(error) => self.verdict(&error, false),
            };
            compare("revoke", end, revoke);
        }
        wrong
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_deviation_is_met_and_every_fault_ends_as_it_has_to() {
    let Ok(origin) = std::env::var("PATCHBAY_TEST_MISBEHAVING_OAUTH") else {
        println!("NOT RUN: PATCHBAY_TEST_MISBEHAVING_OAUTH is not set, so there is no provider that misbehaves.");
        return;
    };
    let text = std::fs::read_to_string("end2end/servers/misbehaving-oauth/scenarios.toml").expect("the scenarios");
    let Sheet { client_id, client_secret, scenarios } = toml::from_str(&text).expect("the scenarios' form");
    let policy = NetworkPolicy { local: true, ..NetworkPolicy::default() };
    let line = Line::new(Dialer::new(policy, Arc::new(SystemResolver)), Clock::system());
    let line = line.within(Duration::from_millis(1_500));
    let mut running = tokio::task::JoinSet::new();
    let count = scenarios.len();
    for scenario in scenarios {
        let verifier = Verifier::draw(&Random::system()).expect("random bytes");
        let addresses = scenario.addresses.iter();
        let mut player = Player {
            method: scenario.method(),
            config: FieldValues(addresses.map(|(id, path)| (id.clone(), format!("{origin}{path}"))).collect()),
            client: Client { id: client_id.clone(), secret: Some(SecretText::new(client_secret.clone())) },
            line: line.clone(),
            canaries: vec![client_secret.clone(), verifier.secret().reveal().to_owned()],
            verifier,
            wait: None,
            scenario,
        };
        let origin = origin.clone();
        running.spawn(async move {
            let forget = Url::parse(&format!("{origin}/control/reset")).expect("an address");
            let which = vec![("scenario".to_owned(), player.scenario.name.clone())];
            Call::new(hyper::Method::POST, forget, TokenBody::Json, which).send(&player.line).await.expect("a reset");
            let wrong = player.play().await;
            let control = Url::parse(&format!("{origin}/control/log?scenario={}", player.scenario.name));
            let log = Call::get(control.expect("an address"), Vec::new()).send(&player.line).await.expect("the log");
            (player.scenario, wrong, String::from_utf8_lossy(&log.body).into_owned())
        });
        // A server of one thread: not all at once.
        if running.len() >= 8 {
            check(running.join_next().await.expect("a scenario").expect("an end"));
        }
    }
    for ended in running.join_all().await {
        check(ended);
    }
    println!("{count} scenarios");
}

/// The scenario ended as it has to, and the server refused nothing for its form.
fn check((scenario, wrong, log): (Scenario, Vec<String>, String)) {
    let deserved =
        scenario.exchange == "invalid_grant" || scenario.refresh.iter().any(|verdict| verdict == "invalid_grant");
    let refused = !deserved && log.contains("\"refused\"");
    assert!(wrong.is_empty() && !refused, "{}: {}\n{log}", scenario.name, wrong.join("; "));
    assert!(!log.contains("\"stolen\""), "{}: a redirect was followed", scenario.name);
}
