//! What is typed into a credential form, and what is wrong with it. Outlives every failure.

use leptos::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

use crate::api::connections::StoredSecret;
use crate::api::error::ApiError;
use crate::domain::component::{ComponentForm, MethodForm};
use crate::domain::field::{Field, FieldProblem, FieldValues, check_all};
use crate::domain::name::ConnectionName;
use crate::domain::owner::Audience;
use crate::domain::tag::TagSet;
use crate::ui::dialogs::connect::stage::Stage;

/// The form's own fields, beside those of the catalog.
pub const NAME: &str = "name";
pub const TAGS: &str = "tags";

/// What a form was opened with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Empty: suggested from what is typed.
    pub name: String,
    pub tags: Vec<String>,
    pub method: String,
    pub values: FieldValues,
    /// Of the method it was opened with; empty for a new connection.
    pub stored: Vec<StoredSecret>,
    /// The permissions an account was asked for, and those it turned out to lack.
    pub scopes: BTreeSet<String>,
}

/// A form being filled in.
#[derive(Clone, Copy)]
pub struct Draft {
    pub form: StoredValue<ComponentForm>,
    pub start: StoredValue<Start>,
    pub name: RwSignal<String>,
    /// A person gave the name: it is suggested no more.
    pub named: RwSignal<bool>,
    pub tags: RwSignal<Vec<String>>,
    /// For whom a new connection is, and whether that is asked.
    pub audience: RwSignal<Audience>,
    pub chooses_audience: StoredValue<bool>,
    pub method: RwSignal<String>,
    pub values: RwSignal<FieldValues>,
    /// Stored secrets that are to be replaced.
    pub replaced: RwSignal<BTreeSet<String>>,
    /// Permissions wanted of an account beside the required ones; of other methods' too.
    pub scopes: RwSignal<BTreeSet<String>>,
    /// Where connecting an account stands.
    pub stage: RwSignal<Stage>,
    /// Something is typed into a form of its own within this one.
    pub typed_within: RwSignal<bool>,
    /// By field id; [`NAME`] and [`TAGS`] among them.
    pub problems: RwSignal<BTreeMap<String, String>>,
}

impl Draft {
    #[must_use]
    pub fn new(form: ComponentForm, start: Start) -> Self {
        let mut values = start.values.clone();
        for field in form.methods.iter().flat_map(|method| &method.fields) {
            if values.get(&field.id).is_none() && !field.default.is_empty() {
                values.set(&field.id, field.default.clone());
            }
        }
        let known = form.method(&start.method).or(form.methods.first());
        let method = known.map_or_else(String::new, |method| method.id.clone());
        let start = Start { values: values.clone(), method: method.clone(), ..start };
        Self {
            name: RwSignal::new(start.name.clone()),
            named: RwSignal::new(!start.name.is_empty()),
            tags: RwSignal::new(start.tags.clone()),
            audience: RwSignal::new(Audience::Workspace),
            chooses_audience: StoredValue::new(false),
            method: RwSignal::new(method),
            values: RwSignal::new(values),
            replaced: RwSignal::new(BTreeSet::new()),
            scopes: RwSignal::new(start.scopes.clone()),
            stage: RwSignal::new(Stage::default()),
            typed_within: RwSignal::new(false),
            problems: RwSignal::new(BTreeMap::new()),
            form: StoredValue::new(form),
            start: StoredValue::new(start),
        }
    }

    #[must_use]
    pub fn method_form(self) -> Option<MethodForm> {
        self.method.with(|id| self.form.with_value(|form| form.method(id).cloned()))
    }

    fn fields(self) -> Vec<Field> {
        self.method_form().map(|method| method.fields).unwrap_or_default()
    }

    /// The values that count: of the chosen method's fields that are shown, and not empty.
    #[must_use]
    pub fn counting(self) -> FieldValues {
        let fields = self.fields();
        self.values.with(|values| {
            let shown = fields.iter().filter(|field| field.is_shown(values, &fields));
            let filled = shown.filter_map(|field| Some((field.id.clone(), values.get(&field.id)?.to_owned())));
            FieldValues(filled.collect())
        })
    }

    /// Whether the secret would be sent elsewhere than it is stored for: then it must be given again.
    #[must_use]
    pub fn moved(self) -> bool {
        let method = self.method.get();
        let fields = self.fields();
        self.start.with_value(|start| {
            let differs =
                |field: &&Field| self.values.with(|values| values.get(&field.id) != start.values.get(&field.id));
            method != start.method || fields.iter().filter(|field| field.destination).any(|field| differs(&field))
        })
    }

    /// The stored secret that stays in force if the field is left alone.
    #[must_use]
    pub fn stored(self, field: &str) -> Option<StoredSecret> {
        let stored = self.start.with_value(|start| start.stored.iter().find(|secret| secret.field == field).cloned());
        stored.filter(|_| !self.moved())
    }

