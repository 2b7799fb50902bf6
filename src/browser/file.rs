//! Files that a person chooses.

use js_sys::{Function, Promise, Reflect, Uint8Array};
use leptos::ev::Event;
use leptos::prelude::window;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Hands over the file that was chosen, as a data URL; nothing where none was, or it cannot be read.
pub fn chosen(event: &Event, on_url: impl FnOnce(String) + 'static) {
    let Some(input) = event.target() else { return };
    spawn_local(async move {
        if let Ok(url) = data_url(&input).await {
            on_url(url);
        }
    });
}

async fn data_url(input: &JsValue) -> Result<String, JsValue> {
    let part = |of: &JsValue, name: &str| Reflect::get(of, &JsValue::from_str(name));
    let file = part(&part(input, "files")?, "0")?;
    let media = part(&file, "type")?.as_string().unwrap_or_default();
    let read: Function = part(&file, "arrayBuffer")?.dyn_into()?;
    let promise: Promise = read.call0(&file)?.dyn_into()?;
    let bytes = Uint8Array::new(&JsFuture::from(promise).await?).to_vec();
    let text: String = bytes.into_iter().map(char::from).collect();
    Ok(["data:", &media, ";base64,", &window().btoa(&text)?].concat())
}
