//! The filters: components, status, tags, each with the count a click would show.

use leptos::prelude::*;

use super::component_icon::ComponentIcon;
use super::toolbar::grouped;
use crate::browser::popover;
use crate::domain::component::ComponentBadge;
use crate::domain::filter::Filter;
use crate::domain::health::Status;
use crate::domain::selection::Facets;
use crate::ui::state::list::ListState;

/// Tags shown before the rest is asked for.
const TAGS_AT_FIRST: usize = 40;

/// A column where there is room, else a drawer: a native popover, which Escape or a click beside it closes.
#[component]
pub fn Sidebar() -> impl IntoView {
    let state = ListState::expect();
    let busy = move || state.shown.with(|shown| shown.pending).then_some("true");
    let clear = move || {
        let href = move || state.link(|query| query.filter = Filter::default());
        state.is_filtered().then(|| view! { <a class="clear" href=move || href()>"Clear filters"</a> }.into_any())
    };
    view! {
        <nav class="side" id="filters" aria-label="Filters" popover="auto" aria-busy=move || busy()
            on:focusout=|event| popover::close_when_left("filters", &event)>
            <div class="drawer-head">
                <strong>"Filters"</strong>
                <button type="button" class="icon-button" popovertarget="filters" popovertargetaction="hide" aria-label="Close filters">"×"</button>
            </div>
            {move || clear()}
            <h2>"Components"</h2>
            <Components state />
            <h2>"Status"</h2>
            <Statuses state />
            <Unused state />
            <Tags state />
            <DeletedLink state />
        </nav>
    }
    .into_any()
}

/// One filter: a link that puts it in force, with its count.
#[component]
fn FilterLink(
    mark: AnyView,
    #[prop(into)] label: String,
    #[prop(into)] href: Signal<String>,
    #[prop(into)] count: Signal<usize>,
    #[prop(into)] current: Signal<bool>,
    #[prop(default = true)] greys: bool,
) -> impl IntoView {
    view! {
        <a
            class="filter"
            class:nought=move || greys && count.get() == 0
            href=move || href.get()
            aria-current=move || current.get().then_some("true")
        >
            {mark}
            <span class="label">{label}</span>
            <span class="count">{move || grouped(count.get())}</span>
        </a>
    }
    .into_any()
}

/// A count that follows the other filters.
fn count(state: ListState, read: impl Fn(&Facets) -> usize + Send + Sync + 'static) -> Signal<usize> {
    Memo::new(move |_| state.shown.with(|shown| read(&shown.facets))).into()
}

/// Whether a filter is in force.
fn in_force(state: ListState, read: impl Fn(&Filter) -> bool + Send + Sync + 'static) -> Signal<bool> {
    Memo::new(move |_| state.query.with(|query| read(&query.filter))).into()
}

#[component]
fn Components(state: ListState) -> impl IntoView {
    let slugs = Memo::new(move |_| {
        state.shown.with(|shown| shown.facets.components.iter().map(|(slug, _)| slug.clone()).collect::<Vec<_>>())
    });
    let components = Memo::new(move |_| {
        let mut badges: Vec<_> = slugs.get().iter().map(|slug| state.badge_or_slug(slug)).collect();
        badges.sort_by_key(|badge| crate::domain::fold::fold(&badge.name));
        badges
    });
    let link = move |badge: ComponentBadge| {
        let (for_link, for_count, for_force) = (badge.slug.clone(), badge.slug.clone(), badge.slug.clone());
        let label = badge.name.clone();
        let href = move || state.link(|query| query.filter.component = Some(for_link.clone()));
        let count = count(state, move |facets| facets.of_component(&for_count));
        let current = in_force(state, move |filter| filter.component.as_ref() == Some(&for_force));
        let mark = view! { <ComponentIcon badge /> }.into_any();
        view! { <FilterLink mark label href=Signal::derive(href) count current /> }
    };
    let all = move || state.link(|query| query.filter.component = None);
    let mark = view! {
        <svg class="mark" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="currentColor">
            <path d="M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z" />
        </svg>
    };
    view! {
        <FilterLink
            mark=mark.into_any()
            label="All Components"
            href=Signal::derive(all)
            count=count(state, |facets| facets.all_components)
            current=in_force(state, |filter| filter.component.is_none())
            greys=false
        />
        <For each=move || components.get() key=|badge| badge.slug.clone() children=link />
    }
    .into_any()
}

