//! Every component that signs in by OAuth, against what its vendor documents: a server that refuses any request but the
//! documented one, reached by name and over TLS.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use url::{Url, form_urlencoded};

use super::*;
use crate::domain::field::FieldValues;
use crate::domain::time::{SECOND, Timestamp};
use crate::server::catalog::cases::Answer;
use crate::server::catalog::check::parse;
use crate::server::catalog::definition::{Definition, Method};
use crate::server::catalog::oauth::{ACCESS_TOKEN, ClientAuthentication, TokenBody};
use crate::server::catalog::oauth_cases::{DocumentedCall, Expectation, Meaning, OAuthMethodCases, Purpose, read};
use crate::server::clock::Clock;
use crate::server::dial::world::{Received, pairs, respond, world};
use crate::server::random::Random;
use crate::server::vault::{SecretText, Secrets};

/// 2026-11-25T12:00:00Z.
const NOW: Timestamp = Timestamp(1_795_608_000_000);
const STATE: &str = "st4te-_~.";

/// What the documented texts' `{...}` stand for.
type Words = BTreeMap<&'static str, String>;

fn fill(text: &str, words: &Words) -> String {
    words.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// Why pairs are not the documented ones.
fn compare(given: &[(String, String)], demanded: &[(String, String)], may: &[String]) -> Result<(), String> {
    for (name, value) in demanded {
        let found: Vec<_> = given.iter().filter(|(given, _)| given == name).map(|(_, value)| value).collect();
        match found[..] {
            [found] if value == "*" && !found.is_empty() || found == value => {}
            [] => return Err(format!("{name} is missing, documented is {value:?}")),
            _ => return Err(format!("{name} is {found:?}, documented is {value:?}")),
        }
    }
    let known = |name: &String| may.contains(name) || demanded.iter().any(|(demanded, _)| demanded == name);
    match given.iter().find(|(name, _)| !known(name)) {
        Some((name, value)) => Err(format!("{name}={value} is not documented")),
        None => Ok(()),
    }
}

/// How the client proved itself, its own parameters taken out of `given`.
fn proof(
    received: &Received,
    given: &mut Vec<(String, String)>,
    client: &Client,
) -> Result<Vec<ClientAuthentication>, String> {
    let secret = client.secret.as_ref().map(SecretText::reveal).unwrap_or_default();
    if let Some(basic) = received.header("authorization").strip_prefix("Basic ") {
        let text = STANDARD.decode(basic).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let ways = [
            (ClientAuthentication::Basic, format!("{}:{}", encoded(&client.id), encoded(secret))),
            (ClientAuthentication::BasicRaw, format!("{}:{secret}", client.id)),
        ];
        let ways: Vec<_> = ways.into_iter().filter(|(_, proof)| *proof == text).map(|(way, _)| way).collect();
        return if ways.is_empty() { Err("Basic holds another id or secret".to_owned()) } else { Ok(ways) };
    }
    let mut take = |name: &str, value: &str| {
        let before = given.len();
        given.retain(|pair| pair.0 != name || pair.1 != value);
        before != given.len()
    };
    Ok(match (take("client_id", &client.id), take("client_secret", secret)) {
        (true, true) => vec![ClientAuthentication::Body],
        (true, false) => vec![ClientAuthentication::None],
        (false, true) => return Err("a secret without an id".to_owned()),
        (false, false) => Vec::new(),
    })
}

/// What the server knows at one time.
struct Script<'a> {
    calls: &'a [DocumentedCall],
    client: Client,
    words: Mutex<Words>,
    /// Which request gets another answer than the documented good one.
    instead: Mutex<Option<(Purpose, Answer)>>,
    asked: Mutex<Vec<Purpose>>,
    undocumented: Mutex<Vec<String>>,
}

