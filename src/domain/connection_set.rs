//! The connections an API key may use at run time.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::id::ConnectionId;

/// Most connections that one key names.
pub const MOST_NAMED: usize = 100;

/// Every connection, or those named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Option<Vec<ConnectionId>>", into = "Option<Vec<ConnectionId>>")]
pub enum ConnectionSet {
    #[default]
    Every,
    Only(BTreeSet<ConnectionId>),
}

impl ConnectionSet {
    #[must_use]
    pub fn contains(&self, id: &ConnectionId) -> bool {
        match self {
            Self::Every => true,
            Self::Only(ids) => ids.contains(id),
        }
    }

    #[must_use]
    pub const fn is_every(&self) -> bool {
        matches!(self, Self::Every)
    }
}

/// A set of named connections holds at least one, and not too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name 1 to {MOST_NAMED} connections, or none for all of them")]
pub struct WrongNumber;

impl TryFrom<Option<Vec<ConnectionId>>> for ConnectionSet {
    type Error = WrongNumber;

    fn try_from(list: Option<Vec<ConnectionId>>) -> Result<Self, WrongNumber> {
        let Some(list) = list else { return Ok(Self::Every) };
        let ids: BTreeSet<_> = list.into_iter().collect();
        if (1..=MOST_NAMED).contains(&ids.len()) { Ok(Self::Only(ids)) } else { Err(WrongNumber) }
    }
}

impl From<ConnectionSet> for Option<Vec<ConnectionId>> {
    fn from(set: ConnectionSet) -> Self {
        match set {
            ConnectionSet::Every => None,
            ConnectionSet::Only(ids) => Some(ids.into_iter().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_set_holds_what_it_names_and_is_never_empty() {
        let [one, other] = [1, 2].map(|byte| ConnectionId::from_bytes([byte; 16]));
        let set = ConnectionSet::try_from(Some(vec![one.clone(), one.clone()])).expect("a set");
        assert!(set.contains(&one) && !set.contains(&other));
        assert!(ConnectionSet::Every.contains(&other));
        assert_eq!(ConnectionSet::try_from(Some(Vec::new())), Err(WrongNumber));
        assert_eq!(serde_json::from_str::<ConnectionSet>("null").expect("read"), ConnectionSet::Every);
        let text = serde_json::to_string(&set).expect("written");
        assert_eq!(serde_json::from_str::<ConnectionSet>(&text).expect("read"), set);
    }
}
