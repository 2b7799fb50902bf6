//! Which row element shows which connection.
//!
//! Building a row costs far more than changing its words. So a filter or an order hands the elements on, place by
//! place. Where the rows themselves change, or are scrolled, each connection keeps the element it has: focus and an
//! open editor stay with it, and what was deleted takes its element with it.

use std::collections::HashMap;
use std::sync::Arc;

use super::shown::{Shown, Visible, Window};
use crate::domain::filter::Row;
use crate::domain::id::ConnectionId;

/// A row element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Names the element for as long as it lives.
    pub key: usize,
    /// The connection that it shows.
    pub row: Visible,
    /// Nothing stands at this place: the element is hidden, and waits with what it showed last.
    pub vacant: bool,
}

/// The row elements in the document, from top to bottom.
#[derive(Clone, Debug)]
pub struct Seats {
    pub all: Vec<Seat>,
    rows: Arc<Vec<Row>>,
    order: Arc<Vec<usize>>,
    next_key: usize,
}

impl Seats {
    /// Seats what is in the window, given which element showed what before.
    #[must_use]
    pub fn of(before: Option<&Self>, shown: &Shown, window: Window) -> Self {
        let window = window.within(shown.len());
        let visible = shown.visible(window);
        let mut keys = before.map_or(0, |before| before.next_key)..;
        let all = match before {
            None => added(visible, &mut keys),
            Some(before) if before.hands_on(shown, &visible) => {
                handed_on(&before.all, visible, window.count, &mut keys)
            }
            Some(before) => kept(&before.all, visible, &mut keys),
        };
        Self { all, rows: Arc::clone(&shown.rows), order: Arc::clone(&shown.order), next_key: keys.start }
    }

    /// The element that shows a connection.
    #[must_use]
    pub fn key_of(&self, id: &ConnectionId) -> Option<usize> {
        let seat = self.all.iter().find(|seat| !seat.vacant && seat.row.summary.id == *id);
        seat.map(|seat| seat.key)
    }

    /// Whether the same rows are shown otherwise: filtered or sorted anew, or scrolled so far that none stays.
    fn hands_on(&self, shown: &Shown, visible: &[Visible]) -> bool {
        let stays = |seat: &Seat| visible.iter().any(|row| row.summary.id == seat.row.summary.id);
        Arc::ptr_eq(&self.rows, &shown.rows) && (self.order != shown.order || !self.all.iter().any(stays))
    }
}

fn added(visible: Vec<Visible>, keys: &mut impl Iterator<Item = usize>) -> Vec<Seat> {
    visible.into_iter().zip(keys).map(|(row, key)| Seat { key, row, vacant: false }).collect()
}

/// Place by place; elements left over stay vacant, up to `limit` in all.
fn handed_on(old: &[Seat], visible: Vec<Visible>, limit: usize, keys: &mut impl Iterator<Item = usize>) -> Vec<Seat> {
    let mut visible = visible.into_iter();
    let mut seats: Vec<Seat> = old
        .iter()
        .take(limit)
        .map(|seat| match visible.next() {
            Some(row) => Seat { key: seat.key, row, vacant: false },
            None => Seat { vacant: true, ..seat.clone() },
        })
        .collect();
    seats.extend(added(visible.collect(), keys));
    seats
}

/// Each connection with the element it has; new ones with new elements.
fn kept(old: &[Seat], visible: Vec<Visible>, keys: &mut impl Iterator<Item = usize>) -> Vec<Seat> {
    let taken = old.iter().filter(|seat| !seat.vacant);
    let known: HashMap<&ConnectionId, usize> = taken.map(|seat| (&seat.row.summary.id, seat.key)).collect();
    let seat = |row: Visible| {
        let key = known.get(&row.summary.id).copied().or_else(|| keys.next()).unwrap_or_default();
        Seat { key, row, vacant: false }
    };
    visible.into_iter().map(seat).collect()
}

#[cfg(test)]
#[path = "seats_tests.rs"]
mod tests;
