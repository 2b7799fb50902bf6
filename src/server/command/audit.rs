//! `patchbay audit verify`.

use super::error::CommandError;
use super::{open, output};
use crate::domain::id::WorkspaceId;
use crate::server::config::Config;
use crate::server::store::AuditVerdict;

/// Workspaces read at once.
const PAGE: u32 = 100;

/// Reads the whole trail of every workspace.
///
/// # Errors
/// [`CommandError::AuditBroken`] with the first line that is not what was written.
pub async fn verify(config: &Config) -> Result<(), CommandError> {
    let store = open::existing(config).await?;
    let (mut total, mut after) = (0, None::<WorkspaceId>);
    loop {
        let workspaces = store.workspaces(after.as_ref(), PAGE).await?;
        for workspace in &workspaces {
            match store.verify_audit(&workspace.id).await? {
                AuditVerdict::Intact { lines } => total += lines,
                AuditVerdict::Broken { sequence } => {
                    output::note(format_args!("In the workspace “{}”:", workspace.id));
                    return Err(CommandError::AuditBroken(sequence));
                }
            }
        }
        let Some(last) = workspaces.into_iter().next_back() else { break };
        after = Some(last.id);
    }
    output::line(format_args!("The audit trail is intact: {total} lines."))
}
