//! A component's icon, or a tidy tile with its letter.

use leptos::prelude::*;

use crate::domain::component::ComponentBadge;
use crate::ui::state::address::Base;

/// Colours a tile can have; the style sheet names as many.
const TILES: usize = 6;

/// Decoration: the name always stands beside it.
#[component]
pub fn ComponentIcon(#[prop(into)] badge: Signal<ComponentBadge>) -> impl IntoView {
    let base = Base::expect();
    let drawn = Memo::new(move |_| badge.with(|badge| !badge.icon.is_empty()));
    let inside = move || {
        if drawn.get() {
            let base = base.clone();
            // A picture that is only being chosen is its own address.
            let address = move |icon: &str| if icon.starts_with("data:") { icon.to_owned() } else { base.file(icon) };
            let source = move || badge.with(|badge| address(&badge.icon));
            view! { <img src=move || source() alt="" width="20" height="20" decoding="async" /> }.into_any()
        } else {
            let class = move || badge.with(|badge| tile_class(&badge.name));
            let letter = move || badge.with(|badge| letter(&badge.name));
            view! { <span class=move || class()>{move || letter()}</span> }.into_any()
        }
    };
    view! { <span class="logo" aria-hidden="true">{move || inside()}</span> }.into_any()
}

fn tile_class(name: &str) -> String {
    let tile = name.bytes().map(usize::from).sum::<usize>() % TILES;
    format!("tile tile-{tile}")
}

fn letter(name: &str) -> String {
    name.chars().take(1).flat_map(char::to_uppercase).collect()
}
