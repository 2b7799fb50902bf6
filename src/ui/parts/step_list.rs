//! The stages of a check, as they happen or as evidence.

use leptos::prelude::*;

use crate::domain::evidence::{Step, StepKind, StepOutcome};

const fn mark(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Running => "",
        StepOutcome::Passed => "✓",
        StepOutcome::Failed => "✕",
        StepOutcome::Skipped => "–",
    }
}

const fn word(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Running => "running",
        StepOutcome::Passed => "passed",
        StepOutcome::Failed => "failed",
        StepOutcome::Skipped => "skipped",
    }
}

const fn kind_word(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Resolve => "resolve",
        StepKind::Connect => "connect",
        StepKind::Tls => "tls",
        StepKind::Authenticate => "authenticate",
        StepKind::Authorise => "authorise",
    }
}

/// What the step said, and for operators where and how long.
fn remark(step: &Step, operator: bool) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !step.message.is_empty() {
        parts.push(step.message.clone());
    } else if step.outcome == StepOutcome::Skipped {
        parts.push("not needed".to_owned());
    }
    if operator && !step.detail.is_empty() {
        parts.push(step.detail.clone());
    }
    let timed = matches!(step.outcome, StepOutcome::Passed | StepOutcome::Failed);
    if operator && timed {
        parts.push(format!("{} ms", step.milliseconds));
    }
    parts.join(" · ")
}

/// All five stages; `operator` sees addresses and durations too. While `running`, the next step is read out.
#[component]
pub fn StepList(
    #[prop(into)] steps: Signal<Vec<Step>>,
    #[prop(into)] running: Signal<bool>,
    operator: bool,
) -> impl IntoView {
    let row = move |kind: StepKind| {
        let step = Memo::new(move |_| steps.with(|all| all.iter().find(|step| step.kind == kind).cloned()));
        let outcome = move || step.with(|step| step.as_ref().map_or("waiting", |step| word(step.outcome)));
        let sign = move || step.with(|step| step.as_ref().map_or("·", |step| mark(step.outcome)));
        let said = move || match step.get() {
            Some(step) => remark(&step, operator),
            None if running.get() => String::new(),
            None => "not reached".to_owned(),
        };
        view! {
            <li data-step=kind_word(kind) data-outcome=outcome>
                <i aria-hidden="true">{sign}</i>
                <span>{kind.label()} <span class="unseen">{move || format!(": {}", outcome())}</span></span>
                <small>{said}</small>
            </li>
        }
    };
    let announced = move || {
        let latest = steps.with(|all| all.last().map(|step| format!("{}: {}", step.kind.label(), word(step.outcome))));
        if running.get() { latest.unwrap_or_else(|| "Checking".to_owned()) } else { String::new() }
    };
    view! {
        <ol class="steps" aria-label="Steps of the check">{StepKind::ALL.map(row)}</ol>
        <p class="unseen" aria-live="polite">{announced}</p>
    }
    .into_any()
}
