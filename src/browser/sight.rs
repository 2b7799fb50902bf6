//! Which rows are in sight, and the room that stands in for the others.

use leptos::ev;
use leptos::prelude::*;
use std::cell::Cell;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::{element, pixels};
use crate::domain::id::ConnectionId;
use crate::ui::state::list::ListState;
use crate::ui::state::shown::{Shown, Window};

/// How many frames a row may take to come into the document.
const FRAMES: u32 = 5;

/// No row is lower, in pixels: that of a wide page, in letters of the usual size.
const LOWEST_ROW: f64 = 60.0;

/// How long a row that was just made or changed stays lit.
const LIT: Duration = Duration::from_secs(3);

thread_local! {
    /// Whether the list stood below its beginning when it was last looked at. To ask the document would lay it out.
    static SCROLLED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the window on what is in sight, and brings what is lit into it.
pub fn follow(state: ListState) {
    let listeners = [
        window_event_listener(ev::scroll, move |_| look(state)),
        window_event_listener(ev::resize, move |_| look(state)),
    ];
    on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
    Effect::new(move |_| {
        state.shown.track();
        // Measuring now would lay out a page that is still being changed.
        request_animation_frame(move || look(state));
    });
    Effect::new(move |_| make_room(state));
    Effect::new(move |before: Option<()>| {
        state.query.track();
        if before.is_some() && SCROLLED.get() {
            to_top();
        }
    });
    Effect::new(move |_| {
        if let Some(id) = state.lit.get() {
            request_animation_frame(move || light(state, &id));
        }
    });
}

/// The rows that may be in sight when a list begins, before it was measured.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, as wanted")]
pub fn first_window() -> Window {
    let in_view = (viewport() / LOWEST_ROW).ceil() as usize;
    Window { first: 0, count: in_view.min(Window::FIRST.count) }
}

/// Takes out of the server's page the rows below the first window: taking them over would cost more than they are
/// worth, for they would leave at once.
pub fn drop_surplus() {
    let Ok(rows) = document().query_selector_all(".rows > .row") else { return };
    let surplus =
        (u32::try_from(first_window().count).unwrap_or(u32::MAX)..rows.length()).filter_map(|at| rows.item(at));
    for row in surplus {
        row.unchecked_into::<HtmlElement>().remove();
    }
}

/// Finds out which rows are in sight.
pub fn look(state: ListState) {
    SCROLLED.set(offset() > 0.0);
    let Some(rows) = element(".rows") else { return };
    if let Some(row) = rows.first_element_child() {
        let height = row.get_bounding_client_rect().height();
        if height > 0.0 && state.row_height.try_get_untracked().is_some_and(|known| (known - height).abs() > 0.1) {
            state.row_height.set(height);
        }
    }
    let height = state.row_height.try_get_untracked().unwrap_or_default();
    if height > 0.0 {
        let top = rows.get_bounding_client_rect().top();
        let (head, foot) = frame();
        let window = Window::in_sight(head - top, foot - top.max(head), height);
        if state.window.try_get_untracked().is_some_and(|known| known != window) {
            state.window.set(window);
        }
    }
}

/// Between which heights of the viewport rows can be seen.
fn frame() -> (f64, f64) {
    let head = element(".table-head").map_or(0.0, |head| head.get_bounding_client_rect().bottom().max(0.0));
    let list = element("#list").filter(scrolls);
    (head, list.map_or_else(viewport, |list| list.get_bounding_client_rect().bottom()))
}

/// The list is as high as all its rows, and those in the document stand where they belong. The height does not
/// depend on which rows are there: otherwise the browser would pull the scroll position back between two updates.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^52")]
fn make_room(state: ListState) {
    let height = state.row_height.get();
    let count = state.shown.with(Shown::len);
    let first = state.window.get().within(count).first;
    let Some(rows) = element(".rows") else { return };
    if height > 0.0 {
        let style = rows.style();
        let _ = style.set_property("block-size", &pixels(count as f64 * height));
        let _ = style.set_property("padding-block-start", &pixels(first as f64 * height));
    }
}

/// Scrolls just so far that a row is wholly in sight.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^52")]
pub fn reveal(state: ListState, place: usize) {
    let (Some(rows), Some(list)) = (element(".rows"), element("#list")) else { return };
    let height = state.row_height.get_untracked();
    let top = rows.get_bounding_client_rect().top() + place as f64 * height;
    let (head, foot) = frame();
    let by = if top < head {
        top - head
    } else if top + height > foot {
        top + height - foot
    } else {
        return;
    };
    if scrolls(&list) {
        list.scroll_by_with_x_and_y(0.0, by);
    } else {
        window().scroll_by_with_x_and_y(0.0, by);
    }
    look(state);
}

fn to_top() {
    let Some(list) = element("#list") else { return };
    if scrolls(&list) {
        list.set_scroll_top(0);
    } else {
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
}

/// How far the list is scrolled, in pixels.
fn offset() -> f64 {
    let own = element("#list").map_or(0, |list| list.scroll_top());
    f64::from(own) + window().page_y_offset().unwrap_or_default()
}

/// On narrow screens the document scrolls, elsewhere the list does.
fn scrolls(list: &HtmlElement) -> bool {
    let style = window().get_computed_style(list).ok().flatten();
    style.and_then(|style| style.get_property_value("overflow-y").ok()).is_some_and(|overflow| overflow == "auto")
}

fn viewport() -> f64 {
    window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default()
}

fn light(state: ListState, id: &ConnectionId) {
    if let Some(place) = state.shown.try_with_untracked(|shown| shown.place_of(id)).flatten() {
        reveal(state, place);
    }
    let id = id.clone();
    set_timeout(
        move || {
            if state.lit.try_get_untracked().flatten() == Some(id) {
                state.lit.set(None);
            }
        },
        LIT,
    );
}

/// Focuses a row as soon as it is in the document.
pub fn focus_row(id: &ConnectionId) {
    focus_within(format!(".rows [data-id={id}]"), FRAMES);
}

/// The same where nothing else has the focus.
pub fn focus_row_if_lost(id: &ConnectionId) {
    if document().active_element().is_none_or(|active| active.tag_name() == "BODY") {
        focus_row(id);
    }
}

/// A row's element is about to show another connection: takes the focus to the one it was on, or else away.
pub fn pass_focus(id: Option<&ConnectionId>) {
    let Some(focused) = element(".row:focus-within :focus, .row:focus") else { return };
    match id {
        Some(id) => focus_row(id),
        None => drop(focused.blur()),
    }
}

fn focus_within(selector: String, frames: u32) {
    request_animation_frame(move || match element(&selector) {
        Some(row) => {
            let _ = row.focus();
        }
        None if frames > 0 => focus_within(selector, frames - 1),
        None => {}
    });
}
