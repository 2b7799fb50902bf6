//! What an empty list says to do next.

use leptos::prelude::*;

use crate::domain::environment::Environment;
use crate::domain::filter::{Filter, ListQuery};
use crate::domain::role::Action;
use crate::ui::dialogs::local_offer::LocalOffer;
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;

#[component]
pub fn EmptyState() -> impl IntoView {
    let state = ListState::expect();
    move || {
        let everything = state.shown.with(|shown| shown.facets.everything);
        if everything > 0 && state.is_filtered() { no_match(state).into_any() } else { nothing_yet(state).into_any() }
    }
}

fn nothing_yet(state: ListState) -> impl IntoView {
    let dialogs = Dialogs::expect();
    let only = state.only().map(|slug| untrack(|| state.badge_or_slug(&slug)).name);
    let connect = format!("Connect {}", only.as_deref().unwrap_or("a service"));
    let (title, text) = match state.environment {
        Environment::Development => (
            "No connections yet".to_owned(),
            "A connection holds the credentials of one service. Patchbay asks the service itself whether they work."
                .to_owned(),
        ),
        other => (
            format!("Nothing in {} yet", other.label()),
            "Each environment keeps its own connections: what works elsewhere is not known here.".to_owned(),
        ),
    };
    let new = state.may(Action::CreateConnection).then(|| {
        view! {
            <button type="button" class="button primary" on:click=move |_| dialogs.open(Dialog::New(None))>
                {connect}
            </button>
        }
    });
    view! {
        <div class="empty">
            <svg viewBox="0 0 48 48" width="48" height="48" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round">
                <path d="M18 8v9M30 8v9M13 17h22v6a11 11 0 0 1-22 0ZM24 34v7" />
            </svg>
            <h2>{title}</h2>
            <p>{text}</p>
            {new}
            <LocalOffer />
        </div>
    }
}

/// Which filter to drop, by name.
fn no_match(state: ListState) -> impl IntoView {
    let drop = |label: String, change: fn(&mut Filter)| {
        let href = state.link(|query| change(&mut query.filter));
        view! { <li><a class="chip" href=href>{label}<span aria-hidden="true">" ×"</span></a></li> }
    };
    let query = state.query.get();
    let all = state.link(|query| query.filter = Filter::default());
    view! {
        <div class="empty">
            <h2>"No connection matches"</h2>
            <p>"Drop one of these filters, or all of them:"</p>
            <ul class="in-force">{in_force(state, &query).into_iter().map(|(label, change)| drop(label, change)).collect_view()}</ul>
            <a class="button" href=all>"Clear filters"</a>
        </div>
    }
}

/// A filter in words, and what drops it.
type Drop = (String, fn(&mut Filter));

/// The filters in force, in words, and what drops each.
fn in_force(state: ListState, query: &ListQuery) -> Vec<Drop> {
    let filter = &query.filter;
    let mut list: Vec<Drop> = Vec::new();
    // What the whole page is about can be dropped by nobody.
    if let Some(slug) = filter.component.as_ref().filter(|_| state.only().is_none()) {
        let name = state.badge_or_slug(slug).name;
        list.push((format!("Component: {name}"), |filter| filter.component = None));
    }
    if let Some(status) = filter.status {
        list.push((format!("Status: {}", status.label()), |filter| filter.status = None));
    }
    if filter.unused {
        list.push(("Not used".to_owned(), |filter| filter.unused = false));
    }
    if !filter.tags.is_empty() {
        list.push((format!("Tags: {}", filter.tags.join(", ")), |filter| filter.tags.clear()));
    }
    if !filter.text.trim().is_empty() {
        list.push((format!("Search: “{}”", filter.text.trim()), |filter| filter.text.clear()));
    }
    list
}
