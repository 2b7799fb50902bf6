//! Texts on one line.

/// Whether a text has 1 to `limit` characters and none that ends a line, moves a terminal's cursor or, as NUL, cannot
/// be stored.
#[must_use]
pub fn is_line(text: &str, limit: usize) -> bool {
    !text.is_empty() && text.chars().count() <= limit && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::is_line;

    #[test]
    fn a_line_is_not_empty_not_long_and_holds_no_control() {
        assert!(is_line("é", 1) && is_line("wf 1", 4));
        for text in ["", "12345", "a\nb", "a\0", "\u{7f}", "\u{85}"] {
            assert!(!is_line(text, 4), "{text:?}");
        }
    }
}
