//! Work that runs on a period or once: idempotent, safe with any number of replicas.

mod checks;
mod deliveries;
mod destinations;
mod events;
mod purge;
mod renewals;

use tokio::task::JoinSet;

use super::service::Services;

/// Starts all jobs. They begin nothing more once what is returned is dropped; what must finish goes on, as
/// [`Services::finished`] tells.
#[must_use]
pub fn start(services: &Services) -> JoinSet<()> {
    let mut jobs = JoinSet::new();
    if !services.setting.demo {
        jobs.spawn(checks::run(services.clone()));
        jobs.spawn(renewals::renew(services.clone()));
        jobs.spawn(renewals::revoke(services.clone()));
    }
    jobs.spawn(deliveries::run(services.clone()));
    jobs.spawn(destinations::run(services.clone()));
    jobs.spawn(events::run(services.clone()));
    jobs.spawn(purge::run(services.clone()));
    jobs
}
