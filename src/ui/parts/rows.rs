//! The list: a table of which only the rows in sight are in the document.

use leptos::prelude::*;

use super::empty_state::EmptyState;
use super::row::{Row, Table};
use crate::browser::sight;
use crate::ui::state::list::ListState;
use crate::ui::state::seats::{Seat, Seats};

#[component]
pub fn Rows() -> impl IntoView {
    let state = ListState::expect();
    let seat = move |before: Option<&Seats>| state.shown.with(|shown| Seats::of(before, shown, state.window.get()));
    // Told on whenever it was made: each row compares what is its own.
    let seats = Memo::new_with_compare(seat, |_, _| true);
    // The header is a row as well.
    let count = move || state.shown.with(|shown| shown.total + 1);
    let busy = move || state.shown.with(|shown| shown.pending).then_some("true");
    let nothing = Memo::new(move |_| state.shown.with(|shown| shown.is_empty() && !shown.pending));
    let tab_stop = Memo::new(move |_| state.tab_stop());
    let table = Table { state, seats, tab_stop, focused: StoredValue::new(None), menu: expect_context() };
    let row = move |seat: Seat| view! { <Row table start=seat /> };
    sight::follow(state);
    keep_focus(table);
    view! {
        <div class="table" role="table" aria-label="Connections" aria-rowcount=move || count() aria-busy=move || busy() hidden=move || nothing.get()>
            <div role="rowgroup" class="table-head">
                <div role="row" class="head" aria-rowindex="1">
                    <span role="columnheader" class="icon"><span class="unseen">"Icon"</span></span>
                    <span role="columnheader">"Component and name"</span>
                    <span role="columnheader" class="chips">"Tags"</span>
                    <span role="columnheader" class="used">"Used by"</span>
                    <span role="columnheader">"Status"</span>
                    <span role="columnheader">"Created"</span>
                    <span role="columnheader"><span class="unseen">"Actions"</span></span>
                </div>
            </div>
            <div role="rowgroup" class="rows">
                <For each=move || seats.with(|seats| seats.all.clone()) key=|seat| seat.key children=row />
            </div>
        </div>
        {move || nothing.get().then(|| view! { <EmptyState /> })}
        <Pager state />
    }
    .into_any()
}

/// Takes the focus along where its row's connection gets another element, and away where that is gone.
fn keep_focus(Table { seats, focused, .. }: Table) {
    Effect::new(move |_| {
        let Some((key, id)) = focused.get_value() else { return seats.track() };
        let now = seats.with(|seats| seats.key_of(&id));
        if now != Some(key) {
            focused.set_value(None);
            sight::pass_focus(now.map(|_| &id));
        }
    });
}

/// Page by page, for those who read without WebAssembly; gone once the whole list is here.
#[component]
fn Pager(state: ListState) -> impl IntoView {
    let step = Memo::new(move |_| {
        state.shown.with(|shown| {
            let end = shown.offset + shown.len();
            let before =
                (!shown.whole && shown.offset > 0).then(|| shown.offset.saturating_sub(crate::api::page::PAGE_ROWS));
            let after = (!shown.whole && end < shown.total).then_some(end);
            (before, after)
        })
    });
    let link = move |from: usize, label: &'static str, rel: &'static str| {
        let href = move || format!("{}&from={from}", state.link(|_| {}));
        view! { <a rel=rel href=move || href()>{label}</a> }.into_any()
    };
    move || {
        let (before, after) = step.get();
        (before.is_some() || after.is_some()).then(|| {
            view! {
                <nav class="pager" aria-label="Pages">
                    {before.map(|from| link(from, "Previous", "prev external"))}
                    {after.map(|from| link(from, "Next", "next external"))}
                </nav>
            }
            .into_any()
        })
    }
}
