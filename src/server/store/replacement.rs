//! Replacement: workflows use another connection from now on, and, where theirs was deleted, it again after an undo.

use sqlx::{AnyConnection, Row};
use std::collections::{BTreeMap, HashSet};

use super::connection::MANY;
use super::list::next_revision;
use super::mapping::{self, Cause, Moved};
use super::record::{AuditAction, AuditEntry, Scope};
use super::removal::mark_deleted;
use super::row::{moment, parsed, seen, summaries, summary};
use super::workflow::{count, link, linked, unlink};
use super::{Store, StoreError, audit};
use crate::domain::connection::Summary;
use crate::domain::id::ConnectionId;
use crate::domain::replacement::Replacement;

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replacing {
    Done(Vec<Moved>),
    /// Nothing was changed.
    Refused(Vec<Unfit>),
}

/// Why a plan cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The workflow it was said of; `None`: of all.
    pub workflow: Option<String>,
    pub reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A connection cannot replace itself.
    Itself,
    /// Not in this environment, or of a person whose connections the others do not see.
    Unknown,
    Deleted {
        name: String,
    },
    OtherComponent {
        name: String,
        component: String,
    },
    /// The workflow does not use the connection, or no longer.
    NotUsed,
    /// The workflow would be left without a connection, and whoever asked did not know of it.
    Unforeseen,
}

/// A connection as far as it is looked at here.
struct Looked {
    name: String,
    component: String,
    owner: String,
    is_deleted: bool,
}

impl Store {
    /// Re-points workflows from one connection to others; the connection stays.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` also where the connection is deleted.
    pub async fn replace(
        &self,
        scope: &Scope,
        id: &ConnectionId,
        plan: Replacement,
        entry: AuditEntry,
    ) -> Result<Replacing, StoreError> {
        let (scope, id) = (scope.clone(), id.clone());
        self.write_within(MANY, move |tx| {
            Box::pin(async move {
                let users = match fitting(tx, &scope, &id, &plan, None).await? {
                    Ok(users) => users,
                    Err(refused) => return Ok(Replacing::Refused(refused)),
                };
                let move_all = Move { scope: &scope, from: &id, plan: &plan, entry: &entry, cause: Cause::Replacement };
                Ok(Replacing::Done(move_all.carry_out(tx, users).await?))
            })
        })
        .await
    }

    /// Re-points workflows and moves the connection to *Recently deleted*, in one. Workflows that the plan leaves out
    /// keep naming it. `foreseen`: the workflows whose asker knows that they use it; `None`: whichever do.
    ///
    /// # Errors
    /// `Unavailable`; `NotFound` also where it is deleted already.
    pub async fn delete_replacing(
        &self,
        scope: &Scope,
        id: &ConnectionId,
        plan: Replacement,
        foreseen: Option<Vec<String>>,
        entry: AuditEntry,
    ) -> Result<Replacing, StoreError> {
        let (scope, id) = (scope.clone(), id.clone());
        self.write_within(MANY, move |tx| {
            Box::pin(async move {
                let users = match fitting(tx, &scope, &id, &plan, foreseen.as_deref()).await? {
                    Ok(users) => users,
                    Err(refused) => return Ok(Replacing::Refused(refused)),
                };
                audit::append_in(tx, &scope, Some(id.as_str()), &entry).await?;
                let move_all = Move { scope: &scope, from: &id, plan: &plan, entry: &entry, cause: Cause::Deletion };
                let moved = move_all.carry_out(tx, users).await?;
                let revision = next_revision(tx, &scope, entry.at).await?;
                mark_deleted(tx, &scope, &id, entry.at, revision).await?;
                Ok(Replacing::Done(moved))
            })
        })
        .await
    }

    /// What can replace a connection: those of its component that are not deleted and belong to the workspace or to
    /// whom it belongs; at most `limit`, by name.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn replacements_for(
        &self,
        scope: &Scope,
        id: &ConnectionId,
        limit: u32,
    ) -> Result<Vec<Summary>, StoreError> {
        let rows = sqlx::query(concat!(
            summaries!(),
            "JOIN connections s ON s.workspace = c.workspace AND s.environment = c.environment AND s.id = $3 \
             WHERE c.workspace = $1 AND c.environment = $2 AND c.id <> $3 AND c.component = s.component \
             AND c.deleted_at IS NULL AND (c.owner = '' OR c.owner = s.owner) ORDER BY c.name_key, c.id LIMIT $4"
        ))
        .bind(scope.workspace.as_str())
        .bind(scope.environment.as_str())
        .bind(id.as_str())
        .bind(i64::from(limit))
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(summary).collect()
    }
}

