//! What the forms of the settings have in common: a line, ticks in groups, and what was refused, at its place.

use leptos::prelude::*;

use crate::api::error::ApiError;
use crate::ui::parts::field_input::focus_soon;

/// What was refused of a form, if anything was. Its inputs have the form's name before their field's as their id.
#[derive(Clone, Copy)]
pub struct Refusal {
    form: &'static str,
    error: RwSignal<Option<ApiError>>,
}

impl Refusal {
    #[must_use]
    pub fn none(form: &'static str) -> Self {
        Self { form, error: RwSignal::new(None) }
    }

    pub fn clear(self) {
        self.error.set(None);
    }

    /// Shows what is wrong, and takes the person to the first of it.
    pub fn show(self, error: ApiError) {
        if let ApiError::Invalid { problems } = &error
            && let Some(first) = problems.first()
        {
            focus_soon(self.id(&first.field));
        }
        let _ = self.error.try_set(Some(error));
    }

    /// What is wrong with one field.
    #[must_use]
    pub fn of(self, field: &str) -> Option<String> {
        self.error.with(|error| match error {
            Some(ApiError::Invalid { problems }) => {
                problems.iter().find(|problem| problem.field == field).map(|problem| problem.message.clone())
            }
            _ => None,
        })
    }

    /// What is wrong with none of them.
    pub fn general(self) -> AnyView {
        let shown = move || {
            let error = self.error.get().filter(|error| !matches!(error, ApiError::Invalid { .. }))?;
            Some(view! { <p class="verdict" role="alert">{error.to_string()}</p> })
        };
        view! { {move || shown()} }.into_any()
    }

    fn id(self, field: &str) -> String {
        format!("{}-{field}", self.form)
    }
}

/// How a line is typed.
pub struct Line {
    pub field: &'static str,
    pub label: &'static str,
    /// The input's type.
    pub kind: &'static str,
    /// Characters at most.
    pub limit: usize,
    pub example: &'static str,
}

/// A line of text, with what is wrong with it.
pub fn line(refusal: Refusal, about: Line, text: RwSignal<String>) -> AnyView {
    let Line { field, label, kind, limit, example } = about;
    let id = refusal.id(field);
    let described = format!("{id}-problem");
    let problem = move || refusal.of(field);
    view! {
        <div class="field" class:bad={move || problem().is_some()}>
            <div class="field-head"><label for=id.clone()>{label}</label></div>
            <input
                class="control"
                id=id
                type=kind
                maxlength=limit.to_string()
                autocomplete="off"
                spellcheck="false"
                placeholder=example
                aria-describedby=described.clone()
                aria-invalid={move || problem().is_some().to_string()}
                prop:value={move || text.get()}
                on:input={move |event| text.set(event_target_value(&event))}
            />
            <p class="problem" id=described>{move || problem()}</p>
        </div>
    }
    .into_any()
}

/// A group of ticks, with what is wrong with it; the group itself takes the focus.
pub fn group(refusal: Refusal, field: &'static str, legend: &'static str, content: AnyView) -> AnyView {
    view! {
        <fieldset class="ticks" id=refusal.id(field) tabindex="-1">
            <legend>{legend}</legend>
            {content}
            <p class="problem">{move || refusal.of(field)}</p>
        </fieldset>
    }
    .into_any()
}

/// A tick that puts a value into a list and takes it out.
pub fn tick<T: Copy + PartialEq + Send + Sync + 'static>(
    list: RwSignal<Vec<T>>,
    value: T,
    label: &'static str,
    help: &'static str,
) -> AnyView {
    let on = move || list.with(|list| list.contains(&value));
    let turn = move |_| {
        list.update(|list| {
            if list.contains(&value) {
                list.retain(|one| *one != value);
            } else {
                list.push(value);
            }
        });
    };
    view! {
        <label class="tick">
            <input type="checkbox" prop:checked=move || on() on:change=turn />
            <span>{label}<small>{help}</small></span>
        </label>
    }
    .into_any()
}
