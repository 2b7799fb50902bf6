//! One field of a credential form: its label, the control its kind asks for, help, and what is wrong with it.

use leptos::ev::FocusEvent;
use leptos::prelude::*;

use crate::domain::field::{Field, FieldKind};
use crate::domain::time::relative;
use crate::ui::dialogs::draft::Draft;
use crate::ui::state::list::ListState;

/// The element that takes the focus when the field has a problem.
#[must_use]
pub fn element_id(field: &str) -> String {
    format!("field-{field}")
}

/// A field bound to a draft. A stored secret shows since when it is stored, and how to replace it.
#[component]
pub fn FieldInput(draft: Draft, field: Field) -> impl IntoView {
    let shown = {
        let field = field.clone();
        Memo::new(move |_| {
            let fields = draft.method_form().map(|method| method.fields).unwrap_or_default();
            draft.values.with(|values| field.is_shown(values, &fields))
        })
    };
    let field = StoredValue::new(field);
    move || shown.get().then(|| field_view(draft, field.get_value()).into_any())
}

fn field_view(draft: Draft, field: Field) -> impl IntoView {
    let id = element_id(&field.id);
    let (help_id, problem_id, label_id) = (format!("{id}-help"), format!("{id}-problem"), format!("{id}-label"));
    let find = (!field.find_at.is_empty()).then(|| {
        view! {
            <a href=field.find_at.clone() target="_blank" rel="noreferrer noopener" aria-describedby=label_id.clone()>
                "Where do I find this?"
            </a>
        }
    });
    let optional = field.optional.then(|| view! { <span class="optional">"optional"</span> });
    let help = (!field.help.is_empty()).then(|| view! { <p class="help" id=help_id.clone()>{field.help.clone()}</p> });
    let name = field.id.clone();
    let problem = Memo::new(move |_| draft.problem(&name));
    let width = match (field.half, field.kind) {
        (false, _) => "field",
        (true, FieldKind::Host) => "field wide",
        (true, FieldKind::Port) => "field slim",
        (true, _) => "field half",
    };
    let described = format!("{help_id} {problem_id}");
    view! {
        <div class=width class:bad={move || problem.with(Option::is_some)}>
            <div class="field-head">
                <label id=label_id for=id.clone()>{field.label.clone()}</label>
                {optional}
                {find}
            </div>
            {secret_or_plain(draft, field, id, described, problem)}
            {help}
            <p class="problem" id=problem_id>{move || problem.get()}</p>
        </div>
    }
}

fn secret_or_plain(
    draft: Draft,
    field: Field,
    id: String,
    described: String,
    problem: Memo<Option<String>>,
) -> AnyView {
    if !field.secret {
        return control(draft, &field, id, described, problem, RwSignal::new(false));
    }
    let name = field.id.clone();
    let stored = Memo::new(move |_| draft.stored(&name));
    let moved = Memo::new(move |_| draft.start.with_value(|start| !start.stored.is_empty()) && draft.moved());
    let kept = {
        let name = field.id.clone();
        Memo::new(move |_| stored.with(Option::is_some) && !draft.replaced.with(|replaced| replaced.contains(&name)))
    };
    let field = StoredValue::new(field);
    let why = move || {
        moved.get().then(|| {
            view! { <p class="help">"Where it is sent changes, so it must be given again: a stored secret never travels to another address."</p> }
        })
    };
    let body = move || {
        if kept.get() {
            stored_secret(draft, &field.get_value(), stored, id.clone())
        } else {
            secret_control(draft, &field.get_value(), id.clone(), described.clone(), problem)
        }
    };
    view! { {body}{why} }.into_any()
}

fn stored_secret(
    draft: Draft,
    field: &Field,
    stored: Memo<Option<crate::api::connections::StoredSecret>>,
    id: String,
) -> AnyView {
    let state = ListState::expect();
    let since = move || {
        let ago = stored.with(|stored| stored.as_ref().map(|secret| relative(secret.stored_at, state.now())));
        format!("stored {}", ago.unwrap_or_default())
    };
    let name = field.id.clone();
    let replace = move |_| {
        draft.replaced.update(|replaced| {
            replaced.insert(name.clone());
        });
        focus_soon(element_id(&name));
    };
    view! {
        <div class="control stored">
            <span class="mask" aria-hidden="true">"••••••••"</span>
            <span>{since}</span>
            <button type="button" id=id aria-label={format!("Replace {}", field.label)} on:click=replace>"Replace"</button>
        </div>
    }
    .into_any()
}

