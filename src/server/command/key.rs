//! `patchbay api-key create`.

use super::error::CommandError;
use super::open;
use crate::domain::environment::Environment;
use crate::domain::id::{ApiKeyId, WorkspaceId};
use crate::domain::line::is_line;
use crate::domain::role::{EnvironmentSet, Permission};
use crate::domain::time::DAY;
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::http::token;
use crate::server::random::Random;
use crate::server::store::NewApiKey;
use crate::server::store::record::{AuditAction, AuditEntry};

/// Longest name, in characters.
const NAME_LIMIT: usize = 120;

/// What the key may do, and for how long.
#[derive(clap::Args)]
pub struct Create {
    /// What people call it; the audit trail names it so
    #[arg(long)]
    name: String,
    /// Where it is valid: development, staging, production; several with commas
    #[arg(long, required = true, value_delimiter = ',')]
    environment: Vec<Environment>,
    /// What it may do: use, read, write, credentials; several with commas
    #[arg(long, required = true, value_delimiter = ',', value_parser = permission)]
    permission: Vec<Permission>,
    /// Days until it expires
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(i64).range(1..=3650))]
    expires_days: i64,
}

fn permission(text: &str) -> Result<Permission, &'static str> {
    Permission::parse(text).ok_or("a permission is one of use, read, write, credentials")
}

/// Makes a key in the default workspace and prints it on standard output, alone.
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
    let new = NewApiKey {
        id: ApiKeyId::from_bytes(random.uuid_v7(now)?),
        workspace: WorkspaceId::default_workspace(),
        name: name.to_owned(),
        key_hash: token::hash(key.reveal()),
        environments: EnvironmentSet::try_from(create.environment.clone())
            .map_err(|_| CommandError::Key("Name an environment."))?,
        permissions,
        expires_at: now.plus(create.expires_days * DAY),
        created_at: now,
    };
    let entry = AuditEntry {
        at: now,
        actor: "system".to_owned(),
        actor_name: "command line".to_owned(),
        address: None,
        action: AuditAction::KeyCreated,
        about: name.to_owned(),
    };
    let until = new.expires_at.to_day();
    store.create_api_key(new, entry).await?;
    // Shown to whoever asked for it; only its hash is stored.
    println!("{}", key.reveal());
    eprintln!("Valid until {until}. It is shown this once only: put it where the program reads its secrets.");
    Ok(())
}
