//! Asks services again, as the schedule says. A host that hangs holds up no other: its checks wait for each other,
//! not for a place among those under way.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::api::error::ApiError;
use crate::domain::time::{MINUTE, SECOND};
use crate::server::service::Services;
use crate::server::store::record::Claim;

/// How often the store is asked what is due.
const PERIOD: Duration = Duration::from_secs(1);
/// How long a claim lasts: longer than a check that first had to wait for its host.
const LEASE: i64 = 2 * MINUTE;
/// Checks under way at once; people who test by hand have places of their own.
const AT_ONCE: usize = 8;
/// The same for one host.
const AT_ONCE_PER_HOST: usize = 2;
/// Checks claimed but not yet under way.
const MOST_CLAIMED: usize = 64;
/// Those of one host; what is beyond comes back later.
const MOST_WAITING_PER_HOST: usize = 6;
/// When a check comes back whose host has too many, or that found no turn.
const LATER: i64 = 30 * SECOND;

/// Checks what is due, for ever.
pub async fn run(services: Services) {
    let mut queue = Queue::default();
    let mut period = tokio::time::interval(PERIOD);
    loop {
        tokio::select! {
            _ = period.tick() => queue.fill(&services).await,
            Some(ended) = queue.under_way.join_next() => queue.ended(ended.ok()),
        }
    }
}

struct Queue {
    /// Each ends with the host it asked.
    under_way: JoinSet<String>,
    places: Arc<Semaphore>,
    hosts: HashMap<String, Host>,
}

struct Host {
    places: Arc<Semaphore>,
    claimed: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Self { under_way: JoinSet::new(), places: Arc::new(Semaphore::new(AT_ONCE)), hosts: HashMap::new() }
    }
}

impl Queue {
    async fn fill(&mut self, services: &Services) {
        let room = MOST_CLAIMED.saturating_sub(self.under_way.len());
        if room == 0 {
            return;
        }
        let now = services.clock.now();
        let most = i64::try_from(room).unwrap_or(1);
        match services.store.claim_checks(now, now.plus(LEASE), most).await {
            Ok(claims) => {
                for claim in claims {
                    self.take(services, claim).await;
                }
            }
            Err(error) => tracing::warn!(%error, "what is due cannot be read; it is tried again"),
        }
    }

    async fn take(&mut self, services: &Services, claim: Claim) {
        let name = match services.host_of(&claim).await {
            Ok(Some(name)) => name,
            Ok(None) => return,
            // Its component is gone, or it cannot be read: a person has to look at it.
            Err(error) => return give_up(services, claim, &error).await,
        };
        let host = self
            .hosts
            .entry(name.clone())
            .or_insert_with(|| Host { places: Arc::new(Semaphore::new(AT_ONCE_PER_HOST)), claimed: 0 });
        if host.claimed >= MOST_WAITING_PER_HOST {
            return postpone(services, claim, LATER).await;
        }
        host.claimed += 1;
        let (services, own, all) = (services.clone(), Arc::clone(&host.places), Arc::clone(&self.places));
        self.under_way.spawn(async move {
            let _own = own.acquire().await;
            let _place = all.acquire().await;
            if let Err(error) = services.carry_out(&claim).await {
                give_up(&services, claim, &error).await;
            }
            name
        });
    }

    fn ended(&mut self, host: Option<String>) {
        let Some(name) = host else { return };
        if let Some(host) = self.hosts.get_mut(&name) {
            host.claimed -= 1;
            if host.claimed == 0 {
                self.hosts.remove(&name);
            }
        }
    }
}

/// A check that could not even be made comes back in an hour; one that found no turn, soon; one that the database was
/// away for, when its claim ends.
async fn give_up(services: &Services, claim: Claim, error: &ApiError) {
    match error {
        ApiError::Unavailable => {}
        ApiError::Busy => postpone(services, claim, LATER).await,
        _ => {
            tracing::warn!(connection = claim.id.as_str(), %error, "a check could not be made");
            postpone(services, claim, 60 * MINUTE).await;
        }
    }
}

async fn postpone(services: &Services, claim: Claim, by: i64) {
    let to = services.clock.now().plus(by);
    if let Err(error) = services.store.postpone(claim, to).await {
        tracing::warn!(%error, "a check could not be given back; it comes back when its claim ends");
    }
}
