//! The list of keyboard shortcuts.

use leptos::prelude::*;

use super::frame::{Closing, Frame};
use crate::ui::parts::field_input::focus_soon;

const SHORTCUTS: [(&[&str], &str); 9] = [
    (&["/"], "Search"),
    (&["n"], "New connection"),
    (&["j", "k"], "Next and previous row; arrows do the same"),
    (&["Enter"], "Open the row"),
    (&["e"], "Edit"),
    (&["t"], "Edit tags"),
    (&["Del"], "Delete"),
    (&["Esc"], "Close what is open"),
    (&["?"], "This list"),
];

#[component]
pub fn ShortcutsDialog() -> impl IntoView {
    let row = |(keys, deed): (&'static [&'static str], &'static str)| {
        let caps = keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view();
        view! {
            <div>
                <dt>{deed}</dt>
                <dd>{caps}</dd>
            </div>
        }
    };
    view! {
        <Frame title="Keyboard shortcuts".to_owned() class="narrow">
            <div class="dialog-body">
                <dl class="shortcuts">{SHORTCUTS.map(row)}</dl>
            </div>
            <Foot />
        </Frame>
    }
    .into_any()
}

#[component]
fn Foot() -> impl IntoView {
    let closing = Closing::expect();
    Effect::new(|_| focus_soon("shortcuts-done".to_owned()));
    view! {
        <footer class="dialog-foot">
            <span class="spring"></span>
            <button type="button" class="button" id="shortcuts-done" on:click={move |_| closing.now()}>"Done"</button>
        </footer>
    }
    .into_any()
}
