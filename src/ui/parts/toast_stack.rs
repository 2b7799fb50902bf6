//! The messages at the edge of the page.

use leptos::prelude::*;
use std::time::Duration;

use crate::ui::state::toasts::{Toast, Toasts};

/// How often a message's clock moves on, in milliseconds.
const TICK: u32 = 250;

#[component]
pub fn ToastStack() -> impl IntoView {
    let toasts = Toasts::expect();
    view! {
        <div class="toasts" role="status" aria-live="polite" aria-relevant="additions">
            <For each={move || toasts.all()} key=|toast| toast.id let:toast>
                <ToastCard toast=toast />
            </For>
        </div>
    }
    .into_any()
}

/// One message. Its clock stands still while it is pointed at or holds the focus.
#[component]
fn ToastCard(toast: Toast) -> impl IntoView {
    let toasts = Toasts::expect();
    let id = toast.id;
    let held = RwSignal::new(false);
    if let Some(stands_for) = toast.stands_for {
        let left = StoredValue::new(stands_for);
        Effect::new(move |_| {
            let tick = move || {
                if !held.get_untracked() {
                    left.update_value(|left| *left = left.saturating_sub(TICK));
                    if left.get_value() == 0 {
                        toasts.dismiss(id);
                    }
                }
            };
            if let Ok(clock) = set_interval_with_handle(tick, Duration::from_millis(TICK.into())) {
                on_cleanup(move || clock.clear());
            }
        });
    }
    let action = toast.action.map(|(label, deed)| {
        let carry_out = move |_| {
            toasts.dismiss(id);
            deed.run(());
        };
        view! { <button type="button" class="toast-action" on:click=carry_out>{label}</button> }
    });
    view! {
        <div
            class="toast"
            class:bad=toast.bad
            on:pointerenter={move |_| held.set(true)}
            on:pointerleave={move |_| held.set(false)}
            on:focusin={move |_| held.set(true)}
            on:focusout={move |_| held.set(false)}
        >
            <p>{toast.text}</p>
            {action}
            <button type="button" class="toast-close" aria-label="Dismiss" on:click={move |_| toasts.dismiss(id)}>
                "×"
            </button>
        </div>
    }
    .into_any()
}
