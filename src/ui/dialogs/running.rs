//! A check under way, and the handle that ends it.

use futures::future::{AbortHandle, Abortable};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Serialize;

use super::progress::{Outcome, Progress};
use crate::browser::stream::probe_events;

/// A stream being read. Aborting it closes its socket, which cancels the probe.
#[derive(Clone)]
pub struct Running(AbortHandle);

impl Running {
    /// Posts a request; after each event `progress`, while somebody shows it, and then `on_outcome` learn of it.
    pub fn start(
        path: &'static str,
        request: &impl Serialize,
        progress: RwSignal<Progress>,
        on_outcome: impl Fn(Outcome) + 'static,
    ) -> Self {
        let body = serde_json::to_string(request).unwrap_or_default();
        let (handle, registration) = AbortHandle::new_pair();
        progress.set(Progress::begun());
        let work = async move {
            let mut current = Progress::begun();
            let answer = probe_events(path, body, |event| {
                let outcome = current.take(event);
                let _ = progress.try_set(current.clone());
                on_outcome(outcome);
            })
            .await;
            if let Err(error) = answer {
                let outcome = current.fail(error);
                let _ = progress.try_set(current);
                on_outcome(outcome);
            }
        };
        spawn_local(async move {
            // Aborted: whoever asked for it already shows so.
            let _ = Abortable::new(work, registration).await;
        });
        Self(handle)
    }

    pub fn abort(&self) {
        self.0.abort();
    }
}
