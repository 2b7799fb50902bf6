//! Which connections are shown, and how many there would be: pure functions that the server runs for
//! the first page and the browser for everything after it.

use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::component::ComponentSlug;
use super::filter::{Filter, Row};
use super::fold::fold;
use super::health::Status;
use super::sort::Sort;
use super::time::Timestamp;

/// How many connections each further click would show. Counts follow the other filters in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    /// All connections of the environment, whatever the filters.
    pub everything: usize,
    /// Matching all filters but the component.
    pub all_components: usize,
    /// In the order of their slugs.
    pub components: Vec<(ComponentSlug, usize)>,
    /// In the order of their keys.
    pub tags: Vec<TagCount>,
    pub active: usize,
    pub not_active: usize,
    /// What no workflow uses; `None` while the workspace has registered none at all.
    pub unused: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagCount {
    /// Folded.
    pub key: String,
    /// As first written.
    pub label: String,
    pub count: usize,
}

impl Facets {
    #[must_use]
    pub fn of_component(&self, slug: &ComponentSlug) -> usize {
        let found = self.components.binary_search_by(|(known, _)| known.cmp(slug));
        found.map_or(0, |at| self.components[at].1)
    }

    #[must_use]
    pub fn of_tag(&self, key: &str) -> usize {
        let found = self.tags.binary_search_by(|tag| tag.key.as_str().cmp(key));
        found.map_or(0, |at| self.tags[at].count)
    }
}

/// The rows that match, as indices into all of them, in order; and the counts beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    pub shown: Vec<usize>,
    pub facets: Facets,
}

/// Rows in order, with their components and tags as numbers: what a change of the filter need not reckon again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub rows: Arc<Vec<Row>>,
    now: Timestamp,
    order: Vec<usize>,
    components: Vec<ComponentSlug>,
    tags: Vec<(String, String)>,
    numbers: Vec<Numbers>,
}

/// A row's component and tags, as places among those of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Numbers {
    component: usize,
    tags: Vec<usize>,
}

/// The number of what does not occur: no row has it.
const NONE: usize = usize::MAX;

/// A filter, made ready to be asked of many rows.
struct Wanted<'a> {
    words: Vec<Finder<'a>>,
    component: Option<usize>,
    tags: Vec<usize>,
    status: Option<Status>,
    unused: bool,
}

impl Index {
    /// Sorts and numbers the rows; status is told as of `now`.
    #[must_use]
    pub fn new(rows: Arc<Vec<Row>>, sort: Sort, now: Timestamp) -> Self {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|a, b| sort.compare(&rows[*a], &rows[*b], now));
        let (mut slugs, mut labels) = (BTreeMap::new(), BTreeMap::new());
        for row in rows.iter() {
            slugs.entry(row.summary.component.as_str()).or_insert(&row.summary.component);
            for (key, tag) in row.tag_keys.iter().zip(&row.summary.tags) {
                labels.entry(key.as_str()).or_insert_with(|| tag.as_str());
            }
        }
        let components: Vec<ComponentSlug> = slugs.into_values().cloned().collect();
        let tags: Vec<_> = labels.into_iter().map(|(key, label)| (key.to_owned(), label.to_owned())).collect();
        let numbers = rows.iter().map(|row| Numbers {
            component: components.binary_search(&row.summary.component).unwrap_or(NONE),
            tags: row.tag_keys.iter().map(|key| tag_number(&tags, key)).collect(),
        });
        let numbers = numbers.collect();
        Self { rows, now, order, components, tags, numbers }
    }

    /// Applies a filter.
    #[must_use]
    pub fn select(&self, filter: &Filter) -> Selection {
        let text = fold(&filter.text);
        let wanted = Wanted {
            words: text.split(' ').filter(|word| !word.is_empty()).map(Finder::new).collect(),
            component: filter.component.as_ref().map(|slug| self.components.binary_search(slug).unwrap_or(NONE)),
            tags: filter.tags.iter().map(|key| tag_number(&self.tags, key)).collect(),
            status: filter.status,
            unused: filter.unused,
        };
        let mut shown = Vec::new();
        let mut tally = Tally::new(self.components.len(), self.tags.len());
        for index in &self.order {
            let (row, numbers) = (&self.rows[*index], &self.numbers[*index]);
            let status = row.summary.status_at(self.now);
            let unused = row.summary.workflows == Some(0);
            let passes = Passes {
                component: wanted.component.is_none_or(|wanted| wanted == numbers.component),
                status: wanted.status.is_none_or(|wanted| wanted == status),
                unused: unused || !wanted.unused,
            };
            // Nothing counts what fails two filters, so its text need not be looked at.
            let matches = passes.all_but_one() && wanted.matches(row, numbers);
            if matches && tally.count(numbers, passes, status, unused) {
                shown.push(*index);
            }
        }
        Selection { shown, facets: tally.facets(self) }
    }
}

fn tag_number(tags: &[(String, String)], key: &str) -> usize {
    tags.binary_search_by(|(known, _)| known.as_str().cmp(key)).unwrap_or(NONE)
}

/// Which of the filters that are counted beside the list a row passes.
#[derive(Clone, Copy)]
struct Passes {
    component: bool,
    status: bool,
    unused: bool,
}

impl Passes {
    fn all_but_one(self) -> bool {
        u8::from(self.component) + u8::from(self.status) + u8::from(self.unused) >= 2
    }
}

impl Wanted<'_> {
    /// Whether tags and text match.
    fn matches(&self, row: &Row, numbers: &Numbers) -> bool {
        self.tags.iter().all(|tag| numbers.tags.contains(tag))
            && self.words.iter().all(|word| word.find(row.haystack.as_bytes()).is_some())
    }
}

/// Counts by number of component and tag.
struct Tally {
    all_components: usize,
    components: Vec<usize>,
    tags: Vec<usize>,
    active: usize,
    not_active: usize,
    unused: usize,
}

impl Tally {
    fn new(components: usize, tags: usize) -> Self {
        Self {
            all_components: 0,
            components: vec![0; components],
            tags: vec![0; tags],
            active: 0,
            not_active: 0,
            unused: 0,
        }
    }

    /// Counts a row whose tags and text match; says whether it is shown.
    fn count(&mut self, numbers: &Numbers, passes: Passes, status: Status, unused: bool) -> bool {
        if passes.status && passes.unused {
            self.all_components += 1;
            self.components[numbers.component] += 1;
        }
        if passes.component && passes.unused {
            match status {
                Status::Active => self.active += 1,
                Status::NotActive => self.not_active += 1,
            }
        }
        if unused && passes.component && passes.status {
            self.unused += 1;
        }
        let shown = passes.component && passes.status && passes.unused;
        if shown {
            for tag in &numbers.tags {
                self.tags[*tag] += 1;
            }
        }
        shown
    }

    fn facets(self, index: &Index) -> Facets {
        let tag = |((key, label), count): (&(String, String), usize)| TagCount {
            key: key.clone(),
            label: label.clone(),
            count,
        };
        Facets {
            everything: index.rows.len(),
            all_components: self.all_components,
            components: index.components.iter().cloned().zip(self.components).collect(),
            tags: index.tags.iter().zip(self.tags).map(tag).collect(),
            active: self.active,
            not_active: self.not_active,
            unused: index.rows.first().and_then(|row| row.summary.workflows).map(|_| self.unused),
        }
    }
}

#[cfg(test)]
#[path = "selection_tests.rs"]
mod tests;
