//! When a token ends, in the many ways that providers tell. What cannot be read counts as not told: a token is never
//! thrown away over it.

use serde_json::Value;

use crate::domain::time::{DAY, HOUR, MINUTE, SECOND, Timestamp};
use crate::server::catalog::oauth::ExpiresAs;

/// Spans of more than this, and moments further away, are not believed.
const LONGEST: i64 = 100 * 365 * DAY;

/// The moment a value stands for, given the moment at which it was told.
pub(super) fn moment(value: &Value, written_as: ExpiresAs, now: Timestamp) -> Option<Timestamp> {
    let at = match written_as {
        ExpiresAs::Seconds => after(now, number(value)?.checked_mul(SECOND)?)?,
        ExpiresAs::Milliseconds => after(now, number(value)?)?,
        ExpiresAs::DaysHoursMinutes => after(now, days_hours_minutes(value.as_str()?)?)?,
        ExpiresAs::EpochSeconds => Timestamp(number(value)?.checked_mul(SECOND)?),
        ExpiresAs::EpochMilliseconds => Timestamp(number(value)?),
        ExpiresAs::Iso8601 => {
            let text = value.as_str()?.trim();
            Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}Z")))?
        }
    };
    (at.since(now).abs() <= LONGEST && at.0 > 0).then_some(at)
}

/// A span ends after its beginning: zero and less is how some say "never".
fn after(now: Timestamp, span: i64) -> Option<Timestamp> {
    (1..=LONGEST).contains(&span).then(|| now.plus(span))
}

/// A whole number, also where it is written as text or with a fraction of nothing.
fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `3600.0` is 3600, and `3600.5` nothing.
fn whole(number: f64) -> Option<i64> {
    format!("{number}").parse().ok()
}

fn days_hours_minutes(text: &str) -> Option<i64> {
    let parts: Vec<i64> = text.trim().split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match parts[..] {
        [days @ 0..=36_500, hours @ 0..=23, minutes @ 0..=59] => Some(days * DAY + hours * HOUR + minutes * MINUTE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);

    #[test]
    fn each_way_of_telling_is_read() {
        let hour = Some(NOW.plus(HOUR));
        for (value, written_as) in [
            (json!(3600), ExpiresAs::Seconds),
            (json!("3600"), ExpiresAs::Seconds),
            (json!(3600.0), ExpiresAs::Seconds),
            (json!(3_600_000), ExpiresAs::Milliseconds),
            (json!(1_795_003_600), ExpiresAs::EpochSeconds),
            (json!("1795003600"), ExpiresAs::EpochSeconds),
            (json!("1795003600000"), ExpiresAs::EpochMilliseconds),
            (json!(NOW.plus(HOUR).to_rfc3339()), ExpiresAs::Iso8601),
            (json!(NOW.plus(HOUR).to_rfc3339().trim_end_matches('Z')), ExpiresAs::Iso8601),
            (json!("0:01:00"), ExpiresAs::DaysHoursMinutes),
        ] {
            assert_eq!(moment(&value, written_as, NOW), hour, "{value} {written_as:?}");
        }
        assert_eq!(moment(&json!("240:00:00"), ExpiresAs::DaysHoursMinutes, NOW), Some(NOW.plus(240 * DAY)));
    }

    #[test]
    fn what_cannot_be_read_was_not_told() {
        for value in [json!(null), json!("soon"), json!(-1), json!(0), json!([3600]), json!(1.5), json!(i64::MAX)] {
            assert_eq!(moment(&value, ExpiresAs::Seconds, NOW), None, "{value}");
        }
        for text in ["1:24:00", "1:00:60", "1:00", "-1:00:00", "a:b:c", "0:00:00", "1:1:1:1"] {
            assert_eq!(moment(&json!(text), ExpiresAs::DaysHoursMinutes, NOW), None, "{text}");
        }
        assert_eq!(moment(&json!("2026-13-01T00:00:00Z"), ExpiresAs::Iso8601, NOW), None);
    }

    proptest! {
        #[test]
        fn no_number_and_no_text_makes_it_panic(number: i64, text in ".{0,30}") {
            for written_as in [
                ExpiresAs::Seconds, ExpiresAs::Milliseconds, ExpiresAs::EpochSeconds,
                ExpiresAs::EpochMilliseconds, ExpiresAs::Iso8601, ExpiresAs::DaysHoursMinutes,
            ] {
                for value in [json!(number), json!(text)] {
                    if let Some(at) = moment(&value, written_as, NOW) {
                        prop_assert!(at.since(NOW).abs() <= LONGEST);
                    }
                }
            }
        }
    }
}