/// Locks, and says which workflows use the connection, or why the plan does not fit. Writes nothing.
async fn fitting(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    plan: &Replacement,
    foreseen: Option<&[String]>,
) -> Result<Result<Vec<String>, Vec<Unfit>>, StoreError> {
    audit::lock(tx, &scope.workspace).await?;
    let replaced = look(tx, scope, id).await?.filter(|it| !it.is_deleted).ok_or(StoreError::NotFound)?;
    let users = users(tx, scope, id).await?;
    let (using, foreseen): (HashSet<&String>, Option<HashSet<&String>>) =
        (users.iter().collect(), foreseen.map(|foreseen| foreseen.iter().collect()));
    let mut refused = Vec::new();
    let each = plan.workflows.iter().map(|(workflow, to)| (Some(workflow), to));
    for (workflow, to) in plan.everywhere.iter().map(|to| (None, to)).chain(each) {
        let used = workflow.is_none_or(|workflow| using.contains(workflow));
        let reason = if used { objection(tx, scope, id, &replaced, to).await? } else { Some(Reason::NotUsed) };
        refused.extend(reason.map(|reason| Unfit { workflow: workflow.cloned(), reason }));
    }
    if let Some(foreseen) = foreseen {
        let surprised = users.iter().filter(|user| plan.of(user).is_none() && !foreseen.contains(user));
        refused.extend(surprised.map(|user| Unfit { workflow: Some(user.clone()), reason: Reason::Unforeseen }));
    }
    Ok(if refused.is_empty() { Ok(users) } else { Err(refused) })
}

async fn objection(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    replaced: &Looked,
    to: &ConnectionId,
) -> Result<Option<Reason>, StoreError> {
    if to == id {
        return Ok(Some(Reason::Itself));
    }
    let found = look(tx, scope, to).await?;
    Ok(match found.filter(|it| it.owner.is_empty() || it.owner == replaced.owner) {
        None => Some(Reason::Unknown),
        Some(Looked { name, is_deleted: true, .. }) => Some(Reason::Deleted { name }),
        Some(Looked { name, component, .. }) if component != replaced.component => {
            Some(Reason::OtherComponent { name, component })
        }
        Some(_) => None,
    })
}

async fn look(tx: &mut AnyConnection, scope: &Scope, id: &ConnectionId) -> Result<Option<Looked>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT c.name, c.component, c.owner, c.deleted_at FROM connections c \
         WHERE c.workspace = $1 AND c.environment = $2 AND c.id = $3 ",
        seen!("$4")
    ))
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .bind(scope.sight.limit())
    .fetch_optional(tx)
    .await?;
    let read = |row: sqlx::any::AnyRow| {
        Ok(Looked {
            name: row.try_get("name")?,
            component: row.try_get("component")?,
            owner: row.try_get("owner")?,
            is_deleted: moment(&row, "deleted_at")?.is_some(),
        })
    };
    row.map(read).transpose()
}

async fn users(tx: &mut AnyConnection, scope: &Scope, id: &ConnectionId) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(
        "SELECT workflow FROM workflow_connections \
         WHERE workspace = $1 AND environment = $2 AND connection = $3 ORDER BY workflow",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .fetch_all(tx)
    .await?;
    rows.iter().map(|row| Ok(row.try_get("workflow")?)).collect()
}

/// A plan that fits, about to be carried out.
struct Move<'a> {
    scope: &'a Scope,
    from: &'a ConnectionId,
    plan: &'a Replacement,
    entry: &'a AuditEntry,
    cause: Cause,
}

