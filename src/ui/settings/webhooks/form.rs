//! The form that makes a webhook or changes one.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Stage, Webhooks};
use crate::api::error::ApiError;
use crate::api::session::Viewer;
use crate::api::webhooks::{WebhookLine, WebhookRequest, change_webhook, create_webhook};
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::domain::webhook::URL_LIMIT;
use crate::ui::parts::field_input::focus_soon;
use crate::ui::state::toasts::Toasts;

pub(super) const URL: &str = "webhook-url";

/// What is typed and ticked.
#[derive(Clone, Copy)]
struct Draft {
    url: RwSignal<String>,
    types: RwSignal<Vec<EventType>>,
    environments: RwSignal<Vec<Environment>>,
    error: RwSignal<Option<ApiError>>,
    busy: RwSignal<bool>,
}

impl Draft {
    fn of(edited: Option<&WebhookLine>, viewer: &Viewer) -> Self {
        let environments = edited.map_or(viewer.environments, |line| line.environments);
        let types = edited.map(|line| line.types.clone()).filter(|types| !types.is_empty());
        Self {
            url: RwSignal::new(edited.map(|line| line.url.clone()).unwrap_or_default()),
            types: RwSignal::new(types.unwrap_or_else(|| EventType::OF_CONNECTIONS.to_vec())),
            environments: RwSignal::new(environments.iter().collect()),
            error: RwSignal::new(None),
            busy: RwSignal::new(false),
        }
    }

    /// What is asked for; or what is missing, where the server need not be asked to say so.
    fn request(self, enabled: bool) -> Result<WebhookRequest, ApiError> {
        let mut types = self.types.get_untracked();
        if types.is_empty() {
            return Err(ApiError::field("types", "Choose at least one kind of event."));
        }
        // All of them, and what later versions add.
        if types.len() == EventType::OF_CONNECTIONS.len() {
            types.clear();
        }
        Ok(WebhookRequest {
            url: self.url.get_untracked(),
            types,
            environments: self.environments.get_untracked(),
            enabled,
        })
    }

    /// What is wrong with one field.
    fn problem(self, field: &str) -> Option<String> {
        self.error.with(|error| match error {
            Some(ApiError::Invalid { problems }) => {
                problems.iter().find(|problem| problem.field == field).map(|problem| problem.message.clone())
            }
            _ => None,
        })
    }

    /// Shows what is wrong, and takes the person there.
    fn refuse(self, error: ApiError) {
        if let ApiError::Invalid { problems } = &error
            && let Some(first) = problems.first()
        {
            focus_soon(format!("webhook-{}", first.field));
        }
        let _ = self.error.try_set(Some(error));
    }
}

#[component]
pub fn WebhookForm(edited: Option<WebhookLine>) -> impl IntoView {
    let (page, toasts) = (Webhooks::expect(), Toasts::expect());
    let draft = Draft::of(edited.as_ref(), &expect_context());
    let is_new = edited.is_none();
    let known = StoredValue::new(edited);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if draft.busy.get_untracked() {
            return;
        }
        draft.error.set(None);
        let known = known.get_value();
        let request = match draft.request(known.as_ref().is_none_or(|line| line.enabled)) {
            Ok(request) => request,
            Err(error) => return draft.refuse(error),
        };
        draft.busy.set(true);
        spawn_local(async move {
            let done = match known {
                None => create_webhook(request).await.map(Some),
                Some(line) => change_webhook(line.id, request).await.map(|()| None),
            };
            match done {
                Ok(Some(made)) => page.show(Stage::Made(made)),
                Ok(None) => {
                    toasts.tell("The webhook is changed".to_owned());
                    page.show(Stage::Looking);
                }
                Err(error) => {
                    let _ = draft.busy.try_set(false);
                    return draft.refuse(error);
                }
            }
            page.fetch();
        });
    };
    let general = move || {
        let error = draft.error.get().filter(|error| !matches!(error, ApiError::Invalid { .. }))?;
        Some(view! { <p class="verdict" role="alert">{error.to_string()}</p> })
    };
    let (label, deed) = if is_new { ("New webhook", "Make webhook") } else { ("Change webhook", "Save") };
    view! {
        <form class="panel" aria-label=label novalidate on:submit=submit>
            <UrlField draft=draft />
            {types(draft)}
            {environments(draft)}
            {move || general()}
            <div class="deeds">
                <button type="submit" class="button primary" aria-disabled={move || draft.busy.get().to_string()}>{deed}</button>
                <button type="button" class="button" on:click={move |_| page.show(Stage::Looking)}>"Cancel"</button>
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn UrlField(draft: Draft) -> impl IntoView {
    let problem = move || draft.problem("url");
    view! {
        <div class="field" class:bad={move || problem().is_some()}>
            <div class="field-head"><label for=URL>"Address"</label></div>
            <input
                class="control"
                id=URL
                type="url"
                maxlength=URL_LIMIT.to_string()
                autocomplete="off"
                spellcheck="false"
                placeholder="https://platform.example/patchbay"
                aria-describedby="webhook-url-problem"
                aria-invalid={move || problem().is_some().to_string()}
                prop:value={move || draft.url.get()}
                on:input={move |event| draft.url.set(event_target_value(&event))}
            />
            <p class="problem" id="webhook-url-problem">{move || problem()}</p>
        </div>
    }
    .into_any()
}

/// A group of ticks, with what is wrong with it; the group itself takes the focus.
fn group(draft: Draft, field: &'static str, legend: &'static str, content: AnyView) -> AnyView {
    let id = format!("webhook-{field}");
    view! {
        <fieldset class="ticks" id=id tabindex="-1">
            <legend>{legend}</legend>
            {content}
            <p class="problem">{move || draft.problem(field)}</p>
        </fieldset>
    }
    .into_any()
}

/// A tick that puts a value into a list and takes it out.
fn tick<T: Copy + PartialEq + Send + Sync + 'static>(list: RwSignal<Vec<T>>, value: T, label: &'static str) -> AnyView {
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
    view! { <label class="tick"><input type="checkbox" prop:checked=move || on() on:change=turn /><span>{label}</span></label> }
        .into_any()
}

fn types(draft: Draft) -> AnyView {
    let one = |kind| tick(draft.types, kind, label(kind));
    group(draft, "types", "What it is told", EventType::OF_CONNECTIONS.into_iter().map(one).collect_view().into_any())
}

fn environments(draft: Draft) -> AnyView {
    let viewer: Viewer = expect_context();
    let one = |environment: Environment| tick(draft.environments, environment, environment.label());
    group(draft, "environments", "Of which environments", viewer.environments.iter().map(one).collect_view().into_any())
}

/// What a type of event is called.
pub(super) const fn label(kind: EventType) -> &'static str {
    match kind {
        EventType::Created => "A connection was created",
        EventType::Updated => "Its name, tags or credentials were changed",
        EventType::Activated => "It became ACTIVE",
        EventType::Deactivated => "It became NOT ACTIVE",
        EventType::Expiring => "Its credential expires soon",
        EventType::Deleted => "It was deleted",
        EventType::Undeleted => "It was brought back",
        EventType::Replaced => "Workflows use another connection instead",
        EventType::Test => "A test",
    }
}
