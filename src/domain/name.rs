//! A connection's name.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::fold::fold;
use super::line::is_unseen;

/// One to 120 characters on one line, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectionName(String);

/// Longest name, in characters.
pub const NAME_LIMIT: usize = 120;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("Give the connection a name.")]
    Empty,
    #[error("The name is longer than 120 characters. Shorten it.")]
    TooLong,
    #[error("The name holds a line break or another control character. Remove it.")]
    Control,
}

impl ConnectionName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What names are compared and sorted by.
    #[must_use]
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

impl TryFrom<String> for ConnectionName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let text = text.trim();
        if text.is_empty() {
            Err(InvalidName::Empty)
        } else if text.chars().any(is_unseen) {
            Err(InvalidName::Control)
        } else if text.chars().count() > NAME_LIMIT {
            Err(InvalidName::TooLong)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl From<ConnectionName> for String {
    fn from(name: ConnectionName) -> Self {
        name.0
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
