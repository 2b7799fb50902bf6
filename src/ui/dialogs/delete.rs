//! *Delete*: says what breaks before it asks. Undo stands for ten seconds on screen and seven days in *Recently deleted*.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::frame::{Closing, Frame};
use super::replacement::{Choice, Choices, FOR_ALL, close_if_open, said, tell};
use super::testing::test_now;
use super::waiting::{Trouble, Waiting};
use crate::api::connections::{DeletionImpact, Restored, Workflow, delete, impact_of_deletion, purge, undelete};
use crate::api::error::ApiError;
use crate::browser::sight;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::fold::fold;
use crate::domain::id::ConnectionId;
use crate::domain::replacement::Replacement;
use crate::ui::parts::field_input::focus_soon;
use crate::ui::state::list::ListState;
use crate::ui::state::toasts::Toasts;

#[component]
pub fn DeleteDialog(id: ConnectionId) -> impl IntoView {
    let choice = Choice::default();
    let trouble = RwSignal::new(String::new());
    let asking = move |summary, impact, again| {
        view! { <Asking summary=summary impact=impact choice=choice trouble=trouble again=again /> }.into_any()
    };
    view! { <AboutOne id=id verb="Delete" choice=choice trouble=trouble asking=asking /> }
}

/// A dialog that asks about one connection and the workflows that use it, once it knows them; and again with what went
/// wrong. `asking` is given what to run for that.
#[component]
pub fn AboutOne(
    id: ConnectionId,
    verb: &'static str,
    choice: Choice,
    trouble: RwSignal<String>,
    asking: impl Fn(Summary, DeletionImpact, Callback<()>) -> AnyView + Send + 'static,
) -> impl IntoView {
    let list = ListState::expect();
    let known = RwSignal::new(None::<Result<DeletionImpact, ApiError>>);
    let Some(summary) = untrack(|| list.summary(&id)) else {
        let again = Callback::new(|()| ());
        let message = ApiError::NotFound.to_string();
        return view! { <Frame title=verb.to_owned() class="narrow"><Trouble message=message again=again /></Frame> }
            .into_any();
    };
    let fetch = Callback::new(move |()| {
        known.set(None);
        let id = id.clone();
        spawn_local(async move {
            let answer = impact_of_deletion(list.environment, id).await;
            if let Ok(impact) = &answer {
                choice.fit(impact);
            }
            let _ = known.try_set(Some(answer));
        });
    });
    fetch.run(());
    let badge = untrack(|| list.badge(&summary.component));
    let title = format!("{verb} {}?", summary.name);
    let subtitle = list.environment.label().to_owned();
    let body = move || match known.get() {
        None => view! { <Waiting /> }.into_any(),
        Some(Err(error)) => view! { <Trouble message=error.to_string() again=fetch /> }.into_any(),
        Some(Ok(impact)) => asking(summary.clone(), impact, fetch),
    };
    let wrong = move || {
        let trouble = trouble.get();
        (!trouble.is_empty()).then(|| view! { <p class="verdict refused" role="alert">{trouble}</p> })
    };
    view! {
        <Frame title=Signal::stored(title) subtitle=Signal::stored(subtitle) badge=Signal::stored(badge) class="narrow">
            {wrong}
            {body}
        </Frame>
    }
    .into_any()
}

