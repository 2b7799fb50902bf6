//! The filters: components, status, tags, each with the count a click would show.

use leptos::prelude::*;
use std::iter;
use std::sync::Arc;

use super::filter_links::{FilterLinks, Mark, Offer};
use super::toolbar::grouped;
use crate::browser::popover;
use crate::domain::component::ComponentBadge;
use crate::domain::filter::Filter;
use crate::domain::health::Status;
use crate::domain::selection::TagCount;
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

/// The links to all components and to each.
#[component]
fn Components(state: ListState) -> impl IntoView {
    let components = Memo::new(move |_| {
        let slugs =
            state.shown.with(|shown| shown.facets.components.iter().map(|(slug, _)| slug.clone()).collect::<Vec<_>>());
        let mut badges: Vec<_> = slugs.iter().map(|slug| state.badge_or_slug(slug)).collect();
        badges.sort_by_key(|badge| crate::domain::fold::fold(&badge.name));
        badges
    });
    let offers = Memo::new(move |_| {
        let chosen = state.query.with(|query| query.filter.component.clone());
        let facets = state.shown.with(|shown| Arc::clone(&shown.facets));
        let all = Offer {
            id: "all-components".to_owned(),
            mark: Mark::All,
            label: "All Components".to_owned(),
            href: state.link(|query| query.filter.component = None),
            count: facets.all_components,
            current: chosen.is_none(),
        };
        let one = |badge: ComponentBadge| Offer {
            id: format!("component-{}", badge.slug),
            label: badge.name.clone(),
            href: state.link(|query| query.filter.component = Some(badge.slug.clone())),
            count: facets.of_component(&badge.slug),
            current: chosen.as_ref() == Some(&badge.slug),
            mark: Mark::Component(badge),
        };
        Arc::new(iter::once(all).chain(components.get().into_iter().map(one)).collect::<Vec<_>>())
    });
    view! { <FilterLinks offers /> }
}

#[component]
fn Statuses(state: ListState) -> impl IntoView {
    let offers = Memo::new(move |_| {
        let chosen = state.query.with(|query| query.filter.status);
        let facets = state.shown.with(|shown| Arc::clone(&shown.facets));
        let one = |status: Status| {
            let (id, label, dot, count) = match status {
                Status::Active => ("status-active", "Active", "dot good", facets.active),
                Status::NotActive => ("status-not-active", "Not active", "dot bad", facets.not_active),
            };
            // A second click takes the filter away.
            let next = (chosen != Some(status)).then_some(status);
            Offer {
                id: id.to_owned(),
                mark: Mark::Dot(dot),
                label: label.to_owned(),
                href: state.link(|query| query.filter.status = next),
                count,
                current: chosen == Some(status),
            }
        };
        Arc::new(Status::ALL.into_iter().map(one).collect::<Vec<_>>())
    });
    view! { <FilterLinks offers /> }
}

/// What no workflow uses; not where nobody knows.
#[component]
fn Unused(state: ListState) -> impl IntoView {
    let offers = Memo::new(move |_| {
        let current = state.query.with(|query| query.filter.unused);
        let count = state.shown.with(|shown| shown.facets.unused);
        let offer = count.map(|count| Offer {
            id: "unused".to_owned(),
            mark: Mark::Dot("dot"),
            label: "Not used".to_owned(),
            href: state.link(|query| query.filter.unused = !query.filter.unused),
            count,
            current,
        });
        Arc::new(offer.into_iter().collect::<Vec<_>>())
    });
    view! { <FilterLinks offers /> }
}

#[component]
fn Tags(state: ListState) -> impl IntoView {
    let unfolded = RwSignal::new(false);
    let known = Memo::new(move |_| state.shown.with(|shown| shown.facets.tags.len()));
    let offers = Memo::new(move |_| {
        let limit = if unfolded.get() { usize::MAX } else { TAGS_AT_FIRST };
        let chosen = state.query.with(|query| query.filter.tags.clone());
        let facets = state.shown.with(|shown| Arc::clone(&shown.facets));
        let tags = facets.tags.iter().enumerate();
        let shown = tags.filter(|(at, tag)| *at < limit || chosen.contains(&tag.key));
        Arc::new(shown.map(|(_, tag)| tag_offer(state, tag, chosen.contains(&tag.key))).collect::<Vec<_>>())
    });
    let rest = move || {
        (known.get() > TAGS_AT_FIRST && !unfolded.get()).then(|| {
            let label = move || format!("Show all {} tags", grouped(known.get()));
            view! { <button type="button" class="more" on:click=move |_| unfolded.set(true)>{move || label()}</button> }
                .into_any()
        })
    };
    view! {
        {move || (known.get() > 0).then(|| view! { <h2>"Tags"</h2> }.into_any())}
        <FilterLinks offers />
        {move || rest()}
    }
    .into_any()
}

fn tag_offer(state: ListState, tag: &TagCount, current: bool) -> Offer {
    let href = state.link(|query| {
        if query.filter.has_tag(&tag.key) {
            query.filter.tags.retain(|chosen| *chosen != tag.key);
        } else {
            query.filter.tags.push(tag.key.clone());
        }
    });
    // A tag may hold what an id must not.
    let id = tag.key.bytes().fold("tag-".to_owned(), |id, byte| format!("{id}{byte:02x}"));
    Offer { id, mark: Mark::Hash, label: tag.label.clone(), href, count: tag.count, current }
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
