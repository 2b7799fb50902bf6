//! *Recently deleted*: what can still be brought back.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::connections::{DeletedConnection, deleted, purge};
use crate::api::error::ApiError;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::domain::time::relative;
use crate::ui::dialogs::delete::bring_back;
use crate::ui::parts::component_icon::ComponentIcon;
use crate::ui::parts::field_input::focus_soon;
use crate::ui::state::list::ListState;
use crate::ui::state::toasts::Toasts;

/// The way back to the list.
const BACK: &str = "deleted-back";

type Answer = Result<Vec<DeletedConnection>, ApiError>;

/// What is known of the deleted connections.
#[derive(Clone, Copy)]
struct Known {
    all: RwSignal<Option<Answer>>,
    /// What has the focus when they are drawn anew.
    focus: StoredValue<Option<String>>,
}

impl Known {
    fn new() -> Self {
        Self { all: RwSignal::new(None), focus: StoredValue::new(None) }
    }

    fn set(self, answer: Answer) {
        let _ = self.all.try_set(Some(answer));
        if let Some(id) = self.focus.try_update_value(Option::take).flatten() {
            focus_soon(id);
        }
    }

    fn drop_row(self, id: &ConnectionId) {
        self.all.update(|all| {
            if let Some(Ok(all)) = all {
                all.retain(|one| one.summary.id != *id);
            }
        });
    }

    /// The connection below another one, or else above it.
    fn beside(self, id: &ConnectionId) -> Option<ConnectionId> {
        self.all.with_untracked(|all| {
            let Some(Ok(all)) = all else { return None };
            let here = all.iter().position(|one| one.summary.id == *id)?;
            let other = all.get(here + 1).or_else(|| all.get(here.checked_sub(1)?))?;
            Some(other.summary.id.clone())
        })
    }

    /// Takes a row away; the focus goes to the next one.
    fn leave(self, id: &ConnectionId) {
        let next = self.beside(id).map_or_else(|| BACK.to_owned(), |next| format!("restore-{next}"));
        self.drop_row(id);
        focus_soon(next.clone());
        self.focus.set_value(Some(next));
    }
}

/// `/deleted`
#[component]
pub fn RecentlyDeleted() -> impl IntoView {
    let list = ListState::expect();
    let known = Known::new();
    let waiting = Memo::new(move |_| list.known().deleted);
    Effect::new(move |_| {
        // Deleting and restoring elsewhere changes how many wait.
        waiting.track();
        spawn_local(async move {
            let answer = deleted(list.environment).await;
            known.set(answer);
        });
    });
    let content = move || match known.all.get() {
        None => view! { <p class="waiting" role="status">"Loading …"</p> }.into_any(),
        Some(Err(error)) => view! { <p class="verdict" role="alert">{error.to_string()}</p> }.into_any(),
        Some(Ok(all)) if all.is_empty() => {
            view! { <p class="none">"Nothing was deleted in the last 7 days."</p> }.into_any()
        }
        Some(Ok(all)) => {
            let rows = all.into_iter().map(|one| view! { <DeletedRow one=one known=known /> }).collect_view();
            view! { <ul class="deleted-list">{rows}</ul> }.into_any()
        }
    };
    let title = format!(
        "What was deleted in {} waits here for 7 days; then its credentials are destroyed.",
        list.environment.label()
    );
    view! {
        <div class="deleted">
            <a class="back" id=BACK href={move || list.link(|_| ())}>"← Connections"</a>
            <h2>"Recently deleted"</h2>
            <p class="intro">{title}</p>
            {move || content()}
        </div>
    }
    .into_any()
}

#[component]
fn DeletedRow(one: DeletedConnection, known: Known) -> impl IntoView {
    let list = ListState::expect();
    let summary = one.summary;
    let badge = list.badge(&summary.component);
    let component = badge.as_ref().map_or_else(|| summary.component.to_string(), |badge| badge.name.clone());
    let (name, id) = (summary.name.to_string(), summary.id);
    let times = move || {
        let now = list.now();
        format!("Deleted {} · destroyed for good {}", relative(one.deleted_at, now), relative(one.purge_at, now))
    };
    let question = if one.is_revoked {
        format!("Delete for good? Its access is revoked at {component}.")
    } else {
        "Delete for good?".to_owned()
    };
    let deeds = list.may(Action::DeleteConnection).then(|| {
        view! { <RowDeeds id=id name=name.clone() sure=question known=known /> }
    });
    view! {
        <li class="deleted-row">
            {badge.map(|badge| view! { <ComponentIcon badge=badge /> })}
            <div class="deleted-name">
                <p><span class="component-name">{component}</span>" "<span class="connection-name">{name}</span></p>
                <p class="account">{move || times()}</p>
            </div>
            {deeds}
        </li>
    }
    .into_any()
}

/// *Restore*, and *Delete now*, which asks once more.
#[component]
fn RowDeeds(id: ConnectionId, name: String, sure: String, known: Known) -> impl IntoView {
    let (list, toasts) = (ListState::expect(), Toasts::expect());
    let asking = RwSignal::new(false);
    let restore_id = format!("restore-{id}");
    let restore = {
        let id = id.clone();
        move |_| {
            known.leave(&id);
            bring_back(list, toasts, id.clone());
        }
    };
    let keep_id = StoredValue::new(format!("keep-{id}"));
    let now_id = StoredValue::new(format!("destroy-{id}"));
    let gone = format!("{name} is deleted for good");
    let destroy = StoredValue::new(move || {
        let (id, gone) = (id.clone(), gone.clone());
        spawn_local(async move {
            match purge(list.environment, id.clone()).await {
                Ok(()) => {
                    known.leave(&id);
                    list.forget_deleted();
                    toasts.tell(gone);
                }
                Err(error) => toasts.complain(error.to_string()),
            }
        });
    });
    let change = move |ask: bool| {
        asking.set(ask);
        focus_soon(if ask { keep_id.get_value() } else { now_id.get_value() });
    };
    let question = move || {
        if asking.get() {
            view! {
                <span class="sure">{sure.clone()}</span>
                <button type="button" class="button danger small" on:click={move |_| destroy.with_value(|deed| deed())}>"Delete for good"</button>
                <button type="button" class="button small" id=keep_id.get_value() on:click={move |_| change(false)}>"Keep"</button>
            }
            .into_any()
        } else {
            view! { <button type="button" class="button small" id=now_id.get_value() on:click={move |_| change(true)}>"Delete now"</button> }.into_any()
        }
    };
    view! {
        <div class="deeds" role="group" aria-label=name>
            <button type="button" class="button small" id=restore_id on:click=restore>"Restore"</button>
            {move || question()}
        </div>
    }
    .into_any()
}
