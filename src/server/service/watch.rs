//! Tells open pages that something changed, whichever replica changed it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

use super::Services;
use super::caller::Caller;
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::role::Action;
use crate::server::store::Store;
use crate::server::store::record::Scope;

/// How often the revision of a watched environment is read.
const PERIOD: Duration = Duration::from_secs(1);

/// The environments that somebody watches: one reader each, however many pages.
#[derive(Clone, Default)]
pub struct Watches(Arc<Mutex<HashMap<Scope, watch::Sender<i64>>>>);

impl Watches {
    /// Ends every watch: the server is going away, and pages shall not hold it up.
    pub fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn subscribe(&self, store: &Store, scope: &Scope, revision: i64) -> watch::Receiver<i64> {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = watched.get(scope) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(revision);
        watched.insert(scope.clone(), sender);
        tokio::spawn(self.clone().follow(store.clone(), scope.clone()));
        receiver
    }

    /// Reads the revision until nobody watches any more.
    async fn follow(self, store: Store, scope: Scope) {
        loop {
            tokio::time::sleep(PERIOD).await;
            let revision = store.revision(&scope).await;
            let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(sender) = watched.get(&scope).filter(|sender| sender.receiver_count() > 0) else {
                watched.remove(&scope);
                return;
            };
            // A database that is away for a while has no news.
            if let Ok(revision) = revision {
                sender.send_if_modified(|known| std::mem::replace(known, revision) != revision);
            }
        }
    }
}

impl Services {
    /// The environment's revision, now and whenever it grows.
    ///
    /// # Errors
    /// Refusals of [`Caller::scope`], and [`ApiError::Unavailable`].
    pub async fn watch(&self, caller: &Caller, environment: Environment) -> Result<watch::Receiver<i64>, ApiError> {
        let scope = caller.scope(Action::ViewConnections, environment)?;
        let revision = self.store.revision(&scope).await?;
        // One reader for all who look, whatever each of them sees.
        Ok(self.watches.subscribe(&self.store, &scope.place(), revision))
    }
}
