//! In a frame: one of the connections there are, or a new one, for whatever the host asks it for.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::frame::{Closing, Frame};
use crate::browser::host;
use crate::domain::connection::Summary;
use crate::domain::fold::fold;
use crate::domain::health::Status;
use crate::domain::role::Action;
use crate::domain::tag::Tag;
use crate::ui::parts::component_icon::ComponentIcon;
use crate::ui::parts::field_input::focus_soon;
use crate::ui::parts::row_face::owner_words;
use crate::ui::parts::status_badge::{StatusBadge, judged};
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;

const SEARCH: &str = "choose-search";
/// Connections shown at once; the others are found by typing.
const SHOWN: usize = 50;

#[component]
pub fn ChooseDialog() -> impl IntoView {
    let list = ListState::expect();
    let only = host::component().and_then(|slug| slug.try_into().ok());
    let badge = Signal::derive(move || only.as_ref().map(|slug| list.badge_or_slug(slug)));
    let title = Signal::derive(move || match badge.get() {
        Some(badge) => format!("Choose a connection to {}", badge.name),
        None => "Choose a connection".to_owned(),
    });
    let subtitle = list.environment.label().to_owned();
    view! {
        <Frame title=title subtitle=Signal::stored(subtitle) badge=badge class="choose">
            <Choices list=list />
            <Foot list=list />
        </Frame>
    }
    .into_any()
}

/// Whether each word stands in its name, component, account or tags.
fn has_words(summary: &Summary, words: &str) -> bool {
    let mut text = format!("{} {}", summary.name, summary.component);
    for more in summary.account.iter().map(String::as_str).chain(summary.tags.iter().map(Tag::as_str)) {
        text.push(' ');
        text.push_str(more);
    }
    let text = fold(&text);
    words.split(' ').all(|word| text.contains(word))
}

/// Those that match: what works first, and each kind by name.
fn ordered(list: ListState, words: &str) -> Vec<Summary> {
    let only = host::component();
    let known = list.known();
    let now = list.now();
    let words = fold(words);
    let fits = |summary: &&Summary| {
        only.as_ref().is_none_or(|slug| slug == summary.component.as_str()) && has_words(summary, &words)
    };
    let mut found: Vec<Summary> = known.rows.iter().map(|row| &row.summary).filter(fits).cloned().collect();
    found.sort_by_cached_key(|summary| (summary.status_at(now) != Status::Active, summary.name.key()));
    found
}

#[component]
fn Choices(list: ListState) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let found = Memo::new(move |_| text.with(|text| ordered(list, text)));
    let shown = Memo::new(move |_| found.with(|found| found.iter().take(SHOWN).cloned().collect::<Vec<_>>()));
    let any = Memo::new(move |_| !found.with(Vec::is_empty) || !text.with(String::is_empty));
    Effect::new(move |_| {
        if any.get() {
            focus_soon(SEARCH.to_owned());
        }
    });
    let enter = move |event: KeyboardEvent| {
        if event.key() == "Enter" && !event.is_composing() {
            event.prevent_default();
            if let Some(first) = found.with_untracked(|found| found.first().cloned()) {
                list.tell("picked", &first);
            }
        }
    };
    let choice = move |summary: Summary| {
        let verdict = Signal::derive({
            let summary = summary.clone();
            move || (summary.status_at(list.now()), judged(&summary, list.now()).0)
        });
        let verdict = Memo::new(move |_| verdict.get());
        let icon = list.badge_or_slug(&summary.component);
        let (name, account) = (summary.name.to_string(), summary.account.clone().unwrap_or_default());
        let owner = owner_words(list, &summary);
        let pick = move |_| list.tell("picked", &summary);
        view! {
            <li>
                <button type="button" class="choose-one" on:click=pick>
                    <ComponentIcon badge=icon />
                    <span class="naming">
                        <strong>{name}</strong>
                        <span class="account">{account}</span>
                    </span>
                    {(!owner.is_empty()).then(|| view! { <span class="owner">{owner}</span> })}
                    <StatusBadge verdict />
                </button>
            </li>
        }
    };
    let none = move || {
        (!any.get() && list.is_whole())
            .then(|| view! { <p class="intro">"There is none yet that fits. Create the first one."</p> })
    };
    let told = move || match (found.with(Vec::len), any.get()) {
        (0, true) => "None matches.".to_owned(),
        (1, _) => "1 connection".to_owned(),
        (count, _) if count > SHOWN => format!("{count} connections; type to find those not shown"),
        (count, true) => format!("{count} connections"),
        (_, false) => String::new(),
    };
    view! {
        <div class="dialog-body">
            {none}
            <input id=SEARCH class="control" type="search" aria-label="Search connections" placeholder="Search connections"
                autocomplete="off" spellcheck="false" hidden=move || !any.get()
                prop:value=text on:input={move |event| text.set(event_target_value(&event))} on:keydown=enter />
            <p class="picker-count" role="status">{told}</p>
            <ul class="choices" aria-label="Connections">
                <For each=move || shown.get() key=|summary| (summary.id.clone(), summary.version) children=choice />
            </ul>
        </div>
    }
    .into_any()
}

#[component]
fn Foot(list: ListState) -> impl IntoView {
    let (closing, dialogs) = (Closing::expect(), Dialogs::expect());
    let new = list.may(Action::CreateConnection).then(|| {
        view! {
            <button type="button" class="button primary" on:click={move |_| dialogs.open(Dialog::New(None))}>
                "New connection"
            </button>
        }
    });
    view! {
        <footer class="dialog-foot">
            <button type="button" class="button" on:click={move |_| closing.request()}>"Cancel"</button>
            <span class="spring"></span>
            {new}
        </footer>
    }
    .into_any()
}
