//! What a component will look like to whoever connects, and a trial with a credential that is not kept.

use leptos::prelude::*;

use super::editor::Draft;
use crate::api::session::Viewer;
use crate::api::stream::TryRequest;
use crate::domain::component::ComponentForm;
use crate::ui::dialogs::draft::{self, Start};
use crate::ui::dialogs::progress::{Outcome, Progress, told};
use crate::ui::dialogs::running::Running;
use crate::ui::parts::component_icon::ComponentIcon;
use crate::ui::parts::field_input::FieldInput;
use crate::ui::parts::step_list::StepList;

#[component]
pub fn Trial(draft: Draft) -> impl IntoView {
    let shown = move || match draft.form.get() {
        None => view! { <p class="none">"Fill in the form, and here is what it will look like."</p> }.into_any(),
        Some(form) => preview(draft, form),
    };
    view! {
        <aside aria-label="Preview">
            <h3>"What people will see"</h3>
            {move || shown()}
        </aside>
    }
    .into_any()
}

fn preview(component: Draft, form: ComponentForm) -> AnyView {
    let badge = form.badge.clone();
    let tabs = form.methods.len() > 1;
    let methods: Vec<_> = form.methods.iter().map(|method| (method.id.clone(), method.label.clone())).collect();
    let typed = draft::Draft::new(form, Start::default());
    let fields = move || {
        let fields = typed.method_form().map(|method| method.fields).unwrap_or_default();
        fields.into_iter().map(|field| view! { <FieldInput draft=typed field=field /> }).collect_view()
    };
    let by_person = move || typed.method_form().is_some_and(|method| method.oauth.is_some());
    let tab = move |(id, label): (String, String)| {
        let (chosen, asked) = (id.clone(), id);
        let pressed = move || typed.method.with(|method| *method == asked).to_string();
        view! { <button type="button" class="button small" aria-pressed=pressed on:click={move |_| typed.method.set(chosen.clone())}>{label}</button> }
    };
    view! {
        <div class="component-choice"><ComponentIcon badge=badge.clone() /><span>{badge.name.clone()}</span></div>
        {tabs.then(|| view! { <div class="ways" role="group" aria-label="Method">{methods.into_iter().map(tab).collect_view()}</div> })}
        <div class="fields">{move || fields()}</div>
        <Show when={move || !by_person()} fallback=|| view! { <p class="none">"An account is connected by signing in: save it, then connect once."</p> }>
            <Check component=component typed=typed name=badge.name.clone() />
        </Show>
    }
    .into_any()
}

/// The trial itself. What was typed for it is forgotten with the page.
#[component]
fn Check(component: Draft, typed: draft::Draft, name: String) -> impl IntoView {
    let operator = use_context::<Viewer>().is_some_and(|viewer| viewer.operator);
    let progress = RwSignal::new(Progress::default());
    let found = RwSignal::new(None::<String>);
    let running = StoredValue::new(None::<Running>);
    on_cleanup(move || {
        if let Some(Some(running)) = running.try_get_value() {
            running.abort();
        }
    });
    let begin = move |_| {
        found.set(None);
        let request = TryRequest {
            definition: component.text.get_untracked(),
            method: typed.method.get_untracked(),
            values: untrack(|| typed.counting()),
        };
        let name = name.clone();
        let started = Running::start("/rpc/stream/try", &request, progress, move |outcome| {
            let words = match outcome {
                Outcome::Tried(evidence) => told(&name, &evidence),
                Outcome::Failed(crate::api::error::ApiError::Invalid { problems }) => {
                    problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join(" ")
                }
                Outcome::Failed(error) => error.to_string(),
                Outcome::Going | Outcome::Saved(_) | Outcome::Tested(..) | Outcome::NotSaved(_) => return,
            };
            let _ = found.try_set(Some(words));
        });
        running.set_value(Some(started));
    };
    let steps = Signal::derive(move || progress.with(|progress| progress.steps.clone()));
    let going = Signal::derive(move || progress.with(|progress| progress.running));
    let began = move || progress.with(|progress| progress.running || !progress.steps.is_empty());
    view! {
        <p class="help">"Try it with a credential: it is sent as the definition says, and not stored."</p>
        <button type="button" class="button" aria-disabled={move || going.get().to_string()} on:click=begin>"Try it"</button>
        <Show when=began><StepList steps=steps running=going operator=operator /></Show>
        {move || found.get().map(|words| view! { <p class="found" role="status">{words}</p> })}
    }
    .into_any()
}
