//! Where connecting an account stands: what happens comes in as events, what is shown is read off.
//!
//! A window that closes is no event: a provider's `Cross-Origin-Opener-Policy` makes an open one look closed. Only the
//! server knows how far a flow is.

use std::time::Duration;

use crate::api::connect::{Begun, Progress, Way};
use crate::api::error::ApiError;
use crate::domain::connection::Summary;
use crate::domain::id::FlowId;

/// After this long without anybody at the service's page, the window may have been blocked unnoticed.
pub const LATE: Duration = Duration::from_secs(20);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The form is open; how the last try ended, where there was one.
    Form(Option<Ending>),
    /// The server has been asked to begin.
    Beginning,
    /// Somebody signs in at the service, or is about to.
    Waiting(Waiting),
    /// Another account came back than the one connected before.
    OtherAccount(Choice),
    Connected(Box<Summary>),
}

impl Default for Stage {
    fn default() -> Self {
        Self::Form(None)
    }
}

/// How a flow ended without a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Failed(String),
    Expired,
    /// The account connected before stays.
    Kept {
        was: String,
    },
}

/// A flow under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub begun: Begun,
    pub way: Way,
    /// The browser let no window open.
    pub blocked: bool,
    /// Somebody is at the service's page, or was.
    pub opened: bool,
    /// It takes long for a page that has only to be opened.
    pub late: bool,
    /// Why it is not known at the moment how far it is.
    pub trouble: Option<ApiError>,
}

/// Whether another account takes the place of the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub flow: FlowId,
    pub was: String,
    pub is: String,
    /// Whether it shall be replaced, while the server carries that out.
    pub decided: Option<bool>,
    pub trouble: Option<ApiError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Asked,
    Refused,
    Begun(Waiting),
    Told(FlowId, Progress),
    Unanswered(FlowId, ApiError),
    Late(FlowId),
    Decided(bool),
    GivenUp,
}

impl Stage {
    /// Goes on by an event; one that concerns another flow, or comes too late, changes nothing.
    pub fn take(&mut self, event: Event) {
        *self = std::mem::take(self).after(event);
    }

    fn after(self, event: Event) -> Self {
        match (self, event) {
            (Self::Form(_), Event::Asked) => Self::Beginning,
            (Self::Beginning, Event::Refused) | (Self::Waiting(_) | Self::OtherAccount(_), Event::GivenUp) => {
                Self::Form(None)
            }
            (Self::Beginning, Event::Begun(waiting)) => Self::Waiting(waiting),
            (Self::Waiting(waiting), Event::Told(flow, progress)) if waiting.begun.flow == flow => {
                waiting.told(progress)
            }
            (Self::Waiting(waiting), Event::Unanswered(flow, error)) if waiting.begun.flow == flow => {
                waiting.unanswered(error)
            }
            (Self::Waiting(waiting), Event::Late(flow)) if waiting.begun.flow == flow => {
                Self::Waiting(Waiting { late: true, ..waiting })
            }
            (Self::OtherAccount(choice), Event::Decided(replace)) if choice.decided.is_none() => {
                Self::OtherAccount(Choice { decided: Some(replace), trouble: None, ..choice })
            }
            (Self::OtherAccount(choice), Event::Told(flow, progress)) if choice.flow == flow => choice.told(progress),
            (Self::OtherAccount(choice), Event::Unanswered(flow, error)) if choice.flow == flow => {
                Self::OtherAccount(Choice { decided: None, trouble: Some(error), ..choice })
            }
            (same, _) => same,
        }
    }

    /// The form can be filled in, and nothing is under way.
    #[must_use]
    pub const fn is_form(&self) -> bool {
        matches!(self, Self::Form(_))
    }

    /// The form gives way to what is said of the flow.
    #[must_use]
    pub const fn covers_form(&self) -> bool {
        matches!(self, Self::Waiting(_) | Self::OtherAccount(_))
    }

    #[must_use]
    pub const fn flow(&self) -> Option<&FlowId> {
        match self {
            Self::Waiting(waiting) => Some(&waiting.begun.flow),
            Self::OtherAccount(choice) => Some(&choice.flow),
            Self::Form(_) | Self::Beginning | Self::Connected(_) => None,
        }
    }

    /// A link goes on by itself, and a choice waits at the server: nobody need stay for either.
    #[must_use]
    pub const fn is_handed_over(&self) -> bool {
        matches!(self, Self::Waiting(Waiting { way: Way::Link, .. }) | Self::OtherAccount(_) | Self::Connected(_))
    }

    /// Something that would end with the dialog.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        !self.is_form() && !self.is_handed_over()
    }
}

