//! Against a token endpoint of our own that verifies the JWT as Google says it does.

use super::*;
use crate::domain::field::FieldValues;
use crate::server::catalog::Catalog;
use crate::server::clock::Clock;
use crate::server::dial::policy::NetworkPolicy;
use crate::server::dial::{Dialer, Resolver, Resolving};
use crate::server::probe::values::Values;
use crate::server::probe::{Question, Scrubber};
use crate::server::vault::{SecretText, Secrets};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair as TlsKey};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const ACCOUNT: &str = "reporting@acme-orders.iam.gserviceaccount.com";
/// Of no account anywhere.
const PRIVATE_KEY: &str = include_str!("test_key.pem");

fn key_file(changes: &[(&str, &str)]) -> String {
    let mut file = json!({
        "type": "service_account", "client_email": ACCOUNT, "private_key_id": "k1", "private_key": PRIVATE_KEY,
        "token_uri": "https://169.254.169.254/token", "universe_domain": "googleapis.com",
    });
    for (name, value) in changes {
        file[name] = json!(value);
    }
    file.to_string()
}

/// Says that every name is this machine.
struct Here;

impl Resolver for Here {
    fn resolve<'a>(&'a self, name: &'a str) -> Resolving<'a> {
        assert_eq!(name, HOST_NAME, "nobody else is asked");
        Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]) })
    }
}

/// A part of a JWT.
fn decoded(part: &str) -> serde_json::Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
}

/// What Google checks, in its words.
fn verdict_on(assertion: &str, known_key: &[u8]) -> (u16, String) {
    let parts: Vec<_> = assertion.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { panic!("no JWT: {assertion}") };
    let signed = format!("{header}.{claims}");
    let (header, claims) = (decoded(header), decoded(claims));
    assert_eq!((&header["alg"], &header["kid"]), (&json!("RS256"), &json!("k1")));
    let refused = |error: &str, why: &str| (400, json!({ "error": error, "error_description": why }).to_string());
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, known_key);
    let (issued, ends) = (claims["iat"].as_i64().expect("a time"), claims["exp"].as_i64().expect("a time"));
    if claims["iss"] != ACCOUNT {
        refused("invalid_grant", "Invalid grant: account not found")
    } else if key.verify(signed.as_bytes(), &signature).is_err() {
        refused("invalid_grant", &format!("Invalid JWT Signature. {signed}"))
    } else if claims["aud"] != AUDIENCE {
        refused("invalid_grant", "Invalid JWT: Failed audience check.")
    } else if ends - issued > 3_600 || (Clock::system().now().0 / SECOND - issued).abs() > 300 {
        refused(
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
        )
    } else if claims["scope"] != SCOPE {
        refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
    } else {
        (200, json!({ "access_token": "ya29.x", "expires_in": 3599, "token_type": "Bearer" }).to_string())
    }
}

/// Reads the request and returns its assertion.
async fn read_assertion(stream: &mut (impl AsyncReadExt + Unpin + Send)) -> String {
    let (mut request, mut part) = (String::new(), [0; 4096]);
    let (head, body) = loop {
        let read = stream.read(&mut part).await.expect("a request");
        request.push_str(std::str::from_utf8(&part[..read]).expect("text"));
        if let Some((head, body)) = request.split_once("\r\n\r\n")
            && head.contains(&format!("content-length: {}", body.len()))
        {
            break (head, body);
        }
    };
    assert!(head.starts_with("POST /token HTTP/1.1\r\nhost: oauth2.googleapis.com\r\n"), "{head}");
    let assertion = body.strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
    assertion.expect("the grant of RFC 7523").to_owned()
}

/// A certificate for Google's host by an authority of our own, whose PEM comes with it.
fn certificate() -> (ServerConfig, String) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(authority, TlsKey::generate().expect("a key")).expect("a CA");
    let key = TlsKey::generate().expect("a key");
    let certificate = CertificateParams::new(vec![HOST_NAME.to_owned()]).expect("parameters").signed_by(&key, &ca);
    let chain: Vec<CertificateDer<'static>> = vec![certificate.expect("a certificate").der().clone()];
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
            builder.with_no_client_auth().with_single_cert(chain, key)
        });
    (config.expect("a server"), ca.pem())
}

