//! A Google service account: its key signs a JWT, which Google exchanges for a token (RFC 7523).
//! <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>
//! Where the key file says to send it (`token_uri`) is not read: it goes to Google.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::json;

use super::http::exchange;
use super::{Errand, Finding, Setback, signed_in_as, skip_permissions};
use crate::domain::evidence::StepKind;
use crate::domain::time::{SECOND, Timestamp};
use crate::server::dial::Steps;
use crate::server::dial::host::Host;
use crate::server::dial::http::Answer;
use crate::server::dial::tls::{Trust, encrypt};

const HOST_NAME: &str = "oauth2.googleapis.com";
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
const GRANT_TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
/// The least a token can be for: to say whose it is. It is thrown away.
const SCOPE: &str = "https://www.googleapis.com/auth/userinfo.email";
/// Seconds the JWT is good for; Google takes an hour at most.
const LIFETIME: i64 = 300;
const UNIVERSE: &str = "googleapis.com";

pub async fn ask(errand: &Errand<'_>, steps: &mut Steps) -> Result<Finding, Setback> {
    let google = Endpoint { host: Host::Name(HOST_NAME.to_owned()), port: 443, trust: Trust::Machine };
    google.ask(errand, steps).await
}

/// Where tokens are handed out.
struct Endpoint {
    host: Host,
    port: u16,
    trust: Trust,
}

impl Endpoint {
    async fn ask(&self, errand: &Errand<'_>, steps: &mut Steps) -> Result<Finding, Setback> {
        let key = KeyFile::read(errand)?;
        let assertion = key.assertion(errand.clock.now())?;
        let wire = errand.dialer.connect(&self.host, self.port, steps).await?.wire;
        steps.begin(StepKind::Tls);
        let wire = encrypt(wire, &self.host, &self.trust, errand.clock.now(), steps).await?;
        steps.begin(StepKind::Authenticate);
        let answer = exchange(wire, request(&assertion)?).await?;
        judge(&answer, &assertion, &key, errand)
            .map_err(|setback| setback.for_now(answer.retry_after(errand.clock.now())))?;
        let identity = errand.scrub.said(&key.client_email);
        steps.pass(&signed_in_as(&identity));
        skip_permissions(steps);
        Ok(Finding::identity(identity))
    }
}

/// What is read of the key file.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    client_email: String,
    #[serde(default)]
    private_key: String,
    #[serde(default)]
    private_key_id: String,
    #[serde(default)]
    universe_domain: String,
}

impl KeyFile {
    fn read(errand: &Errand<'_>) -> Result<Self, Setback> {
        let text = errand.values.get("key").ok_or_else(|| unusable("The key file is missing."))?;
        let file: Self = serde_json::from_str(text)
            .map_err(|_| unusable("This is not a key file: it is no JSON. Paste the file whole, with its braces."))?;
        if file.kind != "service_account" || file.client_email.is_empty() || file.private_key.is_empty() {
            return Err(unusable(
                "This JSON file is not the key of a service account. Create a key of type JSON for one, and paste that.",
            ));
        }
        if !matches!(file.universe_domain.as_str(), "" | UNIVERSE) {
            return Err(unusable("This key is for another cloud than Google's public one, which is not asked."));
        }
        Ok(file)
    }

    /// The signed JWT (RFC 7515, section 7.1).
    fn assertion(&self, now: Timestamp) -> Result<String, Setback> {
        let seconds = now.0 / SECOND;
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if !self.private_key_id.is_empty() {
            header["kid"] = json!(self.private_key_id);
        }
        let claims = json!({
            "iss": self.client_email, "scope": SCOPE, "aud": AUDIENCE, "iat": seconds, "exp": seconds + LIFETIME,
        });
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes())?);
        Ok(format!("{signed}.{signature}"))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Setback> {
        let unreadable = || unusable("The private key within the key file is not readable. Paste the file anew.");
        let der = PrivatePkcs8KeyDer::from_pem_slice(self.private_key.as_bytes()).map_err(|_| unreadable())?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| unreadable())?;
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(|_| unreadable())?;
        Ok(signature)
    }
}

fn unusable(reason: &str) -> Setback {
    Setback::silence(reason).at("key")
}

fn request(assertion: &str) -> Result<Request<Full<Bytes>>, Setback> {
    // A JWT holds nothing that a form would have to encode.
    let body = format!("grant_type={GRANT_TYPE}&assertion={assertion}");
    Request::post("/token")
        .header(HOST, HOST_NAME)
        .header(USER_AGENT, concat!("Patchbay/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| Setback::silence("The question to Google cannot be put.").with_detail(error.to_string()))
}

/// What Google answers with, either way (RFC 6749, sections 5.1 and 5.2).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Reply {
    access_token: String,
    error: String,
    error_description: String,
}

/// Google documents its errors: <https://developers.google.com/identity/protocols/oauth2/service-account#error-codes>
fn judge(answer: &Answer, assertion: &str, key: &KeyFile, errand: &Errand<'_>) -> Result<(), Setback> {
    let Ok(reply) = serde_json::from_slice::<Reply>(&answer.body) else {
        return Err(Setback::silence(format!("Google did not answer as it should ({}).", answer.status)));
    };
    let (status, account) = (answer.status, errand.scrub.said(&key.client_email));
    // The assertion is a secret of ours that no list of secrets knows.
    let description = assertion.split('.').fold(reply.error_description, |text, part| text.replace(part, "***"));
    let (code, said) = (errand.scrub.said(&reply.error), errand.scrub.said(&description));
    let refusal = |reason: String| Err(Setback::refusal(reason).at("key").with_detail(said.clone()));
    match (status, code.as_str()) {
        (200, _) if !reply.access_token.is_empty() => Ok(()),
        (429 | 500..=599, _) => {
            Err(Setback::silence(format!("Google cannot check the key now ({status}). Try again in a while.")))
        }
        // Not about the key, but about when and where it was shown.
        (_, "invalid_grant") if said.contains("reasonable timeframe") || said.contains("short-lived") => {
            Err(Setback::silence(
                "Google finds that the clock of this machine is wrong (invalid_grant). Set it, and try again.",
            ))
        }
        (_, "invalid_grant") if said.contains("audience") => {
            Err(Setback::silence(format!("Google did not take the question ({code}): {said}")))
        }
        (_, "invalid_grant") if said.contains("Signature") => refusal(format!(
            "Google refused this key of {account} (invalid_grant): it was deleted, disabled or has expired. Create a new one."
        )),
        (_, "invalid_grant") => refusal(format!(
            "Google refused {account} (invalid_grant): {said} Check that the service account exists and is enabled."
        )),
        (_, "disabled_client") => refusal(format!(
            "Google says that this key of {account} is disabled ({code}). Enable it, or create a new one."
        )),
        (_, "deleted_client" | "invalid_client") => {
            refusal(format!("Google does not know {account} ({code}). Check that the service account exists."))
        }
        _ => Err(Setback::silence(format!("Google did not hand out a token ({status} {code}): {said}"))),
    }
}

#[cfg(test)]
#[path = "google_tests.rs"]
mod tests;
