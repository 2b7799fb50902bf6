//! `patchbay instance-key create`, `list` and `revoke`.

use super::error::CommandError;
use super::key::on_command_line;
use super::{open, output};
use crate::domain::api_key::NAME_LIMIT;
use crate::domain::id::InstanceKeyId;
use crate::domain::line::is_line;
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::random::Random;
use crate::server::store::record::AuditAction;
use crate::server::store::{InstanceKey, NewInstanceKey, StoreError};
use crate::server::token;

/// Makes a key and prints it on standard output, alone.
///
/// # Errors
/// An unusable name, or a database that does not open.
pub async fn create(config: &Config, name: &str) -> Result<(), CommandError> {
    let name = name.trim();
    if !is_line(name, NAME_LIMIT) {
        return Err(CommandError::Key("A key's name has 1 to 120 characters on one line."));
    }
    let (clock, random) = (Clock::system(), Random::system());
    let store = open::existing(config).await?;
    open::owner(&store, &clock, &random).await?;
    let now = clock.now();
    let key = token::draw(&random, token::INSTANCE_PREFIX)?;
    let id = InstanceKeyId::from_bytes(random.uuid_v7(now)?);
    let new = NewInstanceKey { id, name: name.to_owned(), key_hash: token::hash(key.reveal()) };
    store.create_instance_key(new, on_command_line(now, AuditAction::KeyCreated, name)).await?;
    output::line(key.reveal())?;
    output::note(format_args!(
        "It makes workspaces and embed tickets, and is shown this once only: put it where the platform's server reads \
         its secrets."
    ));
    Ok(())
}

/// Prints one line a key.
///
/// # Errors
/// A database that does not open.
pub async fn list(config: &Config) -> Result<(), CommandError> {
    let keys = open::store(config).await?.instance_keys().await?;
    if keys.is_empty() {
        output::line("There are no instance keys. `patchbay instance-key create --name platform` makes one.")?;
    }
    for key in &keys {
        output::line(line(key))?;
    }
    Ok(())
}

fn line(key: &InstanceKey) -> String {
    let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {}", at.to_day()));
    format!("{}  {}  made {}  {used}", key.id, key.name, key.created_at.to_day())
}

/// Destroys a key.
///
/// # Errors
/// Where there is no such key, or the database does not open.
pub async fn revoke(config: &Config, id: &InstanceKeyId) -> Result<(), CommandError> {
    let store = open::store(config).await?;
    let unknown =
        CommandError::Key("There is no key with this id. `patchbay instance-key list` shows those there are.");
    let known = store.instance_keys().await?.into_iter().find(|key| key.id == *id);
    let Some(key) = known else { return Err(unknown) };
    let entry = on_command_line(Clock::system().now(), AuditAction::KeyRevoked, &key.name);
    match store.revoke_instance_key(id, entry).await {
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
    use crate::domain::time::Timestamp;

    #[test]
    fn a_line_names_a_key_and_its_last_use() {
        let id = InstanceKeyId::from_bytes([1; 16]);
        let key = InstanceKey { id, name: "platform".to_owned(), created_at: Timestamp(0), last_used_at: None };
        assert_eq!(line(&key), format!("{}  platform  made 1 Jan 1970  never used", key.id));
    }
}
