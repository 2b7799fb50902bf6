//! Leaving a page on which something typed would be lost.

use js_sys::Reflect;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventTarget};

/// Until the view it is called in goes, and while `dirty`: the browser asks before the document is left, and *Back* and
/// *Forward* within it call `ask` instead. Whoever presses them once more goes: a browser holds nobody twice.
pub fn hold(dirty: Signal<bool>, ask: impl Fn() + 'static) {
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
        if dirty.get_untracked() && event.cancelable() && is_traversal(&event) {
            event.prevent_default();
            ask();
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

/// Where the browser has the Navigation API (HTML standard, section 7.2.6); elsewhere *Back* goes unasked.
fn navigation() -> Option<EventTarget> {
    Reflect::get(&window(), &JsValue::from_str("navigation")).ok()?.dyn_into().ok()
}

fn is_traversal(event: &Event) -> bool {
    Reflect::get(event, &JsValue::from_str("navigationType")).is_ok_and(|kind| kind == "traverse")
}
