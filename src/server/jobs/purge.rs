//! Destroys what was deleted and is past its undo.

use crate::server::service::{Services, UNDO};

/// Destroys every connection whose undo has run out. A failure is told in the log and tried again next time.
pub async fn run(services: &Services) {
    let now = services.clock.now();
    match services.store.purge_due(now.plus(-UNDO), now).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "destroyed connections deleted more than seven days ago"),
        Err(error) => tracing::warn!(%error, "the purge could not run; it is tried again in an hour"),
    }
}
