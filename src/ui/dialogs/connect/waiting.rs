//! What stands in the form's place while somebody signs in at the service.

use leptos::prelude::*;

use super::choice::ChoiceView;
use super::stage::{Stage, Waiting};
use super::{CONNECT, Connecting};
use crate::api::connect::{DeviceCode, Way};
use crate::domain::id::FlowId;
use crate::ui::dialogs::frame::Closing;
use crate::ui::parts::copy_field::CopyField;
use crate::ui::parts::field_input::focus_soon;

/// Takes the focus when it appears.
pub const HEADING: &str = "connect-heading";
/// The link to the service's page where no window could be opened.
const OPEN: &str = "connect-open";

/// Which view a stage asks for. News within a view leave it in place, and the focus in it.
#[derive(Clone, PartialEq, Eq)]
enum Shown {
    Nothing,
    Waiting(FlowId),
    OtherAccount,
}

/// Shows the flow under way, if there is one; the focus goes there, and back to the form afterwards.
#[component]
pub fn FlowView(connecting: Connecting) -> impl IntoView {
    let stage = connecting.stage();
    let shown = Memo::new(move |_| {
        stage.with(|stage| match stage {
            Stage::Waiting(waiting) => Shown::Waiting(waiting.begun.flow.clone()),
            Stage::OtherAccount(_) => Shown::OtherAccount,
            Stage::Form(_) | Stage::Beginning | Stage::Connected(_) => Shown::Nothing,
        })
    });
    Effect::new(move |before: Option<Shown>| {
        let shown = shown.get();
        if shown == Shown::Nothing && before.is_some_and(|before| before != Shown::Nothing) {
            focus_soon(CONNECT.to_owned());
        }
        shown
    });
    move || {
        shown.track();
        match stage.get_untracked() {
            Stage::Waiting(waiting) => view! { <WaitingView connecting=connecting start=waiting /> }.into_any(),
            Stage::OtherAccount(choice) => view! { <ChoiceView connecting=connecting start=choice /> }.into_any(),
            Stage::Form(_) | Stage::Beginning | Stage::Connected(_) => ().into_any(),
        }
    }
}

#[component]
fn WaitingView(connecting: Connecting, start: Waiting) -> impl IntoView {
    let name = connecting.component();
    let focused = if start.blocked { OPEN } else { HEADING };
    let followed = start.clone();
    Effect::new(move |_| {
        connecting.follow(&followed);
        focus_soon(focused.to_owned());
    });
    let heading = start.heading(&name);
    let (way, url, blocked, device) = (start.way, start.begun.url.clone(), start.blocked, start.begun.device.clone());
    let now = Memo::new(move |before: Option<&Waiting>| match connecting.stage().get() {
        Stage::Waiting(waiting) => waiting,
        // On its way out it keeps what it showed.
        _ => before.unwrap_or(&start).clone(),
    });
    let body = match (way, device) {
        (Way::Device, Some(code)) => code_body(&name, code),
        (Way::Link, _) => link_body(url.clone()),
        _ => window_body(&name, url.clone(), blocked, now),
    };
    let step = move || now.with(|waiting| waiting.step(&name));
    let trouble = move || {
        let words = now.with(Waiting::trouble_words)?;
        Some(view! { <p class="notice warn">{words}</p> })
    };
    view! {
        <div class="dialog-form">
            <div class="dialog-body connecting">
                <h3 id=HEADING tabindex="-1">{heading}</h3>
                {body}
                <div role="status">
                    <p class="waiting">{step}</p>
                    {trouble}
                </div>
            </div>
            <Foot connecting=connecting now=now url=url />
        </div>
    }
    .into_any()
}

fn new_tab(id: &'static str, class: &'static str, url: String, words: String) -> AnyView {
    view! { <a id=id class=class href=url target="_blank" rel="noopener">{words}</a> }.into_any()
}

fn window_body(name: &str, url: String, blocked: bool, now: Memo<Waiting>) -> AnyView {
    if blocked {
        let words = format!("Open {name} in a new tab");
        return view! {
            <div class="notice warn">
                <p>"Your browser blocked the window."</p>
                {new_tab(OPEN, "button primary", url, words)}
            </div>
        }
        .into_any();
    }
    let unseen = Memo::new(move |_| now.with(Waiting::may_be_unseen));
    let hint = move || {
        let link = new_tab(OPEN, "", url.clone(), "Open it in a new tab".to_owned());
        view! { <p class="help">"No window to be seen? It may lie behind this one, or the browser may have blocked it. " {link} "."</p> }
    };
    view! {
        <p>"Sign in and consent there. This page notices by itself when you are done."</p>
        <Show when={move || unseen.get()}>{hint.clone()}</Show>
    }
    .into_any()
}

fn link_body(url: String) -> AnyView {
    view! {
        <CopyField id="connect-link" label="Link" what="link" value=url at_once=true />
        <p class="help">
            "It works once, for 7 days. You may close this dialog: the connection appears in the list as soon as the \
             account is connected."
        </p>
    }
    .into_any()
}

fn code_body(name: &str, code: DeviceCode) -> AnyView {
    let DeviceCode { user_code, verification_url, complete_url } = code;
    let page = complete_url.unwrap_or_else(|| verification_url.clone());
    // The service names this address: nothing but a page may be opened.
    let open = ["https://", "http://"].iter().any(|scheme| page.starts_with(scheme)).then(|| {
        let words = format!("Open {name}");
        view! { <p><a class="button" href=page target="_blank" rel="noreferrer noopener">{words}</a></p> }
    });
    view! {
        <CopyField id="connect-code" label="Code" what="code" value=user_code />
        <p>"Enter it on any device at " <b class="address">{verification_url}</b> "."</p>
        {open}
    }
    .into_any()
}

#[component]
fn Foot(connecting: Connecting, now: Memo<Waiting>, url: String) -> impl IntoView {
    let closing = Closing::expect();
    let (way, blocked) = now.with_untracked(|waiting| (waiting.way, waiting.blocked));
    let cancel = if way == Way::Link { "Cancel the link" } else { "Cancel" };
    let further = match way {
        Way::Window if blocked => ().into_any(),
        Way::Window => new_tab("connect-again", "button", url, "Open it again".to_owned()),
        Way::Link => {
            view! { <button type="button" class="button primary" on:click={move |_| closing.request()}>"Done"</button> }
                .into_any()
        }
        Way::Device => ().into_any(),
    };
    view! {
        <footer class="dialog-foot">
            <button type="button" class="button" on:click={move |_| connecting.cancel()}>{cancel}</button>
            <span class="spring"></span>
            {further}
        </footer>
    }
    .into_any()
}
