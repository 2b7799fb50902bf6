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
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    browser::hydrate();
}

/// Draws the page in a frame that is signed in.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn embed() {
    browser::embed();
}