    pub fn type_name(self, name: String) {
        self.named.set(true);
        self.name.set(name);
        self.settle(NAME);
    }

    #[must_use]
    pub fn value(self, field: &str) -> String {
        self.values.with(|values| values.get(field).unwrap_or_default().to_owned())
    }

    pub fn set(self, field: &str, value: String) {
        self.values.update(|values| values.set(field, value));
        self.settle(field);
    }

    #[must_use]
    pub fn problem(self, field: &str) -> Option<String> {
        self.problems.with(|problems| problems.get(field).cloned())
    }

    pub fn settle(self, field: &str) {
        if self.problems.with_untracked(|problems| problems.contains_key(field)) {
            self.problems.update(|problems| {
                problems.remove(field);
            });
        }
    }

    /// Checks one field when it is left.
    pub fn check_left(self, field: &Field) {
        let value = untrack(|| self.value(&field.id));
        if let Err(message) = field.check(&value) {
            self.problems.update(|problems| {
                problems.insert(field.id.clone(), message);
            });
        }
    }

    /// Checks everything, `name` as it would be sent; what is wrong stands at its field.
    #[must_use]
    pub fn check(self, name: &str) -> bool {
        let mut problems: Vec<FieldProblem> = untrack(|| {
            let fields = self.fields();
            check_all(&fields, &self.counting(), |field| self.stored(field).is_some())
        });
        if let Err(rule) = ConnectionName::try_from(name.to_owned()) {
            problems.push(FieldProblem::new(NAME, rule.to_string()));
        }
        if let Err(rule) = TagSet::parse(self.tags.get_untracked()) {
            problems.push(FieldProblem::new(TAGS, rule.to_string()));
        }
        let good = problems.is_empty();
        let _ = self.show(problems);
        good
    }

    /// Puts each problem at its field; returns those whose field is not on the form.
    #[must_use]
    pub fn show(self, problems: Vec<FieldProblem>) -> Vec<String> {
        let shown: Vec<String> = untrack(|| {
            let fields = self.fields();
            let on_form = |field: &&Field| self.values.with(|values| field.is_shown(values, &fields));
            fields.iter().filter(on_form).map(|field| field.id.clone()).collect()
        });
        let has_place =
            |problem: &FieldProblem| [NAME, TAGS].contains(&problem.field.as_str()) || shown.contains(&problem.field);
        let (placed, homeless): (Vec<_>, Vec<_>) = problems.into_iter().partition(has_place);
        self.problems.set(placed.into_iter().map(|problem| (problem.field, problem.message)).collect());
        homeless.into_iter().map(|problem| problem.message).collect()
    }

    /// An error's own fields, as problems of this form.
    #[must_use]
    pub fn problems_of(error: &ApiError) -> Vec<FieldProblem> {
        match error {
            ApiError::Invalid { problems } => problems.clone(),
            ApiError::NameTaken { .. } => vec![FieldProblem::new(NAME, error.to_string())],
            _ => Vec::new(),
        }
    }

    /// Whether anything would be lost by closing.
    #[must_use]
    pub fn is_dirty(self) -> bool {
        let changed = self.is_changed() || self.typed_within.get();
        self.stage.with(Stage::is_under_way) || (changed && !self.stage.with(Stage::is_handed_over))
    }

    /// Whether anything differs from what the form was opened with.
    #[must_use]
    pub fn is_changed(self) -> bool {
        self.names_changed() || self.scopes_changed() || self.credentials_changed()
    }

    #[must_use]
    pub fn names_changed(self) -> bool {
        self.start.with_value(|start| {
            (self.named.get() && self.name.with(|name| *name != start.name))
                || self.tags.with(|tags| *tags != start.tags)
        })
    }

    #[must_use]
    pub fn scopes_changed(self) -> bool {
        self.start.with_value(|start| self.scopes.with(|scopes| *scopes != start.scopes))
    }

    /// Whether the method or a field differs from what the form was opened with.
    #[must_use]
    pub fn credentials_changed(self) -> bool {
        self.start.with_value(|start| {
            let method = self.method.with(|method| *method != start.method);
            let fields = self
                .form
                .with_value(|form| form.methods.iter().flat_map(|method| method.fields.clone()).collect::<Vec<_>>());
            let differs =
                |field: &Field| self.values.with(|values| values.get(&field.id) != start.values.get(&field.id));
            method || fields.iter().any(differs)
        })
    }

    /// The first field with a problem, in the order of the form.
    #[must_use]
    pub fn first_problem(self) -> Option<String> {
        let fields = untrack(|| self.fields());
        let order = [NAME, TAGS].into_iter().chain(fields.iter().map(|field| field.id.as_str()));
        self.problems
            .with_untracked(|problems| order.into_iter().find(|id| problems.contains_key(*id)).map(str::to_owned))
    }
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
