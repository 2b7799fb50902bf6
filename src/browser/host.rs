//! The page that shows this one in a frame. The bridge in the frame's document speaks with it; here is what the module
//! asks the bridge, and tells it.

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::domain::connection::Summary;
use crate::domain::id::ConnectionId;
use crate::domain::time::Timestamp;
use crate::ui::state::dialogs::Dialog;

/// `None` on a page of its own.
fn bridge() -> Option<JsValue> {
    Reflect::get(&js_sys::global(), &"patchbayFrame".into()).ok().filter(JsValue::is_object)
}

fn word(name: &str) -> Option<String> {
    Reflect::get(&bridge()?, &name.into()).ok()?.as_string()
}

fn call(name: &str, arguments: &[&str]) {
    let Some(bridge) = bridge() else { return };
    let Some(function) = Reflect::get(&bridge, &name.into()).ok().and_then(|it| it.dyn_into::<Function>().ok()) else {
        return;
    };
    let arguments: Array = arguments.iter().map(|text| JsValue::from_str(text)).collect();
    let _ = function.apply(&bridge, &arguments);
}

/// What lets requests in; `None` on a page of its own, which has a cookie.
#[must_use]
pub fn bearer() -> Option<String> {
    word("token")
}

#[must_use]
pub fn is_embedded() -> bool {
    bridge().is_some()
}

/// The path below which this frame's pages lie.
#[must_use]
pub fn pages() -> String {
    word("pages").unwrap_or_default()
}

/// The one component this frame is about.
#[must_use]
pub fn component() -> Option<String> {
    word("component")
}

/// The dialog that a frame shows instead of a page, if it shows one.
#[must_use]
pub fn only_dialog() -> Option<Dialog> {
    match word("view")?.as_str() {
        "picker" => Some(Dialog::Choose),
        "create" => Some(Dialog::New(None)),
        "reconnect" => Some(Dialog::Reconnect(word("connection")?.parse().ok()?)),
        _ => None,
    }
}

/// The server knows the bearer no more: asks for another. `false` where there is nobody to ask.
#[must_use]
pub fn renew() -> bool {
    call("refused", &[]);
    is_embedded()
}

/// Something was done to a connection: `created`, `updated`, `reconnected`, `deleted`, `undeleted`, or it was `picked`.
pub fn tell(kind: &str, summary: &Summary, environment: &str, now: Timestamp) {
    if is_embedded() {
        call("tell", &[kind, &as_json(summary, environment, now)]);
    }
}

/// Workflows that used a connection use others now: which ones, by the workflow's id.
pub fn tell_replaced(summary: &Summary, environment: &str, now: Timestamp, moved: &[(String, ConnectionId)]) {
    if is_embedded() {
        let entries = moved.iter().map(|(workflow, id)| format!("{}:\"{}\"", quoted(workflow), id.as_str()));
        let workflows = format!("{{{}}}", entries.collect::<Vec<_>>().join(","));
        call("tell", &["replaced", &as_json(summary, environment, now), &workflows]);
    }
}

fn quoted(text: &str) -> String {
    js_sys::JSON::stringify(&text.into()).map(String::from).unwrap_or_default()
}

fn as_json(summary: &Summary, environment: &str, now: Timestamp) -> String {
    let (id, name) = (summary.id.as_str(), quoted(summary.name.as_str()));
    let (component, status) = (summary.component.as_str(), summary.status_at(now).as_str());
    [
        "{\"id\":\"",
        id,
        "\",\"name\":",
        &name,
        ",\"component\":\"",
        component,
        "\",\"environment\":\"",
        environment,
        "\",\"status\":\"",
        status,
        "\"}",
    ]
    .concat()
}

/// What the host named is not there: a `connection` or a `component`.
pub fn lacks(kind: &str) {
    call("lacks", &[kind]);
}

/// The dialog that is all this frame shows was closed.
pub fn closed() {
    call("closed", &[]);
}

/// The window in which an account is connected did not open.
pub fn popup_blocked() {
    call("popupBlocked", &[]);
}
