use base64::Engine;
use ring::signature::{ECDSA_P256_SHA256_FIXED, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use super::*;
use crate::server::dial::world::pairs;
use crate::server::oauth::tests::{NOW, Parts, answering, method_of};
use crate::server::oauth::{Client, OAuthError};
use crate::server::vault::SecretText;

const FIELDS: &str = r#"
{ id = "key", label = "Key", kind = "multiline", secret = true, help = "x" },
{ id = "issuer", label = "Issuer", help = "x", optional = true },
{ id = "subject", label = "Subject", help = "x", optional = true },
{ id = "audience", label = "Audience", help = "x", optional = true },
{ id = "key_id", label = "Key id", help = "x", optional = true }"#;
const RSA: &str = include_str!("../probe/test_key.pem");

fn parts(key: &str, fields: &[(&str, &str)]) -> Parts {
    let mut parts = Parts::of(method_of("jwt", FIELDS, "scopes = []"));
    parts.client = Client { id: String::new(), secret: None };
    parts.secrets.insert("key", SecretText::new(key.to_owned()));
    for (id, value) in fields {
        parts.config.set(id, *value);
    }
    parts
}

/// Head, claims, what was signed, and the signature of the assertion that was sent.
async fn sent(parts: &Parts, scopes: &[String]) -> (Value, Value, String, Vec<u8>) {
    let (line, asked) = answering(200, r#"{"access_token":"at","expires_in":60}"#).await;
    parts.provider().jwt_bearer(&line, &Random::system(), scopes).await.expect("tokens");
    let given = pairs(&asked.lock().expect("a lock")[0]);
    let find = |name: &str| given.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone());
    assert_eq!(find("grant_type").as_deref(), Some(GRANT_TYPE));
    assert_eq!(find("client_id"), None, "the assertion proves all there is to prove");
    let assertion = find("assertion").expect("an assertion");
    let (signed, signature) = assertion.rsplit_once('.').expect("a signature");
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64");
    let (head, claims) = signed.split_once('.').expect("claims");
    let read = |part: &str| serde_json::from_slice(&decode(part)).expect("JSON");
    (read(head), read(claims), signed.to_owned(), decode(signature))
}

#[tokio::test]
async fn an_rsa_key_signs_what_the_form_says() {
    let parts =
        parts(RSA, &[("issuer", "us"), ("subject", "bob"), ("audience", "https://acme.example"), ("key_id", "k")]);
    let (head, claims, signed, signature) = sent(&parts, &["a".to_owned(), "b".to_owned()]).await;
    assert_eq!(head, json!({ "alg": "RS256", "typ": "JWT", "kid": "k" }));
    let seconds = NOW.0 / 1_000;
    for (name, value) in [
        ("iss", json!("us")),
        ("sub", json!("bob")),
        ("aud", json!("https://acme.example")),
        ("scope", json!("a b")),
        ("iat", json!(seconds)),
        ("exp", json!(seconds + 180)),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    let der = rustls::pki_types::PrivatePkcs8KeyDer::from_pem_slice(RSA.as_bytes()).expect("PEM");
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("a key");
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref().to_vec());
    assert!(public.verify(signed.as_bytes(), &signature).is_ok());
}

#[tokio::test]
async fn a_p256_key_signs_for_the_client_at_the_token_endpoint() {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut parts = parts(&key.serialize_pem(), &[]);
    parts.client.id = "the-client".to_owned();
    let (line, asked) = answering(200, r#"{"access_token":"at"}"#).await;
    parts.provider().jwt_bearer(&line, &Random::system(), &[]).await.expect("tokens");
    let given = pairs(&asked.lock().expect("a lock")[0]);
    let assertion = given.iter().find(|(name, _)| name == "assertion").expect("an assertion").1.clone();
    let (signed, signature) = assertion.rsplit_once('.').expect("a signature");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key_raw().to_vec());
    assert!(public.verify(signed.as_bytes(), &signature).is_ok());
    let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.').expect("claims").1).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!("the-client"), &json!("the-client")));
    assert_eq!(claims["aud"], json!("https://blue.acme.example/token"));
    assert!(claims.get("scope").is_none());
}

#[tokio::test]
async fn a_key_that_cannot_sign_is_said_to_be_one() {
    let (line, asked) = answering(200, "{}").await;
    for key in ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        let result = parts(key, &[]).provider().jwt_bearer(&line, &Random::system(), &[]).await;
        assert_eq!(result, Err(OAuthError::UnusableKey), "{key}");
    }
    assert!(asked.lock().expect("a lock").is_empty());
}

#[tokio::test]
async fn an_assertion_that_is_echoed_is_not_repeated() {
    let parts = parts(RSA, &[]);
    let assertion = parts.provider().assertion(
        &Random::steered(|bytes| {
            bytes.fill(7);
            Ok(())
        }),
        NOW,
        &[],
    );
    let assertion = assertion.expect("an assertion");
    let part = assertion.split('.').nth(2).expect("a signature");
    let body = format!(r#"{{"error":"invalid_grant","error_description":"bad {part}"}}"#);
    let (line, _) = answering(400, &body).await;
    let random = Random::steered(|bytes| {
        bytes.fill(7);
        Ok(())
    });
    let error = parts.provider().jwt_bearer(&line, &random, &[]).await.expect_err("an error");
    assert!(matches!(&error, OAuthError::Refused(said) if said.description == "bad ***"), "{error:?}");
}