impl Script<'_> {
    fn difference(&self, received: &Received, call: &DocumentedCall) -> Result<(), String> {
        let words = self.words.lock().expect("a lock");
        let url = Url::parse(&fill(&call.url, &words)).map_err(|error| format!("the case's URL: {error}"))?;
        received.compare_place(&call.method, &url)?;
        let headers = call.headers.iter().map(|(name, value)| (name.clone(), fill(value, &words))).collect();
        received.compare_headers(&headers)?;
        let mut demanded: Vec<_> =
            call.parameters.iter().map(|(name, value)| (name.clone(), fill(value, &words))).collect();
        let kind = received.header("content-type");
        let (mut given, own) = match call.sent_as {
            TokenBody::Query => (received.query(), pairs(url.query().unwrap_or_default())),
            TokenBody::Form if kind == "application/x-www-form-urlencoded" => (pairs(&received.body), Vec::new()),
            TokenBody::Json if kind == "application/json" => (members(&received.body)?, Vec::new()),
            _ => return Err(format!("the body is {kind:?}, documented is {:?}", call.sent_as)),
        };
        demanded.extend(own);
        if call.sent_as != TokenBody::Query && received.query() != pairs(url.query().unwrap_or_default()) {
            return Err("the query is another".to_owned());
        }
        let named = given.clone();
        let ways = proof(received, &mut given, &self.client)?;
        let accepted = &call.client_authentication;
        if accepted.is_empty() {
            // Nobody asks who the client is; naming it may be allowed.
            return compare(&named, &demanded, &call.may);
        }
        if !ways.iter().any(|way| accepted.contains(way)) {
            return Err(format!("the client proves itself by {ways:?}, documented is {accepted:?}"));
        }
        compare(&given, &demanded, &call.may)
    }

    fn reply(&self, received: &Received) -> hyper::Response<http_body_util::Full<bytes::Bytes>> {
        let mut differences = Vec::new();
        for call in self.calls {
            match self.difference(received, call) {
                Ok(()) => {
                    self.asked.lock().expect("a lock").push(call.name);
                    let instead = self.instead.lock().expect("a lock");
                    let answer = instead.as_ref().filter(|(name, _)| *name == call.name);
                    let answer = answer.map_or(&call.answer, |(_, answer)| answer);
                    return respond(answer.status, &answer.headers, &answer.body);
                }
                Err(difference) => differences.push(format!("{:?}: {difference}", call.name)),
            }
        }
        let difference = differences.join("; or ");
        self.undocumented.lock().expect("a lock").push(difference.clone());
        respond(418, &BTreeMap::new(), &difference)
    }
}

fn members(body: &str) -> Result<Vec<(String, String)>, String> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(body).map_err(|_| "the body is no JSON object".to_owned())?;
    let text = |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(object.into_iter().map(|(name, value)| (name, text(value))).collect())
}

/// What is held on the way, and what was found wrong.
struct Walk<'a> {
    method: &'a Method,
    documented: &'a OAuthMethodCases,
    client: Client,
    line: Line,
    config: FieldValues,
    secrets: Secrets,
    wrong: Vec<String>,
}

impl Walk<'_> {
    fn provider(&self) -> Provider<'_> {
        Provider::of(self.method, &self.config, &self.secrets, &self.client).expect("an OAuth section")
    }

    fn check_authorization(&mut self, verifier: &Verifier) {
        let documented = self.documented;
        let authorization = authorization(documented, verifier);
        let url = match self.provider().authorize_url(&authorization) {
            Ok(url) => url,
            Err(error) => return self.wrong.push(format!("authorize: {error}")),
        };
        let wanted = Url::parse(&documented.authorize.url).expect("an address");
        let place = |url: &Url| url[..url::Position::AfterPath].to_owned();
        if place(&url) != place(&wanted) {
            self.wrong.push(format!("authorize: it goes to {}, documented is {}", place(&url), place(&wanted)));
        }
        let words = BTreeMap::from([
            ("client_id", self.client.id.clone()),
            ("redirect_uri", documented.redirect_uri.clone()),
            ("state", STATE.to_owned()),
            ("scopes", documented.scopes.join(&documented.authorize.scope_separator)),
        ]);
        let mut demanded: Vec<_> = pairs(wanted.query().unwrap_or_default());
        let parameters = &documented.authorize.parameters;
        demanded.extend(parameters.iter().map(|(name, value)| (name.clone(), fill(value, &words))));
        let given: Vec<_> = url.query_pairs().into_owned().collect();
        if let Err(difference) = compare(&given, &demanded, &documented.authorize.may) {
            self.wrong.push(format!("authorize: {difference}"));
        }
        // Which of the vendor's scopes a component asks for is its own choice.
        let names = |scope: &String| {
            self.provider().section.scopes.iter().any(|own| own.scope == *scope || own.granted_as.contains(scope))
        };
        if !documented.scopes.is_empty() && !documented.scopes.iter().any(names) {
            self.wrong.push(format!("authorize: the component knows none of {:?}", documented.scopes));
        }
    }

    fn redirect(&mut self) -> Option<Redirect> {
        let mut parameters: Vec<(String, String)> = self.documented.redirect.parameters.clone().into_iter().collect();
        for (_, value) in &mut parameters {
            *value = value.replace("{state}", STATE);
        }
        let others: Vec<_> = parameters.iter().filter(|(_, value)| value != "{hmac}").collect();
        let query = others.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let secret = self.documented.client.secret.as_bytes();
        let proof = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret), query.as_bytes());
        let proof: String = proof.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        for (_, value) in &mut parameters {
            *value = value.replace("{hmac}", &proof);
        }
        if self.provider().state(&parameters) != Some(STATE) {
            self.wrong.push("redirect: state is not found".to_owned());
        }
        let redirect = self.provider().read_redirect(&parameters);
        redirect.map_err(|error| self.wrong.push(format!("redirect: {error}"))).ok()
    }

    /// Keeps what a request brought, as whoever stores it would.
    fn keep(&mut self, what: &str, result: Result<Tokens, OAuthError>, expected: &Expectation) -> Option<Tokens> {
        let tokens = match result {
            Ok(tokens) => tokens,
            Err(error) => {
                self.wrong.push(format!("{what}: {error:?}"));
                return None;
            }
        };
        self.wrong.extend(differences(&tokens, expected).map(|difference| format!("{what}: {difference}")));
        self.secrets.insert(ACCESS_TOKEN, tokens.access_token.clone());
        for (id, value) in &tokens.captured.plain.0 {
            self.config.set(id, value.as_str());
        }
        Some(tokens)
    }
}

