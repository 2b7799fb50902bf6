//! Health is what the latest evidence says; status is what people see of it.

use serde::{Deserialize, Serialize};

use super::evidence::Verdict;
use super::time::{MINUTE, Timestamp};

/// What people see. The words are exactly `ACTIVE` and `NOT ACTIVE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Active,
    NotActive,
}

impl Status {
    pub const ALL: [Self; 2] = [Self::Active, Self::NotActive];

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::NotActive => "NOT ACTIVE",
        }
    }

    /// The word in URLs and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NotActive => "not_active",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Why a connection is ACTIVE or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Never asked.
    #[default]
    Unproven,
    Valid {
        checked_at: Timestamp,
    },
    Limited {
        missing: Vec<String>,
        checked_at: Timestamp,
    },
    /// A person says it works; the service has no way to be asked.
    Vouched {
        by: String,
        at: Timestamp,
    },
    Rejected {
        reason: String,
        at: Timestamp,
    },
    Expired {
        at: Timestamp,
    },
    Missing {
        fields: Vec<String>,
    },
    /// The service could not be asked; says nothing about the credential.
    Unreachable {
        since: Timestamp,
        checked_at: Timestamp,
        failures: u32,
        reason: String,
        was_active: bool,
    },
}

/// Failures in a row after which an unreachable service turns ACTIVE into NOT ACTIVE ...
const FAILURE_LIMIT: u32 = 3;
/// ... provided they spread over at least this long.
const FAILURE_SPAN: i64 = 30 * MINUTE;

impl Health {
    /// The word in the API.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::Valid { .. } => "valid",
            Self::Limited { .. } => "limited",
            Self::Vouched { .. } => "vouched",
            Self::Rejected { .. } => "rejected",
            Self::Expired { .. } => "expired",
            Self::Missing { .. } => "missing",
            Self::Unreachable { .. } => "unreachable",
        }
    }

    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Valid { .. } | Self::Vouched { .. } => Status::Active,
            Self::Unreachable { since, checked_at, failures, was_active: true, .. } => {
                let over = *failures >= FAILURE_LIMIT && checked_at.since(*since) >= FAILURE_SPAN;
                if over { Status::NotActive } else { Status::Active }
            }
            _ => Status::NotActive,
        }
    }

    /// The health after a probe: only an answer that concerns the credential turns ACTIVE at once.
    #[must_use]
    pub fn after(self, verdict: &Verdict, now: Timestamp) -> Self {
        match verdict {
            Verdict::Valid => Self::Valid { checked_at: now },
            Verdict::Limited { missing } => Self::Limited { missing: missing.clone(), checked_at: now },
            Verdict::Rejected { reason, .. } => Self::Rejected { reason: reason.clone(), at: self.rejected_at(now) },
            Verdict::NotAskable => match self {
                vouched @ Self::Vouched { .. } => vouched,
                _ => Self::Unproven,
            },
            Verdict::NoEvidence { reason, .. } => self.could_not_be_checked(reason.clone(), now),
        }
    }

    /// Since when the service refuses the credential.
    fn rejected_at(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::Rejected { at, .. } => *at,
            _ => now,
        }
    }

    fn could_not_be_checked(self, reason: String, now: Timestamp) -> Self {
        match self {
            Self::Unreachable { since, failures, was_active, .. } => {
                Self::Unreachable { since, checked_at: now, failures: failures.saturating_add(1), reason, was_active }
            }
            // What the service once said of this very credential outweighs its silence now.
            told @ (Self::Rejected { .. } | Self::Expired { .. } | Self::Missing { .. } | Self::Limited { .. }) => told,
            other => Self::Unreachable {
                since: now,
                checked_at: now,
                failures: 1,
                reason,
                was_active: other.status() == Status::Active,
            },
        }
    }

    /// Whether a list shows the same for both: another check that went like the one before is no news.
    #[must_use]
    pub fn shows_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Valid { .. }, Self::Valid { .. }) => true,
            (Self::Limited { missing, .. }, Self::Limited { missing: others, .. }) => missing == others,
            (Self::Rejected { reason, .. }, Self::Rejected { reason: others, .. }) => reason == others,
            (Self::Unreachable { since, .. }, Self::Unreachable { since: others, .. }) => {
                since == others && self.status() == other.status()
            }
            _ => self == other,
        }
    }

    /// The health at a moment, given when the credential itself ends.
    #[must_use]
    pub fn at(self, now: Timestamp, expires_at: Option<Timestamp>) -> Self {
        match expires_at {
            Some(at) if at <= now && !matches!(self, Self::Missing { .. } | Self::Rejected { .. }) => {
                Self::Expired { at }
            }
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn silence() -> Verdict {
        Verdict::NoEvidence { reason: "timed out".to_owned(), field: None }
    }

    #[test]
    fn nothing_is_assumed_on_creation() {
        assert_eq!(Health::default().status(), Status::NotActive);
        assert_eq!(Health::Unproven.after(&silence(), NOW).status(), Status::NotActive);
    }

    #[test]
    fn a_silent_service_turns_active_only_after_three_failures_over_half_an_hour() {
        let valid = Health::Valid { checked_at: NOW };
        let first = valid.clone().after(&silence(), NOW);
        let quick = (0..5).fold(first.clone(), |health, n| health.after(&silence(), NOW.plus(n * MINUTE)));
        assert_eq!(quick.status(), Status::Active);
        let second = first.after(&silence(), NOW.plus(20 * MINUTE));
        assert_eq!(second.status(), Status::Active);
        assert_eq!(second.after(&silence(), NOW.plus(30 * MINUTE)).status(), Status::NotActive);
    }

    #[test]
    fn a_refusal_turns_active_at_once_and_silence_does_not_undo_it() {
        let refusal = Verdict::Rejected { reason: "password refused".to_owned(), field: None };
        let rejected = Health::Valid { checked_at: NOW }.after(&refusal, NOW);
        assert_eq!(rejected.status(), Status::NotActive);
        assert!(matches!(rejected.after(&silence(), NOW), Health::Rejected { .. }));
    }

    #[test]
    fn past_its_expiry_a_credential_is_expired() {
        let health = Health::Valid { checked_at: NOW }.at(NOW, Some(NOW));
        assert_eq!(health, Health::Expired { at: NOW });
    }

    proptest! {
        #[test]
        fn no_run_of_silence_makes_anything_active(gaps in proptest::collection::vec(0_i64..3_600_000, 1..20)) {
            let mut health = Health::Unproven;
            let mut now = NOW;
            for gap in gaps {
                now = now.plus(gap);
                health = health.after(&silence(), now);
                prop_assert_eq!(health.status(), Status::NotActive);
            }
        }

        #[test]
        fn a_valid_answer_always_ends_in_active(failures in 0_u32..10) {
            let mut health = Health::Valid { checked_at: NOW };
            for n in 0..failures {
                health = health.after(&silence(), NOW.plus(i64::from(n) * 20 * MINUTE));
            }
            prop_assert_eq!(health.after(&Verdict::Valid, NOW).status(), Status::Active);
        }
    }
}
