//! One connection in the list.

use leptos::prelude::*;

use super::component_icon::ComponentIcon;
use super::row_menu::RowMenu;
use super::status_badge::{StatusBadge, Tone, judged};
use super::tag_chips::{TagChips, TagEditor};
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::domain::time::relative;
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;
use crate::ui::state::seats::{Seat, Seats};
use crate::ui::state::toasts::Toasts;

/// A row of the table. Its elements stay; words and attributes follow the connection that has the seat.
#[component]
pub fn Row(start: Seat, seats: Memo<Seats>, focused: StoredValue<Option<(usize, ConnectionId)>>) -> impl IntoView {
    let state = ListState::expect();
    let key = start.key;
    let seat = Memo::new(move |before: Option<&Seat>| {
        let found = seats.with(|seats| seats.all.iter().find(|seat| seat.key == key).cloned());
        // A row on its way out keeps what it showed.
        found.or_else(|| before.cloned()).unwrap_or_else(|| start.clone())
    });
    let vacant = move || seat.with(|seat| seat.vacant);
    let id = move || seat.with(|seat| (!seat.vacant).then(|| seat.row.summary.id.to_string()));
    let place = move || seat.with(|seat| seat.row.position).saturating_sub(state.shown.with(|shown| shown.offset));
    let tab_index = move || if state.tab_stop() == place() && !vacant() { "0" } else { "-1" };
    let class = move || seat.with(|seat| class_of(state, &seat.row.summary.id));
    let focus = move |_| {
        state.cursor.set(untrack(place));
        focused.set_value(Some((key, seat.with_untracked(|seat| seat.row.summary.id.clone()))));
    };
    view! {
        <div
            role="row"
            class=class
            data-id=id
            aria-rowindex=move || seat.with(|seat| seat.row.position + 2)
            tabindex=tab_index
            hidden=vacant
            on:focusin=focus
        >
            <Naming state seat />
            <TagsCell state seat />
            <div role="cell" class="used">{move || seat.with(|seat| used_words(seat.row.summary.workflows))}</div>
            <HealthCell state seat />
            <Created state seat />
            <RowMenu seat />
        </div>
    }
    .into_any()
}

fn class_of(state: ListState, id: &ConnectionId) -> &'static str {
    let is = |other: &Option<ConnectionId>| other.as_ref() == Some(id);
    match (state.opened.with(is), state.lit.with(is)) {
        (false, false) => "row",
        (false, true) => "row lit",
        (true, false) => "row open",
        (true, true) => "row open lit",
    }
}

#[component]
fn Naming(state: ListState, seat: Memo<Seat>) -> impl IntoView {
    let badge = Memo::new(move |_| seat.with(|seat| state.badge_or_slug(&seat.row.summary.component)));
    let component = move || badge.with(|badge| badge.name.clone());
    let name = move || seat.with(|seat| seat.row.summary.name.to_string());
    let account = move || seat.with(|seat| seat.row.summary.account.clone().unwrap_or_default());
    let href = move || seat.with(|seat| state.detail_link(&seat.row.summary.id));
    view! {
        <div role="cell" class="icon"><ComponentIcon badge /></div>
        <div role="cell" class="naming">
            <div class="names">
                <span class="component-name">{component}</span>
                " "
                <a class="connection-name" href=href title=name data-noscroll="">{name}</a>
            </div>
            <div class="account">{account}</div>
        </div>
    }
    .into_any()
}

#[component]
fn TagsCell(state: ListState, seat: Memo<Seat>) -> impl IntoView {
    let toasts = Toasts::expect();
    // The tags as they are while somebody edits them here.
    let edited = Memo::new(move |_| {
        state.editing_tags.with(|id| {
            seat.with(|Seat { row, .. }| (id.as_ref() == Some(&row.summary.id)).then(|| row.summary.tags.clone()))
        })
    });
    let chips = move || {
        if edited.with(Option::is_some) {
            let summary = seat.with_untracked(|seat| seat.row.summary.clone());
            view! { <TagEditor state toasts summary /> }.into_any()
        } else {
            view! { <TagChips state seat /> }.into_any()
        }
    };
    view! { <div role="cell" class="chips">{chips}</div> }.into_any()
}

/// What a row says about health.
#[derive(Clone, PartialEq, Eq)]
struct Standing {
    status: Status,
    tone: Tone,
    why: String,
}

#[component]
fn HealthCell(state: ListState, seat: Memo<Seat>) -> impl IntoView {
    let dialogs = Dialogs::expect();
    let standing = Memo::new(move |_| {
        let now = state.now();
        seat.with(|Seat { row, .. }| {
            let (tone, why) = judged(&row.summary, now);
            Standing { status: row.summary.status_at(now), tone, why: why.unwrap_or_default() }
        })
    });
    let badge = move || standing.with(|standing| (standing.status, standing.tone));
    let why = move || standing.with(|standing| standing.why.clone());
    let why_class = move || standing.with(|standing| standing.tone.why_class());
    let mend = state.may(Action::EditConnection).then(|| {
        let well = move || standing.with(|standing| standing.status == Status::Active);
        let label = move || seat.with(|seat| format!("Update {}", seat.row.summary.name));
        let edit = move |_| dialogs.open(Dialog::Edit(seat.with_untracked(|seat| seat.row.summary.id.clone())));
        view! { <button type="button" class="mend" aria-label=label hidden=well on:click=edit>"Update"</button> }
    });
    view! {
        <div role="cell" class="health">
            <div class="verdict-line"><StatusBadge verdict=Signal::derive(badge) />{mend}</div>
            <div class=why_class hidden=move || standing.with(|standing| standing.why.is_empty())>{why}</div>
        </div>
    }
    .into_any()
}

#[component]
fn Created(state: ListState, seat: Memo<Seat>) -> impl IntoView {
    let created = Memo::new(move |_| seat.with(|seat| seat.row.summary.created_at));
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
