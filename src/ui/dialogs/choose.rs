//! In a frame: one of the connections there are, or a new one, for whatever the host asks it for.

use leptos::prelude::*;

use super::frame::{Closing, Frame};
use crate::browser::host;
use crate::domain::connection::Summary;
use crate::domain::health::Status;
use crate::domain::role::Action;
use crate::ui::parts::component_icon::ComponentIcon;
use crate::ui::parts::row_face::owner_words;
use crate::ui::parts::status_badge::{StatusBadge, judged};
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;

#[component]
pub fn ChooseDialog() -> impl IntoView {
    let list = ListState::expect();
    let only = host::component().and_then(|slug| slug.try_into().ok());
    let badge = Signal::derive(move || only.as_ref().map(|slug| list.badge_or_slug(slug)));
    let title = Signal::derive(move || match badge.get() {
        Some(badge) => format!("Choose a {} connection", badge.name),
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

/// Those that work first, and each kind by name.
fn ordered(list: ListState) -> Vec<Summary> {
    let only = host::component();
    let known = list.known();
    let now = list.now();
    let fits = |summary: &&Summary| only.as_ref().is_none_or(|slug| slug == summary.component.as_str());
    let mut found: Vec<Summary> = known.rows.iter().map(|row| &row.summary).filter(fits).cloned().collect();
    found.sort_by_cached_key(|summary| (summary.status_at(now) != Status::Active, summary.name.key()));
    found
}

#[component]
fn Choices(list: ListState) -> impl IntoView {
    let found = Memo::new(move |_| ordered(list));
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
                    <ComponentIcon badge=Signal::stored(icon) />
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
        (found.with(Vec::is_empty) && list.is_whole())
            .then(|| view! { <p class="intro">"There is none yet that fits. Create the first one."</p> })
    };
    view! {
        <div class="dialog-body">
            {none}
            <ul class="choices" aria-label="Connections">
                <For each=move || found.get() key=|summary| (summary.id.clone(), summary.version) children=choice />
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
