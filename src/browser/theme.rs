//! The theme on the document.

use leptos::prelude::document;

use super::cookie::remember;
use crate::ui::parts::theme::Theme;

const ATTRIBUTE: &str = "data-theme";

/// The theme the server rendered.
#[must_use]
pub fn rendered() -> Theme {
    let attribute = document().document_element().and_then(|html| html.get_attribute(ATTRIBUTE));
    Theme::parse(attribute.as_deref().unwrap_or_default())
}

/// Colours the page and keeps the choice.
pub fn apply(theme: Theme, base: &str) {
    if let Some(html) = document().document_element() {
        let _ = match theme.attribute() {
            Some(word) => html.set_attribute(ATTRIBUTE, word),
            None => html.remove_attribute(ATTRIBUTE),
        };
    }
    remember(Theme::COOKIE, theme.as_str(), base);
}
