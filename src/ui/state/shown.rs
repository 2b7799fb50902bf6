//! What the list shows: the filter applied to what is known.

use std::sync::Arc;

use super::list::Known;
use crate::api::page::FirstPage;
use crate::domain::connection::Summary;
use crate::domain::filter::{ListQuery, Row};
use crate::domain::id::ConnectionId;
use crate::domain::selection::{Facets, Index};

/// The server-rendered page: counts come from it until the snapshot is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub query: ListQuery,
    pub offset: usize,
    pub total: usize,
    pub facets: Arc<Facets>,
}

impl Rendered {
    #[must_use]
    pub fn new(page: &FirstPage, query: ListQuery) -> Self {
        Self { query, offset: page.offset, total: page.total, facets: Arc::new(page.facets.clone()) }
    }
}

/// The matching rows, as indices into all of them, and the counts beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub rows: Arc<Vec<Row>>,
    pub order: Arc<Vec<usize>>,
    pub facets: Arc<Facets>,
    /// How many match, whether their rows are here or not.
    pub total: usize,
    /// The position of the first row that is here.
    pub offset: usize,
    /// Another filter is asked for than the counts and rows answer to: the snapshot is awaited.
    pub pending: bool,
    pub whole: bool,
}

/// One row in sight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    /// From zero, among the rows that are here.
    pub place: usize,
    /// From zero, among all that match.
    pub position: usize,
    pub summary: Summary,
}

/// The stretch of rows that is in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub first: usize,
    pub count: usize,
}

impl Shown {
    /// Applies the query to all rows.
    #[must_use]
    pub fn of(index: &Index, query: &ListQuery) -> Self {
        let selection = index.select(&query.filter);
        Self {
            rows: Arc::clone(&index.rows),
            total: selection.shown.len(),
            order: Arc::new(selection.shown),
            facets: Arc::new(selection.facets),
            offset: 0,
            pending: false,
            whole: true,
        }
    }

    /// What the server rendered, until all rows are here.
    #[must_use]
    pub fn rendered(known: &Known, rendered: &Rendered, query: &ListQuery) -> Self {
        let rows = Arc::clone(&known.rows);
        Self {
            order: Arc::new((0..rows.len()).collect()),
            rows,
            facets: Arc::clone(&rendered.facets),
            total: rendered.total,
            offset: rendered.offset,
            pending: *query != rendered.query,
            whole: false,
        }
    }

    #[must_use]
    pub fn visible(&self, window: Window) -> Vec<Visible> {
        let rows = self.order.iter().enumerate().skip(window.first).take(window.count);
        rows.filter_map(|(at, index)| {
            let row = self.rows.get(*index)?;
            Some(Visible { place: at, position: self.offset + at, summary: row.summary.clone() })
        })
        .collect()
    }

    /// How many rows can be scrolled through.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Where among the rows that are here a connection stands.
    #[must_use]
    pub fn place_of(&self, id: &ConnectionId) -> Option<usize> {
        self.order.iter().position(|index| self.rows.get(*index).is_some_and(|row| row.summary.id == *id))
    }

    #[must_use]
    pub fn id_at(&self, place: usize) -> Option<ConnectionId> {
        self.order.get(place).and_then(|index| self.rows.get(*index)).map(|row| row.summary.id.clone())
    }
}

impl Window {
    /// As many rows as a server-rendered page holds.
    pub const FIRST: Self = Self { first: 0, count: crate::api::page::PAGE_ROWS };
    /// Rows kept ready beyond either edge.
    const OVERSCAN: usize = 4;

    /// The rows in sight, and some beyond, of a list whose top lies `above` pixels over the viewport's edge.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as wanted")]
    pub fn in_sight(above: f64, viewport: f64, row_height: f64) -> Self {
        let row_height = row_height.max(1.0);
        let top = (above.max(0.0) / row_height) as usize;
        // Even, so that stripes and half of the updates stay away.
        let first = top.saturating_sub(Self::OVERSCAN) & !3;
        let in_view = (viewport / row_height).ceil() as usize;
        Self { first, count: top - first + in_view + Self::OVERSCAN }
    }

    /// A place, if it is in the window; else the window's first.
    #[must_use]
    pub const fn nearest(self, place: usize) -> usize {
        if place >= self.first && place - self.first < self.count { place } else { self.first }
    }

    #[must_use]
    pub fn within(self, rows: usize) -> Self {
        let first = self.first.min(rows.saturating_sub(self.count));
        Self { first, count: self.count }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use proptest::prelude::*;

    #[test]
    fn a_list_that_became_short_is_shown_whole() {
        assert_eq!(Window { first: 900, count: 30 }.within(12), Window { first: 0, count: 30 });
    }

    proptest! {
        #[test]
        fn every_row_in_sight_is_in_the_window(above in 0_u32..600_000, viewport in 100_u32..3_000, row in 20_u32..200) {
            let window = Window::in_sight(f64::from(above), f64::from(viewport), f64::from(row));
            let topmost = (above / row) as usize;
            let lowest = ((above + viewport - 1) / row) as usize;
            prop_assert!(window.first <= topmost);
            prop_assert!(lowest < window.first + window.count);
            prop_assert!(window.count < (viewport / row) as usize + 40);
        }
    }
}
