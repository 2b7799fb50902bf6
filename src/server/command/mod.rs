//! What the binary does: serve, and the commands of whoever runs it.

mod audit;
mod component;
mod doctor;
mod error;
mod instance_key;
mod key;
mod link;
mod log;
mod open;
mod output;
mod serve;

use clap::{Parser, Subcommand};
use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use super::config::Config;
use crate::domain::id::{ApiKeyId, InstanceKeyId, WorkspaceId};
use error::CommandError;

/// Manages authentication credentials and connection configurations for third-party services.
#[derive(Parser)]
#[command(name = "patchbay", version)]
struct Cli {
    /// The file with the settings; `Leptos.toml` in the current folder unless given
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Starts the server (what happens without a command, too)
    Serve,
    /// Prints a link that signs the owner in, once
    SignInLink,
    /// Keys for programs that use the REST API
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// Keys for the platform that embeds Patchbay: they make workspaces and embed tickets, and nothing else
    #[command(subcommand)]
    InstanceKey(InstanceKeyCommand),
    /// Components of your own
    #[command(subcommand)]
    Component(ComponentCommand),
    /// Prints every setting with its source, and checks what a server needs
    Doctor,
    /// Serves a sample workspace from a data folder of its own; nothing is ever checked against real services
    Demo(Demo),
    /// The audit trail
    #[command(subcommand)]
    Audit(AuditCommand),
}

#[derive(Subcommand)]
enum ApiKeyCommand {
    /// Makes a key and prints it; it is shown this once only
    Create(key::Create),
    /// Shows what keys there are; never the keys themselves
    List {
        /// The workspace they belong to
        #[arg(long, default_value = "default", value_parser = key::workspace)]
        workspace: WorkspaceId,
    },
    /// Destroys a key: it is refused from then on
    Revoke {
        /// As `api-key list` shows it
        id: ApiKeyId,
        /// The workspace it belongs to
        #[arg(long, default_value = "default", value_parser = key::workspace)]
        workspace: WorkspaceId,
    },
}

#[derive(Subcommand)]
enum InstanceKeyCommand {
    /// Makes a key and prints it; it is shown this once only
    Create {
        /// What people call it; the audit trail names it so
        #[arg(long)]
        name: String,
    },
    /// Shows what keys there are; never the keys themselves
    List,
    /// Destroys a key: it is refused from then on
    Revoke {
        /// As `instance-key list` shows it
        id: InstanceKeyId,
    },
}

#[derive(Subcommand)]
enum ComponentCommand {
    /// Says what is wrong with a component file, and where
    Check { file: PathBuf },
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Reads the whole trail and finds what was changed, removed or moved
    Verify,
    /// Prints the latest lines, the oldest first, as one JSON object each
    List(audit::List),
}

#[derive(clap::Args)]
struct Demo {
    /// How many connections the sample holds in Production; a tenth of it in each other environment
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=20_000))]
    connections: u32,
    /// The port to listen on
    #[arg(long)]
    port: Option<u16>,
}

/// What shells report of a program that nobody read to its end: 128 and the number of SIGPIPE (signal(7)).
const NOBODY_READS: u8 = 141;

/// Reads the command line, does what it says, and turns a failure into words and exit code 1.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(CommandError::NobodyReads) => ExitCode::from(NOBODY_READS),
        Err(error) => {
            output::note(format_args!("patchbay: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), CommandError> {
    if let Some(Command::Component(ComponentCommand::Check { file })) = &cli.command {
        return component::check(file);
    }
    let config = Config::read(cli.config.as_deref(), &|name| std::env::var(name).ok())?;
    log::start(&config.log)?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => block_on(serve::run(config, None)),
        Command::Demo(demo) => block_on(serve::demo(config, &demo)),
        Command::SignInLink => block_on(link::print(&config)),
        Command::ApiKey(ApiKeyCommand::Create(create)) => block_on(key::create(&config, &create)),
        Command::ApiKey(ApiKeyCommand::List { workspace }) => block_on(key::list(&config, &workspace)),
        Command::ApiKey(ApiKeyCommand::Revoke { id, workspace }) => block_on(key::revoke(&config, &workspace, &id)),
        Command::InstanceKey(InstanceKeyCommand::Create { name }) => block_on(instance_key::create(&config, &name)),
        Command::InstanceKey(InstanceKeyCommand::List) => block_on(instance_key::list(&config)),
        Command::InstanceKey(InstanceKeyCommand::Revoke { id }) => block_on(instance_key::revoke(&config, &id)),
        Command::Component(ComponentCommand::Check { file }) => component::check(&file),
        Command::Doctor => block_on(doctor::run(&config)),
        Command::Audit(AuditCommand::Verify) => block_on(audit::verify(&config)),
        Command::Audit(AuditCommand::List(list)) => block_on(audit::list(&config, &list)),
    }
}

fn block_on(work: impl Future<Output = Result<(), CommandError>>) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|_| CommandError::Runtime)?.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_a_command_the_server_starts() {
        assert!(Cli::try_parse_from(["patchbay"]).expect("parsed").command.is_none());
        assert!(Cli::try_parse_from(["patchbay", "demo", "--connections", "20001"]).is_err());
    }
}
