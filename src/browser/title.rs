//! What the window is called.

use leptos::prelude::document;

/// Names the window after a page.
pub fn set(page: &str) {
    document().set_title(&format!("{page} · Patchbay"));
}
