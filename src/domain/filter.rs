//! Which connections are shown, and how many there would be: pure functions that the server runs for
//! the first page and the browser for everything after it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::component::{ComponentBadge, ComponentSlug};
use super::connection::Summary;
use super::fold::fold;
use super::health::Status;
use super::sort::Sort;
use super::time::Timestamp;

/// A summary with the keys it is searched and sorted by, made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub summary: Summary,
    pub name_key: String,
    pub component_key: String,
    /// One folded key a tag, in the order of the tags.
    pub tag_keys: Vec<String>,
    /// Everything search looks at, folded.
    haystack: String,
}

impl Row {
    #[must_use]
    pub fn new(summary: Summary, badge: Option<&ComponentBadge>) -> Self {
        let component_name = badge.map_or_else(|| summary.component.as_str(), |badge| badge.name.as_str());
        let component_key = fold(component_name);
        let name_key = summary.name.key();
        let tag_keys: Vec<String> = summary.tags.iter().map(super::tag::Tag::key).collect();
        let account = summary.account.as_deref().map(fold).unwrap_or_default();
        let haystack = format!("{component_key}\n{name_key}\n{account}\n{}", tag_keys.join("\n"));
        Self { summary, name_key, component_key, tag_keys, haystack }
    }
}

/// The filters in force. Tags are folded keys; several mean *all of them*.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    pub component: Option<ComponentSlug>,
    pub tags: Vec<String>,
    pub status: Option<Status>,
    /// As typed; every word must occur somewhere in the row.
    pub text: String,
}

impl Filter {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.component.is_none() && self.tags.is_empty() && self.status.is_none() && self.text.trim().is_empty()
    }

    #[must_use]
    pub fn has_tag(&self, key: &str) -> bool {
        self.tags.iter().any(|tag| tag == key)
    }
}

/// How many connections each further click would show. Counts follow the other filters in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    /// All connections of the environment, whatever the filters.
    pub everything: usize,
    /// Matching all filters but the component.
    pub all_components: usize,
    pub components: BTreeMap<ComponentSlug, usize>,
    /// By folded key: the tag as first written, and its count.
    pub tags: BTreeMap<String, (String, usize)>,
    pub active: usize,
    pub not_active: usize,
}

/// The rows that match, as indices into `rows`, in order; and the counts beside them.
#[must_use]
pub fn select(rows: &[Row], filter: &Filter, sort: Sort, now: Timestamp) -> (Vec<usize>, Facets) {
    let words: Vec<String> = fold(&filter.text).split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect();
    let mut facets = Facets { everything: rows.len(), ..Facets::default() };
    let mut shown = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let status = row.summary.status_at(now);
        let text = words.iter().all(|word| row.haystack.contains(word.as_str()));
        let tags = filter.tags.iter().all(|key| row.tag_keys.contains(key));
        let component = filter.component.as_ref().is_none_or(|slug| *slug == row.summary.component);
        let of_status = filter.status.is_none_or(|wanted| wanted == status);
        if text && tags && of_status {
            facets.all_components += 1;
        }
        count_component(&mut facets, row, text && tags && of_status);
        count_tags(&mut facets, row, text && tags && component && of_status);
        if text && tags && component {
            match status {
                Status::Active => facets.active += 1,
                Status::NotActive => facets.not_active += 1,
            }
        }
        if text && tags && component && of_status {
            shown.push(index);
        }
    }
    shown.sort_by(|a, b| sort.compare(&rows[*a], &rows[*b], now));
    (shown, facets)
}

fn count_component(facets: &mut Facets, row: &Row, matches: bool) {
    // Looked up before it is cloned: most rows share their component with an earlier one.
    if let Some(count) = facets.components.get_mut(&row.summary.component) {
        *count += usize::from(matches);
    } else {
        facets.components.insert(row.summary.component.clone(), usize::from(matches));
    }
}

fn count_tags(facets: &mut Facets, row: &Row, matches: bool) {
    for (key, tag) in row.tag_keys.iter().zip(&row.summary.tags) {
        if let Some((_, count)) = facets.tags.get_mut(key) {
            *count += usize::from(matches);
        } else {
            facets.tags.insert(key.clone(), (tag.as_str().to_owned(), usize::from(matches)));
        }
    }
}

/// What the URL's query says: filter and order. Unknown values are left out, never an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery {
    pub filter: Filter,
    pub sort: Sort,
}

impl ListQuery {
    /// Reads `component`, `tag` (may repeat), `status`, `q` and `sort`.
    #[must_use]
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut query = Self::default();
        for (key, value) in pairs {
            match key {
                "component" => query.filter.component = ComponentSlug::try_from(value.to_owned()).ok(),
                "tag" => {
                    let key = fold(value);
                    if !key.is_empty() && !query.filter.has_tag(&key) {
                        query.filter.tags.push(key);
                    }
                }
                "status" => query.filter.status = Status::parse(value),
                "q" => value.clone_into(&mut query.filter.text),
                "sort" => query.sort = Sort::parse(value).unwrap_or_default(),
                _ => {}
            }
        }
        query
    }

    /// The pairs that [`ListQuery::from_pairs`] reads back; defaults are left out.
    #[must_use]
    pub fn to_pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if let Some(component) = &self.filter.component {
            pairs.push(("component", component.as_str().to_owned()));
        }
        pairs.extend(self.filter.tags.iter().map(|tag| ("tag", tag.clone())));
        if let Some(status) = self.filter.status {
            pairs.push(("status", status.as_str().to_owned()));
        }
        if !self.filter.text.is_empty() {
            pairs.push(("q", self.filter.text.clone()));
        }
        if self.sort != Sort::default() {
            pairs.push(("sort", self.sort.as_str().to_owned()));
        }
        pairs
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
