//! One connection in the list.

use leptos::prelude::*;
use std::sync::Arc;

use super::component_icon::{ComponentIcon, sheet_class};
use super::row_face::{Face, tab_index};
use super::row_menu::{MenuFor, RowMenu};
use super::status_badge::badge_class;
use super::tag_chips::{TagChips, TagEditor};
use crate::browser::repaint;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;
use crate::ui::state::seats::{Seat, Seats};
use crate::ui::state::toasts::Toasts;

/// What the rows have in common.
#[derive(Clone, Copy)]
pub struct Table {
    pub state: ListState,
    pub seats: Memo<Seats>,
    /// The place of the row that Tab reaches.
    pub tab_stop: Memo<usize>,
    /// The row element that has the focus, and the connection it showed then.
    pub focused: StoredValue<Option<(usize, ConnectionId)>>,
    pub menu: MenuFor,
}

/// A row of the table. Its elements stay: they are repainted for the connection that has the seat.
#[component]
pub fn Row(table: Table, start: Seat) -> impl IntoView {
    let Table { state, seats, focused, .. } = table;
    let key = start.key;
    let seat = Memo::new(move |before: Option<&Seat>| {
        let found = seats.with(|seats| seats.all.iter().find(|seat| seat.key == key).cloned());
        // A row on its way out keeps what it showed.
        found.or_else(|| before.cloned()).unwrap_or_else(|| start.clone())
    });
    let face = Memo::new(move |_| seat.with(|seat| Arc::new(Face::of(table, seat))));
    let first = face.get_untracked();
    follow(key, Arc::clone(&first), face);
    let focus = move |_| {
        let (place, id) = seat.with_untracked(|seat| (seat.row.place, seat.row.summary.id.clone()));
        state.cursor.set(place);
        focused.set_value(Some((key, id)));
    };
    view! {
        <div
            role="row"
            id=row_id(key)
            class=first.class.clone()
            data-id=first.id.clone()
            aria-rowindex=first.row_index
            tabindex=tab_index(first.reached)
            hidden=first.id.is_none()
            on:focusin=focus
        >
            <Naming key face />
            <TagsCell key table seat face />
            <div role="cell" class="used">{first.used.clone()}</div>
            <HealthCell key state seat face />
            <div role="cell" class="when">
                <time class="created" datetime=first.created.0.clone() title=first.created.0.clone()>
                    {first.created.1.clone()}
                </time>
            </div>
            <RowMenu key table seat expanded=first.expanded />
        </div>
    }
    .into_any()
}

/// Repaints the element whenever its face changes: one listener a row, where reactive words and attributes were thirty
/// (`docs/performance.md` has what that cost).
fn follow(key: usize, first: Arc<Face>, face: Memo<Arc<Face>>) {
    Effect::new(move |before: Option<Arc<Face>>| {
        let after = face.get();
        repaint::row(&row_id(key), before.as_ref().unwrap_or(&first), &after);
        after
    });
}

fn row_id(key: usize) -> String {
    format!("row-{key}")
}

/// What names a button of a row: its own words, and the connection's name.
pub fn labelled_by(key: usize, button: &str) -> String {
    format!("row-{key}-{button} row-{key}-name")
}

#[component]
fn Naming(key: usize, face: Memo<Arc<Face>>) -> impl IntoView {
    // What has no place on the sheet of icons is made anew; places on it are repainted.
    let apart = Memo::new(move |_| face.with(|face| sheet_class(&face.badge).is_none().then(|| face.badge.clone())));
    let icon = move || {
        apart.track();
        let badge = face.with_untracked(|face| face.badge.clone());
        view! { <ComponentIcon badge /> }
    };
    let first = face.get_untracked();
    view! {
        <div role="cell" class="icon">{move || icon()}</div>
        <div role="cell" class="naming">
            <div class="names">
                <span class="component-name">{first.badge.name.clone()}</span>
                " "
                <a
                    class="connection-name"
                    id=format!("row-{key}-name")
                    href=first.href.clone()
                    title=first.name.clone()
                    data-noscroll=""
                >
                    {first.name.clone()}
                </a>
                <span class="owner" hidden=first.owner.is_empty()>{first.owner.clone()}</span>
            </div>
            <div class="account">{first.account.clone()}</div>
        </div>
    }
    .into_any()
}

#[component]
fn TagsCell(key: usize, table: Table, seat: Memo<Seat>, face: Memo<Arc<Face>>) -> impl IntoView {
    let Table { state, .. } = table;
    let toasts = Toasts::expect();
    // The tags as they are while somebody edits them here.
    let edited = Memo::new(move |_| {
        state.editing_tags.with(|id| {
            seat.with(|Seat { row, .. }| (id.as_ref() == Some(&row.summary.id)).then(|| row.summary.tags.clone()))
        })
    });
    let editor = move || {
        edited.with(Option::is_some).then(|| {
            let summary = seat.with_untracked(|seat| seat.row.summary.clone());
            view! { <TagEditor state toasts summary /> }
        })
    };
    view! { <div role="cell" class="chips"><TagChips key state seat face />{move || editor()}</div> }.into_any()
}

#[component]
fn HealthCell(key: usize, state: ListState, seat: Memo<Seat>, face: Memo<Arc<Face>>) -> impl IntoView {
    let dialogs = Dialogs::expect();
    let first = face.get_untracked();
    let mend = state.may(Action::EditConnection).then(|| {
        let edit = move |_| dialogs.open(Dialog::Edit(seat.with_untracked(|seat| seat.row.summary.id.clone())));
        view! {
            <button
                type="button"
                class="mend"
                id=format!("row-{key}-mend")
                aria-labelledby=labelled_by(key, "mend")
                hidden=first.may_rest()
                on:click=edit
            >
                "Update"
            </button>
        }
        .into_any()
    });
    view! {
        <div role="cell" class="health">
            <div class="verdict-line">
                <span class=badge_class(first.verdict)>{first.verdict.0.label()}</span>
                {mend}
            </div>
            <div class=first.verdict.1.why_class() hidden=first.why.is_empty()>{first.why.clone()}</div>
        </div>
    }
    .into_any()
}
