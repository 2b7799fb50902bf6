//! When sessions, keys and connections were last used: noted beside the request and never in its way, so that whoever only reads
//! needs no database that can be written.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::watch;

use super::Services;
use crate::domain::id::{ApiKeyId, ConnectionId, InstanceKeyId};
use crate::domain::time::{MINUTE, Timestamp};
use crate::server::store::record::StoredConnection;
use crate::server::store::{ApiKey, InstanceKey, StoreError};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Used {
    Session([u8; 32]),
    Key(ApiKeyId),
    InstanceKey(InstanceKeyId),
    Connection(ConnectionId),
}

/// Whose use is being noted, each once at a time.
#[derive(Clone)]
pub(super) struct Uses(Arc<watch::Sender<HashSet<Used>>>);

impl Default for Uses {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(HashSet::new())))
    }
}

impl Uses {
    fn begin(&self, used: Used) -> Option<UnderWay> {
        let begun = self.0.send_if_modified(|under_way| under_way.insert(used.clone()));
        begun.then(|| UnderWay { uses: self.clone(), used })
    }
}

/// Ends when it is dropped, whatever became of the work.
struct UnderWay {
    uses: Uses,
    used: Used,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.uses.0.send_modify(|under_way| {
            under_way.remove(&self.used);
        });
    }
}

impl Services {
    /// Puts off the idle end of a session, if it was not seen for a minute.
    pub fn note_session(&self, id_hash: [u8; 32], seen_at: Timestamp, idle: i64) {
        let now = self.clock.now();
        if now.since(seen_at) >= MINUTE {
            let store = self.store.clone();
            let work = async move { store.touch_session(id_hash, now, now.plus(idle)).await };
            self.note(Used::Session(id_hash), work);
        }
    }

    /// Notes that a key was used, if that is not known of the last minute.
    pub fn note_key(&self, key: &ApiKey) {
        let now = self.clock.now();
        if key.last_used_at.is_none_or(|at| now.since(at) >= MINUTE) {
            let (store, workspace, id) = (self.store.clone(), key.workspace.clone(), key.id.clone());
            let work = async move { store.touch_api_key(&workspace, &id, now).await };
            self.note(Used::Key(key.id.clone()), work);
        }
    }

    /// The same for a key of the platform.
    pub fn note_instance_key(&self, key: &InstanceKey) {
        let now = self.clock.now();
        if key.last_used_at.is_none_or(|at| now.since(at) >= MINUTE) {
            let (store, id) = (self.store.clone(), key.id.clone());
            let work = async move { store.touch_instance_key(&id, now).await };
            self.note(Used::InstanceKey(key.id.clone()), work);
        }
    }

    /// Notes that a connection was used, if that is not known of the last ten minutes: open pages learn of it.
    pub(super) fn note_connection(&self, stored: &StoredConnection) {
        let now = self.clock.now();
        if stored.summary.last_used_at.is_none_or(|at| now.since(at) >= 10 * MINUTE) {
            let (store, scope, id) = (self.store.clone(), stored.scope.clone(), stored.summary.id.clone());
            let work = async move { store.touch_connection(&scope, &id, now).await };
            self.note(Used::Connection(stored.summary.id.clone()), work);
        }
    }

    fn note(&self, used: Used, work: impl Future<Output = Result<(), StoreError>> + Send + 'static) {
        let Some(under_way) = self.uses.begin(used) else { return };
        tokio::spawn(async move {
            if let Err(error) = work.await {
                tracing::warn!(%error, "a use could not be noted");
            }
            drop(under_way);
        });
    }

    /// Waits until everything under way is noted.
    pub async fn noted(&self) {
        // The sender lives in `self`: the wait ends by the condition.
        let _ = self.uses.0.subscribe().wait_for(HashSet::is_empty).await;
    }
}
