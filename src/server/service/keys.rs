//! API keys: made, looked at and revoked by the owners of a workspace, or on the command line.

use std::sync::Arc;

use super::Services;
use super::caller::Caller;
use crate::api::error::ApiError;
use crate::api::keys::{KeyLine, KeyList, KeyRequest, NamedConnection};
use crate::domain::api_key::{LONGEST_DAYS, NAME_LIMIT};
use crate::domain::connection::Summary;
use crate::domain::connection_set::ConnectionSet;
use crate::domain::environment::Environment;
use crate::domain::field::FieldProblem;
use crate::domain::filter::Filter;
use crate::domain::id::{ApiKeyId, ConnectionId, WorkspaceId};
use crate::domain::line::is_line;
use crate::domain::role::{Action, EnvironmentSet};
use crate::domain::selection::Index;
use crate::domain::sort::Sort;
use crate::domain::time::DAY;
use crate::server::clock::Clock;
use crate::server::random::Random;
use crate::server::store::record::{AuditAction, AuditEntry, Scope};
use crate::server::store::{ApiKey, NewApiKey, Store};
use crate::server::token;
use crate::server::vault::SecretText;

/// Most connections offered for a key's limits at once.
const OFFERED: usize = 8;

/// Whoever makes or revokes a key, as the audit trail names them.
pub struct KeyMaker<'a> {
    pub store: &'a Store,
    pub clock: &'a Clock,
    pub random: &'a Random,
    pub workspace: &'a WorkspaceId,
    /// An audit line in their name.
    pub entry: &'a (dyn Fn(AuditAction, &str) -> AuditEntry + Sync),
}

impl KeyMaker<'_> {
    /// Makes a key. Only its hash is stored, so this is the one time it is known.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with all that is wrong with the request, [`ApiError::NotFound`] where there is no such
    /// workspace, [`ApiError::Unavailable`].
    pub async fn create(&self, request: KeyRequest) -> Result<(NewApiKey, SecretText), ApiError> {
        let now = self.clock.now();
        let key = token::draw(self.random, token::KEY_PREFIX)?;
        let id = ApiKeyId::from_bytes(self.random.uuid_v7(now)?);
        let name = request.name.trim().to_owned();
        let entry = (self.entry)(AuditAction::KeyCreated, &name);
        let (environments, connections) = checked(&name, &request)?;
        for id in &request.connections {
            self.reach(id, &request.environments).await?;
        }
        let mut permissions = request.permissions;
        permissions.sort_unstable();
        permissions.dedup();
        let new = NewApiKey {
            id,
            workspace: self.workspace.clone(),
            name,
            prefix: token::shown(&key),
            created_by: entry.actor_name.clone(),
            key_hash: token::hash(key.reveal()),
            environments,
            permissions,
            connections,
            expires_at: request.days.map(|days| now.plus(i64::from(days) * DAY)),
            created_at: now,
        };
        self.store.create_api_key(new.clone(), entry).await?;
        Ok((new, key))
    }

    /// A connection is named only where the key can reach it.
    async fn reach(&self, id: &ConnectionId, environments: &[Environment]) -> Result<(), ApiError> {
        for environment in environments {
            let scope = Scope::whole(self.workspace.clone(), *environment);
            if self.store.connection(&scope, id).await?.is_some_and(|connection| connection.deleted_at.is_none()) {
                return Ok(());
            }
        }
        let words = format!("The connection {id} is not there, or not in the environments of the key.");
        Err(ApiError::field("connections", words))
    }

    /// Destroys a key.
    ///
    /// # Errors
    /// [`ApiError::NotFound`], [`ApiError::Unavailable`].
    pub async fn revoke(&self, key: &ApiKey) -> Result<(), ApiError> {
        let entry = (self.entry)(AuditAction::KeyRevoked, &key.name);
        Ok(self.store.revoke_api_key(self.workspace, &key.id, entry).await?)
    }
}

