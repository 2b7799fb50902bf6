//! Tags: free labels, unique per workspace regardless of case.

use serde::{Deserialize, Serialize};
use std::fmt;

use super::fold::fold;
use super::line::is_unseen;

/// One label of 1 to 40 characters; commas separate tags and stand in none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

/// Longest tag, in characters.
pub const TAG_LIMIT: usize = 40;
/// Most tags on one connection.
pub const TAGS_PER_CONNECTION: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTag {
    #[error("A tag needs at least one character.")]
    Empty,
    #[error("A tag has at most 40 characters. Shorten it.")]
    TooLong,
    #[error("A tag holds no comma and no control character. Remove it.")]
    Forbidden,
    #[error("A connection carries at most 50 tags. Remove some.")]
    TooMany,
}

impl Tag {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What tags are compared and sorted by.
    #[must_use]
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

impl TryFrom<String> for Tag {
    type Error = InvalidTag;

    fn try_from(text: String) -> Result<Self, InvalidTag> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            Err(InvalidTag::Empty)
        } else if text.chars().any(|c| is_unseen(c) || c == ',') {
            Err(InvalidTag::Forbidden)
        } else if text.chars().count() > TAG_LIMIT {
            Err(InvalidTag::TooLong)
        } else {
            Ok(Self(text))
        }
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A connection's tags: sorted by key, each key once, at most [`TAGS_PER_CONNECTION`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Tag>", into = "Vec<Tag>")]
pub struct TagSet(Vec<Tag>);

impl TagSet {
    /// Reads tags as typed.
    ///
    /// # Errors
    /// The first tag that breaks a rule, or too many of them.
    pub fn parse<I, S>(texts: I) -> Result<Self, InvalidTag>
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let tags = texts.into_iter().map(|text| Tag::try_from(text.into())).collect::<Result<Vec<_>, _>>()?;
        Self::try_from(tags)
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Tag> {
        self.0.iter()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        self.0.iter().any(|tag| tag.key() == key)
    }
}

impl TryFrom<Vec<Tag>> for TagSet {
    type Error = InvalidTag;

    fn try_from(mut tags: Vec<Tag>) -> Result<Self, InvalidTag> {
        tags.sort_by_key(Tag::key);
        tags.dedup_by_key(|tag| tag.key());
        if tags.len() > TAGS_PER_CONNECTION { Err(InvalidTag::TooMany) } else { Ok(Self(tags)) }
    }
}

impl From<TagSet> for Vec<Tag> {
    fn from(set: TagSet) -> Self {
        set.0
    }
}

impl<'a> IntoIterator for &'a TagSet {
    type Item = &'a Tag;
    type IntoIter = std::slice::Iter<'a, Tag>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_same_tag_in_another_case_counts_once() {
        let set = TagSet::parse(["Ops", "billing", "ops"]).expect("valid tags");
        assert_eq!(set.iter().map(Tag::as_str).collect::<Vec<_>>(), ["billing", "Ops"]);
    }

    #[test]
    fn ten_thousand_tags_are_refused() {
        let many = (0..10_000).map(|n| format!("tag {n}"));
        assert_eq!(TagSet::parse(many), Err(InvalidTag::TooMany));
    }

    proptest! {
        #[test]
        fn a_parsed_tag_keeps_the_rules(text in ".{0,60}") {
            if let Ok(tag) = Tag::try_from(text) {
                prop_assert!(!tag.as_str().is_empty());
                prop_assert!(tag.as_str().chars().count() <= TAG_LIMIT);
                prop_assert!(!tag.as_str().contains(','));
            }
        }
    }
}
