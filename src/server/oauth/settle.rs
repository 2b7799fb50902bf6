//! What a refresh without tokens means for what is stored (OAUTH.md, Refresh). Pure: a decision, not its execution.
//!
//! No decision ever gives up a stored refresh token: [`Next::End`] keeps the row and its secrets.

use super::error::{OAuthError, Said, Silence};
use crate::domain::time::{MINUTE, SECOND};

/// What is known of the attempts before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The refresh token was presented before, and the answer to that was lost.
    pub was_lost_before: bool,
    /// Attempts in a row that brought no evidence, this one not counted.
    pub failures: u32,
    /// Nothing but the client is the credential: nobody's consent is behind it.
    pub client_alone: bool,
}

/// Why a connection is not active any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The provider ended the grant: connect again.
    Refused(Said),
    /// The provider had answered a request whose answer was lost, and does not take the old token any more: connect
    /// again.
    AnswerLost(Said),
    /// The provider does not accept the client, which is all there is: correct it.
    ClientRefused(Said),
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Present it again after a while: at least `after` milliseconds.
    Later { after: i64, was_lost: bool },
    /// Not active any more.
    End(Ending),
    /// The client's set-up is wrong: said on the client and on its connections, which stay as they are.
    MendClient,
}

/// The longest wait between attempts, in milliseconds.
const LONGEST_WAIT: i64 = 15 * MINUTE;

/// Decides. `spread` is drawn at random, 0 to 65535.
#[must_use]
pub fn settle(error: &OAuthError, standing: Standing, spread: u16) -> Next {
    let later = |silence: Option<&Silence>| {
        let asked_for = silence.and_then(|silence| silence.wait).unwrap_or(0);
        let was_lost = standing.was_lost_before || silence.is_some_and(|silence| silence.may_have_acted);
        Next::Later { after: back_off(standing.failures, spread).max(asked_for), was_lost }
    };
    match error {
        OAuthError::Refused(said) | OAuthError::AccessDenied(said) | OAuthError::InvalidScope(said) => {
            let said = said.clone();
            Next::End(if standing.was_lost_before { Ending::AnswerLost(said) } else { Ending::Refused(said) })
        }
        OAuthError::WrongClient(said) if standing.client_alone => Next::End(Ending::ClientRefused(said.clone())),
        OAuthError::WrongClient(_) | OAuthError::NoClient => Next::MendClient,
        OAuthError::NoEvidence(silence) => later(Some(silence)),
        OAuthError::Misunderstood(_)
        | OAuthError::NotTold { .. }
        | OAuthError::ForbiddenHost { .. }
        | OAuthError::WrongIssuer
        | OAuthError::NoCode
        | OAuthError::Incomplete { .. }
        | OAuthError::UnusableKey
        | OAuthError::NoRandomness
        | OAuthError::Unsupported => later(None),
    }
}

/// Full-jitter back-off, in milliseconds: anything up to a second, doubled with each failure, up to 15 minutes.
#[must_use]
pub fn back_off(failures: u32, spread: u16) -> i64 {
    let ceiling = SECOND.saturating_mul(1_i64.checked_shl(failures.min(20)).unwrap_or(i64::MAX)).min(LONGEST_WAIT);
    // Never at once: a provider in trouble is not helped by that.
    (ceiling.saturating_mul(i64::from(spread)) / i64::from(u16::MAX)).max(SECOND / 10)
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
