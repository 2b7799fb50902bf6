//! A value that is taken elsewhere: shown, and copied by a button.

use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

use crate::browser::clipboard;

/// How long the button says that it copied.
const TOLD: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Copied {
    NotYet,
    Done,
    /// The browser did not let us: the value is selected.
    ByHand,
}

/// `at_once` copies it as soon as it is shown, where the browser allows.
#[component]
pub fn CopyField(
    id: &'static str,
    label: &'static str,
    /// Names it after "Copy".
    what: &'static str,
    value: String,
    #[prop(default = false)] at_once: bool,
) -> impl IntoView {
    let copied = RwSignal::new(Copied::NotYet);
    let text = StoredValue::new(value.clone());
    let done = move || {
        let _ = copied.try_set(Copied::Done);
        let forget = move || {
            let _ = copied.try_set(Copied::NotYet);
        };
        set_timeout(forget, TOLD);
    };
    let copy = move |_| {
        spawn_local(async move {
            if clipboard::copy(&text.get_value()).await || clipboard::copy_field(id) {
                done();
            } else {
                let _ = copied.try_set(Copied::ByHand);
            }
        });
    };
    if at_once {
        Effect::new(move |_| {
            spawn_local(async move {
                if clipboard::copy(&text.get_value()).await {
                    done();
                }
            });
        });
    }
    let word = move || if copied.get() == Copied::Done { "Copied" } else { "Copy" };
    let said = move || match copied.get() {
        Copied::NotYet => "",
        Copied::Done => "Copied.",
        Copied::ByHand => "It is selected: copy it with your keyboard.",
    };
    view! {
        <div class="field copy-field">
            <div class="field-head"><label for=id>{label}</label></div>
            <div class="copy-row">
                <input class="control" id=id type="text" readonly value=value spellcheck="false" />
                <button type="button" class="button" on:click=copy>
                    {word}<span class="unseen">" "{what}</span>
                </button>
            </div>
            <p class="help" class:unseen={move || copied.get() != Copied::ByHand} role="status">{said}</p>
        </div>
    }
    .into_any()
}
