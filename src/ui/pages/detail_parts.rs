//! The sections of the detail panel.

use leptos::prelude::*;

use crate::api::connections::{AuditLine, Basis, Detail};
use crate::domain::component::{ComponentForm, OAuthForm};
use crate::domain::connection::Summary;
use crate::domain::evidence::{Check, CheckOutcome, Evidence, Step, Verdict};
use crate::domain::role::Action;
use crate::domain::tag::Tag;
use crate::domain::time::{Timestamp, relative, until};
use crate::ui::dialogs::delete::workflow_name;
use crate::ui::dialogs::progress::Progress;
use crate::ui::parts::step_list::StepList;
use crate::ui::state::catalog::Catalog;
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;

/// A point in time: relative to read, exact on hover and for programs.
#[component]
pub fn Moment(at: Timestamp) -> impl IntoView {
    let list = ListState::expect();
    let exact = at.to_rfc3339();
    view! { <time datetime=exact.clone() title=exact>{move || relative(at, list.now())}</time> }.into_any()
}

fn verdict_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Valid => "The service accepted the credentials.".to_owned(),
        Verdict::Limited { missing } => {
            format!("Signed in, but these permissions are missing: {}.", missing.join(", "))
        }
        Verdict::Rejected { reason, .. } | Verdict::NoEvidence { reason, .. } => reason.clone(),
        Verdict::NotAskable => "The service has no way to be asked.".to_owned(),
    }
}

/// The latest check: the one under way, or the evidence stored.
#[component]
pub fn Evidenced(detail: Memo<Option<Detail>>, progress: RwSignal<Progress>) -> impl IntoView {
    let list = ListState::expect();
    let operator = list.viewer.with_value(|viewer| viewer.operator);
    let evidence: Memo<Option<Evidence>> =
        Memo::new(move |_| detail.with(|detail| detail.as_ref().and_then(|detail| detail.evidence.clone())));
    let running = Memo::new(move |_| progress.with(|progress| progress.running));
    let steps: Signal<Vec<Step>> = Signal::derive(move || {
        let stored =
            || evidence.with(|evidence| evidence.as_ref().map(|evidence| evidence.steps.clone()).unwrap_or_default());
        progress.with(|progress| if progress.running { progress.steps.clone() } else { stored() })
    });
    let shown = Memo::new(move |_| running.get() || evidence.with(Option::is_some));
    let when = move || {
        if running.get() {
            return "under way".into_any();
        }
        evidence
            .with(|evidence| evidence.as_ref().map(|evidence| evidence.at))
            .map(|at| view! { <Moment at=at /> })
            .into_any()
    };
    let words = move || {
        let verdict = evidence.with(|evidence| evidence.as_ref().map(|evidence| verdict_words(&evidence.verdict)));
        verdict.filter(|_| !running.get()).map(|words| view! { <p class="found">{words}</p> })
    };
    view! {
        <section>
            <h3>"Last check " <small>{move || when()}</small></h3>
            {move || words()}
            <Show when={move || shown.get()} fallback=|| view! { <p class="none">"Not checked yet."</p> }>
                <StepList steps=steps running=running operator=operator />
            </Show>
            <Timeline detail=detail />
        </section>
    }
    .into_any()
}

/// The latest checks, a mark each, the oldest first; and what the check itself rests on.
#[component]
fn Timeline(detail: Memo<Option<Detail>>) -> impl IntoView {
    let list = ListState::expect();
    let mark = move |check: Check| {
        let (class, word) = match check.outcome {
            CheckOutcome::Accepted => ("good", "accepted"),
            CheckOutcome::Limited => ("bad", "limited"),
            CheckOutcome::Refused => ("bad", "refused"),
            CheckOutcome::Unanswered => ("wait", "not answered"),
        };
        let words = format!("{}: {word}. {}", relative(check.at, list.now_untracked()), check.words);
        let title = format!("{} · {} ms", words.trim_end(), check.milliseconds);
        view! { <li class=class title=title><span class="unseen">{words}</span></li> }.into_any()
    };
    let marks = move || {
        let checks = detail.get().map(|detail| detail.timeline).filter(|checks| checks.len() > 1)?;
        let label = format!("The latest {} checks", checks.len());
        let marks: Vec<_> = checks.into_iter().rev().map(mark).collect();
        Some(view! { <ol class="timeline" aria-label=label>{marks}</ol> }.into_any())
    };
    let basis = move || {
        let basis = match detail.get()?.basis {
            Basis::Documented => "How this check reads the answers follows the vendor's documentation.".to_owned(),
            Basis::TriedLive { day } => format!("This check was tried against the service itself on {day}."),
            Basis::Own => "How this check reads the answers was written down in this workspace.".to_owned(),
        };
        Some(view! { <p class="basis">{basis}</p> }.into_any())
    };
    view! { {move || marks()}{move || basis()} }.into_any()
}

fn fact(label: impl Into<String>, value: AnyView) -> AnyView {
    view! { <div><dt>{label.into()}</dt><dd>{value}</dd></div> }.into_any()
}

