//! *Delete*: says what breaks before it asks. Undo stands for ten seconds on screen and seven days in *Recently deleted*.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::frame::{Closing, Frame};
use super::testing::test_now;
use super::waiting::{Trouble, Waiting};
use crate::api::connections::{DeletionImpact, Workflow, delete, impact_of_deletion, undelete};
use crate::api::error::ApiError;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::fold::fold;
use crate::domain::id::ConnectionId;
use crate::ui::parts::field_input::focus_soon;
use crate::ui::state::list::ListState;
use crate::ui::state::toasts::Toasts;

#[component]
pub fn DeleteDialog(id: ConnectionId) -> impl IntoView {
    let list = ListState::expect();
    let impact = RwSignal::new(None::<Result<DeletionImpact, ApiError>>);
    let Some(summary) = untrack(|| list.summary(&id)) else {
        let again = Callback::new(|()| ());
        let message = ApiError::NotFound.to_string();
        return view! { <Frame title="Delete".to_owned() class="narrow"><Trouble message=message again=again /></Frame> }.into_any();
    };
    let fetch = Callback::new(move |()| {
        impact.set(None);
        let id = id.clone();
        spawn_local(async move {
            let answer = impact_of_deletion(list.environment, id).await;
            let _ = impact.try_set(Some(answer));
        });
    });
    fetch.run(());
    let badge = untrack(|| list.badge(&summary.component));
    let title = format!("Delete {}?", summary.name);
    let subtitle = list.environment.label().to_owned();
    let body = move || match impact.get() {
        None => view! { <Waiting /> }.into_any(),
        Some(Err(error)) => view! { <Trouble message=error.to_string() again=fetch /> }.into_any(),
        Some(Ok(impact)) => view! { <Asking summary=summary.clone() impact=impact /> }.into_any(),
    };
    view! {
        <Frame title=Signal::stored(title) subtitle=Signal::stored(subtitle) badge=Signal::stored(badge) class="narrow">
            {body}
        </Frame>
    }
    .into_any()
}

#[component]
fn Asking(summary: Summary, impact: DeletionImpact) -> impl IntoView {
    let (list, toasts, closing) = (ListState::expect(), Toasts::expect(), Closing::expect());
    let breaks = impact.workflows.as_ref().is_some_and(|workflows| !workflows.is_empty());
    let must_type = breaks && list.environment == Environment::Production;
    let typed = RwSignal::new(String::new());
    let key = summary.name.key();
    let allowed = Memo::new(move |_| !must_type || typed.with(|typed| fold(typed) == key));
    let name = summary.name.to_string();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if allowed.get_untracked() {
            closing.now();
            carry_out(list, toasts, summary.clone());
        }
    };
    Effect::new(move |_| focus_soon(if must_type { "delete-name" } else { "delete-keep" }.to_owned()));
    let typing = must_type.then(|| {
        view! {
            <div class="field">
                <div class="field-head"><label for="delete-name">{format!("Type “{name}” to delete it")}</label></div>
                <input class="control" id="delete-name" type="text" autocomplete="off" spellcheck="false"
                    on:input={move |event| typed.set(event_target_value(&event))} />
            </div>
        }
    });
    view! {
        <form class="dialog-form" on:submit=submit>
            <div class="dialog-body">
                {consequences(impact)}
                <p>"You can undo this at once, and for 7 days from Recently deleted. Until then nothing is checked or fetched."</p>
                {typing}
            </div>
            <footer class="dialog-foot">
                <span class="spring"></span>
                <button type="button" class="button" id="delete-keep" on:click={move |_| closing.now()}>"Keep"</button>
                <button type="submit" class="button danger" disabled={move || !allowed.get()}>"Delete"</button>
            </footer>
        </form>
    }
    .into_any()
}

/// Which workflows break, or that nobody knows.
fn consequences(impact: DeletionImpact) -> AnyView {
    let Some(workflows) = impact.workflows else {
        return view! { <p>"Patchbay does not know which workflows use it."</p> }.into_any();
    };
    if workflows.is_empty() {
        return view! { <p>"No registered workflow uses it."</p> }.into_any();
    }
    let heading = match workflows.len() {
        1 => "1 workflow uses it and will need a replacement:".to_owned(),
        many => format!("{many} workflows use it and will need a replacement:"),
    };
    view! {
        <p class="breaks">{heading}</p>
        <ul class="workflows">{workflows.into_iter().map(workflow_line).collect_view()}</ul>
    }
    .into_any()
}

/// A workflow by its name, as a link where the platform gave one.
pub fn workflow_line(workflow: Workflow) -> impl IntoView {
    let name = match workflow.url {
        Some(url) => view! { <a href=url target="_blank" rel="noreferrer noopener">{workflow.name}</a> }.into_any(),
        None => workflow.name.into_any(),
    };
    view! { <li>{name}</li> }
}

/// The row goes at once, and comes back if the server could not delete it.
fn carry_out(list: ListState, toasts: Toasts, summary: Summary) {
    list.remove(&summary.id);
    spawn_local(async move {
        match delete(list.environment, summary.id.clone()).await {
            Ok(()) => {
                let id = summary.id.clone();
                toasts.offer(format!("{} deleted", summary.name), "Undo", move || bring_back(list, toasts, id.clone()));
            }
            Err(error) => {
                list.restore(summary);
                toasts.complain(error.to_string());
            }
        }
    });
}

/// Restores a deleted connection, and asks its service at once whether it still works.
pub fn bring_back(list: ListState, toasts: Toasts, id: ConnectionId) {
    spawn_local(async move {
        match undelete(list.environment, id.clone()).await {
            Ok(summary) => {
                toasts.tell(format!("{} is back", summary.name));
                list.restore(summary);
                test_now(list, toasts, id);
            }
            Err(error) => toasts.complain(error.to_string()),
        }
    });
}
