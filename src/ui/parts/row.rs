//! One connection in the list.

use leptos::prelude::*;

use super::component_icon::ComponentIcon;
use super::row_face::Face;
use super::row_menu::RowMenu;
use super::status_badge::StatusBadge;
use super::tag_chips::{TagChips, TagEditor};
use crate::domain::health::Status;
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
}

/// A row of the table. Its elements stay; words and attributes follow the connection that has the seat.
#[component]
pub fn Row(table: Table, start: Seat) -> impl IntoView {
    let Table { state, seats, tab_stop, focused } = table;
    let key = start.key;
    let seat = Memo::new(move |before: Option<&Seat>| {
        let found = seats.with(|seats| seats.all.iter().find(|seat| seat.key == key).cloned());
        // A row on its way out keeps what it showed.
        found.or_else(|| before.cloned()).unwrap_or_else(|| start.clone())
    });
    let face = Memo::new(move |_| seat.with(|seat| Face::of(state, &seat.row.summary)));
    let reached = move || tab_stop.get() == seat.with(|seat| seat.row.place) && !seat.with(|seat| seat.vacant);
    let focus = move |_| {
        let (place, id) = seat.with_untracked(|seat| (seat.row.place, seat.row.summary.id.clone()));
        state.cursor.set(place);
        focused.set_value(Some((key, id)));
    };
    view! {
        <div
            role="row"
            class=move || face.with(|face| face.class.clone())
            data-id=move || seat.with(|seat| (!seat.vacant).then(|| seat.row.summary.id.to_string()))
            aria-rowindex=move || seat.with(|seat| seat.row.position + 2)
            tabindex=move || if reached() { "0" } else { "-1" }
            hidden=move || seat.with(|seat| seat.vacant)
            on:focusin=focus
        >
            <Naming face />
            <TagsCell state seat face />
            <div role="cell" class="used">{move || face.with(|face| face.used.clone())}</div>
            <HealthCell state seat face />
            <div role="cell" class="when">
                <time
                    class="created"
                    datetime=move || face.with(|face| face.created.0.clone())
                    title=move || face.with(|face| face.created.0.clone())
                >
                    {move || face.with(|face| face.created.1.clone())}
                </time>
            </div>
            <RowMenu seat />
        </div>
    }
    .into_any()
}

#[component]
fn Naming(face: Memo<Face>) -> impl IntoView {
    let badge = Memo::new(move |_| face.with(|face| face.badge.clone()));
    view! {
        <div role="cell" class="icon"><ComponentIcon badge /></div>
        <div role="cell" class="naming">
            <div class="names">
                <span class="component-name">{move || badge.with(|badge| badge.name.clone())}</span>
                " "
                <a
                    class="connection-name"
                    href=move || face.with(|face| face.href.clone())
                    title=move || face.with(|face| face.name.clone())
                    data-noscroll=""
                >
                    {move || face.with(|face| face.name.clone())}
                </a>
                <span class="owner" hidden=move || face.with(|face| face.owner.is_empty())>{move || face.with(|face| face.owner.clone())}</span>
            </div>
            <div class="account">{move || face.with(|face| face.account.clone())}</div>
        </div>
    }
    .into_any()
}

#[component]
fn TagsCell(state: ListState, seat: Memo<Seat>, face: Memo<Face>) -> impl IntoView {
    let toasts = Toasts::expect();
    // The tags as they are while somebody edits them here.
    let edited = Memo::new(move |_| {
        state.editing_tags.with(|id| {
            seat.with(|Seat { row, .. }| (id.as_ref() == Some(&row.summary.id)).then(|| row.summary.tags.clone()))
        })
    });
    let cell = move || {
        if edited.with(Option::is_some) {
            let summary = seat.with_untracked(|seat| seat.row.summary.clone());
            view! { <TagEditor state toasts summary /> }.into_any()
        } else {
            view! { <TagChips state seat face /> }.into_any()
        }
    };
    view! { <div role="cell" class="chips">{move || cell()}</div> }.into_any()
}

#[component]
fn HealthCell(state: ListState, seat: Memo<Seat>, face: Memo<Face>) -> impl IntoView {
    let dialogs = Dialogs::expect();
    let verdict = Memo::new(move |_| face.with(|face| face.verdict));
    let mend = state.may(Action::EditConnection).then(|| {
        let edit = move |_| dialogs.open(Dialog::Edit(seat.with_untracked(|seat| seat.row.summary.id.clone())));
        view! {
            <button
                type="button"
                class="mend"
                aria-label=move || face.with(|face| format!("Update {}", face.name))
                hidden=move || verdict.get().0 == Status::Active
                on:click=edit
            >
                "Update"
            </button>
        }
        .into_any()
    });
    view! {
        <div role="cell" class="health">
            <div class="verdict-line"><StatusBadge verdict />{mend}</div>
            <div class=move || verdict.get().1.why_class() hidden=move || face.with(|face| face.why.is_empty())>
                {move || face.with(|face| face.why.clone())}
            </div>
        </div>
    }
    .into_any()
}