/// Whose it is, what it may do, how long it lasts, where it leads.
#[component]
pub fn Facts(summary: Memo<Summary>, detail: Memo<Option<Detail>>) -> impl IntoView {
    let catalog = Catalog::expect();
    let form = Memo::new(move |_| catalog.form(&summary.with(|summary| summary.component.clone())));
    let more = move || detail.get().map(|detail| told_by_detail(&detail, form.get().as_ref()));
    let before =
        move || summary.with(|summary| summary.account.clone()).map(|account| fact("Account", account.into_any()));
    let after = move || summary.with(told_by_row);
    view! { <section><h3>"About"</h3><dl class="facts">{move || before()}{move || more()}{move || after()}</dl></section> }.into_any()
}

fn told_by_row(summary: &Summary) -> AnyView {
    let list = ListState::expect();
    let tags = summary
        .tags
        .iter()
        .map(|tag: &Tag| view! { <span class="chip">{tag.as_str().to_owned()}</span> })
        .collect_view();
    let tags = if summary.tags.is_empty() {
        "none".into_any()
    } else {
        view! { <span class="chips">{tags}</span> }.into_any()
    };
    let used = summary.last_used_at.map(|at| fact("Last used", view! { <Moment at=at /> }.into_any()));
    let ends = summary.expires_at.map(|at| {
        let label = if at <= list.now() { "Expired" } else { "Expires" };
        let (exact, day) = (at.to_rfc3339(), at.to_day());
        let when = move || until(at, list.now());
        fact(label, view! { <time datetime=exact.clone() title=exact>{when}" · "{day}</time> }.into_any())
    });
    let created = fact("Created", view! { <Moment at=summary.created_at /> }.into_any());
    view! { {ends}{fact("Tags", tags)}{created}{used} }.into_any()
}

fn told_by_detail(detail: &Detail, form: Option<&ComponentForm>) -> AnyView {
    let list = ListState::expect();
    let method = form.and_then(|form| form.method(&detail.method));
    let field = |id: &str| method.and_then(|method| method.fields.iter().find(|field| field.id == id));
    let label = |id: &str| field(id).map_or_else(|| words_of(id), |field| field.label.clone());
    // A choice is called what it was called in the form.
    let shown = |id: &str, value: &String| {
        let chosen = field(id).and_then(|field| field.options.iter().find(|option| option.value == *value));
        chosen.map_or_else(|| value.clone(), |option| option.label.clone())
    };
    let way = method.map_or_else(|| detail.method.clone(), |method| method.label.clone());
    let config = detail.config.0.iter().filter(|(_, value)| !value.is_empty());
    let config = config.map(|(id, value)| fact(label(id), shown(id, value).into_any())).collect_view();
    let now = list.now();
    let secrets = detail.secrets.iter();
    let secrets = secrets
        .map(|secret| fact(label(&secret.field), format!("stored {}", relative(secret.stored_at, now)).into_any()))
        .collect_view();
    let scopes = permissions(&detail.account.scopes, method.and_then(|method| method.oauth.as_ref()));
    view! { {scopes}{fact("Way to sign in", way.into_any())}{config}{secrets} }.into_any()
}

/// What was granted: in words where the component has them, else as the service names it.
fn permissions(scopes: &[String], oauth: Option<&OAuthForm>) -> Option<AnyView> {
    let words = |scope: &String| oauth.map_or(scope.as_str(), |oauth| oauth.allows(scope)).to_owned();
    let lines: Vec<String> = scopes.iter().map(words).collect();
    let list = match oauth {
        _ if lines.is_empty() => return None,
        Some(_) => lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view().into_any(),
        None => return Some(fact("Permissions", lines.join(", ").into_any())),
    };
    Some(fact("Permissions", view! { <ul class="granted">{list}</ul> }.into_any()))
}

/// An id that no field has, such as that of a token that was obtained: `access_token`, read as words.
fn words_of(id: &str) -> String {
    let words = id.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[component]
pub fn Workflows(detail: Memo<Option<Detail>>) -> impl IntoView {
    let (list, dialogs) = (ListState::expect(), Dialogs::expect());
    let lines = move || {
        let detail = detail.get()?;
        let unknown = detail.summary.workflows.is_none();
        let empty =
            if unknown { "Patchbay does not know which workflows use it." } else { "No registered workflow uses it." };
        Some(if detail.workflows.is_empty() {
            view! { <p class="none">{empty}</p> }.into_any()
        } else {
            let id = detail.summary.id;
            let open = move |_| dialogs.open(Dialog::Replace(id.clone()));
            let replace = list.may(Action::ReplaceConnection).then(|| {
                view! { <button type="button" class="button small" on:click=open>"Replace everywhere"</button> }
            });
            let line = |workflow| view! { <li>{workflow_name(workflow)}</li> };
            let lines = detail.workflows.into_iter().map(line).collect_view();
            view! { <ul class="workflows">{lines}</ul>{replace} }.into_any()
        })
    };
    view! { <section><h3>"Used by"</h3>{move || lines()}</section> }.into_any()
}

#[component]
pub fn History(detail: Memo<Option<Detail>>) -> impl IntoView {
    let line = |line: AuditLine| {
        let about = (!line.about.is_empty()).then(|| format!(" ({})", line.about));
        view! { <li><span><b>{line.what}</b>{about}" by "{line.who}</span><Moment at=line.at /></li> }
    };
    let section = move || {
        let lines = detail.get().map(|detail| detail.audit).filter(|lines| !lines.is_empty())?;
        let lines = lines.into_iter().map(line).collect_view();
        Some(view! { <section><h3>"History"</h3><ol class="history">{lines}</ol></section> })
    };
    view! { {move || section()} }.into_any()
}
