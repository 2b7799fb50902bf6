//! Describing a component: guided or as JSON, with what it will look like and a trial beside it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use std::time::Duration;

use super::guided::{Guided, Place, input_of};
use super::trial::Trial;
use crate::api::components::{OwnComponent, preview_component, put_component};
use crate::api::error::ApiError;
use crate::api::json;
use crate::browser::today;
use crate::domain::component::ComponentForm;
use crate::domain::field::FieldProblem;
use crate::ui::state::toasts::Toasts;

/// Until what was typed is looked at.
const PAUSE: Duration = Duration::from_millis(350);

/// What is being described.
#[derive(Clone, Copy)]
pub struct Draft {
    /// 0: a new one.
    version: i64,
    guided: RwSignal<Guided>,
    /// The definition as JSON: what is looked at, tried and saved.
    pub text: RwSignal<String>,
    as_json: RwSignal<bool>,
    pub problems: RwSignal<Vec<FieldProblem>>,
    pub form: RwSignal<Option<ComponentForm>>,
    busy: RwSignal<bool>,
    /// It was to be saved: from then on what is empty counts as wrong.
    tried: RwSignal<bool>,
    /// Grows with each change: only the answer to the latest counts.
    turn: RwSignal<u32>,
}

impl Draft {
    pub fn begun() -> Self {
        let guided = Guided::new(today());
        Self::with(0, pretty(&guided.definition()), Some(guided))
    }

    pub fn of(one: &OwnComponent) -> Self {
        let definition = json::read::<Value>(&one.definition).unwrap_or_default();
        Self::with(one.version, pretty(&definition), Guided::of(&definition))
    }

    fn with(version: i64, text: String, guided: Option<Guided>) -> Self {
        let as_json = guided.is_none();
        Self {
            version,
            guided: RwSignal::new(guided.unwrap_or_else(|| Guided::new(today()))),
            text: RwSignal::new(text),
            as_json: RwSignal::new(as_json),
            problems: RwSignal::new(Vec::new()),
            form: RwSignal::new(None),
            busy: RwSignal::new(false),
            tried: RwSignal::new(false),
            turn: RwSignal::new(0),
        }
    }

    fn change(self, change: impl FnOnce(&mut Guided)) {
        self.guided.update(change);
        self.text.set(self.guided.with_untracked(|guided| pretty(&guided.definition())));
        self.look_soon();
    }

    fn type_json(self, text: String) {
        self.text.set(text);
        self.look_soon();
    }

    /// Guided again, if the definition says no more than the form asks.
    fn go_guided(self, toasts: Toasts) {
        let found = self.text.with_untracked(|text| json::read::<Value>(text).ok());
        if let Some(guided) = found.as_ref().and_then(Guided::of) {
            self.guided.set(guided);
            self.as_json.set(false);
        } else {
            toasts.complain("This definition says more than the guided form asks. Go on as JSON.");
        }
    }

    fn look_soon(self) {
        self.turn.update(|turn| *turn += 1);
        let turn = self.turn.get_untracked();
        set_timeout(
            move || {
                if self.turn.try_get_untracked() == Some(turn) {
                    self.look(turn);
                }
            },
            PAUSE,
        );
    }

    fn look(self, turn: u32) {
        let text = self.text.get_untracked();
        spawn_local(async move {
            let answer = preview_component(text).await;
            if self.turn.try_get_untracked() == Some(turn) {
                self.take(answer);
            }
        });
    }

    fn take(self, answer: Result<ComponentForm, ApiError>) {
        match answer {
            Ok(form) => {
                self.problems.set(Vec::new());
                self.form.set(Some(form));
            }
            Err(error) => {
                let begun = self.tried.get_untracked() || self.as_json.get_untracked();
                let typed = |problem: &FieldProblem| {
                    let input = input_of(&problem.field);
                    input.is_none_or(|input| !self.guided.with_untracked(|guided| guided.is_blank(input)))
                };
                let problems = problems_of(error).into_iter().filter(|problem| begun || typed(problem));
                self.problems.set(problems.collect());
            }
        }
    }

