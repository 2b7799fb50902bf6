//! Leaving a page while a dialog is open.

use js_sys::Reflect;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventTarget};

/// Until the view it is called in goes: while it is `dirty`, the browser asks before the document is left; and *Back* and
/// *Forward* within it call `close` instead of changing the page behind, as *Back* does on a phone.
///
/// A browser lets itself be held only in a window of its own, and only by a page that was touched since it held the last
/// time; one without the Navigation API (HTML standard, section 7.2.6) never. A frame asks nothing of its own where its
/// sandbox allows no modals.
pub fn hold(dirty: Signal<bool>, close: impl Fn() + 'static) {
    let unload = window_event_listener(ev::beforeunload, move |event| {
        if dirty.get_untracked() {
            event.prevent_default();
            // What older browsers go by; they show words of their own.
            event.set_return_value("unsaved");
        }
    });
    on_cleanup(move || unload.remove());
    let Some(navigation) = navigation() else { return };
    let heard = Closure::<dyn Fn(Event)>::new(move |event: Event| {
        if event.cancelable() && is_traversal(&event) {
            event.prevent_default();
            close();
        }
    });
    let _ = navigation.add_event_listener_with_callback(NAVIGATE, heard.as_ref().unchecked_ref());
    let held = StoredValue::new_local(heard);
    on_cleanup(move || {
        held.with_value(|heard| {
            let _ = navigation.remove_event_listener_with_callback(NAVIGATE, heard.as_ref().unchecked_ref());
        });
    });
}

const NAVIGATE: &str = "navigate";

fn navigation() -> Option<EventTarget> {
    Reflect::get(&window(), &JsValue::from_str("navigation")).ok()?.dyn_into().ok()
}

fn is_traversal(event: &Event) -> bool {
    Reflect::get(event, &JsValue::from_str("navigationType")).is_ok_and(|kind| kind == "traverse")
}