#[component]
fn Asking(
    summary: Summary,
    impact: DeletionImpact,
    choice: Choice,
    trouble: RwSignal<String>,
    again: Callback<()>,
) -> impl IntoView {
    let (list, toasts, closing) = (ListState::expect(), Toasts::expect(), Closing::expect());
    let workflows = impact.workflows.clone().unwrap_or_default();
    let foreseen: Vec<String> = workflows.into_iter().map(|workflow| workflow.id).collect();
    let count = foreseen.len();
    let in_production = list.environment == Environment::Production;
    // What is replaced does not break.
    let must_type = Memo::new(move |_| in_production && choice.count() < count);
    let typed = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let key = summary.name.key();
    let allowed = Memo::new(move |_| !busy.get() && (!must_type.get() || typed.with(|typed| fold(typed) == key)));
    let name = StoredValue::new(summary.name.to_string());
    let at_once = RwSignal::new(false);
    let service =
        untrack(|| list.badge(&summary.component)).map_or_else(|| summary.component.to_string(), |badge| badge.name);
    let revocation = impact.revocable.then(|| revocation(&service, at_once));
    let first = match (impact.offers.is_empty(), must_type.get_untracked()) {
        (false, _) => FOR_ALL,
        (true, true) => "delete-name",
        (true, false) => "delete-keep",
    };
    Effect::new(move |_| focus_soon(first.to_owned()));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if !allowed.get_untracked() {
            return;
        }
        let at_once = at_once.get_untracked();
        if count == 0 && !at_once {
            closing.now();
            carry_out(list, toasts, summary.clone());
            return;
        }
        busy.set(true);
        let (summary, foreseen, plan) = (summary.clone(), foreseen.clone(), choice.plan(count));
        spawn_local(async move {
            match delete(list.environment, summary.id.clone(), plan, foreseen).await {
                Ok(moved) => {
                    list.remove(&summary.id);
                    list.tell_replaced(&summary, &moved);
                    list.tell("deleted", &summary);
                    close_if_open(busy, closing);
                    if at_once {
                        revoke_now(list, toasts, summary);
                    } else {
                        offer_undo(list, toasts, &summary, moved.len());
                    }
                }
                Err(error) => {
                    tell(error, trouble, again, toasts);
                }
            }
        });
    };
    let label = move || match (busy.get(), choice.count(), at_once.get()) {
        (true, ..) => "Deleting…",
        (false, 0, false) => "Delete",
        (false, _, false) => "Replace and delete",
        (false, 0, true) => "Delete and revoke now",
        (false, _, true) => "Replace, delete and revoke now",
    };
    let undo = move || {
        if at_once.get() {
            "This has no undo."
        } else {
            "You can undo this at once, and for 7 days from Recently deleted. Until then nothing is checked or fetched."
        }
    };
    view! {
        <form class="dialog-form" on:submit=submit>
            <div class="dialog-body">
                {consequences(impact, choice)}
                {revocation}
                <p>{undo}</p>
                <Show when={move || must_type.get()}>
                    <div class="field">
                        <div class="field-head"><label for="delete-name">{format!("Type “{}” to delete it", name.get_value())}</label></div>
                        <input class="control" id="delete-name" type="text" autocomplete="off" spellcheck="false"
                            prop:value={move || typed.get()} on:input={move |event| typed.set(event_target_value(&event))} />
                    </div>
                </Show>
            </div>
            <footer class="dialog-foot">
                <span class="spring"></span>
                <button type="button" class="button" id="delete-keep" on:click={move |_| closing.now()}>"Keep"</button>
                <button type="submit" class="button danger" disabled={move || !allowed.get()}>{move || label()}</button>
            </footer>
        </form>
    }
    .into_any()
}

/// Whether the access ends at the service as well, at once.
fn revocation(service: &str, at_once: RwSignal<bool>) -> AnyView {
    let words = format!("Revoke its access at {service} now");
    view! {
        <label class="vouch">
            <input type="checkbox" prop:checked={move || at_once.get()} on:change={move |event| at_once.set(event_target_checked(&event))} />
            <span>{words}</span>
        </label>
    }
    .into_any()
}