#[component]
fn Statuses(state: ListState) -> impl IntoView {
    let link = move |status: Status| {
        // A second click takes the filter away.
        let href = move || {
            state.link(|query| {
                query.filter.status = if query.filter.status == Some(status) { None } else { Some(status) }
            })
        };
        let (label, class, read): (_, _, fn(&Facets) -> usize) = match status {
            Status::Active => ("Active", "dot good", |facets| facets.active),
            Status::NotActive => ("Not active", "dot bad", |facets| facets.not_active),
        };
        let current = in_force(state, move |filter| filter.status == Some(status));
        let mark = view! { <span class=class aria-hidden="true"></span> }.into_any();
        view! { <FilterLink mark label href=Signal::derive(href) count=count(state, read) current /> }
    };
    Status::ALL.into_iter().map(link).collect_view().into_any()
}

/// What no workflow uses; not where nobody knows.
#[component]
fn Unused(state: ListState) -> impl IntoView {
    let known = Memo::new(move |_| state.shown.with(|shown| shown.facets.unused.is_some()));
    move || {
        known.get().then(|| {
            let href = move || state.link(|query| query.filter.unused = !query.filter.unused);
            let count = count(state, |facets| facets.unused.unwrap_or_default());
            let current = in_force(state, |filter| filter.unused);
            let mark = view! { <span class="dot" aria-hidden="true"></span> }.into_any();
            view! { <FilterLink mark label="Not used" href=Signal::derive(href) count current /> }
        })
    }
}

#[component]
fn Tags(state: ListState) -> impl IntoView {
    let unfolded = RwSignal::new(false);
    let known = Memo::new(move |_| state.shown.with(|shown| shown.facets.tags.len()));
    let tags = Memo::new(move |_| {
        let limit = if unfolded.get() { usize::MAX } else { TAGS_AT_FIRST };
        let chosen = state.query.with(|query| query.filter.tags.clone());
        state.shown.with(|shown| {
            let tags = shown.facets.tags.iter().enumerate();
            tags.filter(|(at, tag)| *at < limit || chosen.contains(&tag.key))
                .map(|(_, tag)| (tag.key.clone(), tag.label.clone()))
                .collect::<Vec<_>>()
        })
    });
    let link = move |(key, tag): (String, String)| {
        let (for_link, for_count, for_force) = (key.clone(), key.clone(), key);
        let href = move || {
            state.link(|query| {
                if query.filter.has_tag(&for_link) {
                    query.filter.tags.retain(|tag| *tag != for_link);
                } else {
                    query.filter.tags.push(for_link.clone());
                }
            })
        };
        let count = count(state, move |facets| facets.of_tag(&for_count));
        let current = in_force(state, move |filter| filter.has_tag(&for_force));
        let mark = view! { <span class="mark hash" aria-hidden="true">"#"</span> }.into_any();
        view! { <FilterLink mark label=tag href=Signal::derive(href) count current /> }
    };
    let rest = move || {
        (known.get() > TAGS_AT_FIRST && !unfolded.get()).then(|| {
            let label = move || format!("Show all {} tags", grouped(known.get()));
            view! { <button type="button" class="more" on:click=move |_| unfolded.set(true)>{move || label()}</button> }
                .into_any()
        })
    };
    view! {
        {move || (known.get() > 0).then(|| view! { <h2>"Tags"</h2> }.into_any())}
        <For each=move || tags.get() key=|(key, _)| key.clone() children=link />
        {move || rest()}
    }
    .into_any()
}

#[component]
fn DeletedLink(state: ListState) -> impl IntoView {
    let deleted = Memo::new(move |_| state.known().deleted);
    move || {
        (deleted.get() > 0).then(|| {
            let href = state.base().deleted(state.environment);
            view! {
                <a class="filter deleted-link" href=href>
                    <span class="label">"Recently deleted"</span>
                    <span class="count">{move || grouped(deleted.get())}</span>
                </a>
            }
            .into_any()
        })
    }
}
