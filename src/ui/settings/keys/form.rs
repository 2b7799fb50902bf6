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
use crate::ui::settings::form::{Line, Refusal, group, line, tick};

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
    pub refusal: Refusal,
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
            refusal: Refusal::none("key"),
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
        draft.refusal.clear();
        let request = match draft.request() {
            Ok(request) => request,
            Err(error) => return draft.refusal.show(error),
        };
        draft.busy.set(true);
        spawn_local(async move {
            match create_api_key(request).await {
                Ok(key) => keys.made(key),
                Err(error) => {
                    let _ = draft.busy.try_set(false);
                    draft.refusal.show(error);
                }
            }
        });
    };
    let name = Line { field: "name", label: "Name", kind: "text", limit: NAME_LIMIT, example: "Nightly runtime" };
    view! {
        <form class="panel" aria-label="New key" novalidate on:submit=submit>
            {line(draft.refusal, name, draft.name)}
            <Permissions draft=draft />
            <Environments draft=draft />
            <ConnectionLimit draft=draft />
            <Life draft=draft />
            {draft.refusal.general()}
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

#[component]
fn Permissions(draft: Draft) -> impl IntoView {
    let about = |permission| match permission {
        Permission::Use => "Register workflows, and send requests through the proxy",
        Permission::Read => "List connections and workflows, never their credentials",
        Permission::Write => "Create, edit, test and delete connections",
        Permission::Credentials => "Fetch the credentials of connections at run time",
    };
    let one = |permission| tick(draft.permissions, permission, word(permission), about(permission));
    group(
        draft.refusal,
        "permissions",
        "What it may do",
        Permission::ALL.into_iter().map(one).collect_view().into_any(),
    )
}

#[component]
fn Environments(draft: Draft) -> impl IntoView {
    let viewer: Viewer = expect_context();
    let one = |environment: Environment| tick(draft.environments, environment, environment.label(), "");
    group(
        draft.refusal,
        "environments",
        "Where it is valid",
        viewer.environments.iter().map(one).collect_view().into_any(),
    )
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
