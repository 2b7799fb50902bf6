//! Why a command did not do what it was asked, and what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::api::error::ApiError;
use crate::server::catalog::CatalogError;
use crate::server::config::ConfigError;
use crate::server::dial::policy::AllowedNetError;
use crate::server::random::NoRandomness;
use crate::server::store::StoreError;
use crate::server::vault::VaultError;

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("log: {0:?} names no level. Write trace, debug, info, warn or error, or such as warn,patchbay=debug.")]
    Log(String),
    #[error("{0}")]
    AllowNets(#[from] AllowedNetError),
    #[error("{0}")]
    Catalog(#[from] CatalogError),
    #[error("{0}")]
    Vault(#[from] VaultError),
    #[error("The database does not open: {error}. It is {}. `patchbay doctor` says more.", .database)]
    Database { database: String, error: StoreError },
    #[error(
        "There is no database of Patchbay's at {0}, and only the server makes one. Start it (`patchbay serve`), or say \
         where its database is, as you do for the server: PATCHBAY_DATA_DIR, PATCHBAY_DATABASE_URL or --config."
    )]
    NoDatabase(String),
    #[error(
        "The database at {0} was made by an older version. Start the server (`patchbay serve`) to bring it up to date."
    )]
    OldDatabase(String),
    #[error("{} cannot be made. Set PATCHBAY_DATA_DIR to a folder that this user may write.", .0.display())]
    DataFolder(PathBuf),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{}", in_words(.0))]
    Service(#[from] ApiError),
    #[error("{0}")]
    Random(#[from] NoRandomness),
    #[error(
        "Port {port} is taken by another program. Stop that one, or take another port: \
         PATCHBAY_ADDRESS={ip}:{free}, or `address` in Leptos.toml.",
        port = .0.port(), ip = .0.ip(), free = .0.port().wrapping_add(1)
    )]
    PortTaken(SocketAddr),
    #[error("{address} cannot be listened on ({reason}). Set PATCHBAY_ADDRESS, or `address` in Leptos.toml.")]
    Listen { address: SocketAddr, reason: io::ErrorKind },
    #[error("The operating system starts no threads. Close other programs and try again.")]
    Runtime,
    #[error("{0}")]
    Key(&'static str),
    #[error("{} is no component this server can use:\n{problems}", .file.display())]
    Component { file: PathBuf, problems: String },
    #[error("The audit trail was changed: line {0} is not what was written, or is missing.")]
    AuditBroken(i64),
    #[error("{0} of these checks failed.")]
    Unwell(usize),
    /// Whoever read standard output has read enough; told to nobody.
    #[error("nobody reads standard output any more")]
    NobodyReads,
    #[error("Standard output cannot be written ({0}). Check where it leads.")]
    Output(io::ErrorKind),
}

/// A form shows what is wrong beside its fields; here it is one sentence after the other.
fn in_words(error: &ApiError) -> String {
    match error {
        ApiError::Invalid { problems } => problems.iter().map(|it| it.message.as_str()).collect::<Vec<_>>().join(" "),
        error => error.to_string(),
    }
}
