//! Destroys what was deleted and is past its undo.

use std::time::{Duration, Instant};

use crate::domain::time::{DAY, Timestamp};
use crate::server::service::{Services, UNDO};
use crate::server::store::StoreError;

/// How often to look for what is due.
const PERIOD: Duration = Duration::from_hours(1);
/// What was purged so long ago is forgotten: by then every session has ended, and with it every page that showed it.
const REMEMBERED: i64 = 30 * DAY;
/// How far back events, the mapping's feed and deliveries to webhooks can be looked at.
const FOLLOWED: i64 = 30 * DAY;

/// Purges what is due, for ever. A failure is told in the log and tried again next time.
pub async fn run(services: Services) {
    let mut period = tokio::time::interval(PERIOD);
    let mut calendar = None;
    loop {
        period.tick().await;
        if let Err(error) = purge(&services, &mut calendar).await {
            tracing::warn!(%error, "the purge could not run; it is tried again in an hour");
        }
    }
}

async fn purge(services: &Services, calendar: &mut Option<Calendar>) -> Result<(), StoreError> {
    let now = services.clock.now();
    let calendar = match calendar {
        Some(calendar) => calendar,
        None => calendar.insert(Calendar::begin(now, services.store.latest_audit().await?)),
    };
    let believed = calendar.believed(now, calendar.begun.elapsed());
    match services.store.purge_due(believed.plus(-UNDO), now).await? {
        0 => {}
        count => tracing::info!(count, "destroyed connections deleted more than seven days ago"),
    }
    // By the clock alone: a ticket, a bearer or a sign-in that goes too early is asked for again.
    services.store.purge_embedding(now).await?;
    services.store.forget_flows(now).await?;
    services.store.forget_former_secrets(believed).await?;
    services.store.forget_purged(believed.plus(-REMEMBERED)).await?;
    services.store.forget_events(believed.plus(-FOLLOWED)).await?;
    services.store.forget_deliveries(believed.plus(-FOLLOWED)).await
}

/// What a purge destroys has no undo, so a clock alone does not tell it how late it is: time counts that this process
/// saw pass, from a moment that the audit trail confirms. A clock that jumped ahead then delays a purge, and starts
/// none.
struct Calendar {
    start: Timestamp,
    begun: Instant,
}

impl Calendar {
    /// A day after the latest line at most: with none, nothing was ever deleted.
    fn begin(now: Timestamp, latest_line: Option<Timestamp>) -> Self {
        let start = latest_line.map_or(now, |at| now.min(at.plus(DAY)));
        Self { start, begun: Instant::now() }
    }

    fn believed(&self, now: Timestamp, elapsed: Duration) -> Timestamp {
        let passed = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        now.min(Timestamp(self.start.0.saturating_add(passed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Timestamp = Timestamp(20_000 * DAY);
    const AN_HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn time_that_passed_counts() {
        let calendar = Calendar::begin(TODAY, Some(TODAY.plus(-DAY)));
        let later = TODAY.plus(DAY / 24);
        assert_eq!(calendar.believed(later, AN_HOUR), later);
        assert_eq!(calendar.believed(TODAY.plus(-DAY), AN_HOUR), TODAY.plus(-DAY), "a clock set back is believed");
    }

    #[test]
    fn a_clock_that_jumps_ahead_purges_nothing() {
        let calendar = Calendar::begin(TODAY, Some(TODAY));
        assert_eq!(calendar.believed(TODAY.plus(400 * DAY), AN_HOUR), TODAY.plus(DAY / 24));
        let wrong_from_the_start = Calendar::begin(TODAY.plus(400 * DAY), Some(TODAY));
        let believed = wrong_from_the_start.believed(TODAY.plus(400 * DAY), AN_HOUR);
        assert_eq!(believed, TODAY.plus(DAY).plus(DAY / 24));
    }
}
