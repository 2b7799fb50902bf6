//! Patchbay: authentication credentials and connection configurations for third-party services.
//!
//! One crate, two halves. `domain` knows nothing; `api` is the browser's whole contract; `ui` renders on both
//! sides; `browser` exists in WebAssembly only and `server` on the server only.

#![recursion_limit = "512"]

pub mod api;
#[cfg(feature = "hydrate")]
pub mod browser;
#[cfg(not(feature = "hydrate"))]
#[path = "browser/absent.rs"]
pub mod browser;
pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
pub mod ui;

/// Takes over the server-rendered page.
///
/// # Errors
/// Rejects with words, where a part of the code cannot be fetched.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() -> Result<(), wasm_bindgen::JsValue> {
    browser::hydrate().await.map_err(|error| error.to_string().into())
}

/// Draws the page in a frame that is signed in.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn embed() {
    browser::embed();
}
