//! Opens what a command works with.

use std::collections::BTreeSet;
use std::env;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;
use url::{Host, Url};

use super::error::CommandError;
use crate::domain::id::MemberId;
use crate::server::catalog::Catalog;
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::dial::policy::NetworkPolicy;
use crate::server::dial::{Dialer, SystemResolver};
use crate::server::oauth::Client;
use crate::server::probe::Prober;
use crate::server::random::Random;
use crate::server::service::{OAuthSetup, Services, Setting};
use crate::server::store::{Member, Store, StoreError};
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

/// The database of a server that has run: only the server makes one, so that a command given in the wrong folder says
/// so and leaves nothing there.
///
/// # Errors
/// [`CommandError::NoDatabase`] and [`CommandError::OldDatabase`] beside those of [`store`].
pub async fn existing(config: &Config) -> Result<Store, CommandError> {
    let opened = Store::open_existing(config.database_url.reveal()).await;
    opened.map_err(|error| match error {
        StoreError::Missing => CommandError::NoDatabase(config.database()),
        StoreError::Outdated => CommandError::OldDatabase(config.database()),
        error => CommandError::Database { database: config.database(), error },
    })
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
    let dialer = dialer(config)?;
    let private = DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir);
    private.map_err(|_| CommandError::DataFolder(config.data_dir.clone()))?;
    let catalog = Catalog::load(config.catalog_dir.as_deref())?;
    let store = store(config).await?.with_notice(config.expiry_notice);
    let vault = Vault::open(store.clone(), config.key_source(), random.clone()).await?;
    let prober = Prober::new(dialer, clock.clone());
    let setting = Setting { local: config.local(), demo, runtime: config.limits.runtime };
    let oauth = oauth_setup(config, &catalog)?;
    Ok(Services::new(store, vault, catalog, prober, clock, random, setting, oauth))
}

/// Addresses and clients for connecting accounts.
fn oauth_setup(config: &Config, catalog: &Catalog) -> Result<OAuthSetup, CommandError> {
    if let Some(folder) = &config.journal_dir {
        let private = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        private.map_err(|_| CommandError::DataFolder(folder.clone()))?;
    }
    let names = catalog.client_names();
    for unused in config.unused_oauth_clients(&names, &variables()) {
        tracing::warn!("{unused}");
    }
    let clients = config.oauth_clients(&names, &|name| env::var(name).ok());
    let clients = clients.into_iter().map(|(name, client)| (name, Client { id: client.id, secret: client.secret }));
    Ok(OAuthSetup {
        redirect_url: config.public_url.join("/oauth/callback"),
        typed_redirect_url: config.public_url.join("/oauth/callback/own"),
        start_url: config.public_url.join("/oauth/start"),
        clients: Arc::new(clients.collect()),
        journal: config.journal_dir.clone(),
    })
}

/// The names of the variables that are set, and not to nothing.
pub fn variables() -> BTreeSet<String> {
    let set = env::vars_os().filter(|(_, value)| !value.is_empty());
    // What is not UTF-8 is read by nobody.
    set.filter_map(|(name, value)| value.into_string().and(name.into_string()).ok()).collect()
}

/// The way out, as far as the settings let it reach.
///
/// # Errors
/// [`CommandError::AllowNets`].
pub fn dialer(config: &Config) -> Result<Dialer, CommandError> {
    let policy = NetworkPolicy {
        local: config.local(),
        allow: config.allow_nets.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        // Where Patchbay itself listens and where its database does: no probe goes there.
        denied_endpoints: vec![config.address],
        denied_names: database_host(config.database_url.reveal()).into_iter().collect(),
    };
    Ok(Dialer::new(policy, Arc::new(SystemResolver)))
}

/// Where the database is reached: options behind the URL count more than its host and port. A folder with a socket is
/// this machine's.
fn database_host(url: &str) -> Option<(String, u16)> {
    let url = Url::parse(url).ok().filter(|url| url.scheme().starts_with("postgres"))?;
    let option = |keys: &[&str]| {
        let said = url.query_pairs().filter(|(key, _)| keys.contains(&key.as_ref()));
        said.map(|(_, value)| value.into_owned()).last()
    };
    let host = option(&["host", "hostaddr"]).or_else(|| host_of(&url))?;
    let host = if host.starts_with('/') { "localhost".to_owned() } else { host };
    let port = option(&["port"]).and_then(|port| port.parse().ok()).or_else(|| url.port());
    Some((host, port.unwrap_or(POSTGRESQL_PORT)))
}

fn host_of(url: &Url) -> Option<String> {
    Some(match url.host()? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => ip.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_a_url_say_where_the_database_is() {
        let host = |url| database_host(url).map(|(host, port)| format!("{host} {port}"));
        assert_eq!(host("postgres://a@db.example/x").as_deref(), Some("db.example 5432"));
        assert_eq!(host("postgres://a@[::1]:6000/x").as_deref(), Some("::1 6000"));
        assert_eq!(host("postgres://a@db.example/x?host=10.0.0.9&port=6001").as_deref(), Some("10.0.0.9 6001"));
        assert_eq!(host("postgres://a@db.example/x?host=/run/postgresql").as_deref(), Some("localhost 5432"));
        assert_eq!(host("sqlite:///x.db"), None);
    }

    #[tokio::test]
    async fn a_command_in_the_wrong_folder_says_so_and_makes_nothing() {
        let folder = std::env::temp_dir().join(format!("patchbay-nowhere-{}", std::process::id()));
        let variable = |name: &str| (name == "PATCHBAY_DATA_DIR").then(|| folder.display().to_string());
        let config = Config::read(None, &variable).expect("settings");
        let error = existing(&config).await.err().expect("refused").to_string();
        assert!(error.contains(&config.database()), "{error}");
        assert!(!folder.exists());
    }
}
