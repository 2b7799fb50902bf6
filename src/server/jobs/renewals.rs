//! Renews OAuth tokens before they end, and revokes those of purged connections. A provider that hangs holds up no
//! other: its clients have a few places of their own among the renewals under way.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::domain::time::SECOND;
use crate::server::service::{RENEWAL_LEASE, Services};
use crate::server::store::FULL_CLIENTS;
use crate::server::store::record::RenewalClaim;

/// How often the store is asked what is due.
const PERIOD: Duration = Duration::from_millis(500);
/// Renewals under way at once, each claimed only when it begins: none waits while its claim runs out.
const AT_ONCE: usize = 32;
/// Of these, the ones of one client.
const AT_ONCE_PER_CLIENT: usize = 12;
const _: () = assert!(AT_ONCE / AT_ONCE_PER_CLIENT <= FULL_CLIENTS, "as many clients as can be full are left out");
/// When a renewal comes back that found all of its client's places taken, in milliseconds.
const SOON: i64 = 2 * SECOND;
/// How often revocations are looked for.
const REVOCATIONS: Duration = Duration::from_secs(5);

/// Renews what is due, for ever.
pub async fn renew(services: Services) {
    let mut renewals = Renewals::default();
    let mut period = tokio::time::interval(PERIOD);
    loop {
        tokio::select! {
            _ = period.tick() => renewals.begin_due(&services).await,
            Some(_) = renewals.under_way.join_next() => {}
        }
    }
}

#[derive(Default)]
struct Renewals {
    under_way: JoinSet<()>,
    /// Whether nothing is left in the journal from before this start.
    replayed: bool,
    clients: HashMap<String, Arc<Semaphore>>,
}

impl Renewals {
    async fn begin_due(&mut self, services: &Services) {
        let room = AT_ONCE.saturating_sub(self.under_way.len());
        // What was answered before is stored first: the token it replaces is not to be presented again.
        if room == 0 || services.holds_renewals() || !self.has_replayed(services).await {
            return;
        }
        let now = services.clock.now();
        let most = i64::try_from(room).unwrap_or(1);
        match services.store.claim_renewals(now, now.plus(RENEWAL_LEASE), most, self.full()).await {
            Ok(claims) => {
                for claim in claims {
                    self.begin(services, claim).await;
                }
            }
            Err(error) => tracing::warn!(%error, "what is due for renewal cannot be read; it is tried again"),
        }
    }

    async fn has_replayed(&mut self, services: &Services) -> bool {
        if !self.replayed {
            match services.replay_journal().await {
                Ok(()) => self.replayed = true,
                Err(error) => tracing::warn!(%error, "the journal cannot be replayed; it is tried again"),
            }
        }
        self.replayed
    }

    async fn begin(&mut self, services: &Services, claim: RenewalClaim) {
        let Some(place) = self.place_for(&claim.client) else {
            let again = services.clock.now().plus(SOON);
            if let Err(error) = services.store.release_renewal(claim, Some(again)).await {
                tracing::warn!(%error, "a renewal could not be put off; it comes back when its claim ends");
            }
            return;
        };
        let services = services.clone();
        self.under_way.spawn(async move {
            let _place = place;
            let id = claim.id.clone();
            if let Err(error) = services.renew(claim).await {
                tracing::warn!(connection = id.as_str(), %error, "a renewal was not written down; it is made again");
            }
        });
    }

    /// The clients that have no place left: what is due of them holds up no other's.
    fn full(&self) -> [String; FULL_CLIENTS] {
        let taken = self.clients.iter().filter(|(_, places)| places.available_permits() == 0);
        let mut names = taken.map(|(name, _)| name.clone());
        std::array::from_fn(|_| names.next().unwrap_or_default())
    }

    fn place_for(&mut self, client: &str) -> Option<OwnedSemaphorePermit> {
        let places = self.clients.entry(client.to_owned());
        let places = places.or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE_PER_CLIENT)));
        Arc::clone(places).try_acquire_owned().ok()
    }
}

/// Revokes what is due, for ever.
pub async fn revoke(services: Services) {
    let mut period = tokio::time::interval(REVOCATIONS);
    loop {
        period.tick().await;
        if let Err(error) = services.revoke_due().await {
            tracing::warn!(%error, "revocations could not be carried out; they are tried again");
        }
    }
}
