//! A component's icon, or a tidy tile with its letter.

use leptos::prelude::*;

use crate::domain::component::ComponentBadge;
use crate::ui::state::address::Base;

/// Colours a tile can have; the style sheet names as many.
const TILES: usize = 6;

/// Decoration: the name always stands beside it.
#[component]
pub fn ComponentIcon(badge: Option<ComponentBadge>, base: Base) -> impl IntoView {
    let inside = match badge {
        Some(badge) if !badge.icon.is_empty() => {
            view! { <img src=base.file(&badge.icon) alt="" width="20" height="20" decoding="async" /> }.into_any()
        }
        badge => {
            let name = badge.map(|badge| badge.name).unwrap_or_default();
            let letter = name.chars().next().unwrap_or('?').to_uppercase().to_string();
            let tile = name.bytes().map(usize::from).sum::<usize>() % TILES;
            view! { <span class=format!("tile tile-{tile}")>{letter}</span> }.into_any()
        }
    };
    view! { <span class="logo" aria-hidden="true">{inside}</span> }.into_any()
}
