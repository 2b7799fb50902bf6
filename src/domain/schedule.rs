//! When a connection's service is asked again by itself: sooner where something is wrong or much depends on it,
//! rarely where nobody uses it.

use super::environment::Environment;
use super::health::Health;
use super::time::{DAY, HOUR, MINUTE, Timestamp};

/// The first look again at a service that could not be asked; doubled with every further failure.
const FIRST_RETRY: i64 = 5 * MINUTE;
/// The longest wait for a service that cannot be asked.
const LAST_RETRY: i64 = 6 * HOUR;

/// What the schedule depends on beside health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances {
    pub environment: Environment,
    /// Whether a workflow or a runtime is known to use it. Where nobody registers uses: as if used.
    pub used: bool,
    /// The service asked not to be asked before.
    pub not_before: Option<Timestamp>,
    /// From 0 to 1,000, drawn at random: spreads what would otherwise be due at once by a tenth either way.
    pub jitter: u16,
}

/// The next check; `None` where there is nothing to ask.
#[must_use]
pub fn next_check(health: &Health, now: Timestamp, circumstances: Circumstances) -> Option<Timestamp> {
    let usual = usual_interval(circumstances.environment);
    let interval = match health {
        Health::Vouched { .. } | Health::Missing { .. } => return None,
        Health::Unproven => FIRST_RETRY,
        Health::Valid { .. } if circumstances.used => usual,
        Health::Valid { .. } => usual * 4,
        Health::Limited { .. } => usual.min(6 * HOUR),
        Health::Unreachable { failures, .. } => {
            let doublings = failures.saturating_sub(1).min(16);
            (FIRST_RETRY << doublings).min(LAST_RETRY)
        }
        // Some services lock an account that is refused too often, so a refused secret is shown to them rarely.
        Health::Rejected { at, .. } | Health::Expired { at } => now.since(*at).clamp(HOUR, DAY),
    };
    let spread = interval / 10;
    let jitter = spread * (i64::from(circumstances.jitter.min(1_000)) * 2 - 1_000) / 1_000;
    let due = now.plus(interval + jitter);
    Some(circumstances.not_before.map_or(due, |earliest| due.max(earliest)))
}

const fn usual_interval(environment: Environment) -> i64 {
    match environment {
        Environment::Production => 4 * HOUR,
        Environment::Staging => 12 * HOUR,
        Environment::Development => DAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::evidence::Verdict;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);
    const USED: Circumstances =
        Circumstances { environment: Environment::Production, used: true, not_before: None, jitter: 500 };

    fn silence() -> Verdict {
        Verdict::NoEvidence { reason: "timed out".to_owned(), field: None }
    }

    fn after(health: &Health, circumstances: Circumstances) -> i64 {
        next_check(health, NOW, circumstances).expect("a next check").since(NOW)
    }

    #[test]
    fn production_is_asked_oftener_and_what_nobody_uses_rarely() {
        let valid = Health::Valid { checked_at: NOW };
        let production = after(&valid, USED);
        assert!(production < after(&valid, Circumstances { environment: Environment::Development, ..USED }));
        assert!(production < after(&valid, Circumstances { used: false, ..USED }));
    }

    #[test]
    fn a_silent_service_is_not_active_within_the_hour() {
        let (mut health, mut now) = (Health::Valid { checked_at: NOW }, NOW);
        while health.status() == crate::domain::health::Status::Active {
            health = health.after(&silence(), now);
            now = next_check(&health, now, USED).expect("a next check");
            assert!(now.since(NOW) < 2 * HOUR);
        }
    }

    #[test]
    fn a_refused_secret_is_shown_less_and_less_often() {
        let refused_at = |at| after(&Health::Rejected { reason: String::new(), at }, USED);
        assert_eq!(refused_at(NOW), HOUR);
        assert_eq!(refused_at(NOW.plus(-5 * HOUR)), 5 * HOUR);
        assert_eq!(refused_at(NOW.plus(-90 * DAY)), DAY);
    }

    #[test]
    fn what_cannot_be_asked_is_never_due() {
        assert_eq!(next_check(&Health::Vouched { by: "Ada".to_owned(), at: NOW }, NOW, USED), None);
        assert_eq!(next_check(&Health::Missing { fields: Vec::new() }, NOW, USED), None);
    }

    #[test]
    fn a_service_that_asks_for_patience_gets_it() {
        let later = NOW.plus(3 * DAY);
        let patient = Circumstances { not_before: Some(later), ..USED };
        assert_eq!(next_check(&Health::Unproven, NOW, patient), Some(later));
    }

    proptest! {
        #[test]
        fn a_check_is_always_later_and_within_reach(failures in 0_u32..u32::MAX, jitter in 0_u16..2_000) {
            let health = Health::Unreachable {
                since: NOW, checked_at: NOW, failures, reason: String::new(), was_active: true,
            };
            let wait = after(&health, Circumstances { jitter, ..USED });
            prop_assert!((FIRST_RETRY * 9 / 10..=LAST_RETRY * 11 / 10).contains(&wait));
        }
    }
}
