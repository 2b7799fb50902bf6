//! The Connections page: the list of one environment, and what opens beside it.

use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use super::deleted::RecentlyDeleted;
use crate::api::error::ApiError;
use crate::api::json::Json;
use crate::api::page::{FirstPage, connections_page};
use crate::browser::{host, keyboard, sight, snapshot};
use crate::ui::dialogs::DialogHost;
use crate::ui::parts::environment_switch::Switching;
use crate::ui::parts::header::Header;
use crate::ui::parts::row_menu::{MenuFor, RowMenuPopover};
use crate::ui::parts::rows::Rows;
use crate::ui::parts::sidebar::Sidebar;
use crate::ui::parts::theme::Theme;
use crate::ui::parts::toast_stack::ToastStack;
use crate::ui::parts::toolbar::Toolbar;
use crate::ui::state::address::{Asked, Base};
use crate::ui::state::dialogs::Dialogs;
use crate::ui::state::list::ListState;
use crate::ui::state::toasts::Toasts;

/// Fetches the environment's first page when it is entered; whatever is asked after that is answered here.
#[component]
pub fn ConnectionsPage() -> impl IntoView {
    provide_context(Switching(RwSignal::new(None)));
    provide_context(RwSignal::new(use_context::<Theme>().unwrap_or_default()));
    let search = use_location().search;
    let environment = Memo::new(move |_| search.with(|search| Asked::parse(search).environment));
    // Blocking: the document waits for its rows.
    let page = Resource::<_, Json>::new_with_options(
        move || environment.get(),
        move |environment| {
            let asked = search.with_untracked(|search| Asked::parse(search));
            connections_page(environment, asked.query, asked.offset)
        },
        true,
    );
    let content = move || {
        Suspend::new(async move {
            match page.await {
                Ok(page) => view! { <EnvironmentPage page /> }.into_any(),
                Err(error) => view! { <Failure error /> }.into_any(),
            }
        })
    };
    view! { <Transition fallback=|| view! { <p class="unseen" role="status">"Loading …"</p> }>{content}</Transition> }
        .into_any()
}

/// One environment's page. Another environment makes another, with state of its own.
#[component]
fn EnvironmentPage(page: FirstPage) -> impl IntoView {
    let state = ListState::provide(&page);
    let known = state.only().is_some_and(|slug| untrack(|| state.badge(&slug)).is_some());
    if host::component().is_some() && !known {
        host::lacks("component");
    }
    Dialogs::provide();
    Toasts::provide();
    MenuFor::provide();
    snapshot::follow(state);
    keyboard::listen(state);
    let pathname = use_location().pathname;
    let base = Base::expect();
    let detailed = {
        let base = base.clone();
        Memo::new(move |_| pathname.with(|path| base.is_detail(path)))
    };
    let deleted = Memo::new(move |_| pathname.with(|path| base.is_deleted(path)));
    let content = move || {
        if deleted.get() { view! { <RecentlyDeleted /> }.into_any() } else { view! { <Toolbar /><Rows /> }.into_any() }
    };
    if host::only_dialog().is_some() {
        return view! { <div class="page alone"><DialogHost /><ToastStack /></div> }.into_any();
    }
    view! {
        <div class="page" class:detailed=move || detailed.get() data-environment=state.environment.as_str()>
            <a class="skip" href="#list">"Skip to the list"</a>
            <Header />
            <Sidebar />
            <main class="list" id="list" tabindex="-1" on:scroll=move |_| sight::look(state)>{move || content()}<RowMenuPopover /></main>
            <div class="beside"><Outlet /></div>
            <DialogHost />
            <ToastStack />
        </div>
    }
    .into_any()
}

/// The first page could not be had.
#[component]
fn Failure(error: ApiError) -> impl IntoView {
    let here = use_location();
    let href = move || format!("{}?{}", here.pathname.get(), here.search.get());
    view! {
        <main class="plain-page">
            <h1>"The connections cannot be shown"</h1>
            <p role="alert">{error.to_string()}</p>
            <a class="button" rel="external" href=move || href()>"Try again"</a>
        </main>
    }
    .into_any()
}
