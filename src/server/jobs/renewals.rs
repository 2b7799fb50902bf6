//! Renews OAuth tokens before they end, and revokes those of purged connections.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::server::service::{RENEWAL_LEASE, Services};

/// How often the store is asked what is due.
const PERIOD: Duration = Duration::from_secs(1);
/// Renewals under way at once.
const AT_ONCE: usize = 16;
/// Renewals claimed at once: so few that each begins long before its claim ends.
const MOST_CLAIMED: i64 = 32;
/// How often revocations are looked for.
const REVOCATIONS: Duration = Duration::from_secs(5);

/// Renews what is due, for ever.
pub async fn renew(services: Services) {
    services.replay_journal().await;
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut period = tokio::time::interval(PERIOD);
    loop {
        period.tick().await;
        // Until nothing is due any more: a thousand may end in the same minute.
        while renew_some(&services, &places).await {}
    }
}

/// Whether there may be more.
async fn renew_some(services: &Services, places: &Arc<Semaphore>) -> bool {
    let now = services.clock.now();
    let claims = match services.store.claim_renewals(now, now.plus(RENEWAL_LEASE), MOST_CLAIMED).await {
        Ok(claims) => claims,
        Err(error) => {
            tracing::warn!(%error, "what is due for renewal cannot be read; it is tried again");
            return false;
        }
    };
    let full = i64::try_from(claims.len()).is_ok_and(|count| count == MOST_CLAIMED);
    let mut under_way = JoinSet::new();
    for claim in claims {
        let (services, places) = (services.clone(), Arc::clone(places));
        under_way.spawn(async move {
            let _place = places.acquire_owned().await;
            let id = claim.id.clone();
            if let Err(error) = services.renew_claimed(claim).await {
                tracing::warn!(connection = id.as_str(), %error, "a renewal was not written down; it is made again");
            }
        });
    }
    under_way.join_all().await;
    full
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
