//! Tells what time alone makes news: credentials that end soon, and those that have ended.

use std::time::Duration;

use crate::server::service::Services;

/// How often to look for what is due.
const PERIOD: Duration = Duration::from_secs(10);

/// Tells what is due, for ever. A failure is told in the log and tried again next time.
pub async fn run(services: Services) {
    let mut period = tokio::time::interval(PERIOD);
    loop {
        period.tick().await;
        if let Err(error) = services.store.tell_due(services.clock.now()).await {
            tracing::warn!(%error, "what ends cannot be told; it is tried again");
        }
    }
}
