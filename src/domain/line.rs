//! Texts on one line.

/// Whether a character ends a line, moves a terminal's cursor, or turns the direction in which what follows is read, so
/// that one text passes for another (Unicode Technical Report 36, section 2.6).
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text has 1 to `limit` characters and none that [`is_unseen`].
#[must_use]
pub fn is_line(text: &str, limit: usize) -> bool {
    !text.is_empty() && text.chars().count() <= limit && !text.chars().any(is_unseen)
}

#[cfg(test)]
mod tests {
    use super::is_line;

    #[test]
    fn a_line_is_not_empty_not_long_and_holds_no_control() {
        assert!(is_line("é", 1) && is_line("wf 1", 4));
        for text in ["", "12345", "a\nb", "a\0", "\u{7f}", "\u{85}", "a\u{202e}b", "\u{2028}"] {
            assert!(!is_line(text, 4), "{text:?}");
        }
    }
}