impl Waiting {
    #[must_use]
    pub const fn new(begun: Begun, way: Way, blocked: bool) -> Self {
        Self { begun, way, blocked, opened: false, late: false, trouble: None }
    }

    fn told(self, progress: Progress) -> Stage {
        match progress {
            Progress::Waiting => Stage::Waiting(Self { trouble: None, ..self }),
            Progress::Opened => Stage::Waiting(Self { opened: true, trouble: None, ..self }),
            Progress::Connected { summary } => Stage::Connected(summary),
            Progress::OtherAccount { was, is } => Stage::OtherAccount(Choice::new(self.begun.flow, was, is)),
            Progress::Failed { message } => Stage::Form(Some(Ending::Failed(message))),
            Progress::Expired => Stage::Form(Some(Ending::Expired)),
        }
    }

    /// Silence says nothing about the flow; only an answer that no further question will change ends the waiting.
    fn unanswered(self, error: ApiError) -> Stage {
        match error {
            ApiError::NotFound => Stage::Form(Some(Ending::Expired)),
            ApiError::Forbidden | ApiError::Outdated => Stage::Form(Some(Ending::Failed(error.to_string()))),
            error => Stage::Waiting(Self { trouble: Some(error), ..self }),
        }
    }

    /// How long to wait between two questions.
    #[must_use]
    pub const fn period(&self) -> Duration {
        match self.way {
            Way::Window => Duration::from_millis(1_500),
            Way::Link | Way::Device => Duration::from_secs(2),
        }
    }

    #[must_use]
    pub fn heading(&self, component: &str) -> String {
        match self.way {
            Way::Window => format!("Waiting for you to finish at {component} …"),
            Way::Link => format!("Send this link to whoever owns the {component} account"),
            Way::Device => format!("Enter this code at {component}"),
        }
    }

    /// The step it is at.
    #[must_use]
    pub fn step(&self, component: &str) -> String {
        match (self.way, self.opened) {
            (Way::Window, false) if self.blocked => "Open the page and continue there.".to_owned(),
            (Way::Window, false) => "Open the window and continue there.".to_owned(),
            (Way::Link, false) => "Nobody has opened it yet.".to_owned(),
            (Way::Device, false) => "Waiting for the code to be entered …".to_owned(),
            (Way::Window | Way::Device, true) => format!("Finishing at {component} …"),
            (Way::Link, true) => format!("Somebody has opened it and is finishing at {component} …"),
        }
    }

    /// What keeps this page from knowing how far it is.
    #[must_use]
    pub fn trouble_words(&self) -> Option<String> {
        self.trouble.as_ref().map(|error| match error {
            ApiError::Offline => "Patchbay cannot be reached; still trying.".to_owned(),
            error if error.is_signed_out() => error.to_string(),
            _ => "Patchbay cannot say at the moment how far it is; still trying.".to_owned(),
        })
    }

    /// The window may have been blocked unnoticed, or lie behind this one.
    #[must_use]
    pub fn may_be_unseen(&self) -> bool {
        self.way == Way::Window && self.late && !self.opened && !self.blocked
    }
}

impl Choice {
    #[must_use]
    pub const fn new(flow: FlowId, was: String, is: String) -> Self {
        Self { flow, was, is, decided: None, trouble: None }
    }

    fn told(self, progress: Progress) -> Stage {
        match (progress, self.decided) {
            (Progress::Connected { summary }, _) => Stage::Connected(summary),
            (Progress::Failed { .. }, Some(false)) => Stage::Form(Some(Ending::Kept { was: self.was })),
            (Progress::Failed { message }, _) => Stage::Form(Some(Ending::Failed(message))),
            (Progress::Expired, _) => Stage::Form(Some(Ending::Expired)),
            (Progress::Waiting | Progress::Opened | Progress::OtherAccount { .. }, _) => {
                Stage::OtherAccount(Self { decided: None, ..self })
            }
        }
    }

    #[must_use]
    pub fn question(&self) -> String {
        let Self { was, is, .. } = self;
        format!(
            "You signed in as {is}. Until now this connection was {was}. Replace it? Workflows will act as {is} from \
             now on."
        )
    }
}

impl Ending {
    /// Whether it went other than wanted.
    #[must_use]
    pub const fn is_bad(&self) -> bool {
        !matches!(self, Self::Kept { .. })
    }

    #[must_use]
    pub fn words(&self, component: &str) -> String {
        match self {
            Self::Failed(message) => message.clone(),
            Self::Expired => format!("Nobody finished at {component} in time, so nothing was changed. Connect again."),
            Self::Kept { was } => format!("Nothing was changed: it is still connected as {was}."),
        }
    }
}

#[cfg(test)]
#[path = "stage_tests.rs"]
mod tests;
