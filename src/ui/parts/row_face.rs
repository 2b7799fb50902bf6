//! What a row shows, reckoned once for all its parts.

use leptos::prelude::*;

use super::row::Table;
use super::status_badge::{Tone, judged};
use crate::domain::component::ComponentBadge;
use crate::domain::connection::Summary;
use crate::domain::health::Status;
use crate::domain::tag::Tag;
use crate::domain::time::relative;
use crate::ui::state::list::ListState;
use crate::ui::state::seats::Seat;

/// Chips that fit on a row.
pub const CHIPS: usize = 2;

/// A tag that filters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chip {
    pub label: String,
    pub href: String,
}

/// Everything that a row element says. The element is made with one face, and repainted by what differs in the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Face {
    pub class: String,
    /// The connection; none where the element is vacant, and hidden.
    pub id: Option<String>,
    /// From one, the header counted.
    pub row_index: usize,
    /// Whether Tab comes here.
    pub reached: bool,
    /// Whether its menu is open.
    pub expanded: bool,
    pub badge: ComponentBadge,
    pub name: String,
    /// The way to its detail.
    pub href: String,
    pub account: String,
    /// Whose it is, where it is not the workspace's.
    pub owner: String,
    /// The first tags; there is room for no more.
    pub chips: [Option<Chip>; CHIPS],
    /// The other tags.
    pub hidden: Vec<String>,
    pub used: String,
    pub verdict: (Status, Tone),
    /// Why it is so, where that needs eyes.
    pub why: String,
    /// When it was created, as RFC 3339, and in words.
    pub created: (String, String),
}

impl Face {
    #[must_use]
    pub fn of(table: Table, seat: &Seat) -> Self {
        let state = table.state;
        let summary = &seat.row.summary;
        let now = state.now();
        let (tone, why) = judged(summary, now);
        let mut tags = summary.tags.iter();
        let chips = [(); CHIPS].map(|()| tags.next().map(|tag| chip(state, tag)));
        Self {
            class: class(state, summary),
            id: (!seat.vacant).then(|| summary.id.to_string()),
            row_index: seat.row.position + 2,
            reached: !seat.vacant && table.tab_stop.get() == seat.row.place,
            expanded: table.menu.is_for(&summary.id),
            badge: state.badge_or_slug(&summary.component),
            name: summary.name.to_string(),
            href: state.detail_link(&summary.id),
            account: summary.account.clone().unwrap_or_default(),
            owner: owner_words(state, summary),
            chips,
            hidden: tags.map(Tag::to_string).collect(),
            used: used_words(summary.workflows),
            verdict: (summary.status_at(now), tone),
            why: why.unwrap_or_default(),
            created: (summary.created_at.to_rfc3339(), relative(summary.created_at, now)),
        }
    }

    /// Whether nothing asks to be mended.
    #[must_use]
    pub const fn may_rest(&self) -> bool {
        matches!(self.verdict.0, Status::Active)
    }

    /// How many tags there is no room for: `+3`.
    #[must_use]
    pub fn more(&self) -> String {
        format!("+{}", self.hidden.len())
    }

    /// Those tags by name.
    #[must_use]
    pub fn rest(&self) -> String {
        self.hidden.join(", ")
    }
}

/// Of all rows, Tab reaches one.
#[must_use]
pub const fn tab_index(reached: bool) -> &'static str {
    if reached { "0" } else { "-1" }
}

fn class(state: ListState, summary: &Summary) -> String {
    let mut class = "row".to_owned();
    if state.opened.with(|opened| opened.as_ref() == Some(&summary.id)) {
        class.push_str(" open");
    }
    if state.lit.with(|lit| lit.as_ref() == Some(&summary.id)) {
        class.push_str(" lit");
    }
    class
}

fn chip(state: ListState, tag: &Tag) -> Chip {
    let key = tag.key();
    let href = state.link(|query| {
        if !query.filter.has_tag(&key) {
            query.filter.tags.push(key);
        }
    });
    Chip { label: tag.to_string(), href }
}

/// An end user sees no other's, so theirs is the one that has an owner.
#[must_use]
pub fn owner_words(state: ListState, summary: &Summary) -> String {
    let embedded = state.viewer.with_value(|viewer| viewer.embedded);
    match &summary.owner {
        Some(_) if embedded => "Only you".to_owned(),
        Some(owner) => ["Only ", &owner.name].concat(),
        None => String::new(),
    }
}

/// How many workflows use it, in words; nothing where nobody registers any.
#[must_use]
pub fn used_words(workflows: Option<u32>) -> String {
    match workflows {
        None => String::new(),
        Some(0) => "Not used".to_owned(),
        Some(1) => "1 workflow".to_owned(),
        Some(count) => format!("{count} workflows"),
    }
}

#[cfg(test)]
mod tests {
    use super::used_words;

    #[test]
    fn nobody_claims_zero_workflows_where_none_are_registered() {
        assert_eq!([None, Some(0), Some(1), Some(3)].map(used_words), ["", "Not used", "1 workflow", "3 workflows"]);
    }
}
