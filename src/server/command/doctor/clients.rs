//! The operator's OAuth clients: which are in force and for what, and what was set and comes to nothing.

use std::collections::BTreeSet;

use super::Finding::{self, Bad, Good, Note};
use crate::server::catalog::Catalog;
use crate::server::config::Config;

/// One finding for each client, and for each thing set in vain.
pub fn clients(
    config: &Config,
    catalog: &Catalog,
    variable: &dyn Fn(&str) -> Option<String>,
    set: &BTreeSet<String>,
) -> Vec<Finding> {
    let users = catalog.client_users();
    let names = users.keys().cloned().collect();
    let in_force = config.oauth_clients(&names, variable);
    let used = in_force.iter().filter_map(|(name, client)| {
        let components = users.get(name)?.iter().copied().collect::<Vec<_>>().join(", ");
        let secret = if client.secret.is_some() { "secret ***" } else { "no secret" };
        Some(Good(format!("{name}: {}, {secret}, for {components} ({})", client.id, client.source)))
    });
    let mut findings: Vec<Finding> = used.collect();
    if findings.is_empty() {
        let own = "none of the operator's: each environment that connects accounts needs a client of its own";
        findings.push(Note(own.to_owned()));
    }
    findings.extend(config.unused_oauth_clients(&names, set).into_iter().map(Bad));
    findings
}
