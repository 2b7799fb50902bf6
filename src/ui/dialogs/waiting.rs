//! What a dialog shows while its content is on its way, or cannot be had.

use leptos::prelude::*;

#[component]
pub fn Waiting() -> impl IntoView {
    view! {
        <div class="dialog-body">
            <p class="waiting" role="status">"Loading …"</p>
        </div>
    }
    .into_any()
}

#[component]
pub fn Trouble(message: String, again: Callback<()>) -> impl IntoView {
    view! {
        <div class="dialog-body">
            <p class="verdict" role="alert">{message}</p>
            <button type="button" class="button" on:click={move |_| again.run(())}>"Try again"</button>
        </div>
    }
    .into_any()
}
