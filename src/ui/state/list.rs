//! The environment's connections, shared as one slice behind one signal.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use leptos_router::location::Location;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::address::{Asked, Base};
use super::shown::{Rendered, Shown, Window};
use crate::api::page::{FirstPage, Snapshot};
use crate::api::session::Viewer;
use crate::browser::{host, sight};
use crate::domain::component::{ComponentBadge, ComponentSlug};
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::filter::{Filter, ListQuery, Row};
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::domain::selection::Index;
use crate::domain::time::{MINUTE, Timestamp};

/// The rows this page knows of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub revision: i64,
    /// `false`: only the server-rendered first page; counts and rows come from there until the snapshot is here.
    pub whole: bool,
    pub rows: Arc<Vec<Row>>,
    pub badges: Arc<HashMap<ComponentSlug, ComponentBadge>>,
    pub deleted: usize,
}

/// Relative times are told to the minute: less than this is no reason to reckon them again.
const TICK: i64 = MINUTE / 2;

/// Whether what is shown is what the server holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freshness {
    #[default]
    Fresh,
    /// The server did not answer; it is asked again.
    Behind,
    SignedOut,
    /// The server speaks another contract: the page has to be loaded again.
    Outdated,
}

/// The list's state: in context of every view below the Connections page.
#[derive(Clone, Copy)]
pub struct ListState {
    pub viewer: StoredValue<Viewer>,
    /// Fixed for the life of this state: another environment makes another state, so that nothing mixes.
    pub environment: Environment,
    known: RwSignal<Known>,
    now: RwSignal<Timestamp>,
    /// A row to light up and scroll to: just created or changed.
    pub lit: RwSignal<Option<ConnectionId>>,
    base: StoredValue<Base>,
    /// The connection shown in detail.
    pub opened: Memo<Option<ConnectionId>>,
    /// What the URL says.
    linked: Memo<ListQuery>,
    /// What stands in the search field; the URL follows a moment later.
    pub typed: RwSignal<String>,
    /// The filter in force: what the URL says, with the text as typed.
    pub query: Memo<ListQuery>,
    pub shown: Memo<Shown>,
    pub window: RwSignal<Window>,
    /// The row that Tab reaches, by place in the list.
    pub cursor: RwSignal<usize>,
    /// The row whose tags are being edited in place.
    pub editing_tags: RwSignal<Option<ConnectionId>>,
    pub freshness: RwSignal<Freshness>,
    /// In pixels; zero until it was measured.
    pub row_height: RwSignal<f64>,
}

impl ListState {
    /// State from the server-rendered page, put in context.
    pub fn provide(page: &FirstPage) -> Self {
        let environment = page.environment;
        let base = Base::expect();
        let Location { pathname, search, .. } = use_location();
        let opened = {
            let base = base.clone();
            Memo::new(move |_| pathname.with(|path| base.opened(path)))
        };
        let linked = Memo::new(move |before: Option<&ListQuery>| {
            let mut asked = search.with(|search| Asked::parse(search));
            if let Some(only) = only() {
                asked.query.filter.component = Some(only);
            }
            match before {
                // On the way to another environment this one keeps its filter.
                Some(before) if asked.environment != environment => before.clone(),
                _ => asked.query,
            }
        });
        let typed = RwSignal::new(linked.with_untracked(|query| query.filter.text.clone()));
        let query = Memo::new(move |_| {
            let mut query = linked.get();
            query.filter.text = typed.get();
            query
        });
        let known = RwSignal::new(Known::rendered(page));
        let now = RwSignal::new(page.now);
        let rendered = Rendered::new(page, query.get_untracked());
        let sort = Memo::new(move |_| linked.with(|query| query.sort));
        let index = move |_: Option<&Option<Arc<Index>>>| {
            known.with(|known| known.whole.then(|| Arc::new(Index::new(of_page(&known.rows), sort.get(), now.get()))))
        };
        // Made anew only for other rows, another order or another minute: worth showing each time.
        let index = Memo::new_with_compare(index, |_, _| true);
        let shown = Memo::new(move |_| {
            query.with(|query| match index.get() {
                Some(index) => Shown::of(&index, query),
                None => known.with(|known| Shown::rendered(known, &rendered, query)),
            })
        });
        let state = Self {
            viewer: StoredValue::new(page.viewer.clone()),
            environment,
            known,
            now,
            lit: RwSignal::new(None),
            base: StoredValue::new(base),
            opened,
            linked,
            typed,
            query,
            shown,
            window: RwSignal::new(sight::first_window()),
            cursor: RwSignal::new(0),
            editing_tags: RwSignal::new(None),
            freshness: RwSignal::new(Freshness::Fresh),
            row_height: RwSignal::new(0.0),
        };
        provide_context(state);
        state
    }

    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    /// The one component this page is about.
    #[must_use]
    pub fn only(self) -> Option<ComponentSlug> {
        only()
    }

