//! *New connection*: pick a component, then give its credentials. Creates in the environment shown, and in no other.

use leptos::prelude::*;
use std::collections::BTreeMap;

use super::connect::Connecting;
use super::connect::stage::Stage as Connect;
use super::draft::{Draft, Start};
use super::form::{CredentialForm, Deeds};
use super::frame::Frame;
use super::naming::suggested_name;
use super::picker::Picker;
use super::submission::Submission;
use super::waiting::{Trouble, Waiting};
use crate::api::stream::{CreateRequest, Saving};
use crate::browser::host;
use crate::domain::component::{ComponentForm, ComponentSlug};
use crate::domain::connection::Summary;
use crate::domain::field::FieldValues;
use crate::domain::health::Status;
use crate::domain::owner::Audience;
use crate::domain::role::Role;
use crate::ui::state::catalog::{Catalog, Loading};
use crate::ui::state::dialogs::Dialogs;
use crate::ui::state::list::ListState;
use crate::ui::state::toasts::Toasts;

/// What the dialog shows.
#[derive(Clone, PartialEq, Eq)]
enum Stage {
    Waiting,
    Failed(String),
    Picking,
    Filling(ComponentSlug),
}

/// Forms begun in this dialog: going back to the picker loses none.
type Drafts = RwSignal<BTreeMap<ComponentSlug, Draft>>;

#[component]
pub fn NewDialog(component: Option<ComponentSlug>, prefill: FieldValues) -> impl IntoView {
    let (catalog, list) = (Catalog::expect(), ListState::expect());
    catalog.want();
    let only = host::component().and_then(|slug| slug.try_into().ok());
    let chosen = RwSignal::new(component.or(only));
    let drafts: Drafts = RwSignal::new(BTreeMap::new());
    let prefill = StoredValue::new(prefill);
    let owner = StoredValue::new(Owner::current().unwrap_or_default());
    let form = Memo::new(move |_| chosen.get().and_then(|slug| catalog.form(&slug)));
    let stage = Memo::new(move |_| match catalog.loading() {
        Loading::NotAsked | Loading::Asked => Stage::Waiting,
        Loading::Failed(error) => Stage::Failed(error.to_string()),
        Loading::Here(_) => form.get().map_or(Stage::Picking, |form| Stage::Filling(form.badge.slug)),
    });
    let badge = Signal::derive(move || form.get().map(|form| form.badge));
    let title = Signal::derive(move || {
        badge.get().map_or_else(|| "New connection".to_owned(), |badge| format!("New {} connection", badge.name))
    });
    let workspace = list.viewer.with_value(|viewer| viewer.workspace_name.clone());
    let subtitle = format!("{} · workspace {workspace}", list.environment.label());
    let any = move |holds: fn(Draft) -> bool| drafts.with(|drafts| drafts.values().any(|draft| holds(*draft)));
    let dirty = Signal::derive(move || any(Draft::is_dirty));
    let under_way = Signal::derive(move || any(|draft| draft.stage.with(Connect::is_under_way)));
    let body = move || match stage.get() {
        Stage::Waiting => view! { <Waiting /> }.into_any(),
        Stage::Failed(message) => {
            view! { <Trouble message=message again=Callback::new(move |()| catalog.want()) /> }.into_any()
        }
        Stage::Picking => view! { <Picker on_pick=Callback::new(move |slug| chosen.set(Some(slug))) /> }.into_any(),
        Stage::Filling(slug) => {
            let draft =
                untrack(|| owner.with_value(|owner| owner.with(|| begun(drafts, &slug, catalog, prefill.get_value()))));
            draft.map(|draft| view! { <NewForm draft=draft chosen=chosen /> }).into_any()
        }
    };
    view! {
        <Frame title=title subtitle=Signal::stored(subtitle) badge=badge dirty=dirty under_way=under_way>{body}</Frame>
    }
    .into_any()
}

/// The form already begun for a component, or a new one.
fn begun(drafts: Drafts, slug: &ComponentSlug, catalog: Catalog, prefill: FieldValues) -> Option<Draft> {
    if let Some(draft) = drafts.with_untracked(|drafts| drafts.get(slug).copied()) {
        return Some(draft);
    }
    let draft = Draft::new(catalog.form(slug)?, Start { values: prefill, ..Start::default() });
    // An editor's own is theirs unless they share it; whoever looks after the workspace makes things for it.
    let chooses = ListState::expect().viewer.with_value(|viewer| viewer.embedded.then_some(viewer.role));
    if chooses == Some(Role::Editor) {
        draft.audience.set(Audience::Me);
    }
    draft.chooses_audience.set_value(chooses.is_some());
    drafts.update(|drafts| {
        drafts.insert(slug.clone(), draft);
    });
    Some(draft)
}

#[component]
fn NewForm(draft: Draft, chosen: RwSignal<Option<ComponentSlug>>) -> impl IntoView {
    let (list, dialogs, toasts) = (ListState::expect(), Dialogs::expect(), Toasts::expect());
    let name = Memo::new(move |_| if draft.named.get() { draft.name.get() } else { suggestion(draft, list) });
    let submission = Submission::new(draft, name);
    let badge = draft.form.with_value(|form| form.badge.clone());
    let slug = badge.slug.clone();
    let saved = Callback::new(move |summary: Summary| {
        dialogs.close();
        toasts.tell(saved_words(&summary, list));
        list.tell("created", &summary);
        list.upsert(summary, Some(badge.clone()));
    });
    let save = move |saving: Saving| {
        if !submission.is_sound() {
            return;
        }
        let request = CreateRequest {
            request_id: submission.request_id(),
            environment: list.environment,
            component: slug.clone(),
            method: draft.method.get_untracked(),
            name: name.get_untracked(),
            tags: draft.tags.get_untracked(),
            values: untrack(|| draft.counting()),
            saving,
            audience: Some(draft.audience.get_untracked()),
        };
        submission.send("/rpc/stream/create", &request, move |summary| saved.run(summary));
    };
    // A frame for one component makes no other.
    let back = host::component().is_none().then(|| Callback::new(move |()| chosen.set(None)));
    let deeds = Deeds { save: Callback::new(save), cancel_check: Callback::new(move |()| submission.cancel()), back };
    let connecting = Connecting::new(submission, None, saved);
    view! { <CredentialForm connecting=connecting deeds=deeds /> }.into_any()
}

fn suggestion(draft: Draft, list: ListState) -> String {
    let Some(method) = draft.method_form() else { return String::new() };
    let form: ComponentForm = draft.form.get_value();
    let known = list.known();
    let same = known.rows.iter().filter(|row| row.summary.component == form.badge.slug);
    let taken: Vec<String> = same.map(|row| row.name_key.clone()).collect();
    draft.values.with(|values| suggested_name(&form, &method, values, &taken))
}

/// What is said of a connection just saved.
pub fn saved_words(summary: &Summary, list: ListState) -> String {
    let status = summary.status_at(untrack(|| list.now()));
    match (status, &summary.account) {
        (Status::Active, Some(account)) => format!("{} is ACTIVE: connected as {account}.", summary.name),
        (Status::Active, None) => format!("{} is ACTIVE.", summary.name),
        (Status::NotActive, _) => format!("{} is saved as NOT ACTIVE.", summary.name),
    }
}
