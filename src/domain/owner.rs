//! Whose a connection is, and who sees it.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::line::is_line;

/// Longest id and name of an end user, in characters.
const LIMIT: usize = 200;

/// An end user of the platform, by the platform's own opaque id: 1 to 200 characters on one line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndUserId(String);

/// The text names no end user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user's id and name have 1 to 200 characters on one line")]
pub struct InvalidUser;

impl EndUserId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EndUserId {
    type Error = InvalidUser;

    fn try_from(text: String) -> Result<Self, InvalidUser> {
        if is_line(&text, LIMIT) { Ok(Self(text)) } else { Err(InvalidUser) }
    }
}

impl From<EndUserId> for String {
    fn from(id: EndUserId) -> Self {
        id.0
    }
}

impl fmt::Display for EndUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An end user as people read them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EndUser {
    pub id: EndUserId,
    pub name: String,
}

impl EndUser {
    /// Without a name the id stands for it.
    ///
    /// # Errors
    /// [`InvalidUser`].
    pub fn new(id: String, name: Option<String>) -> Result<Self, InvalidUser> {
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| id.clone());
        if !is_line(&name, LIMIT) {
            return Err(InvalidUser);
        }
        Ok(Self { id: EndUserId::try_from(id)?, name })
    }
}

/// For whom a new connection is, as an end user chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everyone in the workspace.
    Workspace,
    /// Only the end user who makes it. Whoever is no end user cannot choose this.
    Me,
}

/// Whose connections somebody sees. What one does not see does not exist for one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sight {
    /// The workspace's and every end user's.
    Everybody,
    /// The workspace's alone.
    Workspace,
    /// The workspace's and this end user's own.
    User(EndUserId),
}

impl Sight {
    /// The one owner seen beside the workspace, which is the empty text; `None`: every owner is seen.
    #[must_use]
    pub fn limit(&self) -> Option<&str> {
        match self {
            Self::Everybody => None,
            Self::Workspace => Some(""),
            Self::User(id) => Some(id.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_user_can_be_taken_for_the_workspace() {
        assert!(EndUser::new(String::new(), Some("Ada".to_owned())).is_err());
        assert!(EndUserId::try_from("a\nb".to_owned()).is_err());
        assert_eq!(EndUser::new("u-1".to_owned(), None).map(|user| user.name), Ok("u-1".to_owned()));
    }
}
