//! Sealed records: `version | algorithm | key id | nonce | ciphertext | tag`.
//!
//! AES-256-GCM with a random nonce of 96 bits (NIST SP 800-38D, section 8.2.2). The associated data is the header and
//! every part of the place the record belongs to, each preceded by its length.

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use ring::hmac;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::VaultError;
use crate::server::random::Random;

const VERSION: u8 = 1;
const AES_256_GCM: u8 = 1;
const KEY_ID_LENGTH: usize = 16;
const NONCE_LENGTH: usize = 12;
const HEADER_LENGTH: usize = 2 + KEY_ID_LENGTH;
pub(super) const TAG_LENGTH: usize = 16;

/// What a record holds; part of the associated data, so that one kind never opens as another.
pub(super) const SECRETS: &[u8] = b"patchbay secrets";
pub(super) const DATA_KEY: &[u8] = b"patchbay data key";
/// What a digest is made of.
pub(super) const REQUEST: &[u8] = b"patchbay request";

/// A key and the id that records name it by.
pub(super) struct Key {
    id: [u8; KEY_ID_LENGTH],
    bytes: Zeroizing<[u8; 32]>,
}

impl Key {
    pub(super) fn new(id: [u8; KEY_ID_LENGTH], bytes: Zeroizing<[u8; 32]>) -> Self {
        Self { id, bytes }
    }

    /// A key that is known by its own fingerprint.
    pub(super) fn fingerprinted(bytes: Zeroizing<[u8; 32]>) -> Self {
        let digest = Sha256::new_with_prefix(b"patchbay key id").chain_update(bytes.as_slice()).finalize();
        let mut id = [0; KEY_ID_LENGTH];
        id.copy_from_slice(&digest[..KEY_ID_LENGTH]);
        Self { id, bytes }
    }

    pub(super) const fn id(&self) -> [u8; KEY_ID_LENGTH] {
        self.id
    }

    /// A digest that tells nothing to whoever has not the key (HMAC-SHA-256, RFC 2104).
    pub(super) fn digest(&self, purpose: &[u8], text: &[u8]) -> Vec<u8> {
        let mut hash = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, self.bytes.as_slice()));
        hash.update(&(purpose.len() as u64).to_be_bytes());
        hash.update(purpose);
        hash.update(text);
        hash.sign().as_ref().to_vec()
    }

    pub(super) fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&(*self.bytes).into())
    }
}

/// Seals `plain` in place, so that no copy of it is left behind.
pub(super) fn seal(
    key: &Key,
    purpose: &[u8],
    place: &[Vec<u8>],
    mut plain: Zeroizing<Vec<u8>>,
    random: &Random,
) -> Result<Vec<u8>, VaultError> {
    let nonce = random.bytes::<NONCE_LENGTH>()?;
    let header = header(key);
    key.cipher()
        .encrypt_in_place(&Nonce::from(nonce), &associated_data(purpose, &header, place), &mut *plain)
        .map_err(|_| VaultError::Sealed)?;
    Ok([header.as_slice(), &nonce, &plain].concat())
}

/// Opens a record that `key` sealed for this place. A record that names another key is not tried.
pub(super) fn open(
    key: &Key,
    purpose: &[u8],
    place: &[Vec<u8>],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (header, rest) = sealed.split_first_chunk::<HEADER_LENGTH>().ok_or(VaultError::Sealed)?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or(VaultError::Sealed)?;
    if *header != self::header(key) {
        return Err(VaultError::Sealed);
    }
    let mut plain = Zeroizing::new(ciphertext.to_vec());
    key.cipher()
        .decrypt_in_place(&Nonce::from(*nonce), &associated_data(purpose, header, place), &mut *plain)
        .map_err(|_| VaultError::Sealed)?;
    Ok(plain)
}

fn header(key: &Key) -> [u8; HEADER_LENGTH] {
    let mut header = [0; HEADER_LENGTH];
    header[0] = VERSION;
    header[1] = AES_256_GCM;
    header[2..].copy_from_slice(&key.id);
    header
}

fn associated_data(purpose: &[u8], header: &[u8], place: &[Vec<u8>]) -> Vec<u8> {
    let mut data = Vec::new();
    for part in [purpose, header].into_iter().chain(place.iter().map(Vec::as_slice)) {
        data.extend((part.len() as u64).to_be_bytes());
        data.extend(part);
    }
    data
}
