//! What exists in the browser only.

mod changes;
pub mod clipboard;
pub mod cookie;
pub mod file;
pub mod host;
pub mod keyboard;
pub mod leaving;
pub mod popover;
pub mod popup;
pub mod random;
pub mod repaint;
pub mod sight;
pub mod snapshot;
pub mod stream;
pub mod theme;
pub mod title;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::api::error::ApiError;
use crate::api::transport::carry;
use crate::ui::app::{App, Base, Theme, fetch_code_of};

/// Takes over the server-rendered page.
///
/// # Errors
/// Where the code of what it shows cannot be fetched.
pub async fn hydrate() -> Result<(), ApiError> {
    let base = Base::new(&begin());
    fetch_code_of(&base, &window().location().pathname().unwrap_or_default()).await?;
    sight::drop_surplus();
    let theme = theme::rendered();
    leptos::mount::hydrate_body(move || {
        provide_context::<Base>(base);
        provide_context::<Theme>(theme);
        view! { <App /> }
    });
    Ok(())
}

/// Draws the page in a frame, whose document holds none.
pub fn embed() {
    let base = Base::embedded(&begin(), &host::pages());
    leptos::mount::mount_to_body(move || {
        provide_context::<Base>(base);
        view! { <App /> }
    });
}

/// The base path, which requests are sent below from now on.
fn begin() -> String {
    console_error_panic_hook::set_once();
    carry(host::bearer);
    let base = base_path();
    if !base.is_empty() {
        // Lives as long as the page.
        server_fn::client::set_server_url(Box::leak(base.clone().into_boxed_str()));
    }
    base
}

/// The day it is (`YYYY-MM-DD`), in UTC.
#[must_use]
pub fn today() -> String {
    String::from(js_sys::Date::new_0().to_iso_string()).chars().take(10).collect()
}

/// The path below which the product is served, as the document says.
fn base_path() -> String {
    element("meta[name=patchbay-base]").and_then(|meta| meta.get_attribute("content")).unwrap_or_default()
}

/// A length as styles take it. The browser writes the number: Rust's own way is 14 KB of code.
fn pixels(length: f64) -> String {
    let number = js_sys::Number::from(length).to_string_with_radix(10);
    number.map(|number| format!("{}px", String::from(number))).unwrap_or_default()
}

/// The first element that a selector names.
fn element(selector: &str) -> Option<HtmlElement> {
    document().query_selector(selector).ok().flatten().map(JsCast::unchecked_into)
}