    fn save(self, toasts: Toasts, on_done: Callback<()>) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.tried.set(true);
        let (text, version) = (self.text.get_untracked(), self.version);
        let slug = json::read::<Value>(&text).ok();
        let slug = slug.and_then(|whole| Some(whole.get("slug")?.as_str()?.to_owned())).unwrap_or_default();
        spawn_local(async move {
            let answer = put_component(slug, text, version).await;
            let _ = self.busy.try_set(false);
            match answer {
                Ok(done) => {
                    let name = name_of(&done.component.definition).unwrap_or_default();
                    toasts.tell(if done.asks_again && done.component.connections > 0 {
                        format!("{name} is saved. Its connections need their secrets again: what is sent has changed.")
                    } else {
                        format!("{name} is saved.")
                    });
                    on_done.run(());
                }
                Err(error) => {
                    let _ = self.problems.try_set(problems_of(error));
                }
            }
        });
    }
}

fn problems_of(error: ApiError) -> Vec<FieldProblem> {
    match error {
        ApiError::Invalid { problems } => problems,
        other => vec![FieldProblem::new("", other.to_string())],
    }
}

fn pretty(definition: &Value) -> String {
    serde_json::to_string_pretty(definition).unwrap_or_default()
}

/// The name in a definition.
pub fn name_of(definition: &str) -> Option<String> {
    json::read::<Value>(definition).ok()?.get("name")?.as_str().map(str::to_owned)
}

#[component]
pub fn Editor(draft: Draft, on_done: Callback<()>) -> impl IntoView {
    let toasts = Toasts::expect();
    if draft.version > 0 {
        draft.look_soon();
    }
    let title = if draft.version == 0 { "New component" } else { "Edit the component" };
    let busy = move || draft.busy.get().to_string();
    let pressed = move |json: bool| (draft.as_json.get() == json).to_string();
    let body = move || if draft.as_json.get() { as_json(draft) } else { guided(draft) };
    view! {
        <div class="settings-head">
            <div><h2>{title}</h2></div>
            <div class="ways" role="group" aria-label="How to describe it">
                <button type="button" class="button small" aria-pressed=move || pressed(false)
                    on:click={move |_| draft.go_guided(toasts)}>"Guided"</button>
                <button type="button" class="button small" aria-pressed=move || pressed(true)
                    on:click={move |_| draft.as_json.set(true)}>"JSON"</button>
            </div>
        </div>
        <div class="component-editor">
            <form on:submit={move |event| { event.prevent_default(); draft.save(toasts, on_done); }}>
                {move || body()}
                {move || others(draft)}
                <div class="deeds">
                    <button type="submit" class="button primary" aria-disabled=busy>"Save component"</button>
                    <button type="button" class="button" on:click={move |_| on_done.run(())}>"Cancel"</button>
                </div>
            </form>
            <Trial draft=draft />
        </div>
    }
    .into_any()
}

/// Problems that no input of the guided form is about; all of them, beside the JSON.
fn others(draft: Draft) -> AnyView {
    let json = draft.as_json.get();
    let shown = |problem: &FieldProblem| json || input_of(&problem.field).is_none();
    let problems: Vec<_> = draft.problems.get().into_iter().filter(shown).collect();
    if problems.is_empty() {
        return ().into_any();
    }
    let line = |problem: FieldProblem| {
        let place = (!problem.field.is_empty()).then(|| view! { <code>{format!("/{}", problem.field)}</code>" " });
        view! { <li>{place}{problem.message}</li> }
    };
    view! { <ul class="verdict" role="alert">{problems.into_iter().map(line).collect_view()}</ul> }.into_any()
}

fn as_json(draft: Draft) -> AnyView {
    view! {
        <div class="field">
            <div class="field-head"><label for="component-json">"Definition"</label></div>
            <textarea class="control" id="component-json" rows="28" spellcheck="false" autocomplete="off"
                prop:value={move || draft.text.get()}
                on:input={move |event| draft.type_json(event_target_value(&event))}></textarea>
        </div>
    }
    .into_any()
}

type Reader = fn(&Guided) -> &String;
type Writer = fn(&mut Guided) -> &mut String;

