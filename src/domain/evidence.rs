//! What a probe found out, step by step.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// The stages of asking a service whether a credential works, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    Resolve,
    Connect,
    Tls,
    Authenticate,
    Authorise,
}

impl StepKind {
    pub const ALL: [Self; 5] = [Self::Resolve, Self::Connect, Self::Tls, Self::Authenticate, Self::Authorise];

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Resolve => "Resolve host",
            Self::Connect => "Connect",
            Self::Tls => "TLS",
            Self::Authenticate => "Sign in",
            Self::Authorise => "Permissions",
        }
    }
}

/// How a step ended, or that it has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    Running,
    Passed,
    Failed,
    /// Not needed here, such as TLS on a connection without it.
    Skipped,
}

/// One stage of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub kind: StepKind,
    pub outcome: StepOutcome,
    /// Duration; zero while running.
    pub milliseconds: u32,
    /// One sentence for everybody, with no secret and no address in it.
    pub message: String,
    /// Addresses and ports, for operators only; emptied for everybody else.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Step {
    #[must_use]
    pub fn running(kind: StepKind) -> Self {
        Self::ended(kind, StepOutcome::Running, 0, "")
    }

    #[must_use]
    pub fn ended(kind: StepKind, outcome: StepOutcome, milliseconds: u32, message: impl Into<String>) -> Self {
        Self { kind, outcome, milliseconds, message: message.into(), detail: String::new() }
    }

    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}

/// What the answers say about the credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The service accepted the credential.
    Valid,
    /// Accepted, but without a permission the component requires.
    Limited { missing: Vec<String> },
    /// The service refused the credential. `field` is the one to mend, where the service told.
    Rejected { reason: String, field: Option<String> },
    /// Nothing was learned about the credential: time-out, 5xx, 429, DNS, TLS, garbage.
    NoEvidence { reason: String, field: Option<String> },
    /// The component has no way to be asked.
    NotAskable,
}

/// Who the credential belongs to and what it may do, as the service says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub identity: Option<String>,
    /// What tells this account from every other one and outlasts another name, where the service says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    pub scopes: Vec<String>,
}

impl Account {
    /// Whether two are one account; `None` where that cannot be told.
    #[must_use]
    pub fn is_that_of(&self, other: &Self) -> Option<bool> {
        match (&self.subject, &other.subject) {
            (Some(one), Some(two)) => Some(one == two),
            _ => Some(self.identity.as_ref()? == other.identity.as_ref()?),
        }
    }
}

/// One probe, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub at: Timestamp,
    pub steps: Vec<Step>,
    pub verdict: Verdict,
    pub account: Account,
    /// When the credential itself ends, where the service or a certificate tells.
    pub expires_at: Option<Timestamp>,
    /// The service asked not to be asked again before (`Retry-After`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Fingerprint of the key by which an SSH server that accepted the credential is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_key: Option<String>,
}

impl Evidence {
    /// Evidence of a probe that did not take place.
    #[must_use]
    pub fn none(at: Timestamp, reason: impl Into<String>) -> Self {
        let verdict = Verdict::NoEvidence { reason: reason.into(), field: None };
        Self {
            at,
            steps: Vec::new(),
            verdict,
            account: Account::default(),
            expires_at: None,
            not_before: None,
            host_key: None,
        }
    }

    /// The same without what only operators may see.
    #[must_use]
    pub fn without_details(mut self) -> Self {
        for step in &mut self.steps {
            step.detail.clear();
        }
        self
    }
}

/// One entry of a connection's timeline: what is kept of evidence that newer evidence has replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub at: Timestamp,
    pub outcome: CheckOutcome,
    /// Why, where it did not go well.
    pub words: String,
    pub milliseconds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    Accepted,
    Limited,
    Refused,
    /// Nothing was learned.
    Unanswered,
}

impl Check {
    /// What the timeline keeps; `None` of what could not be asked.
    #[must_use]
    pub fn of(evidence: &Evidence) -> Option<Self> {
        let (outcome, words) = match &evidence.verdict {
            Verdict::Valid => (CheckOutcome::Accepted, String::new()),
            Verdict::Limited { missing } => (CheckOutcome::Limited, format!("Missing: {}.", missing.join(", "))),
            Verdict::Rejected { reason, .. } => (CheckOutcome::Refused, reason.clone()),
            Verdict::NoEvidence { reason, .. } => (CheckOutcome::Unanswered, reason.clone()),
            Verdict::NotAskable => return None,
        };
        let milliseconds = evidence.steps.iter().map(|step| step.milliseconds).fold(0, u32::saturating_add);
        Some(Self { at: evidence.at, outcome, words, milliseconds })
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn an_account_is_known_by_what_outlasts_its_name() {
        let account = |identity: &str, subject: &str| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Account { identity: some(identity), subject: some(subject), scopes: Vec::new() }
        };
        let ada = account("Ada", "7");
        assert_eq!(ada.is_that_of(&account("Ada Lovelace", "7")), Some(true), "another name");
        assert_eq!(ada.is_that_of(&account("Ada", "8")), Some(false), "somebody of the same name");
        assert_eq!(ada.is_that_of(&account("Ada", "")), Some(true), "told by a version before");
        assert_eq!(ada.is_that_of(&account("", "")), None);
    }
}
