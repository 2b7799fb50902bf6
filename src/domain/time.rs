//! Points in time as milliseconds since 1970-01-01T00:00:00Z, and how people read them.

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

impl Timestamp {
    #[must_use]
    pub const fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` until `self`; negative if `self` is earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// A moment as many write it: RFC 3339, ISO 8601 with an offset, `2026-11-22 14:28:22 UTC`. Fractions of a second are
    /// dropped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<u8>().ok();
        let month = time::Month::try_from(number(5, 7)?).ok()?;
        let date = time::Date::from_calendar_date(text.get(..4)?.parse().ok()?, month, number(8, 10)?).ok()?;
        let time = time::Time::from_hms(number(11, 13)?, number(14, 16)?, number(17, 19)?).ok()?;
        let zone = text.get(19..)?.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit()).trim();
        let utc = time::PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp();
        Some(Self::from_seconds(utc - offset(zone)?))
    }

    /// From seconds since the Unix epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// `2026-11-22T14:28:22Z` (RFC 3339); out-of-range values read as the epoch.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let t = self.calendar();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second()
        )
    }

    /// `22 Nov 2026`, in UTC.
    #[must_use]
    pub fn to_day(self) -> String {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let t = self.calendar();
        format!("{} {} {}", t.day(), MONTHS[usize::from(u8::from(t.month())) - 1], t.year())
    }

    fn calendar(self) -> time::OffsetDateTime {
        time::OffsetDateTime::from_unix_timestamp(self.0.div_euclid(SECOND)).unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
    }
}

/// Seconds east of Greenwich: `Z`, `UTC`, `+01:00`, `-0800`.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z" | "UTC" | "GMT") {
        return Some(0);
    }
    let (sign, digits) =
        if let Some(east) = zone.strip_prefix('+') { (1, east) } else { (-1, zone.strip_prefix('-')?) };
    let digits = digits.replace(':', "");
    let minutes: i64 = digits.get(2..4)?.parse().ok()?;
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    Some(sign * (hours * 3600 + minutes * 60))
}

/// `3 days ago`, `in 6 days`, `just now`: how far `then` lies from `now`, in its largest unit.
#[must_use]
pub fn relative(then: Timestamp, now: Timestamp) -> String {
    let distance = now.since(then);
    if distance.abs() < MINUTE {
        return "just now".to_owned();
    }
    let amount = duration_words(distance.abs());
    if distance > 0 { format!("{amount} ago") } else { format!("in {amount}") }
}

/// The same for an end that people plan for: `in 12 days`, where [`relative`] says `in 1 week`.
#[must_use]
pub fn until(end: Timestamp, now: Timestamp) -> String {
    match end.since(now) / DAY {
        1 => "in 1 day".to_owned(),
        days @ 2..=60 => format!("in {days} days"),
        _ => relative(end, now),
    }
}

/// `8 minutes`, `1 day`, `2 years`: a length of time in its largest unit, rounded down.
#[must_use]
pub fn duration_words(milliseconds: i64) -> String {
    const UNITS: [(i64, &str); 6] =
        [(365 * DAY, "year"), (30 * DAY, "month"), (7 * DAY, "week"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")];
    let (unit, word) = UNITS.into_iter().find(|(unit, _)| milliseconds >= *unit).unwrap_or((SECOND, "second"));
    let count = milliseconds / unit;
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_read_in_their_largest_unit() {
        let now = Timestamp(1_000 * DAY);
        assert_eq!(relative(now.plus(-30 * SECOND), now), "just now");
        assert_eq!(relative(now.plus(-8 * MINUTE), now), "8 minutes ago");
        assert_eq!(relative(now.plus(-DAY), now), "1 day ago");
        assert_eq!(relative(now.plus(6 * DAY + HOUR), now), "in 6 days");
        assert_eq!(relative(now.plus(-800 * DAY), now), "2 years ago");
    }

    #[test]
    fn a_near_end_is_told_in_days() {
        let now = Timestamp(1_000 * DAY);
        let told = |span| until(now.plus(span), now);
        assert_eq!([told(12 * DAY + HOUR), told(DAY)], ["in 12 days", "in 1 day"]);
        assert_eq!([told(5 * HOUR), told(90 * DAY), told(-9 * DAY)], ["in 5 hours", "in 3 months", "1 week ago"]);
    }

    #[test]
    fn rfc3339_is_what_other_programs_parse() {
        assert_eq!(Timestamp(1_763_821_702_999).to_rfc3339(), "2025-11-22T14:28:22Z");
        assert_eq!(Timestamp(-1).to_rfc3339(), "1969-12-31T23:59:59Z");
    }
}
