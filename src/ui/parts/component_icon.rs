//! A component's icon, or a tidy tile with its letter.

use leptos::prelude::*;

use crate::domain::component::ComponentBadge;
use crate::ui::state::address::Base;

/// Colours a tile can have; the style sheet names as many.
const TILES: usize = 6;

/// Decoration: the name always stands beside it.
#[component]
pub fn ComponentIcon(badge: ComponentBadge) -> impl IntoView {
    let inside = if badge.icon.is_empty() {
        let letter: String = badge.name.chars().take(1).flat_map(char::to_uppercase).collect();
        let tile = badge.name.bytes().map(usize::from).sum::<usize>() % TILES;
        view! { <span class=format!("tile tile-{tile}")>{letter}</span> }.into_any()
    } else {
        let source = Base::expect().file(&badge.icon);
        view! { <img src=source alt="" width="20" height="20" decoding="async" /> }.into_any()
    };
    view! { <span class="logo" aria-hidden="true">{inside}</span> }.into_any()
}
