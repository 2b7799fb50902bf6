//! Notes, once after each start, where secrets are sent that were stored before this was noted.

use std::time::Duration;
use tokio::time::sleep;

use crate::server::service::Services;

/// Until a failure is followed by another try.
const PAUSE: Duration = Duration::from_mins(1);

/// Ends when there is nothing left to note.
pub async fn run(services: Services) {
    loop {
        match services.note_destinations().await {
            Ok(0) => return,
            Ok(count) => return tracing::info!(count, "noted where stored secrets are sent"),
            Err(error) => tracing::warn!(%error, "where stored secrets are sent cannot be noted; it is tried again"),
        }
        sleep(PAUSE).await;
    }
}
