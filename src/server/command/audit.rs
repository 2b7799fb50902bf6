//! `patchbay audit verify`.

use super::error::CommandError;
use super::{open, output};
use crate::domain::id::WorkspaceId;
use crate::server::config::Config;
use crate::server::store::AuditVerdict;

/// Reads the whole trail.
///
/// # Errors
/// [`CommandError::AuditBroken`] with the first line that is not what was written.
pub async fn verify(config: &Config) -> Result<(), CommandError> {
    let store = open::existing(config).await?;
    match store.verify_audit(&WorkspaceId::default_workspace()).await? {
        AuditVerdict::Intact { lines } => output::line(format_args!("The audit trail is intact: {lines} lines.")),
        AuditVerdict::Broken { sequence } => Err(CommandError::AuditBroken(sequence)),
    }
}
