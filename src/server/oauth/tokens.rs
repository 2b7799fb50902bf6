//! What a provider hands out.

use crate::domain::field::FieldValues;
use crate::domain::time::Timestamp;
use crate::server::vault::{SecretText, Secrets};

/// What a grant gave. Its `Debug` shows no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub access_token: SecretText,
    /// The one in force from now on: the new one, or the one that was presented where none came with the answer.
    pub refresh_token: Option<SecretText>,
    pub issued_at: Timestamp,
    /// As the provider says, or as its component's file assumes; none: until a service refuses it.
    pub expires_at: Option<Timestamp>,
    /// When the refresh token ends, as the provider says.
    pub refresh_expires_at: Option<Timestamp>,
    /// As the provider names them; none: it did not tell, so all that was asked for (RFC 6749, section 5.1).
    pub scopes: Option<Vec<String>>,
    /// To be laid over what was captured before.
    pub captured: Captured,
}

/// What was kept of redirect, token answer and look-up, by the captures' ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    pub plain: FieldValues,
    pub secret: Secrets,
}

impl Captured {
    /// The same with more laid over it.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.plain.0.extend(more.plain.0);
        for (id, secret) in more.secret.iter() {
            self.secret.insert(id, secret.clone());
        }
        self
    }

    pub(super) fn get(&self, id: &str) -> Option<&str> {
        // What was captured goes into requests to the provider it came from.
        self.plain.get(id).or_else(|| self.secret.get(id).map(SecretText::reveal))
    }
}

/// The tokens that are held while they are renewed or revoked.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    pub access_token: &'a SecretText,
    pub refresh_token: Option<&'a SecretText>,
}
