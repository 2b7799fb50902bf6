//! How far a check has come, as events arrive.

use crate::api::error::ApiError;
use crate::api::stream::ProbeEvent;
use crate::domain::connection::Summary;
use crate::domain::evidence::{Evidence, Step, StepOutcome, Verdict};
use crate::domain::field::FieldProblem;

/// What a dialog or panel shows of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub running: bool,
    /// One a kind, in their order.
    pub steps: Vec<Step>,
    /// Why it was not saved.
    pub verdict: Option<String>,
    /// The service did not accept the credential: keeping it as not active may be offered.
    pub refused: bool,
    /// The service has no way to be asked: vouching may be offered.
    pub unaskable: bool,
    /// Somebody else changed the connection meanwhile: what it is now.
    pub conflict: Option<Box<Summary>>,
}

/// What an event asks of whoever shows the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Going,
    Saved(Box<Summary>),
    Tested(Box<Summary>, Evidence),
    NotSaved(Vec<FieldProblem>),
    Tried(Evidence),
    Failed(ApiError),
}

impl Progress {
    #[must_use]
    pub fn begun() -> Self {
        Self { running: true, ..Self::default() }
    }

    pub fn take(&mut self, event: ProbeEvent) -> Outcome {
        if let ProbeEvent::Step { step } = event {
            self.take_step(step);
            return Outcome::Going;
        }
        self.running = false;
        match event {
            ProbeEvent::Step { .. } => Outcome::Going,
            ProbeEvent::Saved { summary, evidence } => {
                self.take_evidence(evidence.as_ref());
                Outcome::Saved(summary)
            }
            ProbeEvent::Tested { summary, evidence } => {
                self.take_evidence(Some(&evidence));
                Outcome::Tested(summary, evidence)
            }
            ProbeEvent::NotSaved { message, problems, evidence } => {
                self.take_evidence(Some(&evidence));
                self.verdict = Some(message);
                self.refused = true;
                self.unaskable = evidence.verdict == Verdict::NotAskable;
                Outcome::NotSaved(problems)
            }
            ProbeEvent::Tried { evidence } => {
                self.take_evidence(Some(&evidence));
                Outcome::Tried(evidence)
            }
            ProbeEvent::Failed { error } => self.fail(error),
        }
    }

    /// The request was not carried out; what was learned stays.
    pub fn fail(&mut self, error: ApiError) -> Outcome {
        self.stop(error.to_string());
        if let ApiError::Conflict { current } = &error {
            self.conflict = Some(current.clone());
        }
        Outcome::Failed(error)
    }

    /// It ended before its time, for the reason given.
    pub fn stop(&mut self, reason: String) {
        self.running = false;
        self.steps.retain(|step| step.outcome != StepOutcome::Running);
        self.verdict = Some(reason);
    }

    fn take_step(&mut self, step: Step) {
        self.steps.retain(|known| known.kind != step.kind);
        self.steps.push(step);
        self.steps.sort_by_key(|known| known.kind);
    }

    fn take_evidence(&mut self, evidence: Option<&Evidence>) {
        for step in evidence.into_iter().flat_map(|evidence| &evidence.steps) {
            self.take_step(step.clone());
        }
    }
}

/// What a test found, in one sentence about `name`.
#[must_use]
pub fn told(name: &str, evidence: &Evidence) -> String {
    match &evidence.verdict {
        Verdict::Valid => match &evidence.account.identity {
            Some(identity) => format!("{name} works: signed in as {identity}."),
            None => format!("{name} works."),
        },
        Verdict::Limited { missing } => format!("{name} signs in, but lacks {}.", missing.join(", ")),
        Verdict::Rejected { reason, .. } => format!("{name} was refused: {}", sentence(reason)),
        Verdict::NoEvidence { reason, .. } => format!("{name} could not be checked: {}", sentence(reason)),
        Verdict::NotAskable => format!("{name} cannot be checked: its service has no way to be asked."),
    }
}

fn sentence(reason: &str) -> String {
    if reason.ends_with(['.', '!', '?', '…']) { reason.to_owned() } else { format!("{reason}.") }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