fn authorization<'a>(documented: &'a OAuthMethodCases, verifier: &'a Verifier) -> Authorization<'a> {
    Authorization { redirect_uri: &documented.redirect_uri, state: STATE, verifier, scopes: &documented.scopes }
}

fn differences(tokens: &Tokens, expected: &Expectation) -> impl Iterator<Item = String> {
    let mut wrong = Vec::new();
    let access_token = Some(tokens.access_token.reveal().to_owned());
    if expected.access_token.is_some() && access_token != expected.access_token {
        wrong.push(format!("the access token is {access_token:?}"));
    }
    let refresh_token = tokens.refresh_token.as_ref().map(|token| token.reveal().to_owned());
    if refresh_token != expected.refresh_token {
        wrong.push(format!("the refresh token is {refresh_token:?}, documented is {:?}", expected.refresh_token));
    }
    let told = expected.expires_in.map(|seconds| NOW.plus(seconds * SECOND));
    let told = told.or_else(|| expected.expires_at.as_ref().map(|at| Timestamp::parse(at).expect("a moment")));
    // Where nothing is told, the component's file may assume.
    if told.is_some() && tokens.expires_at != told {
        wrong.push(format!("it ends {:?}, documented is {told:?}", tokens.expires_at));
    }
    if tokens.scopes != expected.scopes {
        wrong.push(format!("the scopes are {:?}, documented are {:?}", tokens.scopes, expected.scopes));
    }
    for (id, value) in &expected.captured {
        if tokens.captured.plain.get(id) != Some(value) {
            wrong.push(format!("captured {id} is {:?}, documented is {value:?}", tokens.captured.plain.get(id)));
        }
    }
    wrong.into_iter()
}

fn meaning(error: &OAuthError) -> Option<Meaning> {
    match error {
        OAuthError::Refused(_) => Some(Meaning::InvalidGrant),
        OAuthError::WrongClient(_) => Some(Meaning::InvalidClient),
        OAuthError::InvalidScope(_) => Some(Meaning::InvalidScope),
        OAuthError::AccessDenied(_) => Some(Meaning::AccessDenied),
        OAuthError::NoEvidence(_) => Some(Meaning::Transient),
        _ => None,
    }
}

fn held(tokens: &Tokens) -> Held<'_> {
    Held { access_token: &tokens.access_token, refresh_token: tokens.refresh_token.as_ref() }
}