impl Move<'_> {
    async fn carry_out(&self, tx: &mut AnyConnection, users: Vec<String>) -> Result<Vec<Moved>, StoreError> {
        let mut all = Vec::new();
        for workflow in users {
            if let Some(to) = self.plan.of(&workflow).cloned() {
                all.push(Moved { workflow, from: Some(self.from.clone()), to });
            }
        }
        self.audit(tx, &all).await?;
        if all.is_empty() {
            return Ok(all);
        }
        let revision = next_revision(tx, self.scope, self.entry.at).await?;
        for moved in &all {
            let used_both = repoint(tx, self.scope, self.from, moved, revision).await?;
            if self.cause == Cause::Deletion {
                remember(tx, self.scope, self.from, moved, used_both).await?;
            }
        }
        mapping::append(tx, self.scope, &all, self.cause, self.entry).await?;
        Ok(all)
    }

    /// A line on either side for each replacement: what was replaced by what, and what took over from what.
    async fn audit(&self, tx: &mut AnyConnection, all: &[Moved]) -> Result<(), StoreError> {
        let mut counts: BTreeMap<&ConnectionId, usize> = BTreeMap::new();
        for moved in all {
            *counts.entry(&moved.to).or_default() += 1;
        }
        let old = look(tx, self.scope, self.from).await?.ok_or(StoreError::NotFound)?;
        for (to, count) in counts {
            let new = look(tx, self.scope, to).await?.ok_or(StoreError::NotFound)?;
            // Whoever sees the new one reads this, and may not see the old one.
            let is_seen = old.owner.is_empty() || old.owner == new.owner;
            let old = if is_seen { old.name.as_str() } else { "a private connection" };
            let about = |other: &str| format!("{other} in {}", in_words(count));
            let line = |action, about| AuditEntry { action, about, ..self.entry.clone() };
            let replaced = line(AuditAction::Replaced, about(&new.name));
            audit::append_in(tx, self.scope, Some(self.from.as_str()), &replaced).await?;
            let took_over = line(AuditAction::TookOver, about(old));
            audit::append_in(tx, self.scope, Some(to.as_str()), &took_over).await?;
        }
        Ok(())
    }
}

fn in_words(workflows: usize) -> String {
    if workflows == 1 { "1 workflow".to_owned() } else { format!("{workflows} workflows") }
}

/// Says whether the workflow used the other one before as well.
async fn repoint(
    tx: &mut AnyConnection,
    scope: &Scope,
    from: &ConnectionId,
    moved: &Moved,
    revision: i64,
) -> Result<bool, StoreError> {
    let used_both = linked(tx, scope, &moved.workflow).await?.contains(&moved.to);
    unlink(tx, scope, &moved.workflow, from).await?;
    count(tx, scope, from, -1, revision).await?;
    if !used_both {
        link(tx, scope, &moved.workflow, &moved.to).await?;
        count(tx, scope, &moved.to, 1, revision).await?;
    }
    Ok(used_both)
}

async fn remember(
    tx: &mut AnyConnection,
    scope: &Scope,
    from: &ConnectionId,
    moved: &Moved,
    used_both: bool,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO workflow_replacements (workspace, environment, connection, workflow, replacement, used_both) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(from.as_str())
    .bind(moved.workflow.as_str())
    .bind(moved.to.as_str())
    .bind(i64::from(used_both))
    .execute(tx)
    .await?;
    Ok(())
}

/// What an undo gave back of the mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenBack {
    /// Workflows that use the connection again.
    pub restored: Vec<String>,
    /// Workflows whose mapping was changed since the deletion: they keep what they were given.
    pub kept: Vec<String>,
}

/// Re-points to a connection that came back the workflows that still use what replaced it.
pub(super) async fn give_back(
    tx: &mut AnyConnection,
    scope: &Scope,
    id: &ConnectionId,
    revision: i64,
    entry: &AuditEntry,
) -> Result<GivenBack, StoreError> {
    let rows = sqlx::query(
        "DELETE FROM workflow_replacements WHERE workspace = $1 AND environment = $2 AND connection = $3 \
         RETURNING workflow, replacement, used_both",
    )
    .bind(scope.workspace.as_str())
    .bind(scope.environment.as_str())
    .bind(id.as_str())
    .fetch_all(&mut *tx)
    .await?;
    let (mut given, mut moves) = (GivenBack::default(), Vec::new());
    for row in &rows {
        let (workflow, replacement): (String, ConnectionId) =
            (row.try_get("workflow")?, parsed(row.try_get("replacement")?)?);
        if !linked(tx, scope, &workflow).await?.contains(&replacement) {
            given.kept.push(workflow);
            continue;
        }
        let used_both = row.try_get::<i64, _>("used_both")? != 0;
        if !used_both {
            unlink(tx, scope, &workflow, &replacement).await?;
            count(tx, scope, &replacement, -1, revision).await?;
        }
        link(tx, scope, &workflow, id).await?;
        count(tx, scope, id, 1, revision).await?;
        given.restored.push(workflow.clone());
        moves.push(Moved { workflow, from: (!used_both).then_some(replacement), to: id.clone() });
    }
    given.restored.sort_unstable();
    given.kept.sort_unstable();
    moves.sort_unstable_by(|a, b| a.workflow.cmp(&b.workflow));
    if !moves.is_empty() {
        let about = in_words(moves.len());
        let line = AuditEntry { action: AuditAction::WorkflowsReturned, about, ..entry.clone() };
        audit::append_in(tx, scope, Some(id.as_str()), &line).await?;
        mapping::append(tx, scope, &moves, Cause::Undo, entry).await?;
    }
    Ok(given)
}
