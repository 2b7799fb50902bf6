//! Work that runs on a period: idempotent, safe with any number of replicas.

mod checks;
mod purge;

use std::time::Duration;

use super::service::Services;

/// How often the purge looks for what is due.
const PURGE_PERIOD: Duration = Duration::from_hours(1);

/// Starts all jobs; they end with the runtime.
pub fn start(services: &Services) {
    if !services.setting.demo {
        tokio::spawn(checks::run(services.clone()));
    }
    let services = services.clone();
    tokio::spawn(async move {
        let mut period = tokio::time::interval(PURGE_PERIOD);
        loop {
            period.tick().await;
            purge::run(&services).await;
        }
    });
}
