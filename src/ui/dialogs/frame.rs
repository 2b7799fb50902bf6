//! What every dialog is: a native `<dialog>` with a head, that asks before it throws typed things away.

use leptos::ev::{Event, KeyboardEvent, PointerEvent};
use leptos::html::{Button, Dialog as DialogElement};
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::{HtmlDialogElement, HtmlElement};

use crate::browser::leaving;
use crate::domain::component::ComponentBadge;
use crate::ui::parts::component_icon::ComponentIcon;
use crate::ui::state::dialogs::Dialogs;

/// How the inside of a dialog asks for its end.
#[derive(Clone, Copy)]
pub struct Closing {
    dialogs: Dialogs,
    dirty: Signal<bool>,
    under_way: Signal<bool>,
    asking: RwSignal<bool>,
}

impl Closing {
    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    /// Closes, or asks first where something typed would be lost, or something under way ended.
    pub fn request(self) {
        if self.dirty.get_untracked() { self.asking.set(true) } else { self.now() }
    }

    /// Closes without asking: the work is done, or given up knowingly.
    pub fn now(self) {
        self.dialogs.close();
    }
}

/// A modal dialog. Its children find [`Closing`] in context. `under_way`: it is dirty by what goes on in it, and not by
/// what was typed.
#[component]
pub fn Frame(
    #[prop(into)] title: Signal<String>,
    #[prop(into, optional)] subtitle: Signal<String>,
    #[prop(into, optional)] badge: Signal<Option<ComponentBadge>>,
    #[prop(into, optional)] dirty: Signal<bool>,
    #[prop(into, optional)] under_way: Signal<bool>,
    #[prop(default = "")] class: &'static str,
    children: Children,
) -> impl IntoView {
    let closing = Closing { dialogs: Dialogs::expect(), dirty, under_way, asking: RwSignal::new(false) };
    provide_context(closing);
    let element = NodeRef::<DialogElement>::new();
    show_and_return_focus(element);
    leaving::hold(dirty, move || closing.request());
    let cancel = move |event: Event| {
        event.prevent_default();
        closing.request();
    };
    let keydown = move |event: KeyboardEvent| {
        // The list behind listens to single keys; none of them is meant for it now.
        event.stop_propagation();
        if event.key() == "Escape" {
            event.prevent_default();
            closing.request();
        }
    };
    // A browser may close a dialog without asking, after a second press of Escape or Back.
    let closed = move |_| match element.get_untracked() {
        Some(dialog) if dirty.get_untracked() => {
            let _ = dialog.show_modal();
            closing.asking.set(true);
        }
        _ => closing.now(),
    };
    view! {
        <dialog
            node_ref=element
            class={format!("dialog {class}")}
            aria-labelledby="dialog-title"
            on:cancel=cancel
            on:close=closed
            on:keydown=keydown
            on:pointerdown={move |event: PointerEvent| {
                if event.target() == event.current_target() {
                    closing.request();
                }
            }}
        >
            <div class="dialog-box">
                <header class="dialog-head">
                    {move || badge.get().map(|badge| view! { <ComponentIcon badge=badge /> })}
                    <div class="dialog-title">
                        <h2 id="dialog-title">{title}</h2>
                        <p>{subtitle}</p>
                    </div>
                    <button type="button" class="dialog-close" aria-label="Close" on:click={move |_| closing.request()}>
                        <span aria-hidden="true">"✕"</span>
                    </button>
                </header>
                {children()}
                <Show when={move || closing.asking.get()}>
                    <Question closing=closing />
                </Show>
            </div>
        </dialog>
    }
    .into_any()
}

/// "Discard what you typed?", over the dialog's foot.
#[component]
fn Question(closing: Closing) -> impl IntoView {
    let (question, discard, stay) = if closing.under_way.get_untracked() {
        ("Stop connecting the account?", "Stop", "Keep waiting")
    } else {
        ("Discard what you typed?", "Discard", "Keep editing")
    };
    let keep = NodeRef::<Button>::new();
    let origin = StoredValue::new_local(None::<HtmlElement>);
    keep.on_load(move |button| {
        origin.set_value(focused());
        let _ = button.focus();
    });
    // Whoever stays goes on where they were.
    let go_on = move || {
        closing.asking.set(false);
        if let Some(origin) = origin.get_value() {
            let _ = origin.focus();
        }
    };
    let keydown = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            event.stop_propagation();
            go_on();
        }
    };
    view! {
        <div class="question" role="alertdialog" aria-labelledby="question-title" on:keydown=keydown>
            <p id="question-title">{question}</p>
            <button type="button" class="button danger" on:click={move |_| closing.now()}>{discard}</button>
            <button type="button" class="button" node_ref=keep on:click={move |_| go_on()}>
                {stay}
            </button>
        </div>
    }
    .into_any()
}

/// Shows the dialog once it stands in the document; when it goes, focus goes back to where it came from.
fn show_and_return_focus(element: NodeRef<DialogElement>) {
    let origin = StoredValue::new_local(None::<HtmlElement>);
    element.on_load(move |dialog| {
        origin.set_value(focused());
        show_when_connected(dialog, FRAMES_TO_WAIT);
    });
    on_cleanup(move || {
        if let Some(origin) = origin.try_get_value().flatten() {
            request_animation_frame(move || return_focus(&origin));
        }
    });
}

fn focused() -> Option<HtmlElement> {
    document().active_element()?.dyn_into().ok()
}

/// Animation frames in which a dialog has to have come into the document.
const FRAMES_TO_WAIT: u8 = 60;

/// A dialog whose code was still being fetched is built before it stands in the document, and could not be shown there.
fn show_when_connected(dialog: HtmlDialogElement, frames: u8) {
    if dialog.is_connected() {
        let _ = dialog.show_modal();
    } else if frames > 0 {
        request_animation_frame(move || show_when_connected(dialog, frames - 1));
    }
}

/// Focuses where the dialog was opened from, or the list where that is gone.
fn return_focus(origin: &HtmlElement) {
    let _ = origin.focus();
    let lost = document().active_element().is_none_or(|active| active.tag_name() == "BODY");
    let fallback = document().query_selector("[role=row][tabindex='0'], [role=table], main").ok().flatten();
    if let Some(element) = fallback.filter(|_| lost).and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}
