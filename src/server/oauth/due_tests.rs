use super::*;
use crate::domain::time::{DAY, HOUR};
use crate::server::oauth::Captured;
use crate::server::vault::SecretText;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_795_608_000_000);

fn tokens(lifetime: Option<i64>, renewable: bool) -> Tokens {
    Tokens {
        access_token: SecretText::new("at".to_owned()),
        refresh_token: renewable.then(|| SecretText::new("rt".to_owned())),
        issued_at: NOW,
        expires_at: lifetime.map(|lifetime| NOW.plus(lifetime)),
        refresh_expires_at: None,
        scopes: None,
        captured: Captured::default(),
    }
}

#[test]
fn a_tenth_of_the_life_before_the_end_and_five_minutes_at_least() {
    let due = |lifetime, spread| due_at(&tokens(Some(lifetime), true), &Refresh::default(), spread);
    assert_eq!(due(HOUR, 0), Some(NOW.plus(HOUR - 6 * MINUTE)));
    assert_eq!(due(30 * MINUTE, 0), Some(NOW.plus(25 * MINUTE)));
    assert_eq!(due(10 * DAY, 0), Some(NOW.plus(9 * DAY)));
    assert_eq!(due(10 * DAY, u16::MAX), Some(NOW.plus(9 * DAY - 6 * HOUR)));
    assert_eq!(due(6 * MINUTE, 0), Some(NOW.plus(3 * MINUTE)));
}

#[test]
fn what_cannot_or_need_not_be_renewed_is_never_due() {
    let never = Refresh { by: RefreshBy::Never, ..Refresh::default() };
    assert_eq!(due_at(&tokens(Some(HOUR), false), &Refresh::default(), 0), None);
    assert_eq!(due_at(&tokens(None, true), &Refresh::default(), 0), None);
    assert_eq!(due_at(&tokens(Some(HOUR), true), &never, 0), None);
    let by_itself = Refresh { by: RefreshBy::AccessToken, ..Refresh::default() };
    assert!(due_at(&tokens(Some(HOUR), false), &by_itself, 0).is_some());
}

#[test]
fn a_refresh_waits_until_the_provider_permits_it() {
    let exact = Refresh { not_before: Some(570), ..Refresh::default() };
    assert_eq!(due_at(&tokens(Some(10 * MINUTE), true), &exact, 0), Some(NOW.plus(570 * SECOND)));
}

#[test]
fn death_is_foreseen() {
    let rules = Refresh { idle_lifetime: Some(90 * 86_400), lifetime: Some(365 * 86_400), ..Refresh::default() };
    let connected_at = NOW.plus(-DAY);
    let foreseen = |tokens: &Tokens, rules: &Refresh| death(tokens, rules, connected_at);
    assert_eq!(foreseen(&tokens(Some(HOUR), false), &rules), Some(Death::NotRenewable(NOW.plus(HOUR))));
    assert_eq!(foreseen(&tokens(Some(HOUR), true), &rules), Some(Death::RefreshTokenEnds(NOW.plus(364 * DAY))));
    // Nothing tells when to renew it, so it may lie unused.
    assert_eq!(foreseen(&tokens(None, true), &rules), Some(Death::Unused(NOW.plus(90 * DAY))));
    let in_testing = Tokens { refresh_expires_at: Some(NOW.plus(7 * DAY)), ..tokens(Some(HOUR), true) };
    assert_eq!(foreseen(&in_testing, &rules), Some(Death::RefreshTokenEnds(NOW.plus(7 * DAY))));
    assert_eq!(foreseen(&tokens(Some(HOUR), true), &Refresh::default()), None);
    assert_eq!(foreseen(&tokens(None, false), &Refresh::default()), None);
}

proptest! {
    #[test]
    fn a_token_is_due_within_its_life_and_never_at_once(
        lifetime in -DAY..400 * DAY, spread: u16, not_before in proptest::option::of(0..600_u32),
    ) {
        let rules = Refresh { not_before, ..Refresh::default() };
        let due = due_at(&tokens(Some(lifetime), true), &rules, spread).expect("a moment");
        let patience = not_before.map_or(0, |seconds| i64::from(seconds) * SECOND);
        prop_assert!(due.since(NOW) >= patience);
        prop_assert!(due.since(NOW) >= lifetime.max(0) / 2);
        prop_assert!(due.since(NOW) <= lifetime.max(0).max(patience));
    }

    #[test]
    fn more_spread_is_earlier(lifetime in HOUR..400 * DAY, one: u16, other: u16) {
        let due = |spread| due_at(&tokens(Some(lifetime), true), &Refresh::default(), spread);
        prop_assert_eq!(one > other, due(one) < due(other) || one > other && due(one) == due(other));
    }

    #[test]
    fn the_forecast_lies_no_later_than_any_limit(
        idle in proptest::option::of(1..10_000_000_u32), whole in proptest::option::of(1..10_000_000_u32),
        told in proptest::option::of(0..400 * DAY),
    ) {
        let rules = Refresh { idle_lifetime: idle, lifetime: whole, ..Refresh::default() };
        let tokens = Tokens { refresh_expires_at: told.map(|span| NOW.plus(span)), ..tokens(None, true) };
        let limits = [told, idle.map(|s| i64::from(s) * SECOND), whole.map(|s| i64::from(s) * SECOND)];
        let earliest = limits.into_iter().flatten().min().map(|span| NOW.plus(span));
        prop_assert_eq!(death(&tokens, &rules, NOW).map(Death::at), earliest);
    }
}
