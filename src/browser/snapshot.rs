//! Fetches the environment's snapshot, and what changed since.

use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, Response};

use super::changes;
use super::cookie::remember;
use super::host;
use crate::api::error::ApiError;
use crate::api::json;
use crate::api::page::Snapshot;
use crate::api::transport::{CONTRACT, CONTRACT_HEADER};
use crate::domain::environment::Environment;
use crate::domain::time::MINUTE;
use crate::ui::state::list::{Freshness, ListState};

/// How often changes are asked for while the page is in sight.
const PERIOD: Duration = Duration::from_secs(15);

/// Fetches the whole at once, then changes while the page is looked at.
pub fn follow(state: ListState) {
    let asking = StoredValue::new(false);
    let ask = move || {
        if asking.try_get_value() == Some(false) && !document().hidden() {
            asking.set_value(true);
            spawn_local(async move {
                let answer = fetch(state).await;
                // The page may have gone to another environment meanwhile; this state is then no more.
                if asking.try_get_value().is_some() {
                    asking.set_value(false);
                    take(state, answer);
                }
            });
        }
    };
    changes::follow(state, ask);
    Effect::new(move |_| {
        remember("patchbay_env", state.environment.as_str(), state.base().as_str());
        ask();
    });
    let seen = StoredValue::new(js_sys::Date::now());
    let tick = move || {
        move_clock_on(state, seen);
        ask();
    };
    let timer = set_interval_with_handle(tick, PERIOD);
    let focus = window_event_listener(ev::focus, move |_| ask());
    let sight = window_event_listener(ev::visibilitychange, move |_| ask());
    on_cleanup(move || {
        if let Ok(timer) = timer {
            timer.clear();
        }
        focus.remove();
        sight.remove();
    });
}

/// Moves the page's clock, which began as the server's, by the minutes that passed here: an answer from the
/// browser's cache tells an old time.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
fn move_clock_on(state: ListState, seen: StoredValue<f64>) {
    let Some(before) = seen.try_get_value() else { return };
    let passed = (js_sys::Date::now() - before) as i64;
    if passed >= MINUTE {
        seen.set_value(js_sys::Date::now());
        state.set_now(untrack(|| state.now()).plus(passed));
    }
}

fn take(state: ListState, answer: Result<Snapshot, ApiError>) {
    let freshness = match answer {
        Ok(snapshot) => {
            state.take(snapshot);
            Freshness::Fresh
        }
        Err(error) if error.is_signed_out() && host::renew() => Freshness::Behind,
        Err(error) if error.is_signed_out() => Freshness::SignedOut,
        Err(ApiError::Outdated) => Freshness::Outdated,
        Err(_) => Freshness::Behind,
    };
    if state.freshness.get_untracked() != freshness {
        state.freshness.set(freshness);
    }
}

async fn fetch(state: ListState) -> Result<Snapshot, ApiError> {
    let since = if untrack(|| state.is_whole()) { state.revision() } else { 0 };
    let url = address(state.base().as_str(), state.environment, since);
    let response = ask(&url).await.map_err(|_| ApiError::Offline)?;
    let body = response.text().map_err(|_| ApiError::Offline)?;
    let body = JsFuture::from(body).await.map_err(|_| ApiError::Offline)?.as_string().unwrap_or_default();
    if response.ok() {
        return json::read(&body).map_err(|_| ApiError::Outdated);
    }
    Err(json::read(&body).unwrap_or(match response.status() {
        401 => ApiError::SignedOut,
        _ => ApiError::Unavailable,
    }))
}

/// Without `since` the whole is asked for.
fn address(base: &str, environment: Environment, since: i64) -> String {
    let whole = format!("{base}/rpc/snapshot?env={environment}");
    if since > 0 { format!("{whole}&since={since}") } else { whole }
}

async fn ask(url: &str) -> Result<Response, JsValue> {
    let request = Request::new_with_str(url)?;
    request.headers().set(CONTRACT_HEADER, CONTRACT)?;
    if let Some(bearer) = host::bearer() {
        request.headers().set("authorization", &["Bearer ", &bearer].concat())?;
    }
    JsFuture::from(window().fetch_with_request(&request)).await?.dyn_into()
}
