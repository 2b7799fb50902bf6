//! The badge that says ACTIVE or NOT ACTIVE, and why in a few words.

use leptos::prelude::*;

use crate::domain::connection::Summary;
use crate::domain::health::{Health, Status};
use crate::domain::time::{DAY, MINUTE, Timestamp, duration_words, relative, until};

/// A credential that ends within this span is forecast on its row.
const FORECAST: i64 = 14 * DAY;

/// How much a state asks for eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    /// Passing, foreseen or not known.
    Wait,
    /// Refused.
    Bad,
}

impl Tone {
    /// The class of the words that say why.
    #[must_use]
    pub const fn why_class(self) -> &'static str {
        match self {
            Self::Good => "why good",
            Self::Wait => "why wait",
            Self::Bad => "why bad",
        }
    }
}

/// The badge's tone and, where health needs eyes, why.
#[must_use]
pub fn judged(summary: &Summary, now: Timestamp) -> (Tone, Option<String>) {
    let tone = match summary.status_at(now) {
        Status::Active => Tone::Good,
        Status::NotActive => Tone::Wait,
    };
    match summary.health_at(now) {
        Health::Unproven => (tone, Some("Not checked yet".to_owned())),
        Health::Valid { .. } => (tone, forecast(summary, now)),
        Health::Vouched { .. } => (tone, Some(forecast(summary, now).unwrap_or_else(|| "Not checked".to_owned()))),
        Health::Limited { missing, .. } => (Tone::Bad, Some(lacking("Lacks ", &missing))),
        Health::Rejected { reason, .. } => (Tone::Bad, Some(reason)),
        Health::Expired { at } => (tone, Some(format!("Expired {}", relative(at, now)))),
        Health::Missing { fields } => (Tone::Bad, Some(lacking("Missing: ", &fields))),
        Health::Unreachable { since, .. } => {
            let span = duration_words(now.since(since).max(MINUTE));
            (tone, Some(format!("Could not be checked for {span}")))
        }
    }
}

/// `Expires in 12 days`, when that is near.
fn forecast(summary: &Summary, now: Timestamp) -> Option<String> {
    let at = summary.expires_at.filter(|at| at.since(now) <= FORECAST)?;
    Some(format!("Expires {}", until(at, now)))
}

fn lacking(intro: &str, names: &[String]) -> String {
    let mut text = intro.to_owned();
    text.push_str(&names.join(", "));
    text
}

/// The class of the badge: the shape of its mark differs as well as its colour.
#[must_use]
pub const fn badge_class(verdict: (Status, Tone)) -> &'static str {
    match verdict {
        (Status::Active, _) => "badge active",
        (Status::NotActive, Tone::Good) => "badge not-active good",
        (Status::NotActive, Tone::Wait) => "badge not-active wait",
        (Status::NotActive, Tone::Bad) => "badge not-active bad",
    }
}

/// Exactly `ACTIVE` or `NOT ACTIVE`.
#[component]
pub fn StatusBadge(#[prop(into)] verdict: Signal<(Status, Tone)>) -> impl IntoView {
    view! { <span class=move || badge_class(verdict.get())>{move || verdict.get().0.label()}</span> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::component::ComponentSlug;
    use crate::domain::id::ConnectionId;
    use crate::domain::tag::TagSet;
    use crate::domain::time::HOUR;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn with(health: Health, expires_at: Option<Timestamp>) -> (Tone, Option<String>) {
        let summary = Summary {
            owner: None,
            id: ConnectionId::from_bytes([1; 16]),
            component: ComponentSlug::try_from("slack".to_owned()).expect("valid slug"),
            name: "Alerts".to_owned().try_into().expect("valid name"),
            account: None,
            health,
            tags: TagSet::default(),
            workflows: None,
            created_at: NOW,
            last_used_at: None,
            expires_at,
            version: 1,
        };
        judged(&summary, NOW)
    }

    #[test]
    fn what_is_well_needs_no_words() {
        assert_eq!(with(Health::Valid { checked_at: NOW }, None), (Tone::Good, None));
    }

    #[test]
    fn a_near_end_is_forecast_and_a_past_one_told() {
        let valid = Health::Valid { checked_at: NOW };
        assert_eq!(with(valid.clone(), Some(NOW.plus(6 * DAY))), (Tone::Good, Some("Expires in 6 days".to_owned())));
        assert_eq!(with(valid.clone(), Some(NOW.plus(12 * DAY))).1.as_deref(), Some("Expires in 12 days"));
        assert_eq!(with(valid.clone(), Some(NOW.plus(5 * HOUR))).1.as_deref(), Some("Expires in 5 hours"));
        assert_eq!(with(valid.clone(), Some(NOW.plus(60 * DAY))), (Tone::Good, None));
        assert_eq!(with(valid, Some(NOW.plus(-12 * DAY))), (Tone::Wait, Some("Expired 1 week ago".to_owned())));
    }

    #[test]
    fn silence_of_the_service_keeps_active_and_is_told() {
        let (since, checked_at) = (NOW.plus(-8 * MINUTE), NOW);
        let health =
            Health::Unreachable { since, checked_at, failures: 1, reason: "timed out".to_owned(), was_active: true };
        assert_eq!(with(health, None), (Tone::Good, Some("Could not be checked for 8 minutes".to_owned())));
    }

    #[test]
    fn a_refusal_says_what_the_service_said() {
        let health = Health::Rejected { reason: "Password refused".to_owned(), at: NOW };
        assert_eq!(with(health, None), (Tone::Bad, Some("Password refused".to_owned())));
    }
}
