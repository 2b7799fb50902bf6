//! A provider's answer on its way into the database: where the operator named a folder, it is written there first,
//! sealed, so that a crash or a database that is away loses no token that a provider gave only once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::Services;
use crate::api::connections::StoredSecret;
use crate::domain::environment::Environment;
use crate::domain::field::FieldValues;
use crate::domain::health::Health;
use crate::domain::id::{ConnectionId, WorkspaceId};
use crate::domain::time::Timestamp;
use crate::server::store::record::{AuditAction, AuditEntry, Credentials, Grant, Proof, Scope, StoredConnection};
use crate::server::store::{RenewalChange, Renewed, StoreError};
use crate::server::vault::{SealContext, VaultError};

const EXTENSION: &str = "renewal";

/// One answer, as it is committed later. Its secrets are sealed as the connection's are.
#[derive(Serialize, Deserialize)]
struct Note {
    workspace: WorkspaceId,
    environment: Environment,
    connection: ConnectionId,
    secret_version: i64,
    method: String,
    config: FieldValues,
    sealed: String,
    secrets: Vec<StoredSecret>,
    destination: Option<String>,
    grant: Grant,
    health: Health,
    expires_at: Option<Timestamp>,
}

/// A note on disk; taken back once the database has what it tells.
pub(super) struct Noted(PathBuf);

impl Noted {
    pub(super) fn take_back(self) {
        // Whoever replays it may be faster.
        if fs::remove_file(&self.0).is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
            tracing::warn!("a note in the journal could not be removed; it is looked at again at the next start");
        }
    }
}

impl Services {
    /// Writes an answer down, to the disk itself; `None` where no journal is kept or it cannot be written, which the log
    /// says.
    pub(super) async fn note_renewal(&self, renewed: &Renewed) -> Option<Noted> {
        let folder = self.oauth.journal.clone()?;
        let note = Note::of(renewed)?;
        let written = tokio::task::spawn_blocking(move || note.write(&folder)).await;
        if let Ok(Ok(path)) = written {
            return Some(Noted(path));
        }
        tracing::error!("the journal cannot be written; a renewed token is held in memory only");
        None
    }

    /// Commits what an earlier process had written down and not committed. Nothing is replayed over newer secrets.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the rest is still to be replayed, before any of these tokens is presented again.
    pub async fn replay_journal(&self) -> Result<(), StoreError> {
        let Some(folder) = &self.oauth.journal else { return Ok(()) };
        let Ok(entries) = fs::read_dir(folder) else {
            tracing::error!("the journal's folder cannot be read");
            return Ok(());
        };
        let paths = entries.flatten().map(|entry| entry.path());
        for path in paths.filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION)) {
            self.replay(&path).await?;
        }
        Ok(())
    }

    /// Commits what was written down of the renewal that these secrets were presented for; `false`: there is nothing.
    ///
    /// # Errors
    /// As [`Services::replay_journal`].
    pub(super) async fn replay_noted(&self, stored: &StoredConnection) -> Result<bool, StoreError> {
        let Some(folder) = &self.oauth.journal else { return Ok(false) };
        let path = folder.join(name_of(&stored.summary.id, stored.secret_version));
        Ok(path.exists() && self.replay(&path).await?)
    }

    /// Says whether what the note tells was committed just now.
    async fn replay(&self, path: &Path) -> Result<bool, StoreError> {
        let note = fs::read(path).ok().and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        let Some(renewed) = note.and_then(|note| note.into_renewed(self.clock.now())) else {
            tracing::error!("a note in the journal cannot be read; it is left where it is");
            return Ok(false);
        };
        // What does not open here must not take the place of what does.
        match self.opens(&renewed).await {
            Ok(()) => {}
            Err(VaultError::Store(StoreError::Unavailable)) => return Err(StoreError::Unavailable),
            Err(_) => {
                tracing::error!(
                    "a note in the journal was sealed with another key, or changed; nothing was replaced, and it is left \
                     where it is"
                );
                return Ok(false);
            }
        }
        let committed = match self.store.record_renewed(renewed).await {
            Ok(_) => {
                tracing::info!("a renewed token was recovered from the journal");
                true
            }
            // Committed before the crash, or replaced or deleted since.
            Err(StoreError::Stale | StoreError::NotFound) => false,
            Err(StoreError::Unavailable) => return Err(StoreError::Unavailable),
            Err(error) => {
                tracing::error!(%error, "a note in the journal cannot be committed; it is left where it is");
                return Ok(false);
            }
        };
        Noted(path.to_owned()).take_back();
        Ok(committed)
    }

    async fn opens(&self, renewed: &Renewed) -> Result<(), VaultError> {
        let RenewalChange::Tokens(credentials) = &renewed.change else { return Err(VaultError::Sealed) };
        let context = SealContext {
            scope: &renewed.scope,
            holder: renewed.id.as_str(),
            method: &credentials.method,
            secret_version: renewed.secret_version + 1,
        };
        self.vault.open_sealed(&context, &credentials.sealed).await.map(drop)
    }
}

/// By what it is for: a repeated attempt replaces it.
fn name_of(connection: &ConnectionId, secret_version: i64) -> String {
    format!("{connection}-{secret_version}.{EXTENSION}")
}

impl Note {
    fn of(renewed: &Renewed) -> Option<Self> {
        let RenewalChange::Tokens(credentials) = &renewed.change else { return None };
        Some(Self {
            workspace: renewed.scope.workspace.clone(),
            environment: renewed.scope.environment,
            connection: renewed.id.clone(),
            secret_version: renewed.secret_version,
            method: credentials.method.clone(),
            config: credentials.config.clone(),
            sealed: STANDARD.encode(&credentials.sealed),
            secrets: credentials.secrets.clone(),
            destination: credentials.destination.as_ref().map(|digest| STANDARD.encode(digest)),
            grant: credentials.grant.clone()?,
            health: credentials.proof.health.clone(),
            expires_at: credentials.proof.expires_at,
        })
    }

    fn into_renewed(self, now: Timestamp) -> Option<Renewed> {
        let destination = self.destination.map(|digest| STANDARD.decode(digest)).transpose().ok()?;
        let credentials = Credentials {
            method: self.method,
            config: self.config,
            sealed: STANDARD.decode(self.sealed).ok()?,
            secrets: self.secrets,
            destination,
            grant: Some(self.grant),
            proof: Proof { health: self.health, expires_at: self.expires_at, ..Proof::default() },
        };
        Some(Renewed {
            scope: Scope::whole(self.workspace, self.environment),
            id: self.connection,
            claim: None,
            secret_version: self.secret_version,
            change: RenewalChange::Tokens(Box::new(credentials)),
            entry: AuditEntry::system(now, AuditAction::Renewed, "recovered from the journal"),
        })
    }

    fn write(&self, folder: &Path) -> io::Result<PathBuf> {
        let name = name_of(&self.connection, self.secret_version);
        let (path, draft) = (folder.join(&name), folder.join(format!("{name}.draft")));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        // The name, too, has to be on the disk.
        File::open(folder)?.sync_all()?;
        Ok(path)
    }
}
