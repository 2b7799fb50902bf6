//! What the server should know when it renders the next page.

use leptos::prelude::document;
use wasm_bindgen::JsValue;

const YEAR_IN_SECONDS: u32 = 365 * 24 * 60 * 60;

/// Keeps a word for a year, for this product's path only. Names and values are of fixed words.
pub fn remember(name: &str, value: &str, base: &str) {
    // A frame has no cookie of its own; what it shows, the host says.
    if super::host::is_embedded() {
        return;
    }
    let cookie = format!("{name}={value}; Path={base}/; Max-Age={YEAR_IN_SECONDS}; SameSite=Lax");
    let _ = js_sys::Reflect::set(&document(), &JsValue::from_str("cookie"), &JsValue::from_str(&cookie));
}
