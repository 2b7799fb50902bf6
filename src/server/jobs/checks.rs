//! Asks services again, as the schedule says. A host that hangs holds up no other: its checks wait for each other, and
//! for the few places that hosts in trouble share.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::api::error::ApiError;
use crate::domain::time::{MINUTE, SECOND};
use crate::server::service::Services;
use crate::server::store::record::Claim;

/// How often the store is asked what is due.
const PERIOD: Duration = Duration::from_secs(1);
/// How long a claim lasts. A check that waited so long for its host that it might outlast its claim is given back.
const LEASE: i64 = 2 * MINUTE;
/// The longest a check takes once it has begun: two questions and a renewal in between, ten seconds each.
const LONGEST: i64 = 30 * SECOND;
/// Checks under way at once; people who test by hand have places of their own.
const AT_ONCE: usize = 8;
/// Of these, the ones at hosts that did not answer the last time.
const AT_ONCE_IN_TROUBLE: usize = 3;
/// Checks at once for one host.
const AT_ONCE_PER_HOST: usize = 2;
/// Checks claimed but not yet under way.
const MOST_CLAIMED: usize = 64;
/// Those of one host, and of one in trouble; what is beyond comes back later.
const MOST_WAITING_PER_HOST: usize = MOST_CLAIMED / 2;
const MOST_WAITING_IN_TROUBLE: usize = 6;
/// Hosts in trouble that are remembered.
const MOST_REMEMBERED: usize = 1_000;
/// When a check comes back whose host has too many, and one whose host is in trouble or that found no turn.
const SOON: i64 = 3 * SECOND;
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
    /// Each ends with the host it asked and whether that answered.
    under_way: JoinSet<(String, bool)>,
    places: Places,
    hosts: HashMap<String, Host>,
}

struct Host {
    places: Arc<Semaphore>,
    /// Held once by each check that is claimed, also by one that panics.
    claims: Arc<()>,
    in_trouble: Arc<AtomicBool>,
}

impl Host {
    fn claimed(&self) -> usize {
        Arc::strong_count(&self.claims) - 1
    }
}

/// Room among the checks under way.
#[derive(Clone)]
struct Places {
    all: Arc<Semaphore>,
    in_trouble: Arc<Semaphore>,
}

impl Default for Queue {
    fn default() -> Self {
        let (all, in_trouble) = (Semaphore::new(AT_ONCE), Semaphore::new(AT_ONCE_IN_TROUBLE));
        let places = Places { all: Arc::new(all), in_trouble: Arc::new(in_trouble) };
        Self { under_way: JoinSet::new(), places, hosts: HashMap::new() }
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
        let host = self.hosts.entry(name.clone()).or_default();
        let (most, back) = if host.in_trouble.load(Ordering::Relaxed) {
            (MOST_WAITING_IN_TROUBLE, LATER)
        } else {
            (MOST_WAITING_PER_HOST, SOON)
        };
        if host.claimed() >= most {
            return postpone(services, claim, back).await;
        }
        let (services, places) = (services.clone(), self.places.clone());
        let (own, in_trouble) = (Arc::clone(&host.places), Arc::clone(&host.in_trouble));
        let held = Arc::clone(&host.claims);
        self.under_way.spawn(async move {
            let _own = own.acquire().await;
            let _slow = if in_trouble.load(Ordering::Relaxed) { places.in_trouble.acquire().await.ok() } else { None };
            let _place = places.all.acquire().await;
            let answered = begin(&services, claim).await;
            if let Some(answered) = answered {
                in_trouble.store(!answered, Ordering::Relaxed);
            }
            drop(held);
            (name, answered.unwrap_or(true))
        });
    }

    fn ended(&mut self, ended: Option<(String, bool)>) {
        let Some((name, answered)) = ended else { return };
        let Some(host) = self.hosts.get_mut(&name) else { return };
        // A host in trouble is remembered for its next check, unless there are too many of them.
        if host.claimed() == 0 && (answered || self.hosts.len() > MOST_REMEMBERED) {
            self.hosts.remove(&name);
        }
    }
}

impl Default for Host {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE_PER_HOST)), claims: Arc::default(), in_trouble: Arc::default() }
    }
}

/// Whether the service answered; `None` where it was not asked. What could outlast its claim is not begun: another may
/// have claimed it by then, and each check is made once.
async fn begin(services: &Services, claim: Claim) -> Option<bool> {
    if services.clock.now().plus(LONGEST) > claim.until {
        postpone(services, claim, LATER).await;
        return None;
    }
    match services.carry_out(&claim).await {
        Ok(answered) => Some(answered),
        Err(error) => {
            give_up(services, claim, &error).await;
            None
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
