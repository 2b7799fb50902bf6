//! *Replace everywhere*: staff leave, keys rotate; the workflows use another connection, and the old one stays.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::delete::{AboutOne, counted};
use super::frame::Closing;
use super::replacement::{Choice, Choices, FOR_ALL, close_if_open, tell};
use crate::api::connections::{DeletionImpact, replace};
use crate::domain::connection::Summary;
use crate::domain::id::ConnectionId;
use crate::ui::parts::field_input::focus_soon;
use crate::ui::state::list::ListState;
use crate::ui::state::toasts::Toasts;

#[component]
pub fn ReplaceDialog(id: ConnectionId) -> impl IntoView {
    let choice = Choice::default();
    let trouble = RwSignal::new(String::new());
    let asking = move |summary, impact, again| asking(summary, impact, choice, trouble, again);
    view! { <AboutOne id=id verb="Replace" choice=choice trouble=trouble asking=asking /> }
}

fn asking(
    summary: Summary,
    impact: DeletionImpact,
    choice: Choice,
    trouble: RwSignal<String>,
    again: Callback<()>,
) -> AnyView {
    let (list, toasts, closing) = (ListState::expect(), Toasts::expect(), Closing::expect());
    let workflows = impact.workflows.unwrap_or_default();
    let count = workflows.len();
    let can = !impact.offers.is_empty();
    let busy = RwSignal::new(false);
    let allowed = Memo::new(move |_| choice.count() > 0 && !busy.get());
    focus_soon(if can { FOR_ALL } else { "replace-not" }.to_owned());
    let name = summary.name.to_string();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if !allowed.get_untracked() {
            return;
        }
        busy.set(true);
        let (summary, plan) = (summary.clone(), choice.plan(count));
        spawn_local(async move {
            match replace(list.environment, summary.id.clone(), plan).await {
                Ok(moved) => {
                    list.tell_replaced(&summary, &moved);
                    close_if_open(busy, closing);
                    toasts.tell(format!("{} was replaced in {}", summary.name, counted(moved.len())));
                }
                Err(error) => {
                    tell(error, trouble, again, toasts);
                }
            }
        });
    };
    let intro = if count == 0 {
        format!("No registered workflow uses {name}: there is nothing to replace.")
    } else if can {
        format!("Choose what to use instead of {name}. It stays, and can be deleted later.")
    } else {
        format!("{name} is used, and no other connection here could replace it. Create one first.")
    };
    view! {
        <form class="dialog-form" on:submit=submit>
            <div class="dialog-body">
                <p>{intro}</p>
                <Choices workflows=workflows offers=impact.offers choice=choice />
            </div>
            <footer class="dialog-foot">
                <span class="spring"></span>
                <button type="button" class="button" id="replace-not" on:click={move |_| closing.now()}>"Cancel"</button>
                <button type="submit" class="button primary" disabled={move || !allowed.get()}>
                    {move || if busy.get() { "Replacing…" } else { "Replace" }}
                </button>
            </footer>
        </form>
    }
    .into_any()
}
