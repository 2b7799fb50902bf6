//! A connection as a row that can be searched and sorted, and the filters over a list of them.

use serde::{Deserialize, Serialize};

use super::component::{ComponentBadge, ComponentSlug};
use super::connection::Summary;
use super::fold::fold;
use super::health::Status;
use super::sort::Sort;

/// A summary with the keys it is searched and sorted by, made once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub summary: Summary,
    pub name_key: String,
    pub component_key: String,
    /// One folded key a tag, in the order of the tags.
    pub tag_keys: Vec<String>,
    /// Everything search looks at, folded.
    pub(super) haystack: String,
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
    /// Only what no workflow uses.
    #[serde(default)]
    pub unused: bool,
    /// As typed; every word must occur somewhere in the row.
    pub text: String,
}

impl Filter {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.component.is_none()
            && self.tags.is_empty()
            && self.status.is_none()
            && !self.unused
            && self.text.trim().is_empty()
    }

    #[must_use]
    pub fn has_tag(&self, key: &str) -> bool {
        self.tags.iter().any(|tag| tag == key)
    }
}

/// What the URL's query says: filter and order. Unknown values are left out, never an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery {
    pub filter: Filter,
    pub sort: Sort,
}

impl ListQuery {
    /// Reads `component`, `tag` (may repeat), `status`, `used`, `q` and `sort`.
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
                "used" => query.filter.unused = value == "false",
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
        if self.filter.unused {
            pairs.push(("used", "false".to_owned()));
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
