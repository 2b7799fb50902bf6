//! Events: what the platform is told of connections.

use serde::{Deserialize, Serialize};

use super::connection::Summary;
use super::health::Status;
use super::name::ConnectionName;
use super::tag::TagSet;
use super::time::Timestamp;

/// What happened. The words are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventType {
    #[serde(rename = "connection.created")]
    Created,
    #[serde(rename = "connection.updated")]
    Updated,
    #[serde(rename = "connection.activated")]
    Activated,
    #[serde(rename = "connection.deactivated")]
    Deactivated,
    #[serde(rename = "connection.expiring")]
    Expiring,
    #[serde(rename = "connection.deleted")]
    Deleted,
    #[serde(rename = "connection.undeleted")]
    Undeleted,
    /// Workflows use another connection instead.
    #[serde(rename = "connection.replaced")]
    Replaced,
    /// Asked for by a person, to try a webhook.
    #[serde(rename = "webhook.test")]
    Test,
}

impl EventType {
    /// Those that happen to connections.
    pub const OF_CONNECTIONS: [Self; 8] = [
        Self::Created,
        Self::Updated,
        Self::Activated,
        Self::Deactivated,
        Self::Expiring,
        Self::Deleted,
        Self::Undeleted,
        Self::Replaced,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "connection.created",
            Self::Updated => "connection.updated",
            Self::Activated => "connection.activated",
            Self::Deactivated => "connection.deactivated",
            Self::Expiring => "connection.expiring",
            Self::Deleted => "connection.deleted",
            Self::Undeleted => "connection.undeleted",
            Self::Replaced => "connection.replaced",
            Self::Test => "webhook.test",
        }
    }

    /// One that happens to connections.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::OF_CONNECTIONS.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A part of a connection that a person changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Name,
    Tags,
    /// Secrets, or fields beside them.
    Credentials,
}

/// A connection as far as events tell of it.
#[derive(Clone, Debug)]
pub struct Standing {
    pub summary: Summary,
    pub secret_version: i64,
    pub is_deleted: bool,
}

/// What events have told of a connection so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub version: i64,
    pub secret_version: i64,
    pub name: ConnectionName,
    pub tags: TagSet,
    pub is_active: bool,
    pub is_deleted: bool,
    pub expires_at: Option<Timestamp>,
    /// The end that was foretold, while it is near.
    pub foretold: Option<Timestamp>,
    /// Whether there will be something to tell by time alone.
    pub awaits: bool,
}

/// One thing to tell of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    pub kind: EventType,
    pub changed: Vec<Part>,
}

/// What is to be told of a connection that differs from what was told, in that order, and what is told then. `notice`:
/// how long before its end a credential's expiry is foretold, in milliseconds.
#[must_use]
pub fn news(told: Option<&Told>, standing: &Standing, now: Timestamp, notice: i64) -> (Vec<News>, Told) {
    let Standing { summary, secret_version, is_deleted } = standing;
    let is_active = summary.status_at(now) == Status::Active;
    let end_is_near = summary.expires_at.is_some_and(|end| end > now && end.since(now) <= notice);
    let foretold = told.and_then(|told| told.foretold);
    let changed = told.map(|told| changed(told, standing)).unwrap_or_default();
    // An end that moves on with each renewal is foretold once, and not each time.
    let foretells = !is_deleted && end_is_near && (foretold.is_none() || changed.contains(&Part::Credentials));
    let mut all = Vec::new();
    let mut tell = |kind, changed| all.push(News { kind, changed });
    match told {
        None if *is_deleted => {}
        None => tell(EventType::Created, Vec::new()),
        Some(told) => {
            if !changed.is_empty() {
                tell(EventType::Updated, changed);
            }
            match (told.is_deleted, is_deleted) {
                (false, true) => tell(EventType::Deleted, Vec::new()),
                (true, false) => tell(EventType::Undeleted, Vec::new()),
                (true, true) => {}
                (false, false) if told.is_active == is_active => {}
                (false, false) if is_active => tell(EventType::Activated, Vec::new()),
                (false, false) => tell(EventType::Deactivated, Vec::new()),
            }
        }
    }
    if foretells {
        tell(EventType::Expiring, Vec::new());
    }
    let foretold = match (end_is_near, is_deleted) {
        (false, _) => None,
        (true, true) => foretold,
        (true, false) => summary.expires_at,
    };
    let will_be_foretold = foretold.is_none() && summary.expires_at.is_some_and(|end| end > now);
    let then = Told {
        version: summary.version,
        secret_version: *secret_version,
        name: summary.name.clone(),
        tags: summary.tags.clone(),
        is_active,
        is_deleted: *is_deleted,
        expires_at: summary.expires_at,
        foretold,
        awaits: !is_deleted && (will_be_foretold || (is_active && summary.expires_at.is_some())),
    };
    (all, then)
}

/// What a person changed: a renewal gives other secrets, but no other version.
fn changed(told: &Told, Standing { summary, secret_version, .. }: &Standing) -> Vec<Part> {
    if told.version == summary.version {
        return Vec::new();
    }
    let parts = [
        (Part::Name, told.name != summary.name),
        (Part::Tags, told.tags != summary.tags),
        (Part::Credentials, told.secret_version != *secret_version),
    ];
    parts.into_iter().filter_map(|(part, differs)| differs.then_some(part)).collect()
}

/// Why a connection is not active, in a stable word; `None` while it is.
#[must_use]
pub fn reason(summary: &Summary, now: Timestamp) -> Option<&'static str> {
    match summary.status_at(now) {
        Status::Active => None,
        Status::NotActive => Some(summary.health_at(now).as_str()),
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
