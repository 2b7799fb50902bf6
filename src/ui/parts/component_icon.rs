//! A component's icon, or a tidy letter where it has none.

use leptos::prelude::*;

use crate::domain::component::ComponentBadge;

/// Decorative: the component's name stands beside it.
#[component]
pub fn ComponentIcon(badge: ComponentBadge) -> impl IntoView {
    let picture = if badge.icon.is_empty() {
        let letter: String = badge.name.chars().take(1).flat_map(char::to_uppercase).collect();
        view! { <span class="tile">{letter}</span> }.into_any()
    } else {
        let source = format!("/{}", badge.icon);
        view! { <img src=source alt="" width="24" height="24" loading="lazy" /> }.into_any()
    };
    view! { <span class="logo" aria-hidden="true">{picture}</span> }.into_any()
}
