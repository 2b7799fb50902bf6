//! One connection, beside the list.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::wasm_split;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};

use super::detail_parts::{Evidenced, Facts, History, Workflows};
use crate::api::connections::{Detail, Undecided, connection_detail};
use crate::api::error::ApiError;
use crate::domain::connection::Summary;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::ui::dialogs::progress::Progress;
use crate::ui::dialogs::testing::test_into;
use crate::ui::parts::component_icon::ComponentIcon;
use crate::ui::parts::later::later;
use crate::ui::parts::status_badge::{StatusBadge, judged};
use crate::ui::state::catalog::Catalog;
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;
use crate::ui::state::toasts::Toasts;

/// `/connections/{id}`. Its code is a file of its own, fetched when the list can already be used.
#[component]
pub fn DetailPanel() -> impl IntoView {
    later(panel())
}

/// The panel itself.
///
/// # Errors
/// [`ApiError::Offline`] where its code cannot be fetched.
#[allow(clippy::unnecessary_wraps, reason = "fetching the code can fail, in a browser")]
#[wasm_split(detail, fallible, preload(preload), wasm_split_path = leptos::wasm_split)]
pub fn panel() -> Result<AnyView, ApiError> {
    Ok(view! { <Chosen /> }.into_any())
}

/// The panel of the connection that the address names.
#[component]
fn Chosen() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).and_then(|id| id.parse::<ConnectionId>().ok()));
    let panel = move || match id.get() {
        Some(id) => view! { <Panel id=id /> }.into_any(),
        None => view! { <Absent error=ApiError::NotFound /> }.into_any(),
    };
    panel.into_any()
}

/// What the panel shows.
#[derive(Clone, PartialEq, Eq)]
enum Stage {
    Waiting,
    Absent(ApiError),
    Here,
}

/// Fetches again whenever the row changes.
#[component]
fn Panel(id: ConnectionId) -> impl IntoView {
    let (list, catalog) = (ListState::expect(), Catalog::expect());
    let detail = RwSignal::new(None::<Result<Detail, ApiError>>);
    let row = {
        let id = id.clone();
        Memo::new(move |_| list.summary(&id))
    };
    leave_when_deleted(list, row);
    let asked = id.clone();
    Effect::new(move |_| {
        catalog.want();
        // Its version grows with every change, its health with every test.
        row.track();
        let id = asked.clone();
        spawn_local(async move {
            let answer = connection_detail(list.environment, id).await;
            let _ = detail.try_set(Some(answer));
        });
    });
    let summary = Memo::new(move |_| {
        row.get().or_else(|| detail.with(|answer| Some(answer.as_ref()?.as_ref().ok()?.summary.clone())))
    });
    let failure = Memo::new(move |_| detail.with(|answer| answer.as_ref()?.as_ref().err().cloned()));
    let stage = Memo::new(move |_| match (summary.with(Option::is_some), failure.get()) {
        (true, _) => Stage::Here,
        (false, Some(error)) => Stage::Absent(error),
        (false, None) => Stage::Waiting,
    });
    let told = Memo::new(move |_| detail.with(|answer| answer.as_ref()?.as_ref().ok().cloned()));
    move || {
        match (stage.get(), summary.get_untracked()) {
        (Stage::Here, Some(start)) => {
            view! { <Content id=id.clone() start=start summary=summary detail=told failure=failure /> }.into_any()
        }
        (Stage::Absent(error), _) => view! { <Absent error=error /> }.into_any(),
        _ => {
            view! { <aside class="detail" aria-label="Connection" aria-busy="true"><p class="waiting">"Loading …"</p></aside> }.into_any()
        }
    }
    }
}

/// Closes the panel once its connection is deleted here or elsewhere.
fn leave_when_deleted(list: ListState, row: Memo<Option<Summary>>) {
    let navigate = use_navigate();
    Effect::new(move |before: Option<bool>| {
        let known = row.with(Option::is_some);
        if before == Some(true) && !known {
            let to = untrack(|| list.link(|_| ()));
            navigate(&to, NavigateOptions { resolve: false, scroll: false, ..Default::default() });
        }
        known
    });
}

#[component]
fn Absent(error: ApiError) -> impl IntoView {
    let list = ListState::expect();
    view! {
        <aside class="detail" aria-label="Connection">
            <p class="verdict" role="alert">{error.to_string()}</p>
            <a class="button" href={move || list.link(|_| ())}>"Close"</a>
        </aside>
    }
    .into_any()
}

