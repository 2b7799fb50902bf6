//! Whose an API key is. A runtime asks with one key many times at once: whoever comes while the key is being looked up
//! waits for the next look, together with all others who came meanwhile. No look serves somebody who came after it
//! began, so a revoked key is refused at once, and nothing is remembered.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Services;
use crate::api::error::ApiError;
use crate::server::store::{ApiKey, StoreError};

/// Whoever waits longer for the look of others looks by itself: a connection that fell silent holds up nobody else.
const SHARED_WAIT: Duration = Duration::from_millis(250);

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

    /// What a look finds that begins after this call.
    async fn find<L, F>(&self, hash: KeyHash, look: L) -> Found
    where
        L: Fn() -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Found> + Send,
    {
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
            let (looks, look) = (Looks { keys: self.clone(), hash }, look.clone());
            tokio::spawn(async move { looks.carry_out(look).await });
        }
        match timeout(SHARED_WAIT, told).await {
            Ok(Ok(Ok(found))) => Ok(found),
            // One connection that broke is the trouble of one request, and not of all who came with the key.
            _ => look().await,
        }
    }
}

/// One key's looks, one after the other.
struct Looks {
    keys: KeyLookup,
    hash: KeyHash,
}

impl Looks {
    async fn carry_out<F: Future<Output = Found>>(&self, look: impl Fn() -> F) {
        while let Some(line) = self.take() {
            let found = look().await;
            for tell in line {
                // Who left meanwhile is not told.
                let _ = tell.send(found.clone());
            }
        }
    }

    /// Takes all who wait; nobody looks any more when there are none.
    fn take(&self) -> Option<Vec<oneshot::Sender<Found>>> {
        let mut waiting = self.keys.waiting();
        let mut line = mem::take(waiting.get_mut(&self.hash)?);
        line.retain(|tell| !tell.is_closed());
        if line.is_empty() {
            waiting.remove(&self.hash);
            return None;
        }
        Some(line)
    }
}

/// Nobody waits for a look that fell.
impl Drop for Looks {
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
        let (store, clock) = (self.store.clone(), self.clock.clone());
        let look = move || {
            let (store, clock) = (store.clone(), clock.clone());
            async move { store.api_key(hash, clock.now()).await }
        };
        Ok(self.keys.find(hash, look).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection_set::ConnectionSet;
    use crate::domain::environment::Environment;
    use crate::domain::id::{ApiKeyId, WorkspaceId};
    use crate::domain::role::EnvironmentSet;
    use crate::domain::time::Timestamp;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use tokio::sync::Semaphore;

    const HASH: KeyHash = [7; 32];

    /// A key that can be revoked, and looks that read at once and answer when they may.
    #[derive(Clone)]
    struct Scene {
        keys: KeyLookup,
        revoked: Arc<AtomicBool>,
        begun: Arc<AtomicUsize>,
        gate: Arc<Semaphore>,
    }

    impl Scene {
        fn new() -> Self {
            let (revoked, begun) = (Arc::default(), Arc::default());
            Self { keys: KeyLookup::default(), revoked, begun, gate: Arc::new(Semaphore::new(0)) }
        }

        fn ask(&self) -> tokio::task::JoinHandle<Found> {
            let scene = self.clone();
            let look = move || {
                let (begun, gate, revoked) =
                    (Arc::clone(&scene.begun), Arc::clone(&scene.gate), Arc::clone(&scene.revoked));
                async move {
                    let found = (!revoked.load(Ordering::SeqCst)).then(key);
                    begun.fetch_add(1, Ordering::SeqCst);
                    drop(gate.acquire().await.expect("open"));
                    Ok(found)
                }
            };
            let keys = self.keys.clone();
            tokio::spawn(async move { keys.find(HASH, look).await })
        }

        async fn until_begun(&self, looks: usize) {
            while self.begun.load(Ordering::SeqCst) < looks {
                tokio::task::yield_now().await;
            }
        }
    }

    fn key() -> ApiKey {
        ApiKey {
            id: ApiKeyId::from_bytes([1; 16]),
            workspace: WorkspaceId::default_workspace(),
            name: "run".to_owned(),
            prefix: None,
            created_by: None,
            environments: EnvironmentSet::try_from(vec![Environment::Production]).expect("one"),
            permissions: Vec::new(),
            connections: ConnectionSet::Every,
            created_at: Timestamp(1),
            expires_at: None,
            last_used_at: None,
        }
    }

    #[tokio::test]
    async fn a_look_serves_nobody_who_came_after_it_began() {
        let scene = Scene::new();
        let before = scene.ask();
        scene.until_begun(1).await;
        scene.revoked.store(true, Ordering::SeqCst);
        let after: Vec<_> = (0..20).map(|_| scene.ask()).collect();
        tokio::task::yield_now().await;
        scene.gate.add_permits(1);
        assert_eq!(before.await.expect("asked"), Ok(Some(key())));
        for asked in after {
            assert_eq!(asked.await.expect("asked"), Ok(None));
        }
        assert_eq!(scene.begun.load(Ordering::SeqCst), 2, "all who came later share one look");
        assert!(scene.keys.waiting().is_empty());
    }

    #[tokio::test]
    async fn whoever_waits_for_a_look_that_hangs_looks_by_itself() {
        let scene = Scene::new();
        let first = scene.ask();
        scene.until_begun(1).await;
        let second = scene.ask();
        // The first look hangs; after a while both look by themselves.
        scene.until_begun_in_time(3).await;
        scene.gate.add_permits(3);
        assert_eq!(first.await.expect("asked"), Ok(Some(key())));
        assert_eq!(second.await.expect("asked"), Ok(Some(key())));
    }

    impl Scene {
        async fn until_begun_in_time(&self, looks: usize) {
            timeout(Duration::from_secs(10), async {
                while self.begun.load(Ordering::SeqCst) < looks {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            })
            .await
            .expect("looked by themselves");
        }
    }
}
