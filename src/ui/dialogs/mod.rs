//! The dialogs, and the one place that shows whichever is open.

use leptos::prelude::*;

/// Shows the open dialog.
#[component]
pub fn DialogHost() -> impl IntoView {}
