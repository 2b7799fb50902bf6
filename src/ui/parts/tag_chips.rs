//! A row's tags: the first two as chips that filter, how many more, and the way to edit them.

use leptos::prelude::*;

use crate::domain::connection::Summary;
use crate::domain::role::Action;
use crate::domain::tag::Tag;
use crate::ui::state::list::ListState;

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
        view! {
            <span class="chip rest" title=names.clone()>
                <span aria-hidden="true">{format!("+{}", hidden.len())}</span>
                <span class="unseen">{names}</span>
            </span>
        }
    });
    let edit = state.may(Action::TagConnection).then(|| {
        let id = summary.id.clone();
        let label = format!("Edit tags of {}", summary.name);
        view! {
            <button type="button" class="chip add" aria-label=label on:click=move |_| state.editing_tags.set(Some(id.clone()))>
                "+ tag"
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
