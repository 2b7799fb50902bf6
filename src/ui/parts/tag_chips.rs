//! A row's tags: the first two as chips that filter, how many more, and the way to edit them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use std::sync::Arc;

use super::row::labelled_by;
use super::row_face::{Chip, Face};
use super::tag_input::TagInput;
use crate::api::connections::set_tags;
use crate::browser::sight::focus_row;
use crate::domain::connection::Summary;
use crate::domain::role::Action;
use crate::ui::state::list::ListState;
use crate::ui::state::seats::Seat;
use crate::ui::state::toasts::Toasts;

#[component]
pub fn TagChips(key: usize, state: ListState, seat: Memo<Seat>, face: Memo<Arc<Face>>) -> impl IntoView {
    let first = face.get_untracked();
    let chips = first.chips.clone().map(|chip| {
        let hidden = chip.is_none();
        let Chip { label, href } = chip.unwrap_or_default();
        view! { <a class="chip" href=href hidden=hidden>{label}</a> }.into_any()
    });
    let edit = state.may(Action::TagConnection).then(|| {
        let edit = move |_| state.editing_tags.set(Some(seat.with_untracked(|seat| seat.row.summary.id.clone())));
        view! {
            <button
                type="button"
                class="chip add"
                id=format!("row-{key}-tags")
                aria-label="Edit tags of"
                aria-labelledby=labelled_by(key, "tags")
                title="Edit tags"
                on:click=edit
            >
                "+"
            </button>
        }
        .into_any()
    });
    view! {
        {chips.into_iter().collect_view()}
        <span class="chip rest" title=first.rest() hidden=first.hidden.is_empty()>
            <span aria-hidden="true">{first.more()}</span>
            <span class="unseen">{first.rest()}</span>
        </span>
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
                Ok(summary) => {
                    state.tell("updated", &summary);
                    state.upsert(summary, None);
                }
                Err(error) => toasts.complain(error.to_string()),
            }
        });
    });
    let completion = Signal::derive(move || state.tags());
    view! { <TagInput tags completion on_save=save on_cancel=Callback::new(move |()| closed()) /> }.into_any()
}
