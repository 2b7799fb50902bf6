//! One connection in the list.

use leptos::prelude::*;

use super::component_icon::ComponentIcon;
use super::row_menu::RowMenu;
use super::status_badge::{StatusBadge, judged};
use super::tag_chips::{TagChips, TagEditor};
use crate::domain::connection::Summary;
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::domain::time::relative;
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;
use crate::ui::state::shown::Visible;
use crate::ui::state::toasts::Toasts;

/// A row of the table. Its parts are rebuilt in place when the connection changes.
#[component]
pub fn Row(id: ConnectionId, visible: Memo<Vec<Visible>>, start: Visible) -> impl IntoView {
    let state = ListState::expect();
    let row = {
        let id = id.clone();
        Memo::new(move |before: Option<&Visible>| {
            let found = visible.with(|rows| rows.iter().find(|row| row.summary.id == id).cloned());
            // A row on its way out keeps what it showed.
            found.or_else(|| before.cloned()).unwrap_or_else(|| start.clone())
        })
    };
    let place = move || row.with(|row| row.position).saturating_sub(state.shown.with(|shown| shown.offset));
    let (for_lit, for_open, for_data) = (id.clone(), id.clone(), id.to_string());
    let tab_index = move || if state.tab_stop() == place() { "0" } else { "-1" };
    view! {
        <div
            role="row"
            class="row"
            class:lit=move || state.lit.with(|lit| lit.as_ref() == Some(&for_lit))
            class:open=move || state.opened.with(|opened| opened.as_ref() == Some(&for_open))
            data-id=for_data
            aria-rowindex=move || row.with(|row| row.position + 2)
            tabindex=tab_index
            on:focusin=move |_| state.cursor.set(untrack(place))
        >
            <Icon state row />
            <Naming state row />
            <TagsCell state row />
            <UsedAndHealth state row />
            <Created state row />
            <RowMenu row />
        </div>
    }
    .into_any()
}

#[component]
fn Icon(state: ListState, row: Memo<Visible>) -> impl IntoView {
    let slug = Memo::new(move |_| row.with(|row| row.summary.component.clone()));
    view! {
        <div role="cell" class="icon">
            {move || view! { <ComponentIcon badge=state.badge_or_slug(&slug.get()) /> }}
        </div>
    }
    .into_any()
}

#[component]
fn Naming(state: ListState, row: Memo<Visible>) -> impl IntoView {
    let component = move || row.with(|row| state.badge_or_slug(&row.summary.component).name);
    let name = move || row.with(|row| row.summary.name.to_string());
    let account = move || row.with(|row| row.summary.account.clone());
    let href = move || row.with(|row| state.detail_link(&row.summary.id));
    view! {
        <div role="cell" class="naming">
            <div class="names">
                <span class="component-name">{component}</span>
                " "
                <a class="connection-name" href=href title=name data-noscroll="">{name}</a>
            </div>
            <div class="account" title=account>{account}</div>
        </div>
    }
    .into_any()
}

#[component]
fn TagsCell(state: ListState, row: Memo<Visible>) -> impl IntoView {
    let toasts = Toasts::expect();
    let tags = Memo::new(move |_| row.with(|row| row.summary.tags.clone()));
    let edited = Memo::new(move |_| state.editing_tags.with(|id| row.with(|row| id.as_ref() == Some(&row.summary.id))));
    let chips = move || {
        tags.track();
        let summary = row.with_untracked(|row| row.summary.clone());
        if edited.get() {
            view! { <TagEditor state toasts summary /> }.into_any()
        } else {
            view! { <TagChips state summary /> }.into_any()
        }
    };
    view! { <div role="cell" class="chips">{chips}</div> }.into_any()
}

#[component]
fn UsedAndHealth(state: ListState, row: Memo<Visible>) -> impl IntoView {
    let dialogs = Dialogs::expect();
    let used = move || row.with(|row| used_words(row.summary.workflows));
    let summary = Memo::new(move |_| row.with(|row| row.summary.clone()));
    let health = move || summary.with(|summary| health(state, dialogs, summary));
    view! {
        <div role="cell" class="used">{used}</div>
        <div role="cell" class="health">{health}</div>
    }
    .into_any()
}

fn health(state: ListState, dialogs: Dialogs, summary: &Summary) -> impl IntoView + use<> {
    let now = state.now();
    let status = summary.status_at(now);
    let (tone, why) = judged(summary, now);
    let id = summary.id.clone();
    let mend = (status == Status::NotActive && state.may(Action::EditConnection)).then(|| {
        let label = format!("Update {}", summary.name);
        view! {
            <button type="button" class="mend" title=label on:click=move |_| dialogs.open(Dialog::Edit(id.clone()))>
                "Update"
            </button>
        }
    });
    let why = why.map(|why| {
        let (class, title) = (format!("why {}", tone.class()), why.clone());
        view! { <div class=class title=title>{why}</div> }
    });
    view! {
        <div class="verdict-line"><StatusBadge status tone />{mend}</div>
        {why}
    }
    .into_any()
}

#[component]
fn Created(state: ListState, row: Memo<Visible>) -> impl IntoView {
    let created = Memo::new(move |_| row.with(|row| row.summary.created_at));
    let exact = move || created.get().to_rfc3339();
    view! {
        <div role="cell" class="when">
            <time class="created" datetime=exact title=exact>{move || relative(created.get(), state.now())}</time>
        </div>
    }
    .into_any()
}

/// How many workflows use it, in words; nothing where nobody registers any.
#[must_use]
pub fn used_words(workflows: Option<u32>) -> String {
    match workflows {
        None => String::new(),
        Some(0) => "Not used".to_owned(),
        Some(1) => "1 workflow".to_owned(),
        Some(count) => format!("{count} workflows"),
    }
}

#[cfg(test)]
mod tests {
    use super::used_words;

    #[test]
    fn nobody_claims_zero_workflows_where_none_are_registered() {
        assert_eq!([None, Some(0), Some(1), Some(3)].map(used_words), ["", "Not used", "1 workflow", "3 workflows"]);
    }
}
