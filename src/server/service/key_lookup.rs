//! Whose an API key is. A runtime asks with one key many times at once: whoever comes while the key is being looked up
//! waits for the next look, together with all others who came meanwhile. No look serves somebody who came after it
//! began, so a revoked key is refused at once, and nothing is remembered.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use tokio::sync::oneshot;

use super::Services;
use crate::api::error::ApiError;
use crate::server::clock::Clock;
use crate::server::store::{ApiKey, Store, StoreError};

type KeyHash = [u8; 32];
type Found = Result<Option<ApiKey>, StoreError>;
/// Who waits for the next look at a key that is being looked up.
type Waiting = HashMap<KeyHash, Vec<oneshot::Sender<Found>>>;

/// The keys that are being looked up.
#[derive(Clone, Default)]
pub(super) struct KeyLookup(Arc<Mutex<Waiting>>);

impl KeyLookup {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a look that begins after this call.
    async fn find(&self, store: &Store, clock: &Clock, hash: KeyHash) -> Found {
        let (tell, told) = oneshot::channel();
        let begins = match self.waiting().entry(hash) {
            Entry::Occupied(mut line) => {
                line.get_mut().push(tell);
                false
            }
            Entry::Vacant(line) => {
                line.insert(vec![tell]);
                true
            }
        };
        if begins {
            // Whoever asked first may go away; the others still wait.
            let (look, store, clock) = (Look { keys: self.clone(), hash }, store.clone(), clock.clone());
            tokio::spawn(async move { look.on(&store, &clock).await });
        }
        told.await.unwrap_or(Err(StoreError::Unavailable))
    }
}

/// One key's looks, one after the other.
struct Look {
    keys: KeyLookup,
    hash: KeyHash,
}

impl Look {
    async fn on(&self, store: &Store, clock: &Clock) {
        while let Some(line) = self.take() {
            let found = store.api_key(self.hash, clock.now()).await;
            for tell in line {
                // Who left meanwhile is not told.
                let _ = tell.send(found.clone());
            }
        }
    }

    /// Takes all who wait; nobody looks any more when there are none.
    fn take(&self) -> Option<Vec<oneshot::Sender<Found>>> {
        let mut waiting = self.keys.waiting();
        let line = mem::take(waiting.get_mut(&self.hash)?);
        if line.is_empty() {
            waiting.remove(&self.hash);
            return None;
        }
        Some(line)
    }
}

/// Nobody waits for a look that fell.
impl Drop for Look {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keys.waiting().remove(&self.hash);
        }
    }
}

impl Services {
    /// The API key with this hash; `None` where it expired, was revoked or never was.
    ///
    /// # Errors
    /// `Unavailable`, `Internal`.
    pub async fn api_key(&self, hash: KeyHash) -> Result<Option<ApiKey>, ApiError> {
        Ok(self.keys.find(&self.store, &self.clock, hash).await?)
    }
}
