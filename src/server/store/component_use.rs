//! What a workspace's own component is used by.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::row::corrupt;
use super::{Store, StoreError};
use crate::domain::component::ComponentSlug;
use crate::domain::environment::Environment;
use crate::domain::id::WorkspaceId;
use crate::domain::role::EnvironmentSet;

/// What keeps a component from being removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentUse {
    /// Connections by environment, also deleted ones that were not destroyed yet.
    pub connections: Vec<(Environment, i64)>,
    /// Tokens of destroyed connections that their provider has not been told of yet.
    pub revocations: i64,
    /// Where an OAuth client was set up for it.
    pub clients: Vec<Environment>,
}

impl ComponentUse {
    /// How many connections there are in some environments.
    #[must_use]
    pub fn within(&self, environments: EnvironmentSet) -> i64 {
        self.connections.iter().filter(|(one, _)| environments.contains(*one)).map(|(_, count)| count).sum()
    }
}

/// What the names of the clients set up for a workspace's own component begin with.
pub(super) fn clients_of(slug: &ComponentSlug) -> String {
    format!("{slug}@")
}

impl Store {
    /// What keeps a component from being removed.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn component_use(
        &self,
        workspace: &WorkspaceId,
        slug: &ComponentSlug,
    ) -> Result<ComponentUse, StoreError> {
        let mut connections = Vec::new();
        for environment in Environment::ALL {
            let row = sqlx::query(
                "SELECT COUNT(*) AS total FROM connections WHERE workspace = $1 AND environment = $2 AND component = $3",
            )
            .bind(workspace.as_str())
            .bind(environment.as_str())
            .bind(slug.as_str())
            .fetch_one(&self.read)
            .await?;
            connections.push((environment, row.try_get("total")?));
        }
        connections.retain(|(_, count)| *count > 0);
        let row =
            sqlx::query("SELECT COUNT(*) AS total FROM oauth_revocations WHERE workspace = $1 AND component = $2")
                .bind(workspace.as_str())
                .bind(slug.as_str())
                .fetch_one(&self.read)
                .await?;
        let clients = sqlx::query(
            "SELECT DISTINCT environment FROM oauth_clients WHERE workspace = $1 AND SUBSTR(client, 1, LENGTH($2)) = $2",
        );
        let clients = clients.bind(workspace.as_str()).bind(clients_of(slug)).fetch_all(&self.read).await?;
        let place = |row: &AnyRow| row.try_get::<&str, _>("environment")?.parse().map_err(corrupt);
        let clients = clients.iter().map(place).collect::<Result<_, StoreError>>()?;
        Ok(ComponentUse { connections, revocations: row.try_get("total")?, clients })
    }
}
