//! Identifiers: a prefix that says what they name, then a `UUIDv7` as 32 hexadecimal digits.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The text is not an identifier of the kind asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid identifier: {0} and 32 hexadecimal digits are expected")]
pub struct InvalidId(pub &'static str);

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            /// Makes an identifier from 16 bytes (a `UUIDv7` where order of creation matters).
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(format!("{}{:032x}", $prefix, u128::from_be_bytes(bytes)))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                let digits = text.strip_prefix($prefix).ok_or(InvalidId($prefix))?;
                let well_formed = digits.len() == 32
                    && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                if well_formed { Ok(Self(text)) } else { Err(InvalidId($prefix)) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

prefixed_id!(
    /// Names a connection; stable over edits, secrets and reconnects.
    ConnectionId,
    "con_"
);
prefixed_id!(
    /// Names an API key; the key itself is never stored.
    ApiKeyId,
    "key_"
);
prefixed_id!(
    /// Names a key of the platform itself; the key is never stored.
    InstanceKeyId,
    "ikey_"
);
prefixed_id!(
    /// Names the connecting of an account, from the click to its end.
    FlowId,
    "flow_"
);
prefixed_id!(
    /// Names a member of a workspace.
    MemberId,
    "mem_"
);

prefixed_id!(
    /// Names an event; whoever receives it twice knows it by this.
    EventId,
    "evt_"
);
prefixed_id!(
    /// Names a webhook.
    WebhookId,
    "hook_"
);

/// Names a workspace, the tenant: `^[a-z0-9][a-z0-9-]{0,62}$`, chosen by whoever creates it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WorkspaceId(String);

impl WorkspaceId {
    /// The workspace that exists from the first start on.
    #[must_use]
    pub fn default_workspace() -> Self {
        Self("default".to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for WorkspaceId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let well_formed = (1..=63).contains(&text.len())
            && text.bytes().next().is_some_and(allowed)
            && text.bytes().all(|b| allowed(b) || b == b'-');
        if well_formed { Ok(Self(text)) } else { Err(InvalidId("lower-case letters, digits and hyphens")) }
    }
}

impl From<WorkspaceId> for String {
    fn from(id: WorkspaceId) -> Self {
        id.0
    }
}

impl fmt::Display for WorkspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_back() {
        let id = ConnectionId::from_bytes([7; 16]);
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
    }

    #[test]
    fn an_id_of_another_kind_or_shape_is_refused() {
        for text in ["", "con_", "wf_00000000000000000000000000000000", "con_0000000000000000000000000000000G"] {
            assert!(text.parse::<ConnectionId>().is_err(), "{text}");
        }
    }
}
