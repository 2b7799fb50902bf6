//! *Test now*: asks the service whether the stored credential still works.

use leptos::prelude::*;

use super::progress::{Outcome, Progress, told};
use super::running::Running;
use crate::api::stream::TestRequest;
use crate::domain::connection::Summary;
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::ui::state::list::ListState;
use crate::ui::state::toasts::Toasts;

/// Tests in the background; a message says that it began, and then what was found.
pub fn test_now(state: ListState, toasts: Toasts, id: ConnectionId) {
    let _ = test_into(state, toasts, id, RwSignal::new(Progress::default()));
}

/// Tests, and shows each step in `progress` as it happens. Goes on when the view that shows it is left.
pub fn test_into(state: ListState, toasts: Toasts, id: ConnectionId, progress: RwSignal<Progress>) -> Running {
    let known = untrack(|| state.summary(&id));
    let active_before = known.as_ref().map(|summary| is_active(summary, state));
    let name = known.map_or_else(|| "The connection".to_owned(), |summary| summary.name.to_string());
    let notice = toasts.begin(format!("Testing {name} …"));
    let request = TestRequest { environment: state.environment, id };
    Running::start("/rpc/stream/test", &request, progress, move |outcome| {
        match outcome {
            Outcome::Going => return,
            Outcome::Tested(summary, evidence) => {
                toasts.tell(told(&name, &evidence));
                state.set_now(evidence.at);
                if active_before != Some(is_active(&summary, state)) {
                    state.tell("updated", &summary);
                }
                state.upsert(*summary, None);
            }
            Outcome::Failed(error) => toasts.complain(error.to_string()),
            Outcome::Saved(_) | Outcome::NotSaved(_) | Outcome::Tried(_) => {}
        }
        toasts.dismiss(notice);
    })
}

fn is_active(summary: &Summary, state: ListState) -> bool {
    summary.status_at(state.now_untracked()) == Status::Active
}