    /// Whether a filter is in force that somebody could drop.
    #[must_use]
    pub fn is_filtered(self) -> bool {
        self.query.with(|query| {
            let component = query.filter.component.clone().filter(|_| self.only().is_none());
            !Filter { component, ..query.filter.clone() }.is_empty()
        })
    }

    #[must_use]
    pub fn may(self, action: Action) -> bool {
        self.viewer.with_value(|viewer| viewer.may(action))
    }

    #[must_use]
    pub fn base(self) -> Base {
        self.base.get_value()
    }

    /// The address of this list under a filter changed by `change`.
    pub fn link(self, change: impl FnOnce(&mut ListQuery)) -> String {
        let mut query = self.linked.get();
        change(&mut query);
        self.base.with_value(|base| base.list(self.environment, &query))
    }

    /// The same, with the connection beside it that is beside it now.
    pub fn link_here(self, change: impl FnOnce(&mut ListQuery)) -> String {
        let mut query = self.linked.get();
        change(&mut query);
        self.base.with_value(|base| match self.opened.get() {
            Some(id) => base.detail(self.environment, &query, &id),
            None => base.list(self.environment, &query),
        })
    }

    /// The address of one connection beside this list.
    #[must_use]
    pub fn detail_link(self, id: &ConnectionId) -> String {
        self.linked.with(|query| self.base.with_value(|base| base.detail(self.environment, query, id)))
    }

    /// The text the URL says, which the typed text follows when it changes from outside.
    #[must_use]
    pub fn linked_text(self) -> String {
        self.linked.with(|query| query.filter.text.clone())
    }

    /// The moment relative times are reckoned from; moves on each minute, and with each answer.
    #[must_use]
    pub fn now(self) -> Timestamp {
        self.now.get()
    }

    /// The same for a deed that must not run again when time goes on.
    #[must_use]
    pub fn now_untracked(self) -> Timestamp {
        self.now.get_untracked()
    }

    pub fn set_now(self, now: Timestamp) {
        self.now.set(now);
    }

    #[must_use]
    pub fn known(self) -> Known {
        self.known.get()
    }

    #[must_use]
    pub fn revision(self) -> i64 {
        self.known.with_untracked(|known| known.revision)
    }

    /// The place of the row that Tab reaches: where the cursor is, or else the first one in sight.
    #[must_use]
    pub fn tab_stop(self) -> usize {
        let window = self.window.get().within(self.shown.with(Shown::len));
        window.nearest(self.cursor.get())
    }

    #[must_use]
    pub fn is_whole(self) -> bool {
        self.known.with(|known| known.whole)
    }

    #[must_use]
    pub fn summary(self, id: &ConnectionId) -> Option<Summary> {
        self.known.with(|known| known.rows.iter().find(|row| row.summary.id == *id).map(|row| row.summary.clone()))
    }

    #[must_use]
    pub fn badge(self, slug: &ComponentSlug) -> Option<ComponentBadge> {
        self.known.with(|known| known.badges.get(slug).cloned())
    }

    /// The badge, or one made of the slug until it is known.
    #[must_use]
    pub fn badge_or_slug(self, slug: &ComponentSlug) -> ComponentBadge {
        let unnamed = || ComponentBadge { slug: slug.clone(), name: slug.to_string(), icon: String::new() };
        self.badge(slug).unwrap_or_else(unnamed)
    }

    /// All tags of the environment as first written, for completion.
    #[must_use]
    pub fn tags(self) -> Vec<String> {
        self.shown.with(|shown| shown.facets.tags.iter().map(|tag| tag.label.clone()).collect())
    }

    /// Takes over a snapshot, whole or as changes; an older one than what is known is left out.
    pub fn take(self, snapshot: Snapshot) {
        if snapshot.now.since(self.now.get_untracked()) >= TICK {
            self.now.set(snapshot.now);
        }
        let settled = self.known.with_untracked(|known| known.whole && known.revision >= snapshot.revision);
        if !settled {
            self.known.update(|known| known.take(snapshot));
        }
    }

