//! *Edit*: other name, other tags, other credentials, the account connected anew. A stored secret never comes back to be
//! seen.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::connect::stage::{Choice, Stage};
use super::connect::{Connecting, Reconnect};
use super::draft::{Draft, Start};
use super::form::{CredentialForm, Deeds};
use super::frame::Frame;
use super::new::saved_words;
use super::submission::Submission;
use super::waiting::{Trouble, Waiting};
use crate::api::connections::{Detail, Undecided, connection_detail, rename};
use crate::api::error::ApiError;
use crate::api::stream::{Saving, UpdateRequest};
use crate::browser::host;
use crate::domain::connection::Summary;
use crate::domain::health::{Health, Status};
use crate::domain::id::ConnectionId;
use crate::domain::tag::Tag;
use crate::ui::parts::status_badge::judged;
use crate::ui::state::catalog::{Catalog, Loading};
use crate::ui::state::dialogs::Dialogs;
use crate::ui::state::list::ListState;
use crate::ui::state::toasts::Toasts;

/// What a host is told was done: new credentials are in force, or other words alone.
const RECONNECTED: &str = "reconnected";
const RENAMED: &str = "updated";

/// `reconnect`: it is opened to connect the account anew.
#[component]
pub fn EditDialog(id: ConnectionId, reconnect: bool) -> impl IntoView {
    let (catalog, list) = (Catalog::expect(), ListState::expect());
    let detail = RwSignal::new(None::<Result<Detail, ApiError>>);
    let draft = RwSignal::new(None::<Draft>);
    let known = untrack(|| list.summary(&id));
    let name = known.as_ref().map_or_else(String::new, |summary| summary.name.to_string());
    let badge = known.and_then(|summary| untrack(|| list.badge(&summary.component)));
    let fetch = Callback::new(move |()| {
        catalog.want();
        detail.set(None);
        let id = id.clone();
        spawn_local(async move {
            let answer = connection_detail(list.environment, id).await;
            if reconnect && matches!(answer, Err(ApiError::NotFound)) {
                host::lacks("connection");
            }
            let _ = detail.try_set(Some(answer));
        });
    });
    fetch.run(());
    let owner = StoredValue::new(Owner::current().unwrap_or_default());
    let body = move || match (detail.get(), catalog.loading()) {
        (Some(Err(error)), _) | (_, Loading::Failed(error)) => {
            view! { <Trouble message=error.to_string() again=fetch /> }.into_any()
        }
        (Some(Ok(detail)), Loading::Here(_)) => {
            if let Some(form) = catalog.form(&detail.summary.component) {
                let begun = owner.with_value(|owner| owner.with(|| Draft::new(form, start_of(&detail))));
                if let Some(Undecided { flow, was, is }) = detail.undecided.clone().filter(|_| reconnect) {
                    begun.stage.set(Stage::OtherAccount(Choice::new(flow, was, is)));
                }
                draft.set(Some(begun));
                view! { <EditForm draft=begun detail=detail wanted=reconnect /> }.into_any()
            } else {
                let message = "Its component is no longer in the catalog, so its credentials cannot be changed.";
                view! { <Trouble message=message.to_owned() again=fetch /> }.into_any()
            }
        }
        _ => view! { <Waiting /> }.into_any(),
    };
    let dirty = Signal::derive(move || draft.get().is_some_and(Draft::is_dirty));
    let under_way = Signal::derive(move || draft.get().is_some_and(|draft| draft.stage.with(Stage::is_under_way)));
    let subtitle = list.environment.label().to_owned();
    let title = if reconnect { format!("Reconnect {name}") } else { format!("Edit {name}") };
    view! {
        <Frame title=Signal::stored(title) subtitle=Signal::stored(subtitle) badge=Signal::stored(badge) dirty=dirty under_way=under_way>
            {body}
        </Frame>
    }
    .into_any()
}

fn start_of(detail: &Detail) -> Start {
    Start {
        name: detail.summary.name.to_string(),
        tags: tag_words(&detail.summary),
        method: detail.method.clone(),
        values: detail.config.clone(),
        stored: detail.secrets.clone(),
        scopes: detail.account.scopes.iter().chain(missing(&detail.summary)).cloned().collect(),
    }
}

/// Permissions that were found to be missing.
fn missing(summary: &Summary) -> &[String] {
    match &summary.health {
        Health::Limited { missing, .. } => missing,
        _ => &[],
    }
}

fn tag_words(summary: &Summary) -> Vec<String> {
    summary.tags.iter().map(Tag::as_str).map(str::to_owned).collect()
}

/// What the form is about: the connection, and the version the next save starts from.
#[derive(Clone, Copy)]
struct Editing {
    list: ListState,
    dialogs: Dialogs,
    toasts: Toasts,
    submission: Submission,
    /// As last known to the server.
    current: StoredValue<Summary>,
}

