//! Copying for the person, who then pastes elsewhere.

use js_sys::{Function, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlInputElement;

/// Copies a text; `false` where the browser does not let this page write to the clipboard.
pub async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    // Exists in secure contexts only.
    let there = Reflect::get(&navigator, &JsValue::from_str("clipboard")).is_ok_and(|clipboard| clipboard.is_object());
    there && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}

/// The older way, within a click: selects a field's text and has the browser copy it. What was selected stays so.
#[must_use]
pub fn copy_field(id: &str) -> bool {
    let field = document().get_element_by_id(id).and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
    let Some(field) = field else { return false };
    let _ = field.focus();
    field.select();
    let document = JsValue::from(document());
    let command = Reflect::get(&document, &JsValue::from_str("execCommand")).and_then(JsCast::dyn_into::<Function>);
    let done = command.and_then(|command| command.call1(&document, &JsValue::from_str("copy")));
    done.is_ok_and(|done| done.is_truthy())
}
