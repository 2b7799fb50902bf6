//! Opens what a command works with.

use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;
use url::{Host, Url};

use super::error::CommandError;
use crate::domain::id::MemberId;
use crate::server::catalog::Catalog;
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::dial::policy::NetworkPolicy;
use crate::server::dial::{Dialer, Resolver, SystemResolver};
use crate::server::probe::Prober;
use crate::server::random::Random;
use crate::server::service::{Services, Setting};
use crate::server::store::{Member, Store};
use crate::server::vault::Vault;

const POSTGRESQL_PORT: u16 = 5432;

/// The database.
///
/// # Errors
/// [`CommandError::Database`] with where it is, without its password.
pub async fn store(config: &Config) -> Result<Store, CommandError> {
    Store::open(config.database_url.reveal())
        .await
        .map_err(|error| CommandError::Database { database: config.database(), error })
}

/// The owner of the default workspace, made on first use.
///
/// # Errors
/// Where the database or the operating system refuses.
pub async fn owner(store: &Store, clock: &Clock, random: &Random) -> Result<Member, CommandError> {
    let now = clock.now();
    let id = MemberId::from_bytes(random.uuid_v7(now)?);
    Ok(store.ensure_default_workspace(now, id).await?)
}

/// All use cases.
///
/// # Errors
/// Whatever of database, key, catalog and networks cannot be used.
pub async fn services(config: &Config, demo: bool) -> Result<Services, CommandError> {
    let (clock, random) = (Clock::system(), Random::system());
    let policy = NetworkPolicy {
        local: config.local(),
        allow: config.allow_nets.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        denied_endpoints: own_endpoints(config).await,
    };
    let private = DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir);
    private.map_err(|_| CommandError::DataFolder(config.data_dir.clone()))?;
    let catalog = Catalog::load(config.catalog_dir.as_deref())?;
    let store = store(config).await?;
    let vault = Vault::open(store.clone(), config.key_source(), random.clone()).await?;
    let prober = Prober::new(Dialer::new(policy, Arc::new(SystemResolver)), clock.clone());
    let setting = Setting { local: config.local(), demo };
    Ok(Services::new(store, vault, catalog, prober, clock, random, setting))
}

/// Where Patchbay itself listens and where its database does: no probe goes there.
async fn own_endpoints(config: &Config) -> Vec<SocketAddr> {
    let mut endpoints = vec![config.address];
    let Some((host, port)) = database_host(config) else { return endpoints };
    if let Ok(addresses) = SystemResolver.resolve(&host).await {
        endpoints.extend(addresses.into_iter().map(|ip| SocketAddr::new(ip, port)));
    } else {
        tracing::warn!("the database's host name does not resolve yet");
    }
    endpoints
}

fn database_host(config: &Config) -> Option<(String, u16)> {
    let url = Url::parse(config.database_url.reveal()).ok().filter(|url| url.scheme().starts_with("postgres"))?;
    let host = match url.host()? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => ip.to_string(),
    };
    Some((host, url.port().unwrap_or(POSTGRESQL_PORT)))
}