fn secret_control(
    draft: Draft,
    field: &Field,
    id: String,
    described: String,
    problem: Memo<Option<String>>,
) -> AnyView {
    let visible = RwSignal::new(false);
    let label = field.label.clone();
    let word = move || if visible.get() { "Hide" } else { "Show" };
    let spoken = move || format!("{} {label}", word());
    let name = field.id.clone();
    let keepable = {
        let name = name.clone();
        move || draft.stored(&name).is_some()
    };
    let keep = StoredValue::new(move || {
        draft.set(&name, String::new());
        draft.replaced.update(|replaced| {
            replaced.remove(&name);
        });
    });
    let input = control(draft, field, id, described, problem, visible);
    view! {
        <div class="secret">
            {input}
            <button type="button" class="reveal" aria-label=spoken on:click={move |_| visible.update(|on| *on = !*on)}>{word}</button>
        </div>
        <Show when=keepable>
            <button type="button" class="link" on:click={move |_| keep.with_value(|keep| keep())}>"Keep the stored one"</button>
        </Show>
    }
    .into_any()
}

/// The control itself. A secret is masked until `visible`.
fn control(
    draft: Draft,
    field: &Field,
    id: String,
    described: String,
    problem: Memo<Option<String>>,
    visible: RwSignal<bool>,
) -> AnyView {
    let invalid = move || problem.with(Option::is_some).to_string();
    let (name, read) = (field.id.clone(), field.id.clone());
    let value = move || draft.value(&read);
    let required = (!field.optional).to_string();
    let example = field.example.clone();
    let leaving = field.clone();
    let left = move |_: FocusEvent| {
        // A control that leaves the document with the focus in it blurs when its state is gone already.
        if !draft.problems.is_disposed() {
            draft.check_left(&leaving);
        }
    };
    let typed = move |text: String| draft.set(&name, text);
    match field.kind {
        FieldKind::Select => {
            let options = choices(draft, field);
            view! {
                <select class="control" id=id aria-describedby=described aria-invalid=invalid aria-required=required
                    on:change={move |event| typed(event_target_value(&event))} on:blur=left prop:value=value>
                    {options}
                </select>
            }
            .into_any()
        }
        FieldKind::Multiline => {
            let masked = field.secret;
            view! {
                <textarea class="control" class:masked={move || masked && !visible.get()} id=id rows="5" placeholder=example
                    aria-describedby=described aria-invalid=invalid aria-required=required spellcheck="false" autocomplete="off"
                    on:input={move |event| typed(event_target_value(&event))} on:blur=left prop:value=value></textarea>
            }
            .into_any()
        }
        kind => {
            let secret = field.secret;
            let mode = match kind {
                FieldKind::Port => "numeric",
                FieldKind::Url => "url",
                _ => "text",
            };
            // `new-password`: a browser then offers none that it stored for this site.
            let complete = if secret { "new-password" } else { "off" };
            view! {
                <input class="control" id=id type={move || if secret && !visible.get() { "password" } else { "text" }}
                    inputmode=mode autocomplete=complete autocapitalize="off" spellcheck="false" placeholder=example
                    aria-describedby=described aria-invalid=invalid aria-required=required
                    on:input={move |event| typed(event_target_value(&event))} on:blur=left prop:value=value />
            }
            .into_any()
        }
    }
}

fn choices(draft: Draft, field: &Field) -> impl IntoView + use<> {
    let current = untrack(|| draft.value(&field.id));
    let none = (field.default.is_empty()).then(|| view! { <option value="">"Choose …"</option> });
    let option = |choice: &crate::domain::field::SelectOption| {
        let selected = choice.value == current;
        view! { <option value=choice.value.clone() selected=selected>{choice.label.clone()}</option> }
    };
    let options = field.options.iter().map(option).collect_view();
    view! { {none}{options} }
}

/// Focuses an element once the view has caught up.
pub fn focus_soon(id: String) {
    request_animation_frame(move || {
        use leptos::wasm_bindgen::JsCast;
        let element = document().get_element_by_id(&id);
        if let Some(element) = element.and_then(|element| element.dyn_into::<leptos::web_sys::HtmlElement>().ok()) {
            let _ = element.focus();
        }
    });
}
