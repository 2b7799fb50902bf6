//! A probe's steps as they happen: each beginning and each end is told at once.

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use crate::domain::evidence::{Step, StepKind, StepOutcome};

/// Removes secrets and control characters from a text before it leaves the probe.
pub type Clean = Box<dyn Fn(&str) -> String + Send + Sync>;

/// Tells and collects the steps. At most one is running.
pub struct Steps {
    live: UnboundedSender<Step>,
    clean: Clean,
    running: Option<(StepKind, Instant)>,
    ended: Vec<Step>,
}

impl Steps {
    #[must_use]
    pub fn new(live: UnboundedSender<Step>, clean: Clean) -> Self {
        Self { live, clean, running: None, ended: Vec::new() }
    }

    /// Steps that nobody reads: what happens counts as a part of another step.
    #[must_use]
    pub fn unheard() -> Self {
        Self::new(tokio::sync::mpsc::unbounded_channel().0, Box::new(str::to_owned))
    }

    pub fn begin(&mut self, kind: StepKind) {
        self.running = Some((kind, Instant::now()));
        self.tell(Step::running(kind));
    }

    /// Ends the running step well.
    pub fn pass(&mut self, message: &str) {
        self.pass_with_detail(message, "");
    }

    /// The same, with what only operators may read.
    pub fn pass_with_detail(&mut self, message: &str, detail: &str) {
        self.end(StepOutcome::Passed, message, detail);
    }

    /// Ends the running step badly; nothing happens where none is running.
    pub fn fail(&mut self, message: &str, detail: &str) {
        self.end(StepOutcome::Failed, message, detail);
    }

    /// Notes a step that is not needed here.
    pub fn skip(&mut self, kind: StepKind, message: &str) {
        self.record(Step::ended(kind, StepOutcome::Skipped, 0, message));
    }

    /// All steps that have ended, in the order they ended.
    #[must_use]
    pub fn into_ended(self) -> Vec<Step> {
        self.ended
    }

    fn end(&mut self, outcome: StepOutcome, message: &str, detail: &str) {
        if let Some((kind, since)) = self.running.take() {
            let milliseconds = u32::try_from(since.elapsed().as_millis()).unwrap_or(u32::MAX);
            let step = Step::ended(kind, outcome, milliseconds, (self.clean)(message));
            self.record(step.with_detail((self.clean)(detail)));
        }
    }

    fn record(&mut self, step: Step) {
        self.ended.push(step.clone());
        self.tell(step);
    }

    /// Nobody may be listening any more; the evidence is collected all the same.
    fn tell(&self, step: Step) {
        drop(self.live.send(step));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::unbounded_channel;

    #[tokio::test]
    async fn a_step_is_told_when_it_begins_and_when_it_ends() {
        let (live, mut told) = unbounded_channel();
        let mut steps = Steps::new(live, Box::new(|text| text.replace("hunter2", "***")));
        steps.begin(StepKind::Connect);
        assert_eq!(told.try_recv(), Ok(Step::running(StepKind::Connect)));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        steps.fail("no hunter2", "at hunter2");
        let ended = told.try_recv().expect("an end");
        assert!((20..2_000).contains(&ended.milliseconds), "{} ms", ended.milliseconds);
        let expected =
            Step::ended(StepKind::Connect, StepOutcome::Failed, ended.milliseconds, "no ***").with_detail("at ***");
        assert_eq!(ended, expected);
        steps.fail("again", "");
        assert!(told.try_recv().is_err());
        assert_eq!(steps.into_ended(), [expected]);
    }
}
