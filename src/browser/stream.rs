//! The one reader of streams: `fetch`, a `ReadableStream` and our own framing.
//!
//! Not `EventSource`, which can neither post nor carry a header.

use js_sys::{Reflect, Uint8Array};
use server_fn::client::get_server_url;
use std::ops::ControlFlow;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, ReadableStreamDefaultReader, RequestInit, Response};

use super::host;
use crate::api::error::ApiError;
use crate::api::event_stream::{EventParser, StreamEvent, refusal};
use crate::api::json;
use crate::api::stream::ProbeEvent;
use crate::api::transport::{CONTRACT, CONTRACT_HEADER};

/// Aborts its request when it is dropped: dropping a stream's future closes the socket.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Posts `body` to `path` (below the site's base) and hands over each event until the last one.
///
/// # Errors
/// What the server answered instead of a stream, or [`ApiError::Offline`] where the stream broke before its last event.
pub async fn probe_events(path: &str, body: String, mut on_event: impl FnMut(ProbeEvent)) -> Result<(), ApiError> {
    let mut outcome = Err(ApiError::Offline);
    read_events(path, Some(&body), |event| {
        let Ok(event) = json::read::<ProbeEvent>(&event.data) else {
            outcome = Err(ApiError::Outdated);
            return ControlFlow::Break(());
        };
        let last = !matches!(event, ProbeEvent::Step { .. });
        on_event(event);
        if last {
            outcome = Ok(());
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })
    .await?;
    outcome
}

/// Reads a stream until its end or until it was enough; dropping the future closes it. Posts where there is a body.
///
/// # Errors
/// What the server answered instead of a stream, or [`ApiError::Offline`] where the stream broke.
pub async fn read_events(
    path: &str,
    body: Option<&str>,
    mut on_event: impl FnMut(StreamEvent) -> ControlFlow<()>,
) -> Result<(), ApiError> {
    let abort = Abort(AbortController::new().map_err(offline)?);
    let response = ask(path, body, &abort).await?;
    if !response.ok() {
        return Err(refusal(response.status(), &text_of(&response).await));
    }
    let stream = response.body().ok_or(ApiError::Offline)?;
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut parser = EventParser::default();
    while let Some(chunk) = next_chunk(&reader).await? {
        for event in parser.push(&chunk) {
            if on_event(event).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn ask(path: &str, body: Option<&str>, abort: &Abort) -> Result<Response, ApiError> {
    let headers = Headers::new().map_err(offline)?;
    let named = [("content-type", "application/json"), ("accept", "text/event-stream"), (CONTRACT_HEADER, CONTRACT)];
    for (name, value) in named {
        headers.set(name, value).map_err(offline)?;
    }
    if let Some(bearer) = host::bearer() {
        headers.set("authorization", &["Bearer ", &bearer].concat()).map_err(offline)?;
    }
    let init = RequestInit::new();
    init.set_headers_headers(&headers);
    if let Some(body) = body {
        init.set_method("POST");
        init.set_body(&JsValue::from_str(body));
    }
    init.set_signal(Some(&abort.0.signal()));
    let url = format!("{}{path}", get_server_url());
    let answer = JsFuture::from(leptos::prelude::window().fetch_with_str_and_init(&url, &init)).await;
    answer.map(JsCast::unchecked_into).map_err(offline)
}

/// `None` at the end of the stream.
async fn next_chunk(reader: &ReadableStreamDefaultReader) -> Result<Option<Vec<u8>>, ApiError> {
    let read = JsFuture::from(reader.read()).await.map_err(offline)?;
    let part = |name: &str| Reflect::get(&read, &JsValue::from_str(name)).map_err(offline);
    if part("done")?.is_truthy() {
        return Ok(None);
    }
    Ok(Some(part("value")?.unchecked_into::<Uint8Array>().to_vec()))
}

async fn text_of(response: &Response) -> String {
    let Ok(promise) = response.text() else { return String::new() };
    JsFuture::from(promise).await.ok().and_then(|text| text.as_string()).unwrap_or_default()
}

fn offline(_: JsValue) -> ApiError {
    ApiError::Offline
}
