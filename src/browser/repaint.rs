//! Changes what elements of the list say, by what differs from what they said before.
//!
//! What changes with each keystroke is not made of reactive words and attributes: a row has thirty of them, the filters
//! beside it several hundred, and the bookkeeping of each costs as much as the change.

use std::collections::HashMap;

use leptos::prelude::document;
use web_sys::{Element, Node};

use crate::ui::parts::component_icon::sheet_class;
use crate::ui::parts::filter_links::Offer;
use crate::ui::parts::row_face::{Chip, Face, tab_index};
use crate::ui::parts::status_badge::badge_class;

/// Brings a row element from one face to the next.
pub fn row(id: &str, before: &Face, after: &Face) {
    let Some(row) = by_id(id).map(Row) else { return };
    row.itself(before, after);
    row.icon(before, after);
    row.words(".component-name", &before.badge.name, &after.badge.name);
    row.words(".connection-name", &before.name, &after.name);
    row.attribute(".connection-name", "title", &before.name, &after.name);
    row.attribute(".connection-name", "href", &before.href, &after.href);
    row.words_or_nothing(".owner", &before.owner, &after.owner);
    row.words(".account", &before.account, &after.account);
    row.tags(before, after);
    row.words(".used", &before.used, &after.used);
    row.verdict(before, after);
    row.words(".created", &before.created.1, &after.created.1);
    row.attribute(".created", "datetime", &before.created.0, &after.created.0);
    row.attribute(".created", "title", &before.created.0, &after.created.0);
    let expanded = |face: &Face| if face.expanded { "true" } else { "false" };
    row.attribute(".dots", "aria-expanded", expanded(before), expanded(after));
}

struct Row(Element);

impl Row {
    fn itself(&self, before: &Face, after: &Face) {
        let Self(row) = self;
        if before.class != after.class {
            row.set_class_name(&after.class);
        }
        if before.id != after.id {
            match &after.id {
                Some(id) => set(row, "data-id", id),
                None => drop(row.remove_attribute("data-id")),
            }
            hide(row, after.id.is_none());
        }
        if before.row_index != after.row_index {
            set(row, "aria-rowindex", &after.row_index.to_string());
        }
        if before.reached != after.reached {
            set(row, "tabindex", tab_index(after.reached));
        }
    }

    /// From one place of the sheet to another; what is not on it is made anew by the row.
    fn icon(&self, before: &Face, after: &Face) {
        if before.badge != after.badge
            && let (Some(before), Some(after)) = (sheet_class(&before.badge), sheet_class(&after.badge))
        {
            self.attribute(".drawn", "class", &before, &after);
        }
    }

    fn tags(&self, before: &Face, after: &Face) {
        let nothing = Chip::default();
        for (part, before, after) in [
            (".chip:nth-child(1)", &before.chips[0], &after.chips[0]),
            (".chip:nth-child(2)", &before.chips[1], &after.chips[1]),
        ] {
            let (old, new) = (before.as_ref().unwrap_or(&nothing), after.as_ref().unwrap_or(&nothing));
            self.words(part, &old.label, &new.label);
            self.attribute(part, "href", &old.href, &new.href);
            self.hidden(part, before.is_none(), after.is_none());
        }
        if before.hidden != after.hidden {
            let (old, new) = (before.rest(), after.rest());
            self.words(".rest > :first-child", &before.more(), &after.more());
            self.words(".rest > .unseen", &old, &new);
            self.attribute(".rest", "title", &old, &new);
            self.hidden(".rest", old.is_empty(), new.is_empty());
        }
    }

    fn verdict(&self, before: &Face, after: &Face) {
        if before.verdict != after.verdict {
            let (status, tone) = after.verdict;
            self.words(".badge", before.verdict.0.label(), status.label());
            self.attribute(".badge", "class", badge_class(before.verdict), badge_class(after.verdict));
            self.attribute(".why", "class", before.verdict.1.why_class(), tone.why_class());
            self.hidden(".mend", before.may_rest(), after.may_rest());
        }
        self.words_or_nothing(".why", &before.why, &after.why);
    }

    fn words(&self, part: &str, before: &str, after: &str) {
        if before != after
            && let Some(element) = self.part(part)
        {
            write(&element, after);
        }
    }

    /// Words of a part that is hidden while it has none.
    fn words_or_nothing(&self, part: &str, before: &str, after: &str) {
        self.words(part, before, after);
        self.hidden(part, before.is_empty(), after.is_empty());
    }

    fn attribute(&self, part: &str, name: &str, before: &str, after: &str) {
        if before != after
            && let Some(element) = self.part(part)
        {
            set(&element, name, after);
        }
    }

    fn hidden(&self, part: &str, before: bool, after: bool) {
        if before != after
            && let Some(element) = self.part(part)
        {
            hide(&element, after);
        }
    }

    fn part(&self, selector: &str) -> Option<Element> {
        self.0.query_selector(selector).ok().flatten()
    }
}

/// Brings the links of a group of filters up to date. Those that came with `after` were made with it.
pub fn filters(before: &[Offer], after: &[Offer]) {
    let known: HashMap<String, &Offer> = before.iter().map(|offer| (offer.key(), offer)).collect();
    for after in after {
        let Some(before) = known.get(&after.key()).filter(|before| **before != after) else { continue };
        if let Some(link) = by_id(&after.id) {
            filter(&link, before, after);
        }
    }
}

fn filter(link: &Element, before: &Offer, after: &Offer) {
    if before.class() != after.class() {
        link.set_class_name(after.class());
    }
    if before.href != after.href {
        set(link, "href", &after.href);
    }
    if before.current != after.current {
        match after.aria_current() {
            Some(current) => set(link, "aria-current", current),
            None => drop(link.remove_attribute("aria-current")),
        }
    }
    for (part, changed, words) in [
        (".label", before.label != after.label, after.label.clone()),
        (".count", before.count != after.count, after.count_words()),
    ] {
        if changed && let Ok(Some(part)) = link.query_selector(part) {
            write(&part, &words);
        }
    }
}

fn by_id(id: &str) -> Option<Element> {
    document().get_element_by_id(id)
}

/// The text that is there is changed, not exchanged: that costs less to lay out.
fn write(element: &Element, words: &str) {
    match element.first_child().filter(|node| node.node_type() == Node::TEXT_NODE) {
        Some(text) => text.set_node_value(Some(words)),
        None => element.set_text_content(Some(words)),
    }
}

fn set(element: &Element, name: &str, value: &str) {
    // Fails for names that are none, and these are ours.
    let _ = element.set_attribute(name, value);
}

fn hide(element: &Element, hidden: bool) {
    let _ = element.toggle_attribute_with_force("hidden", hidden);
}
