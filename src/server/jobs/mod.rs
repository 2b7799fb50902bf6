//! Work that runs on a period or once: idempotent, safe with any number of replicas.

mod checks;
mod destinations;
mod purge;
mod renewals;

use super::service::Services;

/// Starts all jobs; they end with the runtime.
pub fn start(services: &Services) {
    if !services.setting.demo {
        tokio::spawn(checks::run(services.clone()));
        tokio::spawn(renewals::renew(services.clone()));
        tokio::spawn(renewals::revoke(services.clone()));
    }
    tokio::spawn(destinations::run(services.clone()));
    tokio::spawn(purge::run(services.clone()));
}
