//! The form that makes a key.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Keys;
use super::connections::ConnectionLimit;
use super::row::word;
use crate::api::error::ApiError;
use crate::api::keys::{KeyRequest, NamedConnection, create_api_key};
use crate::api::session::Viewer;
use crate::domain::api_key::NAME_LIMIT;
use crate::domain::environment::Environment;
use crate::domain::role::Permission;
use crate::ui::parts::field_input::focus_soon;

pub(super) const NAME: &str = "key-name";

/// How long a key may live, in days; the last one has no end.
const LIVES: [(Option<u32>, &str); 4] =
    [(Some(30), "30 days"), (Some(90), "90 days"), (Some(365), "1 year"), (None, "No expiry")];
const USUAL_LIFE: usize = 2;

/// What is typed and ticked.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    name: RwSignal<String>,
    pub permissions: RwSignal<Vec<Permission>>,
    pub environments: RwSignal<Vec<Environment>>,
    /// `None`: every connection.
    pub connections: RwSignal<Option<Vec<NamedConnection>>>,
    life: RwSignal<usize>,
    error: RwSignal<Option<ApiError>>,
    busy: RwSignal<bool>,
}

impl Draft {
    fn new() -> Self {
        Self {
            name: RwSignal::default(),
            permissions: RwSignal::default(),
            environments: RwSignal::default(),
            connections: RwSignal::new(None),
            life: RwSignal::new(USUAL_LIFE),
            error: RwSignal::new(None),
            busy: RwSignal::new(false),
        }
    }

    /// What is asked for; or what is missing, where the server need not be asked to say so.
    fn request(self) -> Result<KeyRequest, ApiError> {
        let environments = self.environments.get_untracked();
        let limit = self.connections.get_untracked();
        let limited = limit.is_some();
        let named = limit.unwrap_or_default().into_iter().filter(|one| environments.contains(&one.environment));
        let connections: Vec<_> = named.map(|one| one.id).collect();
        if limited && connections.is_empty() {
            return Err(ApiError::field("connections", "Choose a connection, or every connection."));
        }
        Ok(KeyRequest {
            name: self.name.get_untracked(),
            permissions: self.permissions.get_untracked(),
            environments,
            connections,
            days: LIVES[self.life.get_untracked()].0,
        })
    }

    /// What is wrong with one field.
    pub fn problem(self, field: &str) -> Option<String> {
        self.error.with(|error| match error {
            Some(ApiError::Invalid { problems }) => {
                problems.iter().find(|problem| problem.field == field).map(|problem| problem.message.clone())
            }
            _ => None,
        })
    }
}

#[component]
pub fn KeyForm() -> impl IntoView {
    let keys = Keys::expect();
    let draft = Draft::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if draft.busy.get_untracked() {
            return;
        }
        draft.error.set(None);
        let request = match draft.request() {
            Ok(request) => request,
            Err(error) => return refuse(draft, error),
        };
        draft.busy.set(true);
        spawn_local(async move {
            match create_api_key(request).await {
                Ok(key) => keys.made(key),
                Err(error) => {
                    let _ = draft.busy.try_set(false);
                    refuse(draft, error);
                }
            }
        });
    };
    let general = move || {
        let error = draft.error.get().filter(|error| !matches!(error, ApiError::Invalid { .. }))?;
        Some(view! { <p class="verdict" role="alert">{error.to_string()}</p> })
    };
    view! {
        <form class="panel" aria-label="New key" novalidate on:submit=submit>
            <NameField draft=draft />
            <Permissions draft=draft />
            <Environments draft=draft />
            <ConnectionLimit draft=draft />
            <Life draft=draft />
            {move || general()}
            <div class="deeds">
                <button type="submit" class="button primary" aria-disabled={move || draft.busy.get().to_string()}>
                    {move || if draft.busy.get() { "Making …" } else { "Make key" }}
                </button>
                <button type="button" class="button" on:click={move |_| keys.end()}>"Cancel"</button>
            </div>
        </form>
    }
    .into_any()
}

/// Shows what is wrong, and takes the person there.
fn refuse(draft: Draft, error: ApiError) {
    if let ApiError::Invalid { problems } = &error
        && let Some(first) = problems.first()
    {
        focus_soon(format!("key-{}", first.field));
    }
    let _ = draft.error.try_set(Some(error));
}

#[component]
fn NameField(draft: Draft) -> impl IntoView {
    let problem = move || draft.problem("name");
    view! {
        <div class="field" class:bad={move || problem().is_some()}>
            <div class="field-head"><label for=NAME>"Name"</label></div>
            <input
                class="control"
                id=NAME
                type="text"
                maxlength=NAME_LIMIT.to_string()
                autocomplete="off"
                placeholder="Nightly runtime"
                aria-describedby="key-name-problem"
                aria-invalid={move || problem().is_some().to_string()}
                prop:value={move || draft.name.get()}
                on:input={move |event| draft.name.set(event_target_value(&event))}
            />
            <p class="problem" id="key-name-problem">{move || problem()}</p>
        </div>
    }
    .into_any()
}

/// What is wrong with a group of ticks; the group itself takes the focus.
pub(super) fn group(draft: Draft, field: &'static str, legend: &'static str, content: AnyView) -> AnyView {
    let id = format!("key-{field}");
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
fn tick<T: Copy + PartialEq + Send + Sync + 'static>(
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

#[component]
fn Permissions(draft: Draft) -> impl IntoView {
    let about = |permission| match permission {
        Permission::Use => "Register workflows, and send requests through the proxy",
        Permission::Read => "List connections and workflows, never their credentials",
        Permission::Write => "Create, edit, test and delete connections",
        Permission::Credentials => "Fetch the credentials of connections at run time",
    };
    let one = |permission| tick(draft.permissions, permission, word(permission), about(permission));
    group(draft, "permissions", "What it may do", Permission::ALL.into_iter().map(one).collect_view().into_any())
}

#[component]
fn Environments(draft: Draft) -> impl IntoView {
    let viewer: Viewer = expect_context();
    let one = |environment: Environment| tick(draft.environments, environment, environment.label(), "");
    group(draft, "environments", "Where it is valid", viewer.environments.iter().map(one).collect_view().into_any())
}

#[component]
fn Life(draft: Draft) -> impl IntoView {
    let option = |(index, (_, label)): (usize, &'static (Option<u32>, &'static str))| {
        view! { <option value=index.to_string() selected=index == USUAL_LIFE>{*label}</option> }
    };
    let options = LIVES.iter().enumerate().map(option).collect_view();
    let choose = move |event| {
        let index = event_target_value(&event).parse().ok().filter(|index| *index < LIVES.len());
        draft.life.set(index.unwrap_or(USUAL_LIFE));
    };
    let warning = move || {
        let endless = LIVES[draft.life.get()].0.is_none();
        endless.then_some("It works until somebody revokes it, wherever it has got to by then.")
    };
    view! {
        <div class="field">
            <div class="field-head"><label for="key-days">"Expires after"</label></div>
            <select class="control" id="key-days" aria-describedby="key-days-help" on:change=choose>{options}</select>
            <p class="help" id="key-days-help">{move || warning()}</p>
        </div>
    }
    .into_any()
}
