//! `patchbay audit verify` and `list`.

use serde::Serialize;
use std::io::ErrorKind;

use super::error::CommandError;
use super::{key, open, output};
use crate::domain::id::WorkspaceId;
use crate::domain::time::Timestamp;
use crate::server::config::Config;
use crate::server::store::{AuditVerdict, TrailLine, TrailQuery};

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
    let lines = if total == 1 { "line" } else { "lines" };
    output::line(format_args!("The audit trail is intact: {total} {lines}."))
}

/// Which lines are printed.
#[derive(clap::Args)]
pub struct List {
    /// The workspace whose trail it is
    #[arg(long, default_value = "default", value_parser = key::workspace)]
    workspace: WorkspaceId,
    /// Only lines about this: the id of a connection, a workflow, a key
    #[arg(long)]
    about: Option<String>,
    /// Only lines since this moment: 2026-11-26, or 2026-11-26T08:00:00Z
    #[arg(long, value_parser = moment)]
    since: Option<Timestamp>,
    /// How many lines at most, the latest
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

fn moment(text: &str) -> Result<Timestamp, &'static str> {
    let day = || Timestamp::parse(&format!("{text}T00:00:00Z"));
    Timestamp::parse(text)
        .or_else(day)
        .ok_or("Write a day such as 2026-11-26, or a moment such as 2026-11-26T08:00:00Z.")
}

/// A line as programs read it.
#[derive(Serialize)]
struct Printed<'a> {
    sequence: i64,
    at: String,
    actor: &'a str,
    actor_name: &'a str,
    address: Option<&'a str>,
    action: &'a str,
    about: &'a str,
    environment: Option<&'a str>,
    subject: Option<&'a str>,
}

impl<'a> From<&'a TrailLine> for Printed<'a> {
    fn from(line: &'a TrailLine) -> Self {
        Self {
            sequence: line.sequence,
            at: line.at.to_rfc3339(),
            actor: &line.actor,
            actor_name: &line.actor_name,
            address: line.address.as_deref(),
            action: &line.action,
            about: &line.about,
            environment: line.environment.as_deref(),
            subject: line.subject.as_deref(),
        }
    }
}

/// Prints the latest lines of a workspace's trail.
///
/// # Errors
/// Where there is no such workspace, or the database does not open.
pub async fn list(config: &Config, list: &List) -> Result<(), CommandError> {
    let store = open::existing(config).await?;
    if store.workspace(&list.workspace).await?.is_none() {
        return Err(CommandError::Key("There is no workspace with this id."));
    }
    let since = list.since.unwrap_or(Timestamp(0));
    let query = TrailQuery { subject: list.about.clone(), since, most: list.limit };
    for line in store.trail(&list.workspace, &query).await? {
        let text =
            serde_json::to_string(&Printed::from(&line)).map_err(|_| CommandError::Output(ErrorKind::InvalidData))?;
        output::line(text)?;
    }
    Ok(())
}
