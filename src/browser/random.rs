//! Chance, from the browser's own generator.

use js_sys::{Function, Reflect, Uint8Array};
use std::fmt::Write as _;
use wasm_bindgen::{JsCast, JsValue};

/// A new name for a request: 128 random bits as 32 hexadecimal digits.
///
/// Not `crypto.randomUUID`, which exists in secure contexts only.
#[must_use]
pub fn request_id() -> String {
    let bytes = Uint8Array::new_with_length(16);
    // Every browser that runs WebAssembly has `crypto`.
    let _ = fill(&bytes);
    bytes.to_vec().iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn fill(bytes: &Uint8Array) -> Result<(), JsValue> {
    let crypto = Reflect::get(&leptos::prelude::window(), &JsValue::from_str("crypto"))?;
    let generator: Function = Reflect::get(&crypto, &JsValue::from_str("getRandomValues"))?.dyn_into()?;
    generator.call1(&crypto, bytes)?;
    Ok(())
}
