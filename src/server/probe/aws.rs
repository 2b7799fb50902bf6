//! AWS signature version 4, by the aws-sigv4 crate: no profile, no environment, no instance metadata.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use hyper::{Request, header::HeaderValue};
use std::time::{Duration, UNIX_EPOCH};

use crate::domain::time::Timestamp;

/// What a request is signed with.
pub struct Signer {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
    pub region: String,
    pub service: String,
}

/// The request cannot be signed: a header that is no text, or a wrong URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request cannot be signed")]
pub struct Unsignable;

impl Signer {
    /// Adds `authorization`, `x-amz-date` and what else the signature needs. `url` is the request's absolute URL.
    ///
    /// # Errors
    /// [`Unsignable`].
    pub fn sign<B: AsRef<[u8]>>(&self, request: &mut Request<B>, url: &str, now: Timestamp) -> Result<(), Unsignable> {
        let credentials = Credentials::from_keys(
            self.access_key_id.clone(),
            self.secret_access_key.clone(),
            self.session_token.clone(),
        );
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or_default()))
            .settings(self.settings())
            .build()
            .map_err(|_| Unsignable)?
            .into();
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| Ok((name.as_str(), value.to_str().map_err(|_| Unsignable)?)))
            .collect::<Result<Vec<_>, Unsignable>>()?;
        let body = SignableBody::Bytes(request.body().as_ref());
        let signable = SignableRequest::new(request.method().as_str(), url, headers.into_iter(), body);
        let (instructions, _) =
            sign(signable.map_err(|_| Unsignable)?, &parameters).map_err(|_| Unsignable)?.into_parts();
        for header in instructions.into_parts().0 {
            let mut value = HeaderValue::from_str(header.value()).map_err(|_| Unsignable)?;
            value.set_sensitive(true);
            request.headers_mut().insert(header.name(), value);
        }
        Ok(())
    }

    /// S3 signs its paths as they are and wants the body's hash; all other services encode twice (AWS documentation).
    fn settings(&self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        if self.service == "s3" {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test `get-vanilla` of AWS' signature version 4 test suite.
    #[test]
    fn the_published_vector_is_reproduced() {
        let signer = Signer {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
            region: "us-east-1".to_owned(),
            service: "service".to_owned(),
        };
        let mut request = Request::get("/").header("host", "example.amazonaws.com").body("").expect("a request");
        let now = Timestamp(1_440_938_160_000);
        signer.sign(&mut request, "https://example.amazonaws.com/", now).expect("signed");
        let headers = request.headers();
        assert_eq!(headers["x-amz-date"], "20150830T123600Z");
        assert_eq!(
            headers["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
    }

    #[test]
    fn s3_gets_the_hash_of_its_body_and_a_session_its_token() {
        let signer = Signer {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: Some("token".to_owned()),
            region: "eu-central-1".to_owned(),
            service: "s3".to_owned(),
        };
        let mut request = Request::get("/").header("host", "s3.example").body("").expect("a request");
        signer.sign(&mut request, "https://s3.example/", Timestamp(1_440_938_160_000)).expect("signed");
        // SHA-256 of nothing.
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(request.headers()["x-amz-content-sha256"], empty);
        assert_eq!(request.headers()["x-amz-security-token"], "token");
    }
}
