//! Webhooks: which events an endpoint is sent, and when what failed is tried again.

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::event::EventType;
use super::role::EnvironmentSet;
use super::time::{HOUR, MINUTE, SECOND};

/// Longest address, in characters.
pub const URL_LIMIT: usize = 2_000;

/// Which events an endpoint is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Empty: all.
    pub types: Vec<EventType>,
    pub environments: EnvironmentSet,
}

impl Subscription {
    #[must_use]
    pub fn takes(&self, kind: EventType, environment: Environment) -> bool {
        self.environments.contains(environment) && (self.types.is_empty() || self.types.contains(&kind))
    }
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    Waiting,
    Delivered,
    /// Given up: it is sent again only by hand.
    Failed,
}

impl DeliveryState {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Waits before the attempts after the first, as Standard Webhooks recommends: about three days in all
/// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).
const WAITS: [i64; 9] =
    [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];

/// Milliseconds until the next attempt after so many failed ones, a tenth more or less by `dice` (0 to 255); `None`: it is
/// given up.
#[must_use]
pub fn wait_after(attempts: i64, dice: u8) -> Option<i64> {
    let wait = *WAITS.get(usize::try_from(attempts).ok()?.checked_sub(1)?)?;
    Some(wait - wait / 10 + wait / 5 * i64::from(dice) / 255)
}

/// How long an endpoint is left alone after so many failures in a row, whatever waits for it, in milliseconds.
#[must_use]
pub fn pause_after(failures: i64) -> i64 {
    (SECOND << failures.clamp(0, 5)).min(30 * SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::DAY;

    #[test]
    fn attempts_spread_over_three_days_and_end() {
        let all = |dice| (1..).map_while(|attempts| wait_after(attempts, dice)).collect::<Vec<_>>();
        let (early, late) = (all(0), all(255));
        assert_eq!((early.len(), late.len()), (9, 9));
        assert!(early.iter().zip(&late).all(|(early, late)| early < late));
        let days = |waits: &[i64]| waits.iter().sum::<i64>() / DAY;
        assert_eq!((days(&early), days(&late)), (2, 3));
        assert_eq!((wait_after(0, 0), wait_after(-1, 0)), (None, None));
    }

    #[test]
    fn an_endpoint_in_trouble_is_left_alone_longer_and_not_for_ever() {
        assert_eq!([0, 1, 3, 99].map(pause_after), [SECOND, 2 * SECOND, 8 * SECOND, 30 * SECOND]);
    }

    #[test]
    fn an_endpoint_is_sent_what_it_asked_for() {
        let environments = EnvironmentSet::try_from(vec![Environment::Production]).expect("a set");
        let all = Subscription { types: Vec::new(), environments };
        assert!(all.takes(EventType::Created, Environment::Production));
        assert!(!all.takes(EventType::Created, Environment::Staging));
        let some = Subscription { types: vec![EventType::Deleted], ..all };
        assert!(!some.takes(EventType::Created, Environment::Production));
    }
}
