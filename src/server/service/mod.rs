//! Use cases. Take store, vault, clock and prober; know no HTTP.

mod audit;
pub mod caller;
mod candidate;
mod check;
pub mod components;
mod connect;
mod create;
mod delete;
mod deliver;
pub mod destinations;
mod detail;
mod edit;
pub mod embedding;
pub mod events;
pub mod hand_out;
mod journal;
mod key_lookup;
pub mod keys;
pub mod list;
mod pace;
mod page;
pub mod patch;
pub mod proxy;
pub mod refusal_report;
mod renew;
mod repeat;
mod replace;
mod revoke;
mod rows;
mod test;
mod tokens;
mod tries;
mod try_component;
mod update;
mod uses;
mod views;
pub mod watch;
pub mod webhooks;
pub mod workflows;

pub use connect::{Consent, Landing, OAuthSetup, Redirect};
pub use delete::UNDO;
pub use deliver::LINE_LEASE;
pub use renew::RENEWAL_LEASE;

use crate::api::error::ApiError;
use crate::api::stream::ProbeEvent;
use crate::domain::evidence::Step;
use crate::server::catalog::Catalog;
use crate::server::clock::Clock;
use crate::server::config::RuntimeLimits;
use crate::server::probe::{NoTurn, Prober};
use crate::server::random::{NoRandomness, Random};
use crate::server::store::{AuditWriter, Store, StoreError};
use crate::server::vault::{Vault, VaultError};
use caller::Caller;
use key_lookup::KeyLookup;
use pace::Pace;
use rows::RowCache;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch as watch_channel;
use tries::RecentTries;
use uses::Uses;
use views::Views;
use watch::Watches;

/// How this instance was started, as far as use cases and pages need to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setting {
    /// Listens on loopback and is opened there: its user sits at the machine.
    pub local: bool,
    /// Holds a sample workspace that is never checked against real services.
    pub demo: bool,
    pub runtime: RuntimeLimits,
}

/// All use cases. Cheap to clone: every layer and handler of a request holds one.
#[derive(Clone)]
pub struct Services(Arc<Means>);

/// What use cases work on.
pub struct Means {
    pub store: Store,
    pub vault: Vault,
    /// The server's own components; what a workspace has is told by [`Services::view`].
    pub catalog: Catalog,
    pub prober: Prober,
    pub clock: Clock,
    pub random: Random,
    pub setting: Setting,
    pub oauth: OAuthSetup,
    views: Views,
    rows: RowCache,
    tries: RecentTries,
    pub watches: Watches,
    uses: Uses,
    /// Records each use of credentials.
    trail: AuditWriter,
    pace: Pace,
    keys: KeyLookup,
    /// Watched by all that must finish.
    under_way: Arc<watch_channel::Sender<()>>,
    /// How many renewed tokens wait for the database.
    held: Arc<AtomicUsize>,
}

impl Services {
    /// Within a runtime of tokio.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "called once, with everything there is")]
    pub fn new(
        store: Store,
        vault: Vault,
        catalog: Catalog,
        prober: Prober,
        clock: Clock,
        random: Random,
        setting: Setting,
        oauth: OAuthSetup,
    ) -> Self {
        Self(Arc::new(Means {
            trail: AuditWriter::start(store.clone()),
            pace: Pace::default(),
            keys: KeyLookup::default(),
            store,
            vault,
            catalog,
            prober,
            clock,
            random,
            setting,
            oauth,
            views: Views::default(),
            rows: RowCache::default(),
            tries: RecentTries::default(),
            watches: Watches::default(),
            uses: Uses::default(),
            under_way: Arc::new(watch_channel::Sender::new(())),
            held: Arc::default(),
        }))
    }
}

impl Deref for Services {
    type Target = Means;

    fn deref(&self) -> &Means {
        &self.0
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Full => Self::Full,
            StoreError::OwnFull => Self::OwnFull,
            StoreError::Unavailable => Self::Unavailable,
            // Where a name or a version can be at fault, the use case answers with what it knows of both.
            StoreError::NameTaken
            | StoreError::Stale
            | StoreError::InUse
            | StoreError::Missing
            | StoreError::Outdated
            | StoreError::Corrupt => {
                tracing::error!(%error, "a use case left a store error to be told as internal");
                Self::Internal
            }
        }
    }
}

impl From<VaultError> for ApiError {
    fn from(error: VaultError) -> Self {
        tracing::error!(%error, "the vault refused");
        match error {
            VaultError::Store(StoreError::Unavailable) => Self::Unavailable,
            _ => Self::Internal,
        }
    }
}

impl From<NoTurn> for ApiError {
    fn from(_: NoTurn) -> Self {
        Self::Busy
    }
}

impl From<NoRandomness> for ApiError {
    fn from(error: NoRandomness) -> Self {
        tracing::error!(%error, "no random bytes");
        Self::Internal
    }
}

impl Services {
    /// Runs what must finish even if the asking side goes away: sealing and committing, and what a provider answers.
    async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let under_way = self.under_way.subscribe();
        let task = tokio::spawn(async move {
            let result = work.await;
            drop(under_way);
            result
        });
        task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a commit did not finish");
            Err(ApiError::Internal)
        })
    }

    /// Waits until nothing is under way that must finish.
    pub async fn finished(&self) {
        self.under_way.closed().await;
    }
}

/// The end of a stream, whatever way it ended.
fn ended(result: Result<ProbeEvent, ApiError>) -> ProbeEvent {
    result.unwrap_or_else(|error| ProbeEvent::Failed { error })
}

/// Passes steps on as they happen; addresses and ports only to operators.
fn live_for(caller: &Caller, live: UnboundedSender<Step>) -> UnboundedSender<Step> {
    if caller.operator {
        return live;
    }
    let (sender, mut receiver) = unbounded_channel::<Step>();
    tokio::spawn(async move {
        while let Some(mut step) = receiver.recv().await {
            step.detail.clear();
            if live.send(step).is_err() {
                break;
            }
        }
    });
    sender
}
