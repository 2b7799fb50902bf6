//! The folded key: how names and tags are compared and sorted regardless of case.
//!
//! The key is made here, once, and stored as bytes, so that `SQLite`, `PostgreSQL` and the browser order alike.

/// Lower-cases by Unicode and collapses white space: equal keys mean equal names.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        key.extend(word.chars().flat_map(char::to_lowercase));
    }
    key
}

#[cfg(test)]
mod tests {
    use super::fold;
    use proptest::prelude::*;

    #[test]
    fn case_and_spacing_do_not_count() {
        assert_eq!(fold("  Orders,\tREAD  replica "), "orders, read replica");
        assert_eq!(fold("ÄRGER"), fold("ärger"));
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "[ -~äÄßéÉ]{0,40}") {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
