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
use crate::ui::settings::form::{Line, Refusal, group, line, tick};
use crate::ui::state::toasts::Toasts;

pub(super) const URL: &str = "webhook-url";

/// What is typed and ticked.
#[derive(Clone, Copy)]
struct Draft {
    url: RwSignal<String>,
    types: RwSignal<Vec<EventType>>,
    environments: RwSignal<Vec<Environment>>,
    refusal: Refusal,
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
            refusal: Refusal::none("webhook"),
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
        draft.refusal.clear();
        let known = known.get_value();
        let request = match draft.request(known.as_ref().is_none_or(|line| line.enabled)) {
            Ok(request) => request,
            Err(error) => return draft.refusal.show(error),
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
                    return draft.refusal.show(error);
                }
            }
            page.fetch();
        });
    };
    let url = Line {
        field: "url",
        label: "Address",
        kind: "url",
        limit: URL_LIMIT,
        example: "https://platform.example/patchbay",
    };
    let (label, deed) = if is_new { ("New webhook", "Make webhook") } else { ("Change webhook", "Save") };
    view! {
        <form class="panel" aria-label=label novalidate on:submit=submit>
            {line(draft.refusal, url, draft.url)}
            {types(draft)}
            {environments(draft)}
            {draft.refusal.general()}
            <div class="deeds">
                <button type="submit" class="button primary" aria-disabled={move || draft.busy.get().to_string()}>{deed}</button>
                <button type="button" class="button" on:click={move |_| page.show(Stage::Looking)}>"Cancel"</button>
            </div>
        </form>
    }
    .into_any()
}

fn types(draft: Draft) -> AnyView {
    let one = |kind| tick(draft.types, kind, label(kind), "");
    group(
        draft.refusal,
        "types",
        "What it is told",
        EventType::OF_CONNECTIONS.into_iter().map(one).collect_view().into_any(),
    )
}

fn environments(draft: Draft) -> AnyView {
    let viewer: Viewer = expect_context();
    let one = |environment: Environment| tick(draft.environments, environment, environment.label(), "");
    group(
        draft.refusal,
        "environments",
        "Of which environments",
        viewer.environments.iter().map(one).collect_view().into_any(),
    )
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
