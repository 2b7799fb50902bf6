//! A deed that asks once more.

use leptos::prelude::*;

use crate::ui::parts::field_input::focus_soon;

/// What stands on its buttons.
#[derive(Clone, Copy)]
pub struct Words {
    pub ask: &'static str,
    pub question: &'static str,
    pub sure: &'static str,
}

/// The element's id of the button that asks about a thing.
#[must_use]
pub fn ask_id(id: &str) -> String {
    format!("ask-{id}")
}

/// A button that asks, and in its place the question with *Keep* beside the deed. The focus goes along; `id` is that of
/// what it is about, `name` its name for those who do not see where the button stands.
#[component]
pub fn Sure(words: Words, id: String, name: String, busy: RwSignal<bool>, on_sure: Callback<()>) -> impl IntoView {
    let asking = RwSignal::new(false);
    let (keep, ask) = (StoredValue::new(format!("keep-{id}")), StoredValue::new(ask_id(&id)));
    let label = StoredValue::new(format!("{} {name}", words.ask));
    let change = move |asked: bool| {
        asking.set(asked);
        focus_soon(if asked { keep } else { ask }.get_value());
    };
    let carry_out = move |_| {
        if !busy.get_untracked() {
            busy.set(true);
            on_sure.run(());
        }
    };
    move || {
        if asking.get() {
            view! {
                <span class="sure">{words.question}</span>
                <button type="button" class="button danger small" aria-disabled={move || busy.get().to_string()} on:click=carry_out>{words.sure}</button>
                <button type="button" class="button small" id=keep.get_value() on:click={move |_| change(false)}>"Keep"</button>
            }
            .into_any()
        } else {
            view! {
                <button type="button" class="button small" id=ask.get_value() aria-label=label.get_value()
                    on:click={move |_| change(true)}>{words.ask}</button>
            }
            .into_any()
        }
    }
}
