//! The button that connects, and what is said of the last try.

use leptos::prelude::*;

use super::stage::{Ending, Stage};
use super::{CONNECT, Connecting};

/// Submits the form where that connects; elsewhere the button itself begins.
#[component]
pub fn ConnectButton(connecting: Connecting, submits: bool) -> impl IntoView {
    let stage = connecting.stage();
    let label = move || stage.with(|stage| label(stage, &connecting.component(), connecting.is_anew()));
    let waits = move || stage.with(|stage| !stage.is_form()).to_string();
    let first = move || submits || connecting.reconnect.with_value(|before| before.as_ref().is_some_and(|b| b.wanted));
    let press = move |_| {
        if !submits {
            connecting.begin();
        }
    };
    view! {
        <button
            type={if submits { "submit" } else { "button" }}
            class="button"
            class:primary=first
            id=CONNECT
            aria-disabled=waits
            on:click=press
        >
            {label}
        </button>
    }
    .into_any()
}

fn label(stage: &Stage, component: &str, anew: bool) -> String {
    match stage {
        Stage::Form(Some(ending)) if ending.is_bad() => "Connect again".to_owned(),
        Stage::Form(_) if anew => format!("Reconnect {component}"),
        Stage::Form(_) => format!("Connect {component}"),
        _ => format!("Opening {component} …"),
    }
}

/// How the last try ended, above the form it came from.
#[component]
pub fn LastEnding(connecting: Connecting) -> impl IntoView {
    let ending = Memo::new(move |_| match connecting.stage().get() {
        Stage::Form(ending) => ending.filter(|_| connecting.applies()),
        _ => None,
    });
    let said = move |ending: Ending| {
        let words = ending.words(&connecting.component());
        if ending.is_bad() {
            view! { <p class="verdict" id="connect-ending" role="alert">{words}</p> }.into_any()
        } else {
            view! { <p class="notice" id="connect-ending" role="status">{words}</p> }.into_any()
        }
    };
    // It stands at the top: a form that was scrolled down shows it again.
    Effect::new(move |_| {
        if ending.with(Option::is_some) {
            request_animation_frame(|| {
                if let Some(ending) = document().get_element_by_id("connect-ending") {
                    ending.scroll_into_view();
                }
            });
        }
    });
    move || ending.get().map(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_says_what_it_will_do() {
        let form = |ending| label(&Stage::Form(ending), "Gmail", false);
        assert_eq!(form(None), "Connect Gmail");
        assert_eq!(form(Some(Ending::Expired)), "Connect again");
        assert_eq!(form(Some(Ending::Kept { was: "ops".to_owned() })), "Connect Gmail");
        assert_eq!(label(&Stage::Form(None), "Gmail", true), "Reconnect Gmail");
        assert_eq!(label(&Stage::Beginning, "Gmail", false), "Opening Gmail …");
    }
}
