//! `patchbay api-key create`, `list` and `revoke`.

use super::error::CommandError;
use super::{open, output};
use crate::domain::connection_set::ConnectionSet;
use crate::domain::environment::Environment;
use crate::domain::id::{ApiKeyId, ConnectionId, InvalidId, WorkspaceId};
use crate::domain::line::is_line;
use crate::domain::role::{EnvironmentSet, Permission};
use crate::domain::time::{DAY, Timestamp};
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::random::Random;
use crate::server::store::record::{AuditAction, AuditEntry};
use crate::server::store::{ApiKey, NewApiKey, StoreError};
use crate::server::token;

/// Longest name, in characters.
pub(super) const NAME_LIMIT: usize = 120;

/// What the key may do, and for how long.
#[derive(clap::Args)]
pub struct Create {
    /// What people call it; the audit trail names it so
    #[arg(long)]
    name: String,
    /// The workspace it belongs to
    #[arg(long, default_value = "default", value_parser = workspace)]
    workspace: WorkspaceId,
    /// Where it is valid: development, staging, production; several with commas
    #[arg(long, required = true, value_delimiter = ',')]
    environment: Vec<Environment>,
    /// What it may do: use, read, write, credentials; several with commas
    #[arg(long, required = true, value_delimiter = ',', value_parser = permission)]
    permission: Vec<Permission>,
    /// For these connections alone, by their ids: it may use them at run time (permissions use and credentials), and do
    /// nothing else; several with commas
    #[arg(long, value_delimiter = ',')]
    connection: Vec<ConnectionId>,
    /// Days until it expires
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(i64).range(1..=3650))]
    expires_days: i64,
}

fn permission(text: &str) -> Result<Permission, &'static str> {
    Permission::parse(text).ok_or("a permission is one of use, read, write, credentials")
}

/// The workspace a key belongs to, by its id.
pub(super) fn workspace(text: &str) -> Result<WorkspaceId, InvalidId> {
    WorkspaceId::try_from(text.to_owned())
}

/// Makes a key in a workspace and prints it on standard output, alone.
///
/// # Errors
/// An unusable name, or a database that does not open.
pub async fn create(config: &Config, create: &Create) -> Result<(), CommandError> {
    let name = create.name.trim();
    if !is_line(name, NAME_LIMIT) {
        return Err(CommandError::Key("A key's name has 1 to 120 characters on one line."));
    }
    let (clock, random) = (Clock::system(), Random::system());
    let store = open::existing(config).await?;
    open::owner(&store, &clock, &random).await?;
    let now = clock.now();
    let key = token::draw(&random, token::KEY_PREFIX)?;
    let mut permissions = create.permission.clone();
    permissions.sort_unstable();
    permissions.dedup();
    let connections = named(create, &permissions)?;
    let new = NewApiKey {
        id: ApiKeyId::from_bytes(random.uuid_v7(now)?),
        workspace: create.workspace.clone(),
        name: name.to_owned(),
        key_hash: token::hash(key.reveal()),
        environments: EnvironmentSet::try_from(create.environment.clone())
            .map_err(|_| CommandError::Key("Name an environment."))?,
        permissions,
        connections,
        expires_at: now.plus(create.expires_days * DAY),
        created_at: now,
    };
    let entry = on_command_line(now, AuditAction::KeyCreated, name);
    let until = new.expires_at.to_day();
    match store.create_api_key(new, entry).await {
        Err(StoreError::NotFound) => return Err(CommandError::Key("There is no workspace with this id.")),
        created => created?,
    }
    // Shown to whoever asked for it; only its hash is stored.
    output::line(key.reveal())?;
    let once = "It is shown this once only: put it where the program reads its secrets.";
    output::note(format_args!("Valid until {until}. {once}"));
    Ok(())
}

/// The connections that a key is for. One that may read or write is not limited by them, so it names none.
fn named(create: &Create, permissions: &[Permission]) -> Result<ConnectionSet, CommandError> {
    if create.connection.is_empty() {
        return Ok(ConnectionSet::Every);
    }
    if !permissions.iter().all(|permission| permission.is_of_named_connections()) {
        return Err(CommandError::Key(
            "A key for named connections has the permissions use and credentials only: make another one for the rest.",
        ));
    }
    ConnectionSet::try_from(Some(create.connection.clone()))
        .map_err(|_| CommandError::Key("A key names 100 connections at most. Make several keys."))
}

pub(super) fn on_command_line(at: Timestamp, action: AuditAction, about: &str) -> AuditEntry {
    AuditEntry { actor_name: "command line".to_owned(), ..AuditEntry::system(at, action, about) }
}

/// Prints one line a key of a workspace.
///
/// # Errors
/// A database that does not open.
pub async fn list(config: &Config, workspace: &WorkspaceId) -> Result<(), CommandError> {
    let now = Clock::system().now();
    let keys = open::store(config).await?.api_keys(workspace).await?;
    if keys.is_empty() {
        output::line("There are no API keys. `patchbay api-key create` makes one.")?;
    }
    for key in &keys {
        output::line(line(key, now))?;
    }
    Ok(())
}

fn line(key: &ApiKey, now: Timestamp) -> String {
    let environments = key.environments.iter().map(Environment::as_str).collect::<Vec<_>>().join(",");
    let permissions = key.permissions.iter().map(|permission| permission.as_str()).collect::<Vec<_>>().join(",");
    let connections = match &key.connections {
        ConnectionSet::Every => String::new(),
        ConnectionSet::Only(ids) => {
            format!("  {}", ids.iter().map(ConnectionId::as_str).collect::<Vec<_>>().join(","))
        }
    };
    let end = if key.expires_at <= now { "expired" } else { "expires" };
    let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {}", at.to_day()));
    let until = key.expires_at.to_day();
    format!("{}  {}  {environments}  {permissions}{connections}  {end} {until}  {used}", key.id, key.name)
}

/// Destroys a key of a workspace.
///
/// # Errors
/// Where there is no such key, or the database does not open.
pub async fn revoke(config: &Config, workspace: &WorkspaceId, id: &ApiKeyId) -> Result<(), CommandError> {
    let store = open::store(config).await?;
    let known = store.api_keys(workspace).await?.into_iter().find(|key| key.id == *id);
    let unknown = CommandError::Key("There is no key with this id. `patchbay api-key list` shows those there are.");
    let Some(key) = known else { return Err(unknown) };
    let entry = on_command_line(Clock::system().now(), AuditAction::KeyRevoked, &key.name);
    match store.revoke_api_key(workspace, id, entry).await {
        Err(StoreError::NotFound) => Err(unknown),
        result => {
            result?;
            output::line(format_args!("{} ({}) is revoked: it is refused from now on.", key.id, key.name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_a_key_is_valid_what_it_may_do_and_until_when() {
        let key = ApiKey {
            id: ApiKeyId::from_bytes([1; 16]),
            workspace: WorkspaceId::default_workspace(),
            name: "deploy".to_owned(),
            environments: EnvironmentSet::try_from(vec![Environment::Staging]).expect("a set"),
            permissions: vec![Permission::Read, Permission::Write],
            connections: ConnectionSet::Every,
            created_at: Timestamp(0),
            expires_at: Timestamp(DAY),
            last_used_at: None,
        };
        let told = line(&key, Timestamp(2 * DAY));
        assert!(told.starts_with(key.id.as_str()), "{told}");
        assert!(told.ends_with("deploy  staging  read,write  expired 2 Jan 1970  never used"), "{told}");
        assert!(line(&key, Timestamp(0)).contains("expires 2 Jan 1970"));
    }
}
