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
use crate::ui::state::toasts::Toasts;

/// Chips that fit on a row.
const CHIPS: usize = 2;

#[component]
pub fn TagChips(state: ListState, summary: Summary) -> impl IntoView {
    let chip = move |tag: &Tag| {
        let key = tag.key();
        let href = move || {
            state.link(|query| {
                if !query.filter.has_tag(&key) {
                    query.filter.tags.push(key.clone());
                }
            })
        };
        view! { <a class="chip" href=href>{tag.as_str().to_owned()}</a> }
    };
    let shown = summary.tags.iter().take(CHIPS).map(chip).collect_view();
    let hidden: Vec<&str> = summary.tags.iter().skip(CHIPS).map(Tag::as_str).collect();
    let rest = (!hidden.is_empty()).then(|| {
        let names = hidden.join(", ");
        let title = names.clone();
        view! {
            <span class="chip rest" title=title>
                <span aria-hidden="true">{format!("+{}", hidden.len())}</span>
                <span class="unseen">{names}</span>
            </span>
        }
    });
    let edit = state.may(Action::TagConnection).then(|| {
        let id = summary.id.clone();
        let label = format!("Edit tags of {}", summary.name);
        let title = label.clone();
        view! {
            <button type="button" class="chip add" aria-label=label title=title on:click=move |_| state.editing_tags.set(Some(id.clone()))>
                "+"
            </button>
        }
    });
    view! {
        {shown}
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
