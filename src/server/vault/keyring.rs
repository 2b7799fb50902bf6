//! The keys: one that wraps, and the data keys it wraps, kept open in memory once they were needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

use super::VaultError;
use super::record::{DATA_KEY, Key, open, seal};
use crate::server::random::Random;
use crate::server::store::record::Scope;
use crate::server::store::{Store, WrappedKey};

#[derive(Clone)]
pub(super) struct Keyring {
    store: Store,
    wrapping: Arc<Key>,
    opened: Arc<Mutex<HashMap<Scope, Arc<Key>>>>,
}

impl Keyring {
    pub(super) fn new(store: Store, wrapping: Key) -> Self {
        Self { store, wrapping: Arc::new(wrapping), opened: Arc::default() }
    }

    /// The environment's data key; made on first use.
    pub(super) async fn data_key(&self, scope: &Scope, random: &Random) -> Result<Arc<Key>, VaultError> {
        let known = self.opened.lock().unwrap_or_else(PoisonError::into_inner).get(&scope.place()).cloned();
        if let Some(key) = known {
            return Ok(key);
        }
        let wrapped = match self.store.data_key(scope).await? {
            Some(wrapped) => wrapped,
            None => self.store.insert_data_key(scope, self.make(scope, random)?).await?,
        };
        let key = Arc::new(self.unwrap(scope, &wrapped)?);
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).insert(scope.place(), Arc::clone(&key));
        Ok(key)
    }

    fn make(&self, scope: &Scope, random: &Random) -> Result<WrappedKey, VaultError> {
        let id = random.bytes()?;
        let bytes = Zeroizing::new(random.bytes::<32>()?);
        let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len() + super::record::TAG_LENGTH));
        plain.extend_from_slice(bytes.as_slice());
        Ok(WrappedKey { id, wrapped: seal(&self.wrapping, DATA_KEY, &place(scope, &id), plain, random)? })
    }

    fn unwrap(&self, scope: &Scope, key: &WrappedKey) -> Result<Key, VaultError> {
        let plain = open(&self.wrapping, DATA_KEY, &place(scope, &key.id), &key.wrapped)?;
        let bytes = <&[u8; 32]>::try_from(plain.as_slice()).map_err(|_| VaultError::Sealed)?;
        Ok(Key::new(key.id, Zeroizing::new(*bytes)))
    }
}

fn place(scope: &Scope, id: &[u8; 16]) -> [Vec<u8>; 3] {
    [scope.workspace.as_str().into(), scope.environment.as_str().into(), id.to_vec()]
}
