//! The orders a list can be shown in.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

use super::filter::Row;
use super::health::Status;
use super::time::Timestamp;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Newest first.
    #[default]
    Created,
    Oldest,
    Name,
    Component,
    /// What needs attention first.
    Status,
    /// Last used first; never used last.
    LastUsed,
}

impl Sort {
    pub const ALL: [Self; 6] = [Self::Created, Self::Oldest, Self::Name, Self::Component, Self::Status, Self::LastUsed];

    /// The word in URLs and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "newest",
            Self::Oldest => "oldest",
            Self::Name => "name",
            Self::Component => "component",
            Self::Status => "status",
            Self::LastUsed => "last_used",
        }
    }

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Created => "newest",
            Self::Oldest => "oldest",
            Self::Name => "name",
            Self::Component => "component",
            Self::Status => "needs attention",
            Self::LastUsed => "last used",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }

    /// A total order: ties end at the id, so that a list never flickers.
    #[must_use]
    pub fn compare(self, a: &Row, b: &Row, now: Timestamp) -> Ordering {
        let newest = || b.summary.created_at.cmp(&a.summary.created_at);
        let by_name = || a.name_key.cmp(&b.name_key);
        let attention = |row: &Row| row.summary.status_at(now) == Status::Active;
        let order = match self {
            Self::Created => newest(),
            Self::Oldest => newest().reverse(),
            Self::Name => by_name().then_with(newest),
            Self::Component => a.component_key.cmp(&b.component_key).then_with(by_name),
            Self::Status => attention(a).cmp(&attention(b)).then_with(newest),
            Self::LastUsed => b.summary.last_used_at.cmp(&a.summary.last_used_at).then_with(newest),
        };
        order.then_with(|| b.summary.id.cmp(&a.summary.id))
    }
}