/// A line of the guided form.
fn line(
    draft: Draft,
    id: &'static str,
    label: &'static str,
    help: &'static str,
    read: Reader,
    write: Writer,
) -> AnyView {
    let element = format!("component-{id}");
    let described = format!("{element}-help {element}-problem");
    let problem = Memo::new(move |_| {
        let about = |problem: &FieldProblem| input_of(&problem.field) == Some(id);
        draft.problems.with(|all| all.iter().find(|problem| about(problem)).map(|problem| problem.message.clone()))
    });
    view! {
        <div class="field" class:bad={move || problem.with(Option::is_some)}>
            <div class="field-head"><label for=element.clone()>{label}</label></div>
            <input class="control" id=element.clone() autocomplete="off" spellcheck="false" aria-describedby=described
                aria-invalid={move || problem.with(Option::is_some).to_string()}
                prop:value={move || draft.guided.with(|guided| read(guided).clone())}
                on:input={move |event| draft.change(|guided| *write(guided) = event_target_value(&event))} />
            <p class="help" id=format!("{element}-help")>{help}</p>
            <p class="problem" id=format!("{element}-problem")>{move || problem.get()}</p>
        </div>
    }
    .into_any()
}

macro_rules! line {
    ($draft:expr, $id:ident, $label:literal, $help:literal) => {
        line($draft, stringify!($id), $label, $help, |guided| &guided.$id, |guided| &mut guided.$id)
    };
}

fn guided(draft: Draft) -> AnyView {
    let named = move || draft.guided.with(|guided| matches!(guided.place, Place::Header | Place::Query));
    let own = move || draft.guided.with(|guided| guided.base_url.is_empty());
    let toggle = move |_| {
        draft.change(|guided| {
            guided.base_url = if guided.base_url.is_empty() { "https://".to_owned() } else { String::new() };
        });
    };
    let option = move |place: Place| {
        let selected = draft.guided.with_untracked(|guided| guided.place == place);
        view! { <option value=place.id() selected=selected>{place.label()}</option> }
    };
    view! {
        {(draft.version == 0).then(|| line!(draft, slug, "Slug", "What the API calls it: lower-case letters, digits and hyphens. It stays."))}
        {line!(draft, name, "Name", "What people read in lists.")}
        {line!(draft, category, "Category", "The heading it stands under when somebody connects.")}
        {line!(draft, docs, "Documentation", "The page that says how to authenticate.")}
        <Show when={move || !own()}>
            {line!(draft, base_url, "Base URL", "Begins with https:// and does not end in a slash.")}
        </Show>
        <label class="check">
            <input type="checkbox" id="component-own-address" prop:checked=own on:change=toggle />
            " Each connection gives its own address"
        </label>
        <div class="field">
            <div class="field-head"><label for="component-place">"Authentication"</label></div>
            <select class="control" id="component-place"
                on:change={move |event| draft.change(|guided| guided.place = Place::parse(&event_target_value(&event)))}>
                {Place::ALL.map(option).collect_view()}
            </select>
        </div>
        <Show when=named>{line!(draft, place_name, "Name of the header or parameter", "Such as x-api-key.")}</Show>
        {line!(draft, help, "Where people find the secret", "One sentence below the field they paste it into.")}
        {line!(draft, path, "Test request", "A path that only a valid credential may read, and that changes nothing.")}
        {line!(draft, valid, "Valid if the status is", "Such as 200, 204.")}
        {line!(draft, invalid, "Invalid if the status is", "Such as 401. Anything else says nothing about the credential.")}
        {line!(draft, message, "What to say if it is invalid", "What happened, and what to try.")}
        {line!(draft, identity, "Account", "Where the answer says whose it is, such as {/user/name}. Optional.")}
        <Icon draft=draft />
    }
    .into_any()
}

/// The picture, chosen from a file.
#[component]
fn Icon(draft: Draft) -> impl IntoView {
    let chosen = move |event: leptos::ev::Event| {
        crate::browser::file::chosen(&event, move |url| draft.change(|guided| guided.icon = url));
    };
    let problem = move || {
        draft.problems.with(|all| all.iter().find(|problem| problem.field == "icon").map(|it| it.message.clone()))
    };
    let drawn = move || draft.guided.with(|guided| !guided.icon.is_empty());
    view! {
        <div class="field" class:bad={move || problem().is_some()}>
            <div class="field-head"><label for="component-icon">"Icon"</label></div>
            <input class="control" type="file" id="component-icon" accept="image/svg+xml,image/png,image/webp"
                aria-describedby="component-icon-help component-icon-problem" on:change=chosen />
            <p class="help" id="component-icon-help">"A square SVG, PNG or WebP of at most 32 KB. Without one it has a tile with its letter."</p>
            <p class="problem" id="component-icon-problem">{problem}</p>
            <Show when=drawn>
                <button type="button" class="link" on:click={move |_| draft.change(|guided| guided.icon.clear())}>"Remove the icon"</button>
            </Show>
        </div>
    }
    .into_any()
}
