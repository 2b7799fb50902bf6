//! Which connections a key is for.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::form::Draft;
use crate::api::keys::{NamedConnection, connections_for_key};
use crate::ui::parts::field_input::focus_soon;
use crate::ui::settings::form::group;

const SEARCH: &str = "key-search";

/// Every connection, or those chosen: that is open to keys that use connections at run time and do nothing else.
#[component]
pub fn ConnectionLimit(draft: Draft) -> impl IntoView {
    let may = Memo::new(move |_| {
        draft.permissions.with(|list| list.iter().all(|permission| permission.is_of_named_connections()))
    });
    Effect::new(move |_| {
        if !may.get() {
            draft.connections.set(None);
        }
    });
    let limited = Memo::new(move |_| draft.connections.with(Option::is_some));
    let choose = move |only: bool| {
        draft.connections.set(only.then(Vec::new));
        if only {
            focus_soon(SEARCH.to_owned());
        }
    };
    let choice = move |only: bool, label: &'static str| {
        view! {
            <label class="tick">
                <input
                    type="radio"
                    name="key-limit"
                    disabled={move || only && !may.get()}
                    prop:checked={move || limited.get() == only}
                    on:change={move |_| choose(only)}
                />
                <span>{label}</span>
            </label>
        }
    };
    let why = move || (!may.get()).then_some("A key that reads or writes is for every connection.");
    let chooser = move || limited.get().then(|| view! { <Chooser draft=draft /> });
    let content = view! {
        {choice(false, "Every connection")}
        {choice(true, "Only some")}
        <p class="help">{move || why()}</p>
        {move || chooser()}
    };
    group(draft.refusal, "connections", "Which connections", content.into_any())
}

/// The chosen ones, and a search for more.
#[component]
fn Chooser(draft: Draft) -> impl IntoView {
    let words = RwSignal::new(String::new());
    let found = RwSignal::new(Vec::<NamedConnection>::new());
    let trouble = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        let (environments, asked) = (draft.environments.get(), words.get());
        if environments.is_empty() {
            found.set(Vec::new());
            return;
        }
        spawn_local(async move {
            let answer = connections_for_key(environments, asked.clone()).await;
            // An answer to what is no longer asked says nothing.
            if words.try_with_untracked(|now| *now == asked) == Some(true) {
                trouble.set(answer.as_ref().err().map(ToString::to_string));
                found.set(answer.unwrap_or_default());
            }
        });
    });
    let is_chosen = move |one: &NamedConnection| {
        draft.connections.with(|chosen| chosen.as_ref().is_some_and(|chosen| chosen.iter().any(|it| it.id == one.id)))
    };
    let chips = move || {
        let chosen = draft.connections.get().unwrap_or_default();
        chosen.into_iter().map(|one| view! { <Chosen draft=draft one=one /> }).collect_view()
    };
    let offers = move || {
        let offered = found.get().into_iter().filter(|one| !is_chosen(one));
        offered.map(|one| view! { <Offer draft=draft one=one /> }).collect_view()
    };
    let said = move || {
        if let Some(trouble) = trouble.get() {
            trouble
        } else if draft.environments.with(Vec::is_empty) {
            "Choose first where the key is valid.".to_owned()
        } else if found.with(Vec::is_empty) {
            "No connection there matches.".to_owned()
        } else {
            String::new()
        }
    };
    view! {
        <div class="field">
            <ul class="chosen" aria-label="Chosen connections">{move || chips()}</ul>
            <input
                class="control"
                id=SEARCH
                type="search"
                autocomplete="off"
                placeholder="Find a connection"
                aria-label="Find a connection"
                prop:value={move || words.get()}
                on:input={move |event| words.set(event_target_value(&event))}
                on:keydown={move |event| if event.key() == "Enter" { event.prevent_default() }}
            />
            <ul class="offers" aria-label="Connections">{move || offers()}</ul>
            <p class="help" role="status">{move || said()}</p>
        </div>
    }
    .into_any()
}

#[component]
fn Chosen(draft: Draft, one: NamedConnection) -> impl IntoView {
    let label = format!("Remove {}", one.name);
    let id = one.id;
    let remove = move |_| {
        draft.connections.update(|chosen| chosen.iter_mut().for_each(|chosen| chosen.retain(|it| it.id != id)));
        focus_soon(SEARCH.to_owned());
    };
    view! { <li class="chip"><span>{one.name}</span><button type="button" aria-label=label on:click=remove>"×"</button></li> }
        .into_any()
}

#[component]
fn Offer(draft: Draft, one: NamedConnection) -> impl IntoView {
    let (name, about) = (one.name.clone(), format!("{} · {}", one.component, one.environment.label()));
    let add = move |_| {
        draft.connections.update(|chosen| chosen.get_or_insert_default().push(one.clone()));
        focus_soon(SEARCH.to_owned());
    };
    view! { <li><button type="button" class="menu-item" on:click=add><span>{name}</span><small>{about}</small></button></li> }
        .into_any()
}