#[component]
fn EditForm(draft: Draft, detail: Detail, wanted: bool) -> impl IntoView {
    let name = Memo::new(move |_| draft.name.get());
    let list = ListState::expect();
    let Detail { summary, method, .. } = detail;
    let broken = summary.status_at(list.now_untracked()) == Status::NotActive;
    let by_account = untrack(|| draft.method_form()).is_some_and(|method| method.oauth.is_some());
    let reconnect = Reconnect {
        id: summary.id.clone(),
        method,
        account: summary.account.clone(),
        missing: missing(&summary).to_vec(),
        wanted: by_account && (wanted || broken),
    };
    let why = judged(&summary, list.now_untracked()).1.filter(|_| wanted && broken);
    if wanted && !by_account {
        draft.replaced.set(draft.start.with_value(|start| start.stored.iter().map(|one| one.field.clone()).collect()));
    }
    let editing = Editing {
        list,
        dialogs: Dialogs::expect(),
        toasts: Toasts::expect(),
        submission: Submission::new(draft, name),
        current: StoredValue::new(summary),
    };
    let deeds = Deeds {
        save: Callback::new(move |saving| editing.save(saving)),
        cancel_check: Callback::new(move |()| editing.submission.cancel()),
        back: None,
    };
    editing.submission.progress.update(|progress| progress.verdict = why);
    Effect::new(move |_| editing.meet_conflict());
    let connected = Callback::new(move |summary| editing.connected(summary));
    let connecting = Connecting::new(editing.submission, Some(reconnect), connected);
    view! { <CredentialForm connecting=connecting deeds=deeds /> }.into_any()
}

impl Editing {
    fn save(self, saving: Saving) {
        let draft = self.submission.draft;
        if !self.submission.is_sound() {
            return;
        }
        if untrack(|| draft.method_form()).is_some_and(|method| method.oauth.is_some()) {
            self.save_names();
            return;
        }
        let active = self.current.with_value(|summary| summary.status_at(self.list.now_untracked())) == Status::Active;
        let credentials = untrack(|| draft.credentials_changed());
        let dirty = untrack(|| draft.names_changed());
        if credentials || (!dirty && !active) {
            self.update(saving);
        } else if dirty {
            self.rename(RENAMED);
        } else {
            self.dialogs.close();
        }
    }

    /// Name and tags; what concerns the account is changed by connecting it anew.
    fn save_names(self) {
        let draft = self.submission.draft;
        if untrack(|| draft.credentials_changed() || draft.scopes_changed()) {
            let words = "What you changed about the account takes effect by reconnecting, not by saving.";
            self.submission.progress.update(|progress| progress.stop(words.to_owned()));
        } else if untrack(|| draft.names_changed()) {
            self.rename(RENAMED);
        } else {
            self.dialogs.close();
        }
    }

    /// The account is connected anew. Name and tags may have been changed in the form as well.
    fn connected(self, summary: Summary) {
        let draft = self.submission.draft;
        let same = draft.name.with_untracked(|name| *name == summary.name.as_str())
            && draft.tags.with_untracked(|tags| *tags == tag_words(&summary));
        if same {
            self.saved(summary, RECONNECTED);
            return;
        }
        draft.stage.set(Stage::default());
        self.list.upsert(summary.clone(), None);
        self.current.set_value(summary);
        self.rename(RECONNECTED);
    }

    /// New credentials, or the same ones asked about anew.
    fn update(self, saving: Saving) {
        let (draft, current) = (self.submission.draft, self.current.get_value());
        let request = UpdateRequest {
            request_id: self.submission.request_id(),
            environment: self.list.environment,
            id: current.id,
            version: current.version,
            name: draft.name.get_untracked(),
            tags: draft.tags.get_untracked(),
            method: draft.method.get_untracked(),
            values: untrack(|| draft.counting()),
            saving,
        };
        self.submission.send("/rpc/stream/update", &request, move |summary| self.saved(summary, RECONNECTED));
    }

    /// Name and tags: no secret is touched and no service asked.
    /// The host is told of it together with what was done before.
    fn rename(self, done: &'static str) {
        let (draft, current) = (self.submission.draft, self.current.get_value());
        let (name, tags) = (draft.name.get_untracked(), draft.tags.get_untracked());
        self.submission.progress.update(|progress| progress.running = true);
        spawn_local(async move {
            match rename(self.list.environment, current.id, current.version, name, tags).await {
                Ok(summary) => self.saved(summary, done),
                Err(error) => self.submission.fail(error),
            }
        });
    }

    fn saved(self, summary: Summary, done: &str) {
        self.dialogs.close();
        self.list.tell(done, &summary);
        self.toasts.tell(saved_words(&summary, self.list));
        self.list.upsert(summary, None);
    }

    /// Somebody else was faster: shows what they left, and lets the next save replace it knowingly.
    fn meet_conflict(self) {
        let Some(theirs) = self.submission.progress.with(|progress| progress.conflict.clone()) else { return };
        let tags = tag_words(&theirs).join(", ");
        let tags = if tags.is_empty() { "no tags".to_owned() } else { format!("the tags {tags}") };
        let words = format!(
            "Somebody else changed this connection meanwhile: it is now named “{}” and has {tags}. \
             Save again to replace that with what stands here.",
            theirs.name
        );
        self.current.set_value((*theirs).clone());
        self.list.upsert(*theirs, None);
        self.submission.progress.update(|progress| {
            progress.conflict = None;
            progress.verdict = Some(words);
        });
    }
}
