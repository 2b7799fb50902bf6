//! Seals and opens secrets; holds the keyring.
//!
//! A key-encryption key, from the configuration or a file, wraps one data key for each environment of each workspace;
//! data keys seal secrets. What is sealed is bound to its place: a record moved anywhere does not open.

mod keyring;
mod record;
mod secret;
mod source;

use zeroize::Zeroizing;

use self::keyring::Keyring;
use crate::server::random::{NoRandomness, Random};
use crate::server::store::record::Scope;
use crate::server::store::{Store, StoreError};
pub use secret::{SecretText, Secrets};
pub use source::KeySource;

/// Why the vault cannot seal or open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error(
        "The database holds sealed secrets, but the key that sealed them is missing: neither PATCHBAY_KEY nor the \
         file {path} gives one. Put the key file back from your backup, or set PATCHBAY_KEY. No new key was made."
    )]
    KeyMissing { path: String },
    #[error(
        "The secrets in the database were sealed with another key than the one configured. Put the right key file \
         back, or set PATCHBAY_KEY to the right key. Nothing was changed."
    )]
    WrongKey,
    #[error(
        "{origin} does not hold an encryption key: 32 bytes as base64 or as 64 hexadecimal digits are expected. \
         Correct it; where nothing was ever saved, the file may be deleted and a new one is made."
    )]
    KeyMalformed { origin: String },
    #[error("The key file {path} cannot be read or made. Check that its folder exists and who may write there.")]
    KeyFile { path: String },
    #[error("A sealed secret does not open: it was changed, or belongs somewhere else.")]
    Sealed,
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a sealed record belongs. Opening it anywhere else fails.
#[derive(Clone, Copy, Debug)]
pub struct SealContext<'a> {
    pub scope: &'a Scope,
    /// Whose secrets they are: a connection, a flow or an OAuth client, by an id that tells which.
    pub holder: &'a str,
    /// The auth method, and so the set of fields.
    pub method: &'a str,
    /// Of the secrets that are sealed, not of those before.
    pub secret_version: i64,
}

/// Seals and opens secrets. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    keyring: Keyring,
    random: Random,
}

impl Vault {
    /// Finds the key-encryption key, and makes one where nothing was ever sealed.
    ///
    /// # Errors
    /// `KeyMissing` or `WrongKey` where secrets were sealed with a key that is not there; `KeyMalformed`, `KeyFile`,
    /// `NoRandomness`, `Store`.
    pub async fn open(store: Store, source: KeySource, random: Random) -> Result<Self, VaultError> {
        let in_force = store.key_canary().await?;
        let sealed = in_force.is_some() || store.any_sealed().await?;
        let key = match source.read()? {
            Some(key) => key,
            None if sealed => return Err(VaultError::KeyMissing { path: source.file.display().to_string() }),
            None => source.create(&random)?,
        };
        let in_force = match in_force {
            Some(id) => id,
            None if sealed => return Err(VaultError::WrongKey),
            None => store.insert_key_canary(key.id()).await?,
        };
        if in_force != key.id() {
            return Err(VaultError::WrongKey);
        }
        Ok(Self { keyring: Keyring::new(store, key), random })
    }

    /// Seals secrets for one place.
    ///
    /// # Errors
    /// `Store`, `NoRandomness`; `Sealed` where the environment's data key does not open.
    pub async fn seal(&self, context: &SealContext<'_>, secrets: &Secrets) -> Result<Vec<u8>, VaultError> {
        let key = self.keyring.data_key(context.scope, &self.random).await?;
        record::seal(&key, record::SECRETS, &context.parts(), secrets.encode(record::TAG_LENGTH), &self.random)
    }

    /// A digest to recognise a request by that may hold secrets: without the environment's key nobody can try values
    /// against it.
    ///
    /// # Errors
    /// As [`Vault::seal`].
    pub async fn digest_of_request(&self, scope: &Scope, request: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = self.keyring.data_key(scope, &self.random).await?;
        Ok(key.digest(record::REQUEST, request))
    }

    /// Opens what was sealed for this very place; an empty record holds no secrets.
    ///
    /// # Errors
    /// `Sealed` where it was changed or belongs elsewhere; `Store`, `NoRandomness`.
    pub async fn open_sealed(&self, context: &SealContext<'_>, sealed: &[u8]) -> Result<Secrets, VaultError> {
        if sealed.is_empty() {
            return Ok(Secrets::default());
        }
        let key = self.keyring.data_key(context.scope, &self.random).await?;
        let plain: Zeroizing<Vec<u8>> = record::open(&key, record::SECRETS, &context.parts(), sealed)?;
        Secrets::decode(&plain).ok_or(VaultError::Sealed)
    }
}

impl SealContext<'_> {
    fn parts(&self) -> [Vec<u8>; 5] {
        [
            self.scope.workspace.as_str().into(),
            self.scope.environment.as_str().into(),
            self.holder.into(),
            self.method.into(),
            self.secret_version.to_be_bytes().into(),
        ]
    }
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
