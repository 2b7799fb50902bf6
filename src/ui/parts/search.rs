//! The search field. Each keystroke filters at once; the URL follows when the fingers rest.

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use std::time::Duration;

use crate::ui::state::list::ListState;

/// Browsers slow down pages that write their address on every keystroke.
const REST: Duration = Duration::from_millis(250);

/// Writes the typed text to the URL, without an entry in the history and without a request.
#[derive(Clone, Copy)]
struct Writer {
    state: ListState,
    written: StoredValue<String>,
    timer: StoredValue<Option<TimeoutHandle>>,
    navigate: StoredValue<Callback<String>>,
}

impl Writer {
    fn new(state: ListState) -> Self {
        let navigate = use_navigate();
        let replace = move |url: String| {
            navigate(&url, NavigateOptions { resolve: false, replace: true, scroll: false, ..Default::default() });
        };
        Self {
            state,
            written: StoredValue::new(state.typed.get_untracked()),
            timer: StoredValue::new(None),
            navigate: StoredValue::new(Callback::new(replace)),
        }
    }

    fn type_text(self, text: String) {
        self.state.typed.set(text);
        self.cancel();
        self.timer.set_value(set_timeout_with_handle(move || self.write(), REST).ok());
    }

    fn write(self) {
        // A box that leaves the document with the focus in it blurs when its state is gone already.
        if self.state.typed.is_disposed() {
            return;
        }
        self.cancel();
        let text = self.state.typed.get_untracked();
        if self.written.with_value(|written| *written == text) {
            return;
        }
        self.written.set_value(text.clone());
        let url = untrack(|| self.state.link_here(|query| query.filter.text = text));
        self.navigate.with_value(|navigate| navigate.run(url));
    }

    fn cancel(self) {
        if let Some(handle) = self.timer.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    }

    /// Takes over a text that came from elsewhere, such as *Back* or *Clear filters*.
    fn follow(self, text: String) {
        if self.written.with_value(|written| *written != text) {
            self.written.set_value(text.clone());
            self.state.typed.set(text);
        }
    }
}

#[component]
pub fn Search() -> impl IntoView {
    let state = ListState::expect();
    let writer = Writer::new(state);
    Effect::new(move |_| writer.follow(state.linked_text()));
    on_cleanup(move || writer.cancel());
    let keydown = move |event: KeyboardEvent| {
        if event.key() == "Escape" && !state.typed.with_untracked(String::is_empty) {
            event.prevent_default();
            event.stop_propagation();
            state.typed.set(String::new());
            writer.write();
        }
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        writer.write();
    };
    view! {
        <form class="search" role="search" method="get" action=state.base().file("") on:submit=submit>
            <svg viewBox="0 0 16 16" width="15" height="15" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6">
                <circle cx="7" cy="7" r="4.5" />
                <path d="m10.5 10.5 3.5 3.5" />
            </svg>
            <input type="hidden" name="env" value=state.environment.as_str() />
            <input
                type="search"
                name="q"
                id="search"
                aria-label="Search connections"
                placeholder="Search connections"
                autocomplete="off"
                spellcheck="false"
                maxlength="200"
                value=state.typed.get_untracked()
                prop:value=move || state.typed.get()
                on:input=move |event| writer.type_text(event_target_value(&event))
                on:blur=move |_| writer.write()
                on:keydown=keydown
            />
            <kbd aria-hidden="true">"/"</kbd>
        </form>
    }
    .into_any()
}