/// The panel's frame stays while the connection changes, so that neither focus nor place is lost.
#[component]
fn Content(
    id: ConnectionId,
    start: Summary,
    summary: Memo<Option<Summary>>,
    detail: Memo<Option<Detail>>,
    failure: Memo<Option<ApiError>>,
) -> impl IntoView {
    let list = ListState::expect();
    // A connection on its way out keeps what it showed.
    let summary = Memo::new(move |before: Option<&Summary>| {
        summary.get().or_else(|| before.cloned()).unwrap_or_else(|| start.clone())
    });
    let badge = Memo::new(move |_| summary.with(|summary| list.badge(&summary.component)));
    let component =
        move || badge.get().map_or_else(|| summary.with(|summary| summary.component.to_string()), |badge| badge.name);
    let icon = move || badge.get().map(|badge| view! { <ComponentIcon badge=badge /> });
    let name = move || summary.with(|summary| summary.name.to_string());
    let standing = move || {
        let now = list.now();
        let (status, (tone, why)) = summary.with(|summary| (summary.status_at(now), judged(summary, now)));
        let why = why.map(|why| view! { <p class=tone.why_class()>{why}</p> });
        view! { <StatusBadge verdict=(status, tone) />{why} }
    };
    let failed = move || failure.get().map(|error| view! { <p class="verdict" role="alert">{error.to_string()}</p> });
    let progress = RwSignal::new(Progress::default());
    view! {
        <aside class="detail" aria-label=move || name()>
            <header class="detail-head">
                {move || icon()}
                <div>
                    <p class="component-name">{move || component()}</p>
                    <h2>{move || name()}</h2>
                </div>
                <a class="dialog-close" href={move || list.link(|_| ())} aria-label="Close" data-noscroll="">
                    <span aria-hidden="true">"✕"</span>
                </a>
            </header>
            <div class="detail-body">
                <div class="standing">{move || standing()}</div>
                <Deeds id=id detail=detail progress=progress />
                {move || failed()}
                <Question detail=detail />
                <Evidenced detail=detail progress=progress />
                <Facts summary=summary detail=detail />
                <Workflows detail=detail />
                <History detail=detail />
            </div>
        </aside>
    }
    .into_any()
}

/// Another account came back while nobody was here to be asked.
#[component]
fn Question(detail: Memo<Option<Detail>>) -> impl IntoView {
    let (list, dialogs) = (ListState::expect(), Dialogs::expect());
    let undecided = Memo::new(move |_| {
        let found =
            detail.with(|detail| detail.as_ref().and_then(|it| Some((it.summary.id.clone(), it.undecided.clone()?))));
        found.filter(|_| list.may(Action::EditConnection))
    });
    move || {
        undecided.get().map(|(id, Undecided { is, was, .. })| {
            let open = move |_| dialogs.open(Dialog::Reconnect(id.clone()));
            view! {
                <div class="notice warn">
                    <p>{format!("Somebody signed in as {is}; until now this connection was {was}. Which one to keep?")}</p>
                    <button type="button" class="button" on:click=open>"Choose"</button>
                </div>
            }
            .into_any()
        })
    }
}

/// *Test now*, *Reconnect* where an account is connected, *Edit* and *Delete*, for those who may.
#[component]
fn Deeds(id: ConnectionId, detail: Memo<Option<Detail>>, progress: RwSignal<Progress>) -> impl IntoView {
    let (list, dialogs, toasts) = (ListState::expect(), Dialogs::expect(), Toasts::expect());
    let catalog = Catalog::expect();
    let by_account = Memo::new(move |_| {
        let method = detail.with(|detail| detail.as_ref().map(|it| (it.summary.component.clone(), it.method.clone())));
        let form = method.and_then(|(component, method)| catalog.form(&component)?.method(&method)?.oauth.clone());
        form.is_some()
    });
    let testing = Memo::new(move |_| progress.with(|progress| progress.running));
    let (for_test, for_reconnect, for_edit, for_delete) = (id.clone(), id.clone(), id.clone(), id);
    let test = list.may(Action::TestConnection).then(|| {
        let start = move |_| {
            if !testing.get_untracked() {
                let _ = test_into(list, toasts, for_test.clone(), progress);
            }
        };
        view! {
            <button type="button" class="button" on:click=start aria-disabled={move || testing.get().to_string()}>
                {move || if testing.get() { "Testing…" } else { "Test now" }}
            </button>
        }
    });
    let may_edit = list.may(Action::EditConnection);
    let reconnect = move || {
        let id = for_reconnect.clone();
        let open = move |_| dialogs.open(Dialog::Reconnect(id.clone()));
        (may_edit && by_account.get())
            .then(|| view! { <button type="button" class="button" on:click=open>"Reconnect"</button> })
    };
    let edit = may_edit.then(|| {
        view! { <button type="button" class="button" on:click={move |_| dialogs.open(Dialog::Edit(for_edit.clone()))}>"Edit"</button> }
    });
    let delete = list.may(Action::DeleteConnection).then(|| {
        view! { <button type="button" class="button" on:click={move |_| dialogs.open(Dialog::Delete(for_delete.clone()))}>"Delete"</button> }
    });
    view! { <div class="deeds">{test}{reconnect}{edit}{delete}</div> }.into_any()
}
