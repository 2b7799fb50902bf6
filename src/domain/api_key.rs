//! API keys as people look after them.

use super::time::{DAY, Timestamp};

/// Longest name, in characters.
pub const NAME_LIMIT: usize = 120;
/// Longest life of a key that expires, in days: ten years.
pub const LONGEST_DAYS: u32 = 3650;

/// A key that expires within this time is announced, in milliseconds.
const SOON: i64 = 14 * DAY;
/// A key without use for this long is better revoked, in milliseconds.
const IDLE: i64 = 90 * DAY;

/// What whoever looks after keys should see first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// Lets nobody in any more.
    Expired,
    ExpiresSoon,
    /// Not used for three months, or since it was made.
    Idle,
    InUse,
}

impl KeyStanding {
    /// `expires_at`: `None` for a key without an end.
    #[must_use]
    pub fn of(
        created_at: Timestamp,
        last_used_at: Option<Timestamp>,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let left = expires_at.map(|end| end.since(now));
        if left.is_some_and(|left| left <= 0) {
            Self::Expired
        } else if left.is_some_and(|left| left <= SOON) {
            Self::ExpiresSoon
        } else if now.since(last_used_at.unwrap_or(created_at)) >= IDLE {
            Self::Idle
        } else {
            Self::InUse
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_counts_more_than_idleness_and_what_is_used_needs_no_eyes() {
        let (made, now) = (Timestamp(0), Timestamp(100 * DAY));
        let of = |used, end| KeyStanding::of(made, used, end, now);
        assert_eq!(of(None, Some(now)), KeyStanding::Expired);
        assert_eq!(of(None, Some(now.plus(SOON))), KeyStanding::ExpiresSoon);
        assert_eq!(of(None, Some(now.plus(SOON + 1))), KeyStanding::Idle);
        assert_eq!(of(Some(now.plus(-IDLE)), None), KeyStanding::Idle);
        assert_eq!(of(Some(now.plus(1 - IDLE)), None), KeyStanding::InUse);
    }
}
