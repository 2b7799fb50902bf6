//! When tokens are renewed, and when a connection dies because they no longer can be. Pure.

use super::tokens::Tokens;
use crate::domain::time::{MINUTE, SECOND, Timestamp};
use crate::server::catalog::oauth::{Refresh, RefreshBy};

/// The least time before its end at which a token is renewed.
const MARGIN: i64 = 5 * MINUTE;

/// Whether this connection can be renewed at all.
fn is_renewable(tokens: &Tokens, rules: &Refresh) -> bool {
    match rules.by {
        RefreshBy::RefreshToken => tokens.refresh_token.is_some(),
        RefreshBy::AccessToken => true,
        RefreshBy::Never => false,
    }
}

/// The moment at which tokens are due to be renewed; none where they cannot be, or need not.
///
/// That is the greater of 5 minutes and a tenth of the lifetime before the end, earlier by up to a quarter of that
/// (`spread`, drawn at random, 0 to 65535), so that what was issued together is not renewed together. It is never in the
/// first half of a token's life, nor before the provider permits it.
#[must_use]
pub fn due_at(tokens: &Tokens, rules: &Refresh, spread: u16) -> Option<Timestamp> {
    if !is_renewable(tokens, rules) {
        return None;
    }
    let lifetime = tokens.expires_at?.since(tokens.issued_at).max(0);
    let margin = MARGIN.max(lifetime / 10);
    let jitter = (margin / 4).saturating_mul(i64::from(spread)) / i64::from(u16::MAX);
    let patience = rules.not_before.map_or(0, |seconds| i64::from(seconds) * SECOND);
    let age = (lifetime - margin - jitter).max(lifetime / 2).max(patience);
    Some(tokens.issued_at.plus(age))
}

/// How a connection dies of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// The access token ends then, and nothing can renew it.
    NotRenewable(Timestamp),
    /// The refresh token ends then, whatever is done: the person has to connect again before.
    RefreshTokenEnds(Timestamp),
    /// The refresh token lapses then unless it is used before.
    Unused(Timestamp),
}

impl Death {
    #[must_use]
    pub const fn at(self) -> Timestamp {
        match self {
            Self::NotRenewable(at) | Self::RefreshTokenEnds(at) | Self::Unused(at) => at,
        }
    }
}

/// The forecast: the first way in which the connection would die if nothing but renewing were done. `connected_at` is when
/// the person last allowed access. A connection that is renewed in time does not lapse for want of use.
#[must_use]
pub fn death(tokens: &Tokens, rules: &Refresh, connected_at: Timestamp) -> Option<Death> {
    if !is_renewable(tokens, rules) {
        return tokens.expires_at.map(Death::NotRenewable);
    }
    let seconds = |span: Option<u32>| span.map(|seconds| i64::from(seconds) * SECOND);
    let told = tokens.refresh_expires_at;
    let whole = seconds(rules.lifetime).map(|span| connected_at.plus(span));
    let ends = [told, whole].into_iter().flatten().min().map(Death::RefreshTokenEnds);
    let lapses = seconds(rules.idle_lifetime).map(|span| tokens.issued_at.plus(span));
    // Where the token is renewed long before, that is no way to die.
    let renewed = due_at(tokens, rules, 0);
    let unused = lapses.filter(|&at| renewed.is_none_or(|due| due >= at)).map(Death::Unused);
    [ends, unused].into_iter().flatten().min_by_key(|death| death.at())
}

#[cfg(test)]
#[path = "due_tests.rs"]
mod tests;
