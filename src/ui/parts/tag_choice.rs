//! What a tag input does with text, without a browser.

use crate::domain::fold::fold;
use crate::domain::tag::{InvalidTag, Tag, TagSet};

/// Most completions shown at once.
const SUGGESTIONS: usize = 6;

/// The tags with those of `text` added, as typed and in their order; commas separate, known keys are left out.
///
/// # Errors
/// The first rule that a tag, or their number, breaks.
pub fn with_added(tags: &[String], text: &str) -> Result<Vec<String>, InvalidTag> {
    let mut all = tags.to_vec();
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        let tag = Tag::try_from(part.to_owned())?;
        if all.iter().all(|known| fold(known) != tag.key()) {
            all.push(tag.as_str().to_owned());
        }
    }
    TagSet::parse(all.clone())?;
    Ok(all)
}

/// Tags that exist and would fit what is being typed: those that begin with it first.
#[must_use]
pub fn suggestions(known: &[String], chosen: &[String], text: &str) -> Vec<String> {
    let key = fold(text);
    let taken: Vec<String> = chosen.iter().map(|tag| fold(tag)).collect();
    let mut fitting: Vec<(bool, &String)> = known
        .iter()
        .filter_map(|tag| {
            let tag_key = fold(tag);
            let fits = tag_key.contains(&key) && !taken.contains(&tag_key);
            fits.then(|| (!tag_key.starts_with(&key), tag))
        })
        .collect();
    fitting.sort_by_key(|(late, _)| *late);
    fitting.into_iter().take(SUGGESTIONS).map(|(_, tag)| tag.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owned(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|&tag| tag.to_owned()).collect()
    }

    #[test]
    fn commas_separate_and_a_known_tag_is_not_added_twice() {
        assert_eq!(
            with_added(&owned(&["Ops"]), "billing, ops,,  eu  west "),
            Ok(owned(&["Ops", "billing", "eu west"]))
        );
    }

    #[test]
    fn a_tag_too_long_is_refused_and_named() {
        assert_eq!(with_added(&[], &"x".repeat(41)), Err(InvalidTag::TooLong));
    }

    #[test]
    fn completion_prefers_beginnings_and_leaves_chosen_tags_out() {
        let known = owned(&["devops", "ops", "Operations", "billing"]);
        assert_eq!(suggestions(&known, &owned(&["OPS"]), "op"), owned(&["Operations", "devops"]));
    }

    proptest! {
        #[test]
        fn adding_again_changes_nothing(text in "[a-zA-Z ,äÄ]{0,30}") {
            if let Ok(once) = with_added(&[], &text) {
                prop_assert_eq!(with_added(&once, &text), Ok(once));
            }
        }
    }
}
