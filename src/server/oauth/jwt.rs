//! A signed assertion for tokens (RFC 7523, section 2.1). Of the form it reads `key` (a private key as PEM), `issuer`
//! (left out: the client's id), `subject` (left out: the issuer), `audience` (left out: the token endpoint) and `key_id`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

use super::error::OAuthError;
use super::line::Line;
use super::provider::Provider;
use super::tokens::{Captured, Tokens};
use crate::domain::time::{SECOND, Timestamp};
use crate::server::random::Random;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Seconds an assertion is good for; some providers take no more.
const LIFETIME: i64 = 180;

impl Provider<'_> {
    /// Tokens for a signed assertion.
    ///
    /// # Errors
    /// [`OAuthError::UnusableKey`], or any other but those of the redirect.
    pub async fn jwt_bearer(&self, line: &Line, random: &Random, scopes: &[String]) -> Result<Tokens, OAuthError> {
        let assertion = self.assertion(random, line.now(), scopes)?;
        let parameters =
            vec![("grant_type".to_owned(), GRANT_TYPE.to_owned()), ("assertion".to_owned(), assertion.clone())];
        let secrets: Vec<&str> = std::iter::once(assertion.as_str()).chain(assertion.split('.')).collect();
        let tokens = self.granted(line, parameters, scopes, &secrets).await?;
        self.completed(line, tokens).await
    }

    fn assertion(&self, random: &Random, now: Timestamp, scopes: &[String]) -> Result<String, OAuthError> {
        let field = |id| self.values.get(id);
        let issuer = field("issuer").unwrap_or(&self.client.id);
        let audience = match field("audience") {
            Some(audience) => audience.to_owned(),
            None => self.token_endpoint(&Captured::default())?.to_string(),
        };
        let seconds = now.0 / SECOND;
        let id = random.bytes::<16>().map_err(|_| OAuthError::NoRandomness)?;
        let mut claims = json!({
            "iss": issuer, "sub": field("subject").unwrap_or(issuer), "aud": audience,
            "iat": seconds, "exp": seconds + LIFETIME, "jti": URL_SAFE_NO_PAD.encode(id),
        });
        // Google and DocuSign read it here.
        if !scopes.is_empty() {
            claims["scope"] = json!(scopes.join(&self.section.scope_separator));
        }
        let key = Key::read(field("key").ok_or(OAuthError::UnusableKey)?)?;
        let mut header = json!({ "alg": key.algorithm(), "typ": "JWT" });
        if let Some(key_id) = field("key_id") {
            header["kid"] = json!(key_id);
        }
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())?);
        Ok(format!("{signed}.{signature}"))
    }
}

/// A private key that can sign.
enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

impl Key {
    fn read(pem: &str) -> Result<Self, OAuthError> {
        let unusable = |_| OAuthError::UnusableKey;
        match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| OAuthError::UnusableKey)? {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).map(Self::Rsa).map_err(unusable),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new());
                RsaKeyPair::from_pkcs8(der).map(Self::Rsa).or_else(|_| p256.map(Self::P256)).map_err(unusable)
            }
            _ => Err(OAuthError::UnusableKey),
        }
    }

    /// RFC 7518, section 3.1.
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, OAuthError> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
                signed.map(|()| signature).map_err(|_| OAuthError::UnusableKey)
            }
            Self::P256(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| OAuthError::UnusableKey)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
