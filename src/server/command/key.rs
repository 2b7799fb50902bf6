//! `patchbay api-key create`, `list` and `revoke`.

use super::error::CommandError;
use super::{open, output};
use crate::api::error::ApiError;
use crate::api::keys::KeyRequest;
use crate::domain::api_key::LONGEST_DAYS;
use crate::domain::connection_set::ConnectionSet;
use crate::domain::environment::Environment;
use crate::domain::id::{ApiKeyId, ConnectionId, InvalidId, WorkspaceId};
use crate::domain::role::Permission;
use crate::domain::time::Timestamp;
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::random::Random;
use crate::server::service::keys::KeyMaker;
use crate::server::store::ApiKey;
use crate::server::store::record::{AuditAction, AuditEntry};

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
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=i64::from(LONGEST_DAYS)))]
    expires_days: u32,
    /// Lets it live until it is revoked
    #[arg(long, conflicts_with = "expires_days")]
    no_expiry: bool,
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
/// What is wrong with the key that was asked for, or a database that does not open.
pub async fn create(config: &Config, create: &Create) -> Result<(), CommandError> {
    let (clock, random) = (Clock::system(), Random::system());
    let store = open::existing(config).await?;
    open::owner(&store, &clock, &random).await?;
    let request = KeyRequest {
        name: create.name.clone(),
        permissions: create.permission.clone(),
        environments: create.environment.clone(),
        connections: create.connection.clone(),
        days: (!create.no_expiry).then_some(create.expires_days),
    };
    let entry = |action, about: &str| on_command_line(clock.now(), action, about);
    let maker = KeyMaker { store: &store, clock: &clock, random: &random, workspace: &create.workspace, entry: &entry };
    let (new, key) = maker.create(request).await.map_err(|error| match error {
        ApiError::NotFound => CommandError::Key("There is no workspace with this id."),
        error => error.into(),
    })?;
    // Shown to whoever asked for it; only its hash is stored.
    output::line(key.reveal())?;
    let until = new.expires_at.map_or_else(|| "revoked".to_owned(), Timestamp::to_day);
    let once = "It is shown this once only: put it where the program reads its secrets.";
    output::note(format_args!("Valid until {until}. {once}"));
    Ok(())
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
    let end = match key.expires_at {
        None => "no expiry".to_owned(),
        Some(end) => format!("{} {}", if end <= now { "expired" } else { "expires" }, end.to_day()),
    };
    let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {}", at.to_day()));
    format!("{}  {}  {environments}  {permissions}{connections}  {end}  {used}", key.id, key.name)
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
    let (clock, random) = (Clock::system(), Random::system());
    let entry = |action, about: &str| on_command_line(clock.now(), action, about);
    let maker = KeyMaker { store: &store, clock: &clock, random: &random, workspace, entry: &entry };
    match maker.revoke(&key).await {
        Err(ApiError::NotFound) => Err(unknown),
        result => {
            result?;
            output::line(format_args!("{} ({}) is revoked: it is refused from now on.", key.id, key.name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::role::EnvironmentSet;
    use crate::domain::time::DAY;

    #[test]
    fn a_line_says_where_a_key_is_valid_what_it_may_do_and_until_when() {
        let key = ApiKey {
            id: ApiKeyId::from_bytes([1; 16]),
            workspace: WorkspaceId::default_workspace(),
            name: "deploy".to_owned(),
            prefix: None,
            created_by: None,
            environments: EnvironmentSet::try_from(vec![Environment::Staging]).expect("a set"),
            permissions: vec![Permission::Read, Permission::Write],
            connections: ConnectionSet::Every,
            created_at: Timestamp(0),
            expires_at: Some(Timestamp(DAY)),
            last_used_at: None,
        };
        let told = line(&key, Timestamp(2 * DAY));
        assert!(told.starts_with(key.id.as_str()), "{told}");
        assert!(told.ends_with("deploy  staging  read,write  expired 2 Jan 1970  never used"), "{told}");
        assert!(line(&key, Timestamp(0)).contains("expires 2 Jan 1970"));
    }
}
