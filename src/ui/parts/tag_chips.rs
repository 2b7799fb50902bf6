//! A row's tags: the first two as chips that filter, how many more, and the way to edit them.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::row_face::{CHIPS, Chip, Face};
use super::tag_input::TagInput;
use crate::api::connections::set_tags;
use crate::browser::sight::focus_row;
use crate::domain::connection::Summary;
use crate::domain::role::Action;
use crate::ui::state::list::ListState;
use crate::ui::state::seats::Seat;
use crate::ui::state::toasts::Toasts;

#[component]
pub fn TagChips(state: ListState, seat: Memo<Seat>, face: Memo<Face>) -> impl IntoView {
    let chip = move |at: usize| {
        let there = Memo::new(move |_| face.with(|face| face.chips[at].is_some()));
        // Empty on its way out only.
        let read = move |part: fn(&Chip) -> &String| {
            face.with(|face| face.chips[at].as_ref().map(part).cloned().unwrap_or_default())
        };
        move || {
            there.get().then(|| {
                let (label, href) = (move || read(|chip| &chip.label), move || read(|chip| &chip.href));
                view! { <a class="chip" href=move || href()>{move || label()}</a> }.into_any()
            })
        }
    };
    let crowded = Memo::new(move |_| face.with(|face| !face.hidden.is_empty()));
    let names = move || face.with(|face| face.hidden.join(", "));
    let rest = move || {
        crowded.get().then(|| {
            view! {
                <span class="chip rest" title=move || names()>
                    <span aria-hidden="true">{move || face.with(|face| format!("+{}", face.hidden.len()))}</span>
                    <span class="unseen">{move || names()}</span>
                </span>
            }
            .into_any()
        })
    };
    let edit = state.may(Action::TagConnection).then(|| {
        let label = move || face.with(|face| format!("Edit tags of {}", face.name));
        let edit = move |_| state.editing_tags.set(Some(seat.with_untracked(|seat| seat.row.summary.id.clone())));
        view! {
            <button type="button" class="chip add" aria-label=move || label() title="Edit tags" on:click=edit>
                "+"
            </button>
        }
        .into_any()
    });
    view! {
        {(0..CHIPS).map(chip).collect_view()}
        {move || rest()}
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
