//! A connection as lists show it. Never holds a secret.

use serde::{Deserialize, Serialize};

use super::component::ComponentSlug;
use super::health::{Health, Status};
use super::id::ConnectionId;
use super::name::ConnectionName;
use super::owner::EndUser;
use super::tag::TagSet;
use super::time::Timestamp;

/// What a row shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub id: ConnectionId,
    pub component: ComponentSlug,
    pub name: ConnectionName,
    /// The end user it belongs to; `None`: the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<EndUser>,
    /// "connected as ...", where the service tells.
    pub account: Option<String>,
    pub health: Health,
    pub tags: TagSet,
    /// How many workflows use it; `None` while the workspace has registered none at all.
    pub workflows: Option<u32>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    /// Grows with every change a person makes; an update carries the one it was made from.
    pub version: i64,
}

impl Summary {
    #[must_use]
    pub fn health_at(&self, now: Timestamp) -> Health {
        self.health.clone().at(now, self.expires_at)
    }

    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> Status {
        let expired = self.expires_at.is_some_and(|at| at <= now);
        if expired { Status::NotActive } else { self.health.status() }
    }
}
