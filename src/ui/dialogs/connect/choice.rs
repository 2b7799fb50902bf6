//! Another account came back than the one connected before: asks before anything is replaced.

use leptos::prelude::*;

use super::Connecting;
use super::stage::{Choice, Stage};
use super::waiting::HEADING;
use crate::ui::parts::field_input::focus_soon;

#[component]
pub fn ChoiceView(connecting: Connecting, start: Choice) -> impl IntoView {
    Effect::new(|_| focus_soon(HEADING.to_owned()));
    let question = start.question();
    let (keep, replace) = (format!("Keep {}", start.was), format!("Replace with {}", start.is));
    let now = Memo::new(move |before: Option<&Choice>| match connecting.stage().get() {
        Stage::OtherAccount(choice) => choice,
        // On its way out it keeps what it showed.
        _ => before.unwrap_or(&start).clone(),
    });
    let busy = move || now.with(|choice| choice.decided.is_some()).to_string();
    let progress = move || match now.with(|choice| choice.decided) {
        Some(true) => "Replacing …",
        Some(false) => "Keeping …",
        None => "",
    };
    let trouble = move || {
        let words = now.with(|choice| choice.trouble.as_ref().map(ToString::to_string))?;
        Some(view! { <p class="verdict" role="alert">{words}</p> })
    };
    view! {
        <div class="dialog-form">
            <div class="dialog-body connecting">
                <h3 id=HEADING tabindex="-1">"This is another account"</h3>
                <p>{question}</p>
                <p class="help" role="status">{progress}</p>
                {trouble}
            </div>
            <footer class="dialog-foot choice">
                <span class="spring"></span>
                <button type="button" class="button" aria-disabled=busy on:click={move |_| connecting.decide(false)}>{keep}</button>
                <button type="button" class="button primary" aria-disabled=busy on:click={move |_| connecting.decide(true)}>{replace}</button>
            </footer>
        </div>
    }
    .into_any()
}