/// What a key is valid in and for, or everything that is wrong with it.
fn checked(name: &str, request: &KeyRequest) -> Result<(EnvironmentSet, ConnectionSet), ApiError> {
    let mut problems = Vec::new();
    if !is_line(name, NAME_LIMIT) {
        problems.push(FieldProblem::new("name", "A key's name has 1 to 120 characters on one line."));
    }
    if request.permissions.is_empty() {
        problems.push(FieldProblem::new("permissions", "Choose what it may do."));
    }
    if request.days.is_some_and(|days| !(1..=LONGEST_DAYS).contains(&days)) {
        problems.push(FieldProblem::new("days", "A key that expires lives for 1 to 3650 days."));
    }
    let environments = EnvironmentSet::try_from(request.environments.clone());
    if environments.is_err() {
        problems.push(FieldProblem::new("environments", "Choose where it is valid."));
    }
    let named = (!request.connections.is_empty()).then(|| request.connections.clone());
    if named.is_some() && !request.permissions.iter().all(|permission| permission.is_of_named_connections()) {
        let words = "A key for named connections has the permissions use and credentials only: make another one for \
                     the rest.";
        problems.push(FieldProblem::new("permissions", words));
    }
    let connections = ConnectionSet::try_from(named);
    if connections.is_err() {
        problems.push(FieldProblem::new("connections", "A key names 100 connections at most. Make several keys."));
    }
    match (environments, connections) {
        (Ok(environments), Ok(connections)) if problems.is_empty() => Ok((environments, connections)),
        _ => Err(ApiError::Invalid { problems }),
    }
}

impl Services {
    /// The keys of the caller's workspace that are valid nowhere but where the caller may go, the newest first.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::Unavailable`].
    pub async fn api_keys(&self, caller: &Caller) -> Result<KeyList, ApiError> {
        let mut keys = self.keys_within(caller).await?;
        keys.reverse();
        let limited = keys.iter().any(|key| !key.connections.is_every());
        let known = if limited { self.named_connections(caller).await? } else { Vec::new() };
        let keys = keys.into_iter().map(|key| line(key, &known)).collect();
        Ok(KeyList { now: self.clock.now(), keys })
    }

    /// Makes a key in the caller's workspace.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], and those of [`KeyMaker::create`].
    pub async fn create_api_key(&self, caller: &Caller, request: KeyRequest) -> Result<(String, SecretText), ApiError> {
        caller.allow(Action::ManageKeys)?;
        if !request.environments.iter().all(|environment| caller.environments.contains(*environment)) {
            return Err(ApiError::field("environments", "A key can be valid only where you may go yourself."));
        }
        let entry = |action, about: &str| caller.audit(&self.clock, action, about);
        let (new, key) = self.key_maker(caller, &entry).create(request).await?;
        Ok((new.name, key))
    }

    /// Destroys a key of the caller's workspace.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::NotFound`], [`ApiError::Unavailable`].
    pub async fn revoke_api_key(&self, caller: &Caller, id: &ApiKeyId) -> Result<(), ApiError> {
        let key = self.keys_within(caller).await?.into_iter().find(|key| key.id == *id).ok_or(ApiError::NotFound)?;
        let entry = |action, about: &str| caller.audit(&self.clock, action, about);
        self.key_maker(caller, &entry).revoke(&key).await
    }

    /// A few connections whose name, component or tags hold the words, in environments that the caller may enter.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`], [`ApiError::NotFound`] for an environment, [`ApiError::Unavailable`].
    pub async fn connections_for_key(
        &self,
        caller: &Caller,
        environments: &[Environment],
        words: String,
    ) -> Result<Vec<NamedConnection>, ApiError> {
        let filter = Filter { text: words, ..Filter::default() };
        let mut found = Vec::new();
        for environment in environments {
            let all = self.rows(&caller.scope(Action::ManageKeys, *environment)?).await?;
            let selection = Index::new(Arc::clone(&all.rows), Sort::Name, self.clock.now()).select(&filter);
            let shown = selection.shown.into_iter().take(OFFERED);
            found.extend(shown.map(|index| named(&all.rows[index].summary, *environment)));
        }
        found.truncate(OFFERED);
        Ok(found)
    }

