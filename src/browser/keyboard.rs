//! The list's keys. They rest while somebody types, while a dialog or menu is open, and with Ctrl, Alt or Meta.

use leptos::ev::{self, KeyboardEvent};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement};

use super::{element, sight};
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;

/// Listens for as long as the environment's page is there.
pub fn listen(state: ListState) {
    let dialogs = Dialogs::expect();
    let navigate = use_navigate();
    let go = move |url: String| {
        navigate(&url, NavigateOptions { resolve: false, scroll: false, ..Default::default() });
    };
    let listener = window_event_listener(ev::keydown, move |event| {
        if !is_ours(&event, dialogs) {
            return;
        }
        let done = press(state, dialogs, &go, &event);
        if done {
            event.prevent_default();
        }
    });
    on_cleanup(move || listener.remove());
}

fn is_ours(event: &KeyboardEvent, dialogs: Dialogs) -> bool {
    let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
    let typing = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|target| target.matches("input, textarea, select, [contenteditable]").unwrap_or(false));
    let covered = element("dialog[open], :popover-open").is_some();
    !(modified || typing || covered || dialogs.is_open() || event.default_prevented() || event.is_composing())
}

/// Carries out a key; `false` leaves it to the browser.
fn press(state: ListState, dialogs: Dialogs, go: &impl Fn(String), event: &KeyboardEvent) -> bool {
    match event.key().as_str() {
        "/" => search(),
        "?" => open(dialogs, Dialog::Shortcuts),
        "n" => state.may(Action::CreateConnection) && open(dialogs, Dialog::New(None)),
        "j" => step(state, 1),
        "k" => step(state, -1),
        "ArrowDown" => on_row(event) && step(state, 1),
        "ArrowUp" => on_row(event) && step(state, -1),
        "Home" => on_row(event) && place(state, 0),
        "End" => on_row(event) && place(state, usize::MAX),
        "Enter" => on_row(event) && with_row(state, |id| go(untrack(|| state.detail_link(&id)))),
        "e" => state.may(Action::EditConnection) && with_row(state, |id| dialogs.open(Dialog::Edit(id))),
        "t" => state.may(Action::TagConnection) && with_row(state, |id| state.editing_tags.set(Some(id))),
        "Delete" => state.may(Action::DeleteConnection) && with_row(state, |id| dialogs.open(Dialog::Delete(id))),
        "Escape" => close_detail(state, go),
        _ => false,
    }
}

fn search() -> bool {
    let Some(field) = element("#search") else { return false };
    let _ = field.focus();
    field.unchecked_into::<HtmlInputElement>().select();
    true
}

fn open(dialogs: Dialogs, dialog: Dialog) -> bool {
    dialogs.open(dialog);
    true
}

/// Whether a row itself has the focus, and not a link or button in it.
fn on_row(event: &KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|target| target.matches(".row").unwrap_or(false))
}

/// The connection a key speaks of: of the focused row, else the one shown in detail.
fn with_row(state: ListState, deed: impl FnOnce(ConnectionId)) -> bool {
    let focused = focused_row().and_then(|row| row.get_attribute("data-id")).and_then(|id| id.parse().ok());
    let id = focused.or_else(|| state.opened.get_untracked());
    id.map(deed).is_some()
}

fn focused_row() -> Option<Element> {
    document().active_element()?.closest(".row").ok().flatten()
}

/// Moves the focus by rows; the first step enters the list where it was left.
fn step(state: ListState, by: isize) -> bool {
    let cursor = state.cursor.get_untracked();
    let target = if focused_row().is_some() { cursor.saturating_add_signed(by) } else { untrack(|| state.tab_stop()) };
    place(state, target)
}

fn place(state: ListState, wanted: usize) -> bool {
    let last = state.shown.with_untracked(|shown| shown.len().saturating_sub(1));
    let target = wanted.min(last);
    let Some(id) = state.shown.with_untracked(|shown| shown.id_at(target)) else { return false };
    state.cursor.set(target);
    sight::reveal(state, target);
    sight::focus_row(&id);
    true
}

fn close_detail(state: ListState, go: &impl Fn(String)) -> bool {
    let Some(id) = state.opened.get_untracked() else { return false };
    go(untrack(|| state.link(|_| {})));
    sight::focus_row(&id);
    true
}