/// What comes of a key file at an endpoint that answers so.
async fn asked(
    key_file: &str,
    clock: &Clock,
    answer: impl Fn(&str) -> (u16, String) + Send + 'static,
) -> Result<Finding, Setback> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (config, ca) = certificate();
    tokio::spawn(async move {
        let (stream, _): (TcpStream, SocketAddr) = listener.accept().await.expect("a connection");
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.expect("TLS");
        let assertion = read_assertion(&mut stream).await;
        let (status, body) = answer(&assertion);
        let head =
            format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
        let _ = stream.read(&mut [0; 1]).await;
    });
    let catalog = Catalog::load(None).expect("the catalog");
    let slug = "google-service-account".to_owned().try_into().expect("a slug");
    let (component, config) = (catalog.get(&slug).expect("a component"), FieldValues::default());
    let mut secrets = Secrets::default();
    secrets.insert("key", SecretText::new(key_file.to_owned()));
    let question = Question { component, method: &component.methods[0], config: &config, secrets: &secrets };
    let policy =
        NetworkPolicy { allow: vec![address.to_string().parse().expect("an entry")], ..NetworkPolicy::default() };
    let (dialer, scrub) = (Dialer::new(policy, Arc::new(Here)), Scrubber::new(&secrets));
    let values = Values::of(&question);
    let errand = Errand { component: "Google", dialer: &dialer, clock, values, scrub: &scrub };
    let host = Host::Name(HOST_NAME.to_owned());
    Endpoint { host, port: address.port(), trust: Trust::Own(ca) }.ask(&errand, &mut Steps::unheard()).await
}

fn public_key() -> Vec<u8> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(PRIVATE_KEY.as_bytes()).expect("a key");
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("a key").public_key().as_ref().to_vec()
}

fn is_refusal(result: &Result<Finding, Setback>, word: &str) -> bool {
    let Err(setback) = result else { return false };
    let verdict = setback.clone().into_verdict();
    matches!(verdict, crate::domain::evidence::Verdict::Rejected { .. }) && setback.reason.contains(word)
}

fn silence(result: &Result<Finding, Setback>) -> &str {
    let Err(setback) = result else { panic!("evidence: {result:?}") };
    let verdict = setback.clone().into_verdict();
    assert!(matches!(verdict, crate::domain::evidence::Verdict::NoEvidence { .. }), "{setback:?}");
    &setback.reason
}

#[tokio::test]
async fn a_key_that_google_knows_is_accepted() {
    let known = public_key();
    let result = asked(&key_file(&[]), &Clock::system(), move |assertion| verdict_on(assertion, &known)).await;
    assert_eq!(result, Ok(Finding::identity(ACCOUNT)));
}

#[tokio::test]
async fn a_deleted_key_and_an_unknown_account_are_refused_without_telling_the_jwt() {
    let mut other = public_key();
    other[20] ^= 1;
    let result = asked(&key_file(&[]), &Clock::system(), move |assertion| verdict_on(assertion, &other)).await;
    assert!(is_refusal(&result, "deleted, disabled or has expired"), "{result:?}");
    assert!(!format!("{result:?}").contains("eyJ"), "{result:?}");
    let known = public_key();
    let stranger = key_file(&[("client_email", "nobody@acme-orders.iam.gserviceaccount.com")]);
    let result = asked(&stranger, &Clock::system(), move |assertion| verdict_on(assertion, &known)).await;
    assert!(is_refusal(&result, "account not found"), "{result:?}");
}

#[tokio::test]
async fn a_wrong_clock_says_nothing_of_the_key() {
    let known = public_key();
    let late = Clock::steered(|| Clock::system().now().plus(crate::domain::time::HOUR));
    let result = asked(&key_file(&[]), &late, move |assertion| verdict_on(assertion, &known)).await;
    assert!(silence(&result).contains("clock of this machine"), "{result:?}");
}

#[tokio::test]
async fn documented_errors_are_refusals_and_others_are_not() {
    let answered = |status, error: &'static str| {
        let body = json!({ "error": error, "error_description": "said" }).to_string();
        async move { asked(&key_file(&[]), &Clock::system(), move |_| (status, body.clone())).await }
    };
    for (status, error) in [(401, "invalid_client"), (401, "deleted_client"), (401, "disabled_client")] {
        let result = answered(status, error).await;
        assert!(is_refusal(&result, error), "{result:?}");
    }
    for (status, error) in
        [(503, "invalid_grant"), (429, "invalid_grant"), (400, "invalid_scope"), (200, ""), (403, "access_denied")]
    {
        silence(&answered(status, error).await);
    }
    let result = asked(&key_file(&[]), &Clock::system(), |_| (200, "<html>".to_owned())).await;
    assert!(silence(&result).contains("as it should"), "{result:?}");
}

#[tokio::test]
async fn what_is_no_key_of_a_service_account_is_not_sent() {
    let user = key_file(&[("type", "authorized_user")]);
    let elsewhere = key_file(&[("universe_domain", "cloud.example")]);
    let broken = key_file(&[("private_key", "-----BEGIN PRIVATE KEY-----")]);
    for (file, words) in [
        ("no JSON", "no JSON"),
        ("{}", "not the key of a service account"),
        (&user, "not the key of a service account"),
        (&elsewhere, "another cloud"),
        (&broken, "not readable"),
    ] {
        let result = asked(file, &Clock::system(), |_| panic!("something was sent")).await;
        assert!(silence(&result).contains(words), "{result:?}");
    }
}