    fn key_maker<'a>(
        &'a self,
        caller: &'a Caller,
        entry: &'a (dyn Fn(AuditAction, &str) -> AuditEntry + Sync),
    ) -> KeyMaker<'a> {
        KeyMaker { store: &self.store, clock: &self.clock, random: &self.random, workspace: &caller.workspace, entry }
    }

    /// What lies in an environment one may not enter does not exist for one.
    async fn keys_within(&self, caller: &Caller) -> Result<Vec<ApiKey>, ApiError> {
        caller.allow(Action::ManageKeys)?;
        let mut keys = self.store.api_keys(&caller.workspace).await?;
        keys.retain(|key| key.environments.is_within(caller.environments));
        Ok(keys)
    }

    async fn named_connections(&self, caller: &Caller) -> Result<Vec<NamedConnection>, ApiError> {
        let mut all = Vec::new();
        for environment in caller.environments.iter() {
            let scope: Scope = caller.scope(Action::ManageKeys, environment)?;
            all.extend(self.rows(&scope).await?.rows.iter().map(|row| named(&row.summary, environment)));
        }
        Ok(all)
    }
}

fn named(summary: &Summary, environment: Environment) -> NamedConnection {
    NamedConnection {
        id: summary.id.clone(),
        name: summary.name.to_string(),
        component: summary.component.clone(),
        environment,
    }
}

/// Connections that were deleted since are left out: the key reaches them no more.
fn line(key: ApiKey, known: &[NamedConnection]) -> KeyLine {
    let connections = match &key.connections {
        ConnectionSet::Every => None,
        only @ ConnectionSet::Only(_) => Some(known.iter().filter(|one| only.contains(&one.id)).cloned().collect()),
    };
    KeyLine {
        id: key.id,
        name: key.name,
        prefix: key.prefix,
        permissions: key.permissions,
        environments: key.environments,
        connections,
        created_at: key.created_at,
        created_by: key.created_by,
        expires_at: key.expires_at,
        last_used_at: key.last_used_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::role::Permission;
    use crate::domain::time::Timestamp;

    fn request() -> KeyRequest {
        KeyRequest {
            name: "deploy".to_owned(),
            permissions: vec![Permission::Credentials],
            environments: vec![Environment::Staging],
            connections: vec![ConnectionId::from_bytes([1; 16])],
            days: Some(1),
        }
    }

    fn wrong(request: &KeyRequest) -> Vec<String> {
        match checked(&request.name, request) {
            Err(ApiError::Invalid { problems }) => problems.into_iter().map(|problem| problem.field).collect(),
            Err(error) => panic!("{error}"),
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn all_that_is_wrong_with_a_key_is_said_at_once() {
        assert!(wrong(&request()).is_empty());
        let nothing = KeyRequest { days: Some(0), ..KeyRequest::default() };
        assert_eq!(wrong(&nothing), ["name", "permissions", "days", "environments"]);
        assert!(wrong(&KeyRequest { days: None, connections: Vec::new(), ..request() }).is_empty());
    }

    #[test]
    fn a_key_for_named_connections_neither_reads_nor_writes() {
        let reads = KeyRequest { permissions: vec![Permission::Use, Permission::Read], ..request() };
        assert_eq!(wrong(&reads), ["permissions"]);
        let many = (0..101).map(|byte| ConnectionId::from_bytes([byte; 16])).collect();
        assert_eq!(wrong(&KeyRequest { connections: many, ..request() }), ["connections"]);
    }

    #[test]
    fn a_line_names_the_connections_that_are_still_there() {
        let [kept, gone] = [1, 2].map(|byte| ConnectionId::from_bytes([byte; 16]));
        let here = |id| NamedConnection {
            id,
            name: "Orders".to_owned(),
            component: "postgresql".to_owned().try_into().expect("a slug"),
            environment: Environment::Staging,
        };
        let key = ApiKey {
            id: ApiKeyId::from_bytes([3; 16]),
            workspace: WorkspaceId::default_workspace(),
            name: "deploy".to_owned(),
            prefix: None,
            created_by: None,
            environments: EnvironmentSet::EVERY,
            permissions: vec![Permission::Use],
            connections: ConnectionSet::try_from(Some(vec![kept.clone(), gone])).expect("a set"),
            created_at: Timestamp(0),
            expires_at: None,
            last_used_at: None,
        };
        let other = here(ConnectionId::from_bytes([9; 16]));
        let told = line(key, &[here(kept.clone()), other]);
        assert_eq!(told.connections.expect("limited").iter().map(|one| &one.id).collect::<Vec<_>>(), [&kept]);
    }
}
