//! What the outcome of a refresh means for what is stored (OAUTH.md, Refresh). Pure: a decision, not its execution.
//!
//! No decision ever gives up a stored refresh token but by replacing it: [`Next::End`] keeps the row and its secrets.

use super::error::{OAuthError, Said, Silence};
use super::tokens::Tokens;
use crate::domain::time::{MINUTE, SECOND};

/// How one attempt ended, as its worker knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider handed out tokens.
    Renewed(Box<Tokens>),
    Failed(OAuthError),
    /// Tokens were handed out, and storing them failed.
    NotStored,
    /// A claim was found whose worker is gone: its request may have been sent.
    Abandoned,
}

/// What the row says when the outcome is to be settled, read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Fence and secret version are still those of the claim: nobody else renewed, reconnected or took over since.
    pub is_current: bool,
    /// The lease has not ended yet.
    pub is_leased: bool,
    /// The refresh token was presented before, and the answer to that was lost.
    pub was_lost_before: bool,
    /// Attempts in a row that brought no evidence, this one not counted.
    pub failures: u32,
}

/// Why a connection is not active any more. Both are mended by connecting again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The provider ended the grant.
    Refused(Said),
    /// The provider had answered a request whose answer was lost, and does not take the old token any more.
    AnswerLost(Said),
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Seal and store these, over the fence and version of the claim.
    Store(Box<Tokens>),
    /// Keep the sealed answer in memory, and in the journal where there is one, and try to store it again.
    HoldOn,
    /// Somebody else was there first: what they stored, or are about to, counts; drop what this attempt brought.
    Adopt,
    /// Present the same refresh token once more, now.
    Again,
    /// Present it again after a while: at least `after` milliseconds.
    Later { after: i64, was_lost: bool },
    /// Not active: connect again.
    End(Ending),
    /// The client's set-up is wrong: said on the client and on its connections, which stay as they are.
    MendClient(Said),
}

/// The longest wait between attempts, in milliseconds.
const LONGEST_WAIT: i64 = 15 * MINUTE;

/// Decides. `spread` is drawn at random, 0 to 65535.
#[must_use]
pub fn settle(outcome: Outcome, standing: Standing, spread: u16) -> Next {
    if !standing.is_current {
        return Next::Adopt;
    }
    match outcome {
        Outcome::Renewed(tokens) => Next::Store(tokens),
        Outcome::NotStored if standing.is_leased => Next::HoldOn,
        Outcome::NotStored => Next::Later { after: 0, was_lost: true },
        Outcome::Abandoned => Next::Again,
        Outcome::Failed(error) => settle_failure(error, standing, spread),
    }
}

fn settle_failure(error: OAuthError, standing: Standing, spread: u16) -> Next {
    let later = |silence: Option<&Silence>| {
        let asked_for = silence.and_then(|silence| silence.wait).unwrap_or(0);
        let was_lost = standing.was_lost_before || silence.is_some_and(|silence| silence.may_have_acted);
        Next::Later { after: back_off(standing.failures, spread).max(asked_for), was_lost }
    };
    match error {
        OAuthError::Refused(said) | OAuthError::AccessDenied(said) | OAuthError::InvalidScope(said) => {
            Next::End(if standing.was_lost_before { Ending::AnswerLost(said) } else { Ending::Refused(said) })
        }
        OAuthError::WrongClient(said) => Next::MendClient(said),
        OAuthError::NoClient => Next::MendClient(Said::default()),
        OAuthError::NoEvidence(silence) => later(Some(&silence)),
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
