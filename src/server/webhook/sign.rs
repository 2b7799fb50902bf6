//! Signing secrets, and signatures with them (HMAC-SHA256).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use zeroize::Zeroizing;

use crate::server::random::{NoRandomness, Random};
use crate::server::vault::SecretText;

/// What a signing secret begins with.
const PREFIX: &str = "whsec_";

/// Draws a secret of 256 bits.
///
/// # Errors
/// [`NoRandomness`] where the operating system refuses.
pub fn draw(random: &Random) -> Result<SecretText, NoRandomness> {
    let bytes = Zeroizing::new(random.bytes::<32>()?);
    Ok(SecretText::new(format!("{PREFIX}{}", STANDARD.encode(*bytes))))
}

/// `v1,` and the signature of a message; `None` for a text that is no signing secret.
#[must_use]
pub fn signature(secret: &SecretText, id: &str, seconds: i64, body: &str) -> Option<String> {
    // It signs what it was made for.
    let key = Zeroizing::new(STANDARD.decode(secret.reveal().strip_prefix(PREFIX)?).ok()?);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own libraries.
    #[test]
    fn a_signature_is_the_standards() {
        let secret = SecretText::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_secret_is_of_the_standards_form_and_never_the_same() {
        let random = Random::system();
        let (a, b) = (draw(&random).expect("bytes"), draw(&random).expect("bytes"));
        assert_eq!((a.reveal().len(), a.reveal().starts_with(PREFIX)), (50, true));
        assert_ne!(a, b);
        assert_eq!(signature(&SecretText::new("other".to_owned()), "a", 1, "b"), None);
    }
}
