//! Tells open pages and followers that something changed, whichever replica changed it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

use super::Services;
use super::caller::Caller;
use crate::api::error::ApiError;
use crate::domain::environment::Environment;
use crate::domain::id::WorkspaceId;
use crate::domain::role::Action;
use crate::server::store::record::Scope;
use crate::server::store::{Store, StoreError};

/// How often a watched number is read.
const PERIOD: Duration = Duration::from_secs(1);

/// What somebody watches: a number that grows with each change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    /// Its revision.
    Environment(Scope),
    /// The latest event of a workspace.
    Events(WorkspaceId),
}

impl Subject {
    async fn number(&self, store: &Store) -> Result<i64, StoreError> {
        match self {
            Self::Environment(scope) => store.revision(scope).await,
            Self::Events(workspace) => store.last_event(workspace).await,
        }
    }
}

/// All that is watched: one reader each, however many pages.
#[derive(Clone, Default)]
pub struct Watches(Arc<Mutex<HashMap<Subject, watch::Sender<i64>>>>);

impl Watches {
    /// Ends every watch: the server is going away, and pages shall not hold it up.
    pub fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn subscribe(&self, store: &Store, subject: Subject) -> Result<watch::Receiver<i64>, StoreError> {
        let number = subject.number(store).await?;
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = watched.get(&subject) {
            return Ok(sender.subscribe());
        }
        let (sender, receiver) = watch::channel(number);
        watched.insert(subject.clone(), sender);
        tokio::spawn(self.clone().follow(store.clone(), subject));
        Ok(receiver)
    }

    /// Reads the number until nobody watches any more.
    async fn follow(self, store: Store, subject: Subject) {
        loop {
            tokio::time::sleep(PERIOD).await;
            let number = subject.number(&store).await;
            let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(sender) = watched.get(&subject).filter(|sender| sender.receiver_count() > 0) else {
                watched.remove(&subject);
                return;
            };
            // A database that is away for a while has no news.
            if let Ok(number) = number {
                sender.send_if_modified(|known| std::mem::replace(known, number) != number);
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
        // One reader for all who look, whatever each of them sees.
        Ok(self.watches.subscribe(&self.store, Subject::Environment(scope.place())).await?)
    }

    /// The number of the workspace's latest event, now and whenever it grows.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], and [`ApiError::Unavailable`].
    pub async fn watch_events(&self, caller: &Caller) -> Result<watch::Receiver<i64>, ApiError> {
        caller.allow(Action::ViewEvents)?;
        Ok(self.watches.subscribe(&self.store, Subject::Events(caller.workspace.clone())).await?)
    }
}
