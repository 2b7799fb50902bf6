//! Carrying a form out: one request at a time, whose outcome lands where it belongs.

use leptos::prelude::*;
use serde::Serialize;

use super::draft::Draft;
use super::progress::{Outcome, Progress};
use super::running::Running;
use crate::api::error::ApiError;
use crate::browser::random::request_id;
use crate::domain::connection::Summary;
use crate::domain::field::{FieldProblem, FieldValues};
use crate::domain::owner::Audience;
use crate::ui::parts::field_input::{element_id, focus_soon};

/// What a request was made of: the same content asks again under the same id, so that nothing is created twice.
#[derive(Clone, PartialEq, Eq)]
struct Content {
    name: String,
    tags: Vec<String>,
    method: String,
    values: FieldValues,
    audience: Audience,
}

/// A form with its check.
#[derive(Clone, Copy)]
pub struct Submission {
    pub draft: Draft,
    /// As it would be saved: typed, or suggested.
    pub name: Memo<String>,
    pub progress: RwSignal<Progress>,
    pub vouched: RwSignal<bool>,
    running: StoredValue<Option<Running>>,
    last: StoredValue<Option<(String, Content)>>,
}

impl Submission {
    /// Its check ends with the view it is made in.
    #[must_use]
    pub fn new(draft: Draft, name: Memo<String>) -> Self {
        let running = StoredValue::new(None::<Running>);
        on_cleanup(move || {
            if let Some(running) = running.try_get_value().flatten() {
                running.abort();
            }
        });
        Self {
            draft,
            name,
            progress: RwSignal::new(Progress::default()),
            vouched: RwSignal::new(false),
            running,
            last: StoredValue::new(None),
        }
    }

    /// Whether everything typed keeps the rules; otherwise the first field that does not takes the focus.
    #[must_use]
    pub fn is_sound(self) -> bool {
        let sound = self.draft.check(&self.name.get_untracked());
        if !sound {
            self.focus_problem();
        }
        sound
    }

    /// The id of the request that the form now stands for.
    #[must_use]
    pub fn request_id(self) -> String {
        let content = Content {
            name: self.name.get_untracked(),
            tags: self.draft.tags.get_untracked(),
            method: self.draft.method.get_untracked(),
            values: untrack(|| self.draft.counting()),
            audience: self.draft.audience.get_untracked(),
        };
        if let Some((id, _)) = self.last.get_value().filter(|(_, last)| *last == content) {
            return id;
        }
        let id = request_id();
        self.last.set_value(Some((id.clone(), content)));
        id
    }

    /// Sends a request whose answer is a stream.
    pub fn send(self, path: &'static str, request: &impl Serialize, on_saved: impl Fn(Summary) + 'static) {
        let running = Running::start(path, request, self.progress, move |outcome| match outcome {
            Outcome::Going | Outcome::Tested(..) | Outcome::Tried(_) => {}
            Outcome::Saved(summary) => on_saved(*summary),
            Outcome::NotSaved(problems) => self.place(problems),
            Outcome::Failed(error) => self.place(Draft::problems_of(&error)),
        });
        self.running.set_value(Some(running));
    }

    /// Ends the check under way. What is typed stays.
    pub fn cancel(self) {
        if let Some(running) = self.running.get_value() {
            running.abort();
        }
        self.running.set_value(None);
        self.progress.update(|progress| progress.stop("The check was cancelled. Nothing was saved.".to_owned()));
    }

    /// Shows an error that came without a stream.
    pub fn fail(self, error: ApiError) {
        let problems = Draft::problems_of(&error);
        self.progress.update(|progress| {
            progress.fail(error);
        });
        self.place(problems);
    }

    fn place(self, problems: Vec<FieldProblem>) {
        let homeless = self.draft.show(problems);
        self.progress.update(|progress| {
            let said = progress.verdict.take().unwrap_or_default();
            let others = homeless.into_iter().filter(|message| *message != said);
            progress.verdict = Some(std::iter::once(said.clone()).chain(others).collect::<Vec<_>>().join(" "));
        });
        self.focus_problem();
    }

    fn focus_problem(self) {
        if let Some(field) = self.draft.first_problem() {
            focus_soon(element_id(&field));
        }
    }
}
