//! Links that put a filter in force, each with the count a click would show.

use leptos::prelude::*;
use std::sync::Arc;

use super::component_icon::ComponentIcon;
use super::toolbar::grouped;
use crate::browser::repaint;
use crate::domain::component::ComponentBadge;

/// One filter that is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Names the link's element.
    pub id: String,
    pub mark: Mark,
    pub label: String,
    pub href: String,
    pub count: usize,
    /// Whether it is in force.
    pub current: bool,
}

/// What stands before a filter's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    All,
    Component(ComponentBadge),
    /// A dot of this class.
    Dot(&'static str),
    Hash,
}

impl Offer {
    /// What a link is made anew for: another filter, or the same with another icon.
    #[must_use]
    pub fn key(&self) -> String {
        match &self.mark {
            Mark::Component(badge) => format!("{} {}", self.id, badge.icon),
            Mark::All | Mark::Dot(_) | Mark::Hash => self.id.clone(),
        }
    }

    /// A filter that would show nothing is grey, but the one that shows all.
    #[must_use]
    pub fn class(&self) -> &'static str {
        if self.count == 0 && self.mark != Mark::All { "filter nought" } else { "filter" }
    }

    #[must_use]
    pub fn aria_current(&self) -> Option<&'static str> {
        self.current.then_some("true")
    }

    #[must_use]
    pub fn count_words(&self) -> String {
        grouped(self.count)
    }
}

/// A group of filters. Links come and go with the offers; what else differs is repainted by one listener, for a list
/// with a hundred of them would otherwise have several hundred.
#[component]
pub fn FilterLinks(offers: Memo<Arc<Vec<Offer>>>) -> impl IntoView {
    let other_links = |before: Option<&Arc<Vec<Offer>>>, after: Option<&Arc<Vec<Offer>>>| {
        let keys = |offers: &Arc<Vec<Offer>>| offers.iter().map(Offer::key).collect::<Vec<_>>();
        before.map(keys) != after.map(keys)
    };
    let links = Memo::new_with_compare(move |_| offers.get(), other_links);
    let first = offers.get_untracked();
    Effect::new(move |before: Option<Arc<Vec<Offer>>>| {
        let after = offers.get();
        repaint::filters(before.as_ref().unwrap_or(&first), &after);
        after
    });
    view! { <For each=move || links.get().to_vec() key=Offer::key children=link /> }.into_any()
}

fn link(offer: Offer) -> AnyView {
    view! {
        <a class=offer.class() id=offer.id.clone() href=offer.href.clone() aria-current=offer.aria_current()>
            {mark(&offer.mark)}
            <span class="label">{offer.label.clone()}</span>
            <span class="count">{offer.count_words()}</span>
        </a>
    }
    .into_any()
}

fn mark(mark: &Mark) -> AnyView {
    match mark {
        Mark::All => view! {
            <svg class="mark" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="currentColor">
                <path d="M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z" />
            </svg>
        }
        .into_any(),
        Mark::Component(badge) => view! { <ComponentIcon badge=badge.clone() /> }.into_any(),
        Mark::Dot(class) => view! { <span class=*class aria-hidden="true"></span> }.into_any(),
        Mark::Hash => view! { <span class="mark hash" aria-hidden="true">"#"</span> }.into_any(),
    }
}
