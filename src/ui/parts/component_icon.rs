//! A component's icon, or a tidy tile with its letter.

use leptos::prelude::*;

use crate::domain::component::ComponentBadge;
use crate::ui::state::address::Base;

/// Colours a tile can have; the style sheet names as many.
const TILES: usize = 6;

/// Decoration: the name always stands beside it.
#[component]
pub fn ComponentIcon(badge: ComponentBadge) -> impl IntoView {
    view! { <span class="logo" aria-hidden="true">{picture(&badge)}</span> }.into_any()
}

fn picture(badge: &ComponentBadge) -> AnyView {
    let icon = &*badge.icon;
    if icon.is_empty() {
        return view! { <span class=tile_class(&badge.name)>{letter(&badge.name)}</span> }.into_any();
    }
    if let Some(class) = sheet_class(badge) {
        return view! { <span class=class></span> }.into_any();
    }
    // A picture that is only being chosen is its own address.
    let source = if icon.starts_with("data:") { icon.to_owned() } else { Base::expect().file(icon) };
    view! { <img src=source alt="" width="20" height="20" decoding="async" /> }.into_any()
}

/// What shows a built-in icon: its place on the sheet that holds all of them, one request instead of one an icon.
#[must_use]
pub fn sheet_class(badge: &ComponentBadge) -> Option<String> {
    built_in(&badge.icon).map(|name| format!("drawn drawn-{name}"))
}

/// `slack` of `icons/slack.webp`; pictures of operators and workspaces lie in folders below.
fn built_in(icon: &str) -> Option<&str> {
    icon.strip_prefix("icons/")?.strip_suffix(".webp").filter(|name| !name.contains('/'))
}

fn tile_class(name: &str) -> String {
    let tile = name.bytes().map(usize::from).sum::<usize>() % TILES;
    format!("tile tile-{tile}")
}

fn letter(name: &str) -> String {
    name.chars().take(1).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::built_in;

    #[test]
    fn only_built_in_icons_are_on_the_sheet() {
        assert_eq!(built_in("icons/slack.webp"), Some("slack"));
        assert_eq!(built_in("icons/custom/acme.svg"), None);
        assert_eq!(built_in("icons/own/wsp_1/abc.webp"), None);
    }
}
