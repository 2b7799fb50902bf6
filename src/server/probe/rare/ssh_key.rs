//! The keys of both sides of SSH: the private key that signs in, and the server's that is pinned.

use russh::client;
use russh::keys::ssh_key::{self, Kdf};
use russh::keys::{HashAlg, PrivateKey, PublicKey, PublicKeyOrCertificate, decode_secret_key};
use std::sync::{Arc, OnceLock};

use super::super::{Errand, Setback};

/// Most rounds of bcrypt that are computed to unlock a key; `ssh-keygen` takes 24 unless told otherwise.
const MOST_ROUNDS: u32 = 256;
/// Bytes of a SHA-256 digest in base64 without padding.
const DIGEST_LENGTH: usize = 43;

/// Reads the private key from the fields, and unlocks it.
///
/// # Errors
/// A [`Setback`] at the key or its passphrase. The service has not been asked yet, so nothing is learned of it.
pub async fn read_private_key(errand: &Errand<'_>, text: &str) -> Result<PrivateKey, Setback> {
    let silence = |reason: &str, field: &str| Err(Setback::silence(reason).at(field));
    if text.contains("PuTTY-User-Key-File-") {
        return silence("This is a key in PuTTY's format. Export it from PuTTYgen as an OpenSSH key.", "private_key");
    }
    let text: String = text.lines().map(|line| format!("{}\n", line.trim())).collect();
    match decode_secret_key(&text, None) {
        Ok(key) => Ok(key),
        // Found locked before anything was computed.
        Err(russh::keys::Error::KeyIsEncrypted) => {
            match (PrivateKey::from_openssh(&text), errand.values.get("passphrase")) {
                (Ok(_), None) => silence("This key is locked by a passphrase. Give it, too.", "passphrase"),
                (Ok(locked), Some(passphrase)) => unlock(locked, passphrase.to_owned()).await,
                (Err(_), _) => silence(OTHER_LOCK, "private_key"),
            }
        }
        Err(_) if text.contains("ENCRYPTED") => silence(OTHER_LOCK, "private_key"),
        Err(_) if text.contains("BEGIN PUBLIC KEY") || text.starts_with("ssh-") || text.starts_with("ecdsa-") => {
            silence("This is a public key. Give the private one, the file without .pub.", "private_key")
        }
        Err(_) => {
            silence("This key is not readable. Paste the whole file, with its BEGIN and END lines.", "private_key")
        }
    }
}

const OTHER_LOCK: &str = "Of keys locked by a passphrase, only those in OpenSSH's own format are read. \
                          ssh-keygen -p -f KEY writes the key anew in it.";

/// Unlocks a key aside from everything else: it takes a while by design. How long is written in the key itself.
async fn unlock(locked: PrivateKey, passphrase: String) -> Result<PrivateKey, Setback> {
    if matches!(locked.kdf(), Kdf::Bcrypt { rounds, .. } if *rounds > MOST_ROUNDS) {
        let reason =
            format!("This key takes more than {MOST_ROUNDS} rounds to unlock. ssh-keygen -p -a 24 -f KEY lowers them.");
        return Err(Setback::silence(reason).at("private_key"));
    }
    let unlocked = tokio::task::spawn_blocking(move || locked.decrypt(passphrase)).await;
    match unlocked {
        Ok(Ok(key)) => Ok(key),
        Ok(Err(ssh_key::Error::Crypto)) | Err(_) => {
            Err(Setback::silence("This passphrase does not unlock the key. Check it.").at("passphrase"))
        }
        Ok(Err(error)) => {
            Err(Setback::silence("This key cannot be unlocked.").at("private_key").with_detail(error.to_string()))
        }
    }
}

/// A host key as people compare it, such as `SHA256:…`.
#[must_use]
pub fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// The fingerprint that the server's key has to have, if one was given.
///
/// # Errors
/// A [`Setback`] at the field for what is no such fingerprint.
pub fn pinned(errand: &Errand<'_>) -> Result<Option<String>, Setback> {
    let Some(given) = errand.values.get("host_key") else { return Ok(None) };
    let digest = given.trim().trim_end_matches('=').strip_prefix("SHA256:");
    if let Some(digest) = digest.filter(|digest| digest.len() == DIGEST_LENGTH && digest.is_ascii()) {
        return Ok(Some(format!("SHA256:{digest}")));
    }
    let reason = format!("A host key's fingerprint is SHA256: and {DIGEST_LENGTH} characters. Copy it whole.");
    Err(Setback::silence(reason).at("host_key"))
}

/// The key the server has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    /// Such as `ssh-ed25519`.
    pub algorithm: String,
    pub fingerprint: String,
}

/// Takes the pinned host key only, or where none is pinned the first; notes what was shown.
pub struct HostKeyCheck {
    pub pinned: Option<String>,
    pub shown: Arc<OnceLock<HostKey>>,
}

impl HostKeyCheck {
    fn accepts(&self, key: &PublicKey) -> bool {
        let shown = HostKey { algorithm: key.algorithm().to_string(), fingerprint: fingerprint(key) };
        let fits = self.pinned.as_ref().is_none_or(|pinned| *pinned == shown.fingerprint);
        // Keys are exchanged anew within a connection: by the same key.
        fits & (*self.shown.get_or_init(|| shown.clone()) == shown)
    }
}

impl client::Handler for HostKeyCheck {
    type Error = russh::Error;

    /// Asked before anything secret is sent; a refusal ends the connection.
    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.accepts(key),
            // Never offered by us.
            PublicKeyOrCertificate::Certificate(_) => false,
        })
    }
}
