//! The environment's connections, shared as one slice behind one signal.

use leptos::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::page::{FirstPage, Snapshot};
use crate::api::session::Viewer;
use crate::domain::component::{ComponentBadge, ComponentSlug};
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::filter::Row;
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;

/// The rows this page knows of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub revision: i64,
    /// `false`: only the server-rendered first page; counts and rows come from there until the snapshot is here.
    pub whole: bool,
    pub rows: Arc<Vec<Row>>,
    pub badges: Arc<BTreeMap<ComponentSlug, ComponentBadge>>,
    pub deleted: usize,
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
}

impl ListState {
    /// State from the server-rendered page, put in context.
    pub fn provide(page: &FirstPage) -> Self {
        let badges: BTreeMap<_, _> = page.components.iter().map(|badge| (badge.slug.clone(), badge.clone())).collect();
        let known = Known {
            revision: page.revision,
            whole: false,
            rows: Arc::new(to_rows(page.rows.clone(), &badges)),
            badges: Arc::new(badges),
            deleted: page.deleted,
        };
        let state = Self {
            viewer: StoredValue::new(page.viewer.clone()),
            environment: page.environment,
            known: RwSignal::new(known),
            now: RwSignal::new(page.now),
            lit: RwSignal::new(None),
        };
        provide_context(state);
        state
    }

    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    /// The moment relative times are reckoned from; moves on each minute, and with each answer.
    #[must_use]
    pub fn now(self) -> Timestamp {
        self.now.get()
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

    /// All tags of the environment as first written, for completion.
    #[must_use]
    pub fn tags(self) -> Vec<String> {
        self.known.with(|known| {
            let mut tags = BTreeMap::new();
            for row in known.rows.iter() {
                for (key, tag) in row.tag_keys.iter().zip(&row.summary.tags) {
                    tags.entry(key.clone()).or_insert_with(|| tag.as_str().to_owned());
                }
            }
            tags.into_values().collect()
        })
    }

    /// Takes over a snapshot, whole or as changes; an older one than what is known is left out.
    pub fn take(self, snapshot: Snapshot) {
        self.now.set(snapshot.now);
        let news = !snapshot.rows.is_empty() || !snapshot.removed.is_empty();
        let current = self.known.with_untracked(|known| known.whole && known.revision >= snapshot.revision);
        if current || (!snapshot.whole && !news && self.revision() == snapshot.revision) {
            return;
        }
        self.known.update(|known| {
            let badges = Arc::make_mut(&mut known.badges);
            badges.extend(snapshot.components.into_iter().map(|badge| (badge.slug.clone(), badge)));
            let incoming = to_rows(snapshot.rows, badges);
            known.rows = Arc::new(if snapshot.whole { incoming } else { merged(&known.rows, incoming, &snapshot.removed) });
            known.whole |= snapshot.whole;
            known.revision = snapshot.revision;
            known.deleted = snapshot.deleted;
        });
    }

    /// Puts one row in or replaces it, and lights it up.
    pub fn upsert(self, summary: Summary, badge: Option<ComponentBadge>) {
        let id = summary.id.clone();
        self.known.update(|known| {
            if let Some(badge) = badge {
                Arc::make_mut(&mut known.badges).insert(badge.slug.clone(), badge);
            }
            let incoming = to_rows(vec![summary], &known.badges);
            known.rows = Arc::new(merged(&known.rows, incoming, &[]));
        });
        self.lit.set(Some(id));
    }

    /// Takes one row out: it was deleted.
    pub fn remove(self, id: &ConnectionId) {
        self.known.update(|known| {
            known.rows = Arc::new(merged(&known.rows, Vec::new(), std::slice::from_ref(id)));
            known.deleted += 1;
        });
    }
}

fn to_rows(summaries: Vec<Summary>, badges: &BTreeMap<ComponentSlug, ComponentBadge>) -> Vec<Row> {
    summaries
        .into_iter()
        .map(|summary| {
            let badge = badges.get(&summary.component);
            Row::new(summary, badge)
        })
        .collect()
}

/// The old rows without the removed ones, each replaced where it comes in newer, the new ones first.
fn merged(old: &[Row], incoming: Vec<Row>, removed: &[ConnectionId]) -> Vec<Row> {
    let mut incoming: BTreeMap<ConnectionId, Row> =
        incoming.into_iter().map(|row| (row.summary.id.clone(), row)).collect();
    let mut rows: Vec<Row> = old
        .iter()
        .filter(|row| !removed.contains(&row.summary.id))
        .map(|row| incoming.remove(&row.summary.id).unwrap_or_else(|| row.clone()))
        .collect();
    rows.extend(incoming.into_values());
    rows
}
