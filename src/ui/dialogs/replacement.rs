//! Which connection each workflow is to use instead: one choice for all of them, and one for each.

use leptos::prelude::*;
use std::collections::BTreeMap;

use super::delete::workflow_name;
use super::frame::Closing;
use crate::api::connections::{DeletionImpact, Offer, Workflow};
use crate::api::error::ApiError;
use crate::domain::id::ConnectionId;
use crate::domain::replacement::Replacement;
use crate::ui::state::toasts::Toasts;

/// Workflows for which one may choose singly; beyond that, there are too many controls to be of use.
const SINGLY: usize = 100;

/// What is chosen so far, by the workflow's id.
#[derive(Clone, Copy, Default)]
pub struct Choice(RwSignal<BTreeMap<String, ConnectionId>>);

impl Choice {
    /// Forgets what is not asked, or not offered, any more.
    pub fn fit(self, impact: &DeletionImpact) {
        let workflows = impact.workflows.as_deref().unwrap_or_default();
        let _ = self.0.try_update(|chosen| {
            chosen.retain(|workflow, id| {
                workflows.iter().any(|it| it.id == *workflow) && impact.offers.iter().any(|offer| offer.id == *id)
            });
        });
    }

    fn set(self, workflows: &[Workflow], id: Option<&ConnectionId>) {
        self.0.update(|chosen| {
            for workflow in workflows {
                match id {
                    Some(id) => drop(chosen.insert(workflow.id.clone(), id.clone())),
                    None => drop(chosen.remove(&workflow.id)),
                }
            }
        });
    }

    /// How many workflows are given another connection.
    #[must_use]
    pub fn count(self) -> usize {
        self.0.with(BTreeMap::len)
    }

    /// The one that is chosen for all of them.
    fn common(self, workflows: usize) -> Option<ConnectionId> {
        self.0.with(|chosen| {
            let first = chosen.values().next()?;
            (chosen.len() == workflows && chosen.values().all(|id| id == first)).then(|| first.clone())
        })
    }

    /// One replacement for all also goes for a workflow that is registered only now.
    #[must_use]
    pub fn plan(self, workflows: usize) -> Replacement {
        untrack(|| match self.common(workflows) {
            Some(id) => Replacement::everywhere(id),
            None => Replacement { everywhere: None, workflows: self.0.get() },
        })
    }
}

/// What went wrong, with what is wrong about each choice.
#[must_use]
pub fn said(error: ApiError) -> String {
    match error {
        ApiError::Invalid { problems } => {
            problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

/// Shows in the dialog what went wrong, and asks again; where the dialog was closed meanwhile, says it beside the list.
pub fn tell(error: ApiError, trouble: RwSignal<String>, again: Callback<()>, toasts: Toasts) {
    match trouble.try_set(said(error)) {
        None => again.run(()),
        Some(words) => toasts.complain(words),
    }
}

/// Closes the dialog that waited, if nobody has closed it.
pub fn close_if_open(busy: RwSignal<bool>, closing: Closing) {
    if busy.try_get_untracked().is_some() {
        closing.now();
    }
}

/// The control that chooses for all.
pub const FOR_ALL: &str = "replace-all";

/// The workflows by name, and what they are to use instead.
#[component]
pub fn Choices(workflows: Vec<Workflow>, offers: Vec<Offer>, choice: Choice) -> impl IntoView {
    let count = workflows.len();
    let choosable = !offers.is_empty();
    let singly = choosable && (2..=SINGLY).contains(&count);
    let all = StoredValue::new(workflows.clone());
    let labels = StoredValue::new(offers);
    let label = if count == 1 { "Use instead".to_owned() } else { format!("Use instead, for all {count}") };
    let nothing = move || {
        if choice.count() > 0 && choice.common(count).is_none() { "Different for each" } else { "No replacement" }
    };
    let for_all = choosable.then(|| {
        let value = move || choice.common(count).map(String::from).unwrap_or_default();
        let choose = move |event| {
            let id = ConnectionId::try_from(event_target_value(&event)).ok();
            all.with_value(|all| choice.set(all, id.as_ref()));
        };
        view! {
            <div class="field">
                <div class="field-head"><label for=FOR_ALL>{label}</label></div>
                <select class="control" id=FOR_ALL prop:value=value on:change=choose>
                    <option value="">{move || nothing()}</option>
                    {labels.with_value(|offers| options(offers))}
                </select>
            </div>
        }
        .into_any()
    });
    let row = move |workflow: Workflow| {
        let control = singly.then(|| labels.with_value(|offers| one(&workflow, offers, choice)));
        view! { <li>{workflow_name(workflow)}{control}</li> }.into_any()
    };
    let class = if singly { "workflows choosing" } else { "workflows" };
    view! {
        {for_all}
        <ul class=class>{workflows.into_iter().map(row).collect_view()}</ul>
    }
    .into_any()
}

/// The control of one workflow.
fn one(workflow: &Workflow, offers: &[Offer], choice: Choice) -> AnyView {
    let label = format!("{} uses instead", workflow.name);
    let (id, workflow) = (workflow.id.clone(), workflow.clone());
    let value = move || choice.0.with(|chosen| chosen.get(&id).cloned().map(String::from).unwrap_or_default());
    let choose = move |event| {
        let id = ConnectionId::try_from(event_target_value(&event)).ok();
        choice.set(std::slice::from_ref(&workflow), id.as_ref());
    };
    view! {
        <select class="control" aria-label=label prop:value=value on:change=choose>
            <option value="">"No replacement"</option>
            {options(offers)}
        </select>
    }
    .into_any()
}

fn options(offers: &[Offer]) -> AnyView {
    let option = |offer: &Offer| {
        let account = offer.account.as_ref().map(|account| format!(" · {account}")).unwrap_or_default();
        let state = if offer.active { "" } else { " (not active)" };
        view! { <option value=offer.id.to_string()>{format!("{}{account}{state}", offer.name)}</option> }
    };
    offers.iter().map(option).collect_view().into_any()
}