/// Which workflows break, or that nobody knows.
fn consequences(impact: DeletionImpact, choice: Choice) -> AnyView {
    let Some(workflows) = impact.workflows else {
        return view! { <p>"Patchbay does not know which workflows use it."</p> }.into_any();
    };
    if workflows.is_empty() {
        return view! { <p>"No registered workflow uses it."</p> }.into_any();
    }
    let count = workflows.len();
    let heading = move || {
        let left = count.saturating_sub(choice.count());
        let use_it = if count == 1 { "1 workflow uses it" } else { &format!("{count} workflows use it") };
        match left {
            0 => format!("{use_it}, and will use another connection from now on:"),
            left if left == count => format!("{use_it} and will need a replacement:"),
            left => format!("{use_it}; {left} will need a replacement:"),
        }
    };
    let none = impact.offers.is_empty().then(|| {
        view! { <p>"There is no other connection of its component here that could replace it."</p> }
    });
    view! {
        <p class="breaks" class:kept={move || choice.count() == count} role="status">{heading}</p>
        <Choices workflows=workflows offers=impact.offers choice=choice />
        {none}
    }
    .into_any()
}

/// A workflow by its name, as a link where the platform gave one.
#[must_use]
pub fn workflow_name(workflow: Workflow) -> AnyView {
    match workflow.url {
        Some(url) => view! { <a href=url target="_blank" rel="noreferrer noopener">{workflow.name}</a> }.into_any(),
        None => view! { <span>{workflow.name}</span> }.into_any(),
    }
}

/// `1 workflow`, `3 workflows`.
#[must_use]
pub fn counted(workflows: usize) -> String {
    if workflows == 1 { "1 workflow".to_owned() } else { format!("{workflows} workflows") }
}

/// The row goes at once, and comes back if the server could not delete it.
fn carry_out(list: ListState, toasts: Toasts, summary: Summary) {
    list.remove(&summary.id);
    spawn_local(async move {
        match delete(list.environment, summary.id.clone(), Replacement::default(), Vec::new()).await {
            Ok(moved) => {
                list.tell("deleted", &summary);
                offer_undo(list, toasts, &summary, moved.len());
            }
            Err(error) => {
                list.restore(summary);
                toasts.complain(said(error));
            }
        }
    });
}

/// Destroys what was just deleted, which tells the service. Where that fails it waits in *Recently deleted*.
fn revoke_now(list: ListState, toasts: Toasts, summary: Summary) {
    spawn_local(async move {
        match purge(list.environment, summary.id).await {
            Ok(()) => {
                list.forget_deleted();
                toasts.tell(format!("{} is deleted for good, and its access is being revoked", summary.name));
            }
            Err(error) => {
                toasts.complain(format!("{} is in Recently deleted. It is not revoked yet: {error}", summary.name));
            }
        }
    });
}

fn offer_undo(list: ListState, toasts: Toasts, summary: &Summary, moved: usize) {
    let id = summary.id.clone();
    let done = match moved {
        0 => format!("{} deleted", summary.name),
        moved => format!("{} deleted, and replaced in {}", summary.name, counted(moved)),
    };
    toasts.offer(done, "Undo", move || bring_back(list, toasts, id.clone()));
}

/// Restores a deleted connection, and asks its service at once whether it still works.
pub fn bring_back(list: ListState, toasts: Toasts, id: ConnectionId) {
    spawn_local(async move {
        match undelete(list.environment, id.clone()).await {
            Ok(restored) => {
                toasts.tell(back_in_words(&restored));
                list.tell("undeleted", &restored.summary);
                list.restore(restored.summary);
                // *Undo* went with its message.
                sight::focus_row_if_lost(&id);
                test_now(list, toasts, id);
            }
            Err(error) => toasts.complain(error.to_string()),
        }
    });
}

/// What came back, and which workflows somebody changed meanwhile: their word stands.
fn back_in_words(restored: &Restored) -> String {
    let returned = match restored.returned.len() {
        0 => String::new(),
        count => format!(", and in {} again", counted(count)),
    };
    let kept = match restored.kept.as_slice() {
        [] => String::new(),
        kept => {
            let names: Vec<_> = kept.iter().map(|workflow| workflow.name.as_str()).collect();
            format!(". Changed since, and left as they are: {}", names.join(", "))
        }
    };
    format!("{} is back{returned}{kept}", restored.summary.name)
}
