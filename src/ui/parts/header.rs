//! The page's top: title, environments, search, *New Connection*, account.

use leptos::prelude::*;

use super::account_menu::AccountMenu;
use super::environment_switch::EnvironmentSwitch;
use super::search::Search;
use super::theme::ThemeButton;
use super::toolbar::grouped;
use crate::domain::role::Action;
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;

#[component]
pub fn Header() -> impl IntoView {
    let state = ListState::expect();
    let dialogs = Dialogs::expect();
    let count = move || grouped(state.shown.with(|shown| shown.facets.everything));
    let title = move || match state.only() {
        Some(slug) => format!("{} connections", state.badge_or_slug(&slug).name),
        None => "Connections".to_owned(),
    };
    let new = state.may(Action::CreateConnection).then(|| {
        view! {
            <button type="button" class="button primary new" aria-keyshortcuts="n" on:click=move |_| dialogs.open(Dialog::New(None))>
                "New Connection"
            </button>
        }
    });
    view! {
        <header class="bar" data-environment=state.environment.as_str()>
            <button type="button" class="icon-button filters-button" popovertarget="filters" aria-label="Filters" title="Filters">
                <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round">
                    <path d="M2 4h12M4.500 8h7M6.500 12h3" />
                </svg>
            </button>
            <h1>{title}</h1>
            <span class="count">{move || count()}</span>
            <span class="spring"></span>
            <EnvironmentSwitch />
            <Search />
            {new}
            <ThemeButton />
            <AccountMenu />
        </header>
    }
    .into_any()
}
