//! One connection, beside the list.

use leptos::prelude::*;

/// `/connections/{id}`
#[component]
pub fn DetailPanel() -> impl IntoView {}