    /// Puts one row in or replaces it, and lights it up.
    pub fn upsert(self, summary: Summary, badge: Option<ComponentBadge>) {
        let id = summary.id.clone();
        self.put(summary, badge);
        self.lit.set(Some(id));
    }

    /// Tells the host of what was done here, once the server has done it. Said by whoever did it: whether a row is in
    /// the list already says nothing, as the stream of changes may have been faster.
    pub fn tell(self, kind: &str, summary: &Summary) {
        host::tell(kind, summary, self.environment.as_str(), self.now_untracked());
    }

    /// The same of workflows that used a connection and use others now.
    pub fn tell_replaced(self, summary: &Summary, moved: &[(String, ConnectionId)]) {
        if !moved.is_empty() {
            host::tell_replaced(summary, self.environment.as_str(), self.now_untracked(), moved);
        }
    }

    fn put(self, summary: Summary, badge: Option<ComponentBadge>) {
        self.known.update(|known| {
            if let Some(badge) = badge {
                Arc::make_mut(&mut known.badges).insert(badge.slug.clone(), badge);
            }
            let incoming = to_rows(vec![summary], &known.badges);
            known.rows = Arc::new(merged(&known.rows, incoming, &[]));
        });
    }

    /// Takes one row out: it was deleted.
    pub fn remove(self, id: &ConnectionId) {
        self.known.update(|known| {
            known.rows = Arc::new(merged(&known.rows, Vec::new(), std::slice::from_ref(id)));
            known.deleted += 1;
        });
    }

    /// One deleted connection is gone for good.
    pub fn forget_deleted(self) {
        self.known.update(|known| known.deleted = known.deleted.saturating_sub(1));
    }

    /// Puts back one row that was taken out.
    pub fn restore(self, summary: Summary) {
        self.forget_deleted();
        self.lit.set(Some(summary.id.clone()));
        self.put(summary, None);
    }
}

impl Known {
    fn rendered(page: &FirstPage) -> Self {
        let badges = page.components.iter().map(|badge| (badge.slug.clone(), badge.clone())).collect();
        Self {
            revision: page.revision,
            whole: false,
            rows: Arc::new(to_rows(page.rows.clone(), &badges)),
            badges: Arc::new(badges),
            deleted: page.deleted,
        }
    }

    fn take(&mut self, snapshot: Snapshot) {
        let badges = Arc::make_mut(&mut self.badges);
        badges.extend(snapshot.components.into_iter().map(|badge| (badge.slug.clone(), badge)));
        let incoming = to_rows(snapshot.rows, badges);
        let rows = if snapshot.whole { incoming } else { merged(&self.rows, incoming, &snapshot.removed) };
        self.rows = Arc::new(rows);
        self.whole |= snapshot.whole;
        self.revision = snapshot.revision;
        self.deleted = snapshot.deleted;
    }
}

fn only() -> Option<ComponentSlug> {
    host::component()?.try_into().ok()
}

/// The rows that can be shown at all: of one component where the page is about it.
fn of_page(rows: &Arc<Vec<Row>>) -> Arc<Vec<Row>> {
    match only() {
        Some(only) => Arc::new(rows.iter().filter(|row| row.summary.component == only).cloned().collect()),
        None => Arc::clone(rows),
    }
}

fn to_rows(summaries: Vec<Summary>, badges: &HashMap<ComponentSlug, ComponentBadge>) -> Vec<Row> {
    let row = |summary: Summary| {
        let badge = badges.get(&summary.component);
        Row::new(summary, badge)
    };
    summaries.into_iter().map(row).collect()
}

/// The old rows without the removed ones, each replaced where it comes in at least as new; the new ones at the end.
fn merged(old: &[Row], incoming: Vec<Row>, removed: &[ConnectionId]) -> Vec<Row> {
    let removed: HashSet<&ConnectionId> = removed.iter().collect();
    let mut incoming: HashMap<ConnectionId, Row> =
        incoming.into_iter().map(|row| (row.summary.id.clone(), row)).collect();
    let mut rows: Vec<Row> = old
        .iter()
        .filter(|row| !removed.contains(&row.summary.id))
        .map(|row| match incoming.remove(&row.summary.id) {
            Some(news) if news.summary.version >= row.summary.version => news,
            _ => row.clone(),
        })
        .collect();
    rows.extend(incoming.into_values());
    rows
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
