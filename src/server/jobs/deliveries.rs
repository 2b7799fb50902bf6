//! Sends events to webhooks. An endpoint that hangs holds up no other: each has a line of its own, and those that failed
//! the last time share a few places among the lines under way.

use std::time::Duration;
use tokio::task::JoinSet;

use crate::server::service::{LINE_LEASE, Services};

/// How often the store is asked what is due.
const PERIOD: Duration = Duration::from_millis(500);
/// Lines under way at once, of endpoints in order and of those in trouble.
const AT_ONCE: usize = 32;
const AT_ONCE_IN_TROUBLE: usize = 16;

/// Sends what is due, for ever.
pub async fn run(services: Services) {
    let (mut in_order, mut in_trouble) = (Lines::new(false, AT_ONCE), Lines::new(true, AT_ONCE_IN_TROUBLE));
    let mut period = tokio::time::interval(PERIOD);
    loop {
        tokio::select! {
            _ = period.tick() => {
                in_order.begin_due(&services).await;
                in_trouble.begin_due(&services).await;
            }
            Some(_) = in_order.under_way.join_next() => {}
            Some(_) = in_trouble.under_way.join_next() => {}
        }
    }
}

struct Lines {
    are_in_trouble: bool,
    most: usize,
    under_way: JoinSet<()>,
}

impl Lines {
    fn new(are_in_trouble: bool, most: usize) -> Self {
        Self { are_in_trouble, most, under_way: JoinSet::new() }
    }

    async fn begin_due(&mut self, services: &Services) {
        let room = self.most.saturating_sub(self.under_way.len());
        if room == 0 {
            return;
        }
        let now = services.clock.now();
        let most = i64::try_from(room).unwrap_or(1);
        match services.store.claim_lines(now, now.plus(LINE_LEASE), self.are_in_trouble, most).await {
            Ok(claims) => {
                for claim in claims {
                    let services = services.clone();
                    self.under_way.spawn(async move {
                        let id = claim.webhook.clone();
                        if let Err(error) = services.work_off(claim).await {
                            tracing::warn!(webhook = id.as_str(), %error, "a delivery was not written down; it is made again");
                        }
                    });
                }
            }
            Err(error) => tracing::warn!(%error, "what is to be sent to webhooks cannot be read; it is tried again"),
        }
    }
}
