use super::*;
use crate::domain::evidence::{StepKind, StepOutcome};
use crate::domain::time::Timestamp;
use proptest::prelude::*;

fn evidence(verdict: Verdict, steps: Vec<Step>) -> Evidence {
    Evidence { steps, verdict, ..Evidence::none(Timestamp(0), "") }
}

fn step(kind: StepKind, outcome: StepOutcome) -> Step {
    Step::ended(kind, outcome, 1, "said so")
}

#[test]
fn a_step_that_ends_replaces_the_same_step_running() {
    let mut progress = Progress::begun();
    progress.take(ProbeEvent::Step { step: Step::running(StepKind::Connect) });
    progress.take(ProbeEvent::Step { step: step(StepKind::Connect, StepOutcome::Passed) });
    assert_eq!(progress.steps, [step(StepKind::Connect, StepOutcome::Passed)]);
    assert!(progress.running);
}

#[test]
fn only_a_credential_the_service_did_not_accept_may_be_kept_as_not_active() {
    let mut refused = Progress::begun();
    let verdict = Verdict::Rejected { reason: "no".to_owned(), field: None };
    refused.take(ProbeEvent::NotSaved {
        message: "no".to_owned(),
        problems: vec![],
        evidence: evidence(verdict, vec![]),
    });
    assert!(refused.refused && !refused.unaskable && !refused.running);

    let mut broken = Progress::begun();
    broken.take(ProbeEvent::Failed { error: ApiError::Busy });
    assert!(!broken.refused && !broken.running);
    assert_eq!(broken.verdict, Some(ApiError::Busy.to_string()));
}

#[test]
fn a_service_that_cannot_be_asked_may_be_vouched_for() {
    let mut progress = Progress::begun();
    let found = evidence(Verdict::NotAskable, vec![]);
    progress.take(ProbeEvent::NotSaved { message: "cannot be asked".to_owned(), problems: vec![], evidence: found });
    assert!(progress.unaskable);
}

#[test]
fn a_broken_stream_leaves_no_step_running() {
    let mut progress = Progress::begun();
    progress.take(ProbeEvent::Step { step: Step::running(StepKind::Tls) });
    progress.fail(ApiError::Offline);
    assert!(progress.steps.is_empty() && !progress.running);
}

#[test]
fn what_a_test_found_reads_as_one_sentence() {
    let refused = Verdict::Rejected { reason: "password refused".to_owned(), field: None };
    assert_eq!(told("Orders", &evidence(refused, vec![])), "Orders was refused: password refused.");
    let silent = Verdict::NoEvidence { reason: "It timed out.".to_owned(), field: None };
    assert_eq!(told("Orders", &evidence(silent, vec![])), "Orders could not be checked: It timed out.");
}

proptest! {
    #[test]
    fn steps_stay_in_order_and_single(kinds in proptest::collection::vec(0_usize..5, 0..20)) {
        let mut progress = Progress::begun();
        for index in kinds {
            progress.take(ProbeEvent::Step { step: step(StepKind::ALL[index], StepOutcome::Passed) });
        }
        prop_assert!(progress.steps.windows(2).all(|pair| pair[0].kind < pair[1].kind));
    }
}
