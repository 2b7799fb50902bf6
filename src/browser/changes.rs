//! Learns at once that the environment changed, from the server's stream of revisions, while the page is in sight.

use futures::channel::oneshot;
use futures::future::{AbortHandle, Abortable};
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use std::ops::ControlFlow;
use std::time::Duration;

use super::host;
use super::stream::read_events;
use crate::api::error::ApiError;
use crate::ui::state::list::ListState;

/// The wait after a stream that broke; it grows with every further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LAST_WAIT: Duration = Duration::from_secs(30);

/// Calls `ask` for each revision that is newer than what the page knows.
pub fn follow(state: ListState, ask: impl Fn() + Copy + 'static) {
    let reading = StoredValue::new(None::<AbortHandle>);
    let stop = move || {
        if let Some(handle) = reading.try_update_value(Option::take).flatten() {
            handle.abort();
        }
    };
    // Browsers allow few connections to one server: a page nobody looks at gives its own back.
    let sight = window_event_listener(ev::visibilitychange, move |_| {
        if document().hidden() {
            stop();
        }
    });
    on_cleanup(move || {
        stop();
        sight.remove();
    });
    spawn_local(async move {
        let mut wait = FIRST_WAIT;
        while !reading.is_disposed() {
            if !document().hidden() {
                let (handle, registration) = AbortHandle::new_pair();
                reading.set_value(Some(handle));
                match Abortable::new(read(state, ask), registration).await {
                    Ok(Err(error)) if error.is_signed_out() && host::is_embedded() => wait = LAST_WAIT,
                    Ok(Err(error)) if error.is_signed_out() => return,
                    Ok(Err(ApiError::Outdated | ApiError::Forbidden)) => return,
                    Ok(Err(_)) => wait = (wait * 2).min(LAST_WAIT),
                    // It ended as it should, or nobody looks.
                    Ok(Ok(())) | Err(_) => wait = FIRST_WAIT,
                }
            }
            sleep(wait).await;
        }
    });
}

async fn read(state: ListState, ask: impl Fn()) -> Result<(), ApiError> {
    let path = format!("/rpc/stream/changes?env={}", state.environment);
    read_events(&path, None, |event| {
        let newer = event.data.parse().is_ok_and(|revision: i64| revision > state.revision());
        if newer {
            ask();
        }
        ControlFlow::Continue(())
    })
    .await
}

async fn sleep(span: Duration) {
    let (done, waiting) = oneshot::channel();
    set_timeout(
        move || {
            let _ = done.send(());
        },
        span,
    );
    let _ = waiting.await;
}
