//! Random texts that let somebody in: session ids, one-time links, API keys. The store sees their hashes only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::server::random::{NoRandomness, Random};
use crate::server::vault::SecretText;

/// What an API key begins with, so that scanners and people recognise one.
pub const KEY_PREFIX: &str = "pb_";
/// What the platform's own keys begin with.
pub const INSTANCE_PREFIX: &str = "pb_inst_";
/// What a ticket begins with, and the bearer a frame gets for it.
pub const TICKET_PREFIX: &str = "pb_tkt_";
pub const BEARER_PREFIX: &str = "pb_emb_";

/// Draws 256 bits as 43 characters that need no escaping in a URL, after a prefix.
///
/// # Errors
/// [`NoRandomness`] where the operating system refuses.
pub fn draw(random: &Random, prefix: &str) -> Result<SecretText, NoRandomness> {
    let bytes = random.bytes::<32>()?;
    Ok(SecretText::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
}

/// Characters of a key behind its prefix that are shown: a sixth of what it takes to tell keys apart for sure, and far
/// from what it takes to guess one.
const SHOWN: usize = 6;

/// What people tell a key by: 220 of its 256 bits stay unknown.
#[must_use]
pub fn shown(key: &SecretText) -> String {
    key.reveal().chars().take(KEY_PREFIX.len() + SHOWN).collect()
}

/// What is stored of such a text. It holds 256 random bits, so a plain hash suffices.
#[must_use]
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_never_the_same() {
        let random = Random::system();
        let (a, b) = (draw(&random, KEY_PREFIX).expect("bytes"), draw(&random, KEY_PREFIX).expect("bytes"));
        assert_eq!(a.reveal().len(), 46);
        assert_ne!(a, b);
        assert_ne!(hash(a.reveal()), hash(b.reveal()));
    }
}