/// Walks one documented way from the authorization request to the revocation, and through every documented error.
async fn replay(definition: &Definition, documented: &'static OAuthMethodCases) -> Vec<String> {
    let Some(method) = definition.methods.iter().find(|method| method.id == documented.id) else {
        return vec![format!("there is no method {}", documented.id)];
    };
    let secret = Some(documented.client.secret.clone()).filter(|secret| !secret.is_empty());
    let client = Client { id: documented.client.id.clone(), secret: secret.map(SecretText::new) };
    let redirect_uri = ("redirect_uri", documented.redirect_uri.clone());
    let script = Arc::new(Script {
        calls: &documented.requests,
        client: client.clone(),
        words: Mutex::new(BTreeMap::from([redirect_uri, ("client_id", client.id.clone())])),
        instead: Mutex::default(),
        asked: Mutex::default(),
        undocumented: Mutex::default(),
    });
    let server = Arc::clone(&script);
    let dialer = world(Arc::new(move |received: &Received| server.reply(received))).await;
    let line = Line::new(dialer, Clock::steered(|| NOW));
    let config = FieldValues(documented.fields.clone());
    let mut walk = Walk { method, documented, client, line, config, secrets: Secrets::default(), wrong: Vec::new() };
    for id in documented.fields.keys().filter(|id| !method.fields.iter().any(|field| field.id == **id)) {
        walk.wrong.push(format!("there is no field {id}"));
    }
    let verifier = Verifier::draw(&Random::system()).expect("random bytes");
    walk.check_authorization(&verifier);
    if let Some(redirect) = walk.redirect() {
        walk_through(&mut walk, &script, &redirect, &verifier).await;
    }
    let undocumented = std::mem::take(&mut *script.undocumented.lock().expect("a lock"));
    walk.wrong.into_iter().chain(undocumented).collect()
}

async fn walk_through(walk: &mut Walk<'_>, script: &Script<'_>, redirect: &Redirect, verifier: &Verifier) {
    let documented = walk.documented;
    let find = |purpose| documented.requests.iter().find(|call| call.name == purpose);
    let asked = authorization(documented, verifier);
    let mut expected = find(Purpose::Exchange).map(|call| call.expect.clone()).unwrap_or_default();
    expected.captured.extend(find(Purpose::Lookup).map(|call| call.expect.captured.clone()).unwrap_or_default());
    let result = walk.provider().exchange(&walk.line, &asked, redirect).await;
    let Some(mut tokens) = walk.keep("exchange", result, &expected) else { return };
    let name = |tokens: &Tokens| {
        let mut words = script.words.lock().expect("a lock");
        words.insert("access_token", tokens.access_token.reveal().to_owned());
        words.insert("refresh_token", tokens.refresh_token.as_ref().map(|t| t.reveal().to_owned()).unwrap_or_default());
    };
    name(&tokens);
    let first = tokens.clone();
    if let Some(refresh) = find(Purpose::Refresh) {
        let result = walk.provider().refresh(&walk.line, held(&tokens)).await;
        let Some(renewed) = walk.keep("refresh", result, &refresh.expect) else { return };
        tokens = renewed;
        name(&tokens);
    }
    if find(Purpose::Revoke).is_some() {
        match walk.provider().revoke(&walk.line, held(&tokens)).await {
            Ok(Revoked::Done) => {}
            other => walk.wrong.push(format!("revoke: {other:?}")),
        }
    }
    name(&first);
    for error in &documented.errors {
        *script.instead.lock().expect("a lock") = Some((error.request, error.answer.clone()));
        let result = match error.request {
            Purpose::Exchange => walk.provider().exchange(&walk.line, &asked, redirect).await,
            _ => walk.provider().refresh(&walk.line, held(&first)).await,
        };
        let given = result.as_ref().err().and_then(meaning);
        if given != Some(error.means) {
            let note = &error.note;
            walk.wrong.push(format!("{:?} {note:?}: {result:?}, documented is {:?}", error.request, error.means));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_provider_is_asked_as_it_documents_and_its_answers_are_understood() {
    let mut all = Vec::new();
    let mut walked = 0;
    for file in std::fs::read_dir("catalog/cases/oauth").expect("the cases") {
        let path = file.expect("a file").path();
        let slug = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let component = std::fs::read_to_string(format!("catalog/{slug}.toml")).expect("a component");
        let definition = parse(&component).expect("a component");
        let text = std::fs::read_to_string(&path).expect("a text");
        let cases = read(&text, &definition).unwrap_or_else(|problem| panic!("{slug}: {problem}"));
        // The server outlives the walk.
        let methods: &'static [OAuthMethodCases] = Box::leak(cases.methods.into_boxed_slice());
        for documented in methods {
            walked += 1;
            all.extend(replay(&definition, documented).await.into_iter().map(|wrong| format!("{slug}: {wrong}")));
        }
    }
    assert!(walked >= 20);
    assert!(all.is_empty(), "{walked} ways, {} differences:\n{}", all.len(), all.join("\n"));
}
