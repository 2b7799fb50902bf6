//! The component picker: search, arrows, Enter.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use std::sync::Arc;

use crate::domain::component::{ComponentForm, ComponentSlug};
use crate::domain::fold::fold;
use crate::ui::parts::component_icon::ComponentIcon;
use crate::ui::parts::field_input::focus_soon;
use crate::ui::state::catalog::{Catalog, Loading};

/// Components that match, under their categories; both in the order of the catalog, most used first.
fn grouped(forms: &[ComponentForm], text: &str) -> Vec<(String, Vec<ComponentForm>)> {
    let words = fold(text);
    let matches = |form: &&ComponentForm| {
        let hay = format!("{} {} {}", fold(&form.badge.name), fold(&form.category), form.badge.slug);
        words.split(' ').all(|word| hay.contains(word))
    };
    let mut groups: Vec<(String, Vec<ComponentForm>)> = Vec::new();
    for form in forms.iter().filter(matches) {
        match groups.iter_mut().find(|(category, _)| *category == form.category) {
            Some((_, members)) => members.push(form.clone()),
            None => groups.push((form.category.clone(), vec![form.clone()])),
        }
    }
    groups
}

const SEARCH: &str = "component-search";

fn choice_id(index: usize) -> String {
    format!("component-choice-{index}")
}

#[component]
pub fn Picker(on_pick: Callback<ComponentSlug>) -> impl IntoView {
    let catalog = Catalog::expect();
    let text = RwSignal::new(String::new());
    let forms = Memo::new(move |_| match catalog.loading() {
        Loading::Here(forms) => forms,
        _ => Arc::default(),
    });
    let groups = Memo::new(move |_| forms.with(|forms| text.with(|text| grouped(forms, text))));
    let count =
        Memo::new(move |_| groups.with(|groups| groups.iter().map(|(_, members)| members.len()).sum::<usize>()));
    Effect::new(|_| focus_soon(SEARCH.to_owned()));
    let pick_first = move || {
        let first = groups.with_untracked(|groups| groups.first().map(|(_, members)| members[0].badge.slug.clone()));
        if let Some(slug) = first {
            on_pick.run(slug);
        }
    };
    let search_key = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" if !event.is_composing() => {
            event.prevent_default();
            pick_first();
        }
        "ArrowDown" if count.get_untracked() > 0 => {
            event.prevent_default();
            focus_soon(choice_id(0));
        }
        _ => {}
    };
    let told = move || match count.get() {
        0 => "No component matches.".to_owned(),
        1 => "1 component".to_owned(),
        many => format!("{many} components"),
    };
    view! {
        <div class="dialog-body picker">
            <input
                id=SEARCH
                class="control"
                type="search"
                aria-label="Search components"
                placeholder="Search components"
                autocomplete="off"
                spellcheck="false"
                prop:value=text
                on:input={move |event| text.set(event_target_value(&event))}
                on:keydown=search_key
            />
            <p class="picker-count" role="status">{told}</p>
            <div class="choices">{move || choices(&groups.get(), count.get(), on_pick)}</div>
        </div>
    }
    .into_any()
}

fn choices(
    groups: &[(String, Vec<ComponentForm>)],
    count: usize,
    on_pick: Callback<ComponentSlug>,
) -> impl IntoView + use<> {
    let mut index = 0;
    let mut group = |(category, members): &(String, Vec<ComponentForm>)| {
        let buttons = members
            .iter()
            .map(|form| {
                let here = index;
                index += 1;
                choice(form, here, count, on_pick)
            })
            .collect_view();
        view! {
            <section>
                <h3>{category.clone()}</h3>
                <div class="choice-group">{buttons}</div>
            </section>
        }
    };
    groups.iter().map(&mut group).collect_view()
}

fn choice(form: &ComponentForm, index: usize, count: usize, on_pick: Callback<ComponentSlug>) -> impl IntoView + use<> {
    let badge = form.badge.clone();
    let slug = badge.slug.clone();
    let keydown = move |event: KeyboardEvent| {
        let target = match event.key().as_str() {
            "ArrowDown" | "ArrowRight" => choice_id((index + 1).min(count - 1)),
            "ArrowUp" | "ArrowLeft" if index == 0 => SEARCH.to_owned(),
            "ArrowUp" | "ArrowLeft" => choice_id(index - 1),
            "Home" => choice_id(0),
            "End" => choice_id(count - 1),
            _ => return,
        };
        event.prevent_default();
        focus_soon(target);
    };
    view! {
        <button
            type="button"
            class="component-choice"
            id=choice_id(index)
            on:keydown=keydown
            on:click={move |_| on_pick.run(slug.clone())}
        >
            <ComponentIcon badge=badge.clone() />
            <span>{badge.name.clone()}</span>
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(slug: &str, name: &str, category: &str) -> ComponentForm {
        serde_json::from_value(serde_json::json!({
            "badge": { "slug": slug, "name": name, "icon": "" },
            "category": category, "homepage": "", "popularity": 1, "methods": []
        }))
        .expect("a form")
    }

    #[test]
    fn groups_follow_the_catalog_and_search_looks_at_names_and_categories() {
        let forms = [
            form("slack", "Slack", "Messaging"),
            form("postgresql", "PostgreSQL", "Databases"),
            form("telegram", "Telegram", "Messaging"),
        ];
        let names = |text: &str| -> Vec<Vec<String>> {
            grouped(&forms, text)
                .into_iter()
                .map(|(_, members)| members.into_iter().map(|form| form.badge.name).collect())
                .collect()
        };
        assert_eq!(names(""), [vec!["Slack".to_owned(), "Telegram".to_owned()], vec!["PostgreSQL".to_owned()]]);
        assert_eq!(names("data"), [["PostgreSQL"]]);
        assert_eq!(names("SLA mess"), [["Slack"]]);
        assert!(names("nothing").is_empty());
    }
}
