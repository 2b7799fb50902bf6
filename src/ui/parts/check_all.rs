//! *Check all shown*: asks the service of every connection that matches the filter, a few at a time.

use futures::future::{AbortHandle, Abortable, join_all};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::toolbar::grouped;
use crate::api::stream::{ProbeEvent, TestRequest};
use crate::browser::stream::probe_events;
use crate::domain::evidence::Verdict;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::ui::state::list::ListState;
use crate::ui::state::shown::Shown;
use crate::ui::state::toasts::Toasts;

/// Checks at once.
const AT_ONCE: usize = 4;

/// How far it is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    done: usize,
    accepted: usize,
}

#[component]
pub fn CheckAll(state: ListState) -> impl IntoView {
    let toasts = Toasts::expect();
    let under_way = RwSignal::new(None::<(usize, AbortHandle)>);
    let tally = RwSignal::new(Tally::default());
    let start = move || {
        let ids = state.shown.with_untracked(ids);
        let (handle, registration) = AbortHandle::new_pair();
        tally.set(Tally::default());
        under_way.set(Some((ids.len(), handle)));
        spawn_local(async move {
            let whole = Abortable::new(check(state, ids, tally), registration).await.is_ok();
            let Some(Tally { done, accepted }) = tally.try_get_untracked() else { return };
            let _ = under_way.try_set(None);
            let end = if whole { "" } else { ", then stopped" };
            toasts.tell(format!("{} checked, {} accepted{end}.", grouped(done), grouped(accepted)));
        });
    };
    let stop = move || under_way.with_untracked(|running| running.iter().for_each(|(_, handle)| handle.abort()));
    on_cleanup(stop);
    let total = Memo::new(move |_| under_way.with(|running| running.as_ref().map(|(total, _)| *total)));
    let offered = Memo::new(move |_| {
        let wanted = state.may(Action::TestConnection) && state.shown.with(|shown| shown.whole && shown.len() > 1);
        wanted || total.get().is_some()
    });
    let progress = move || {
        let total = total.get()?;
        let words = move || format!("Checking {} of {}", grouped(tally.get().done), grouped(total));
        Some(view! { <span class="check-all" role="status">{move || words()}</span> })
    };
    let press = move |_| if total.get_untracked().is_some() { stop() } else { start() };
    let label = move || if total.get().is_some() { "Stop" } else { "Check all shown" };
    // One button for both, so that it keeps the keyboard's focus.
    let button = move || {
        offered
            .get()
            .then(|| view! { <button type="button" class="link check-all" on:click=press>{move || label()}</button> })
    };
    view! { {move || progress()}{move || button()} }.into_any()
}

fn ids(shown: &Shown) -> Vec<ConnectionId> {
    (0..shown.len()).filter_map(|place| shown.id_at(place)).collect()
}

/// What was found comes to the list as every change does.
async fn check(state: ListState, mut ids: Vec<ConnectionId>, tally: RwSignal<Tally>) {
    ids.reverse();
    let queue = StoredValue::new(ids);
    let worker = || async move {
        while let Some(id) = queue.try_update_value(Vec::pop).flatten() {
            let request = TestRequest { environment: state.environment, id };
            let body = serde_json::to_string(&request).unwrap_or_default();
            let (mut checked, mut accepted) = (false, false);
            let answer = probe_events("/rpc/stream/test", body, |event| {
                checked |= matches!(&event, ProbeEvent::Tested { .. });
                accepted = matches!(&event, ProbeEvent::Tested { evidence, .. } if evidence.verdict == Verdict::Valid);
            });
            let _ = answer.await;
            let _ = tally.try_update(|tally| {
                tally.done += usize::from(checked);
                tally.accepted += usize::from(accepted);
            });
        }
    };
    join_all((0..AT_ONCE).map(|_| worker())).await;
}
