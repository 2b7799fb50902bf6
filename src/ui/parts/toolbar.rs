//! The line above the list: how many, in which order, what needs attention.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::check_all::CheckAll;
use crate::domain::health::Status;
use crate::domain::sort::Sort;
use crate::ui::state::list::{Freshness, ListState};

#[component]
pub fn Toolbar() -> impl IntoView {
    let state = ListState::expect();
    let navigate = use_navigate();
    let choose = move |event| {
        let sort = Sort::parse(&event_target_value(&event)).unwrap_or_default();
        let url = untrack(|| state.link(|query| query.sort = sort));
        navigate(&url, NavigateOptions { resolve: false, scroll: false, ..Default::default() });
    };
    let option = move |sort: Sort| {
        let selected = move || state.query.with(|query| query.sort == sort);
        view! { <option value=sort.as_str() selected=move || selected()>{sort.label()}</option> }
    };
    let count = move || {
        let total = state.shown.with(|shown| shown.total);
        format!("{} connection{}", grouped(total), if total == 1 { "" } else { "s" })
    };
    view! {
        <div class="toolbar">
            <label class="sort">
                <span>"Sort"</span>
                <select on:change=choose>{Sort::ALL.into_iter().map(option).collect_view()}</select>
            </label>
            <span class="results" role="status">{move || count()}</span>
            <span class="spring"></span>
            <FreshnessNote state />
            <CheckAll state />
            <Attention state />
        </div>
    }
    .into_any()
}

/// Says when what is shown may not be what the server holds.
#[component]
fn FreshnessNote(state: ListState) -> impl IntoView {
    move || match state.freshness.get() {
        Freshness::Fresh => ().into_any(),
        Freshness::Behind => view! { <span class="note">"Not up to date"</span> }.into_any(),
        Freshness::SignedOut => {
            let door = state.base().file("sign-in");
            view! { <span class="note">"Your session has ended · " <a href=door rel="external">"Sign in"</a></span> }
                .into_any()
        }
        Freshness::Outdated => {
            let here = state.base().file("");
            view! { <span class="note">"Patchbay was updated · " <a href=here rel="external">"Reload"</a></span> }
                .into_any()
        }
    }
}

#[component]
fn Attention(state: ListState) -> impl IntoView {
    let waiting = Memo::new(move |_| {
        let asked = state.query.with(|query| query.filter.status.is_some());
        if asked { 0 } else { state.shown.with(|shown| shown.facets.not_active) }
    });
    move || {
        let count = waiting.get();
        (count > 0).then(|| {
            let need = if count == 1 { "needs" } else { "need" };
            let href = move || state.link(|query| query.filter.status = Some(Status::NotActive));
            view! { <span class="attention">{format!("{} {need} attention · ", grouped(count))}<a href=move || href()>"Show"</a></span> }.into_any()
        })
    }
}

/// `12,345`: digits in groups of three.
#[must_use]
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_stand_in_groups_of_three() {
        let texts: Vec<String> = [0, 999, 1_000, 12_345, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(texts, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }
}
