//! Native popovers: where they appear, and moving in a menu.

use leptos::ev::{FocusEvent, KeyboardEvent, MouseEvent};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, Node};

use super::pixels;

/// Room between a menu and what opened it, and the viewport's edge.
const GAP: f64 = 4.0;

/// Shows a menu at the button that was clicked, and focuses its first item.
pub fn open_at(menu: &str, event: &MouseEvent) {
    let Some(menu) = by_id(menu) else { return };
    let Some(button) = event.current_target().and_then(|target| target.dyn_into::<Element>().ok()) else { return };
    if menu.show_popover().is_err() {
        return;
    }
    let (button, size) = (button.get_bounding_client_rect(), menu.get_bounding_client_rect());
    let viewport = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default();
    let below = button.bottom() + GAP;
    let fits = below + size.height() + GAP <= viewport;
    let top = if fits { below } else { (button.top() - GAP - size.height()).max(GAP) };
    let left = (button.right() - size.width()).max(GAP);
    let style = menu.style();
    let _ = style.set_property("top", &pixels(top));
    let _ = style.set_property("left", &pixels(left));
    focus(items(&menu).first());
}

pub fn close(popover: &str) {
    if let Some(popover) = by_id(popover) {
        let _ = popover.hide_popover();
    }
}

#[must_use]
pub fn is_open(popover: &str) -> bool {
    by_id(popover).is_some_and(|popover| popover.matches(":popover-open").unwrap_or(false))
}

/// Arrows, Home and End move between a menu's items; Tab leaves it.
pub fn move_in_menu(menu: &str, event: &KeyboardEvent) {
    let Some(menu) = by_id(menu) else { return };
    let items = items(&menu);
    let active = document().active_element();
    let at = items.iter().position(|item| Some(item.as_ref()) == active.as_ref()).unwrap_or(0);
    let next = match event.key().as_str() {
        "ArrowDown" => (at + 1) % items.len().max(1),
        "ArrowUp" => (at + items.len()).saturating_sub(1) % items.len().max(1),
        "Home" => 0,
        "End" => items.len().saturating_sub(1),
        "Tab" => {
            let _ = menu.hide_popover();
            return;
        }
        _ => return,
    };
    event.prevent_default();
    focus(items.get(next));
}

/// Closes a popover used as a drawer when the focus moves out of it: what it covers is never in focus.
pub fn close_when_left(popover: &str, event: &FocusEvent) {
    let Some(next) = event.related_target().and_then(|target| target.dyn_into::<Node>().ok()) else { return };
    let Some(drawer) = by_id(popover) else { return };
    if is_open(popover) && !drawer.contains(Some(&next)) {
        let _ = drawer.hide_popover();
    }
}

fn by_id(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id).map(JsCast::unchecked_into)
}

fn items(menu: &HtmlElement) -> Vec<HtmlElement> {
    let Ok(found) = menu.query_selector_all("[role=menuitem]:not([hidden])") else { return Vec::new() };
    (0..found.length()).filter_map(|at| found.item(at)).map(JsCast::unchecked_into).collect()
}

fn focus(item: Option<&HtmlElement>) {
    if let Some(item) = item {
        let _ = item.focus();
    }
}
