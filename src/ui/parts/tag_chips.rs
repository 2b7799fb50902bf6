//! A row's tags: the first two as chips that filter, how many more, and the way to edit them.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::tag_input::TagInput;
use crate::api::connections::set_tags;
use crate::browser::sight::focus_row;
use crate::domain::connection::Summary;
use crate::domain::role::Action;
use crate::domain::tag::Tag;
use crate::ui::state::list::ListState;
use crate::ui::state::seats::Seat;
use crate::ui::state::toasts::Toasts;

/// Chips that fit on a row.
const CHIPS: usize = 2;

#[component]
pub fn TagChips(state: ListState, seat: Memo<Seat>) -> impl IntoView {
    let count = Memo::new(move |_| seat.with(|seat| seat.row.summary.tags.len()));
    let chip = move |at: usize| {
        // Empty on its way out only.
        let tag =
            move || seat.with(|seat| seat.row.summary.tags.iter().nth(at).map(Tag::to_string).unwrap_or_default());
        let href = move || {
            let key = seat.with(|seat| seat.row.summary.tags.iter().nth(at).map(Tag::key));
            state.link(|query| query.filter.tags.extend(key.filter(|key| !query.filter.has_tag(key))))
        };
        let there = Memo::new(move |_| count.get() > at);
        move || there.get().then(|| view! { <a class="chip" href=href>{tag}</a> })
    };
    let hidden = move || {
        seat.with(|seat| seat.row.summary.tags.iter().skip(CHIPS).map(Tag::as_str).collect::<Vec<_>>().join(", "))
    };
    let crowded = Memo::new(move |_| count.get() > CHIPS);
    let rest = move || {
        crowded.get().then(|| {
            view! {
                <span class="chip rest" title=hidden>
                    <span aria-hidden="true">{move || format!("+{}", count.get().saturating_sub(CHIPS))}</span>
                    <span class="unseen">{hidden}</span>
                </span>
            }
        })
    };
    let edit = state.may(Action::TagConnection).then(|| {
        let label = move || seat.with(|seat| format!("Edit tags of {}", seat.row.summary.name));
        let edit = move |_| state.editing_tags.set(Some(seat.with_untracked(|seat| seat.row.summary.id.clone())));
        view! { <button type="button" class="chip add" aria-label=label title="Edit tags" on:click=edit>"+"</button> }
    });
    view! {
        {(0..CHIPS).map(chip).collect_view()}
        {rest}
        {edit}
    }
    .into_any()
}

/// The tag input in place of the chips; the row shows what was saved.
#[component]
pub fn TagEditor(state: ListState, toasts: Toasts, summary: Summary) -> impl IntoView {
    let tags: Vec<String> = summary.tags.iter().map(|tag| tag.as_str().to_owned()).collect();
    let (id, version) = (summary.id.clone(), summary.version);
    let close = move || {
        state.editing_tags.set(None);
        focus_row(&summary.id);
    };
    let closed = close.clone();
    let save = Callback::new(move |tags: Vec<String>| {
        close();
        let id = id.clone();
        spawn_local(async move {
            match set_tags(state.environment, id, version, tags).await {
                Ok(summary) => state.upsert(summary, None),
                Err(error) => toasts.complain(error.to_string()),
            }
        });
    });
    let completion = Signal::derive(move || state.tags());
    view! { <TagInput tags completion on_save=save on_cancel=Callback::new(move |()| closed()) /> }.into_any()
}
