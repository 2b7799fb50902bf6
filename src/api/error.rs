//! The one error a browser is shown. Closed: what is inside the server never reaches it.

use serde::{Deserialize, Serialize};
use server_fn::codec::JsonEncoding;
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

use crate::domain::connection::Summary;
use crate::domain::field::FieldProblem;

/// Why a request was not carried out, in words chosen for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ApiError {
    #[error("Your session has ended. Sign in again; nothing you typed is lost while this page stays open.")]
    SignedOut,
    /// The same in a frame, where there is nowhere to sign in.
    #[error(
        "Your sign-in here has ended. Try again, or reload this page; nothing you typed is lost while it stays open."
    )]
    FrameSignedOut,
    /// The frame holds back what would be sent in the name of whoever was signed in before.
    #[error("Nothing was sent: somebody else is signed in now. Copy what you need, then reload this page.")]
    SomebodyElse,
    #[error("Your role does not allow this. Ask an owner of the workspace.")]
    Forbidden,
    #[error("This connection no longer exists here. It may have been deleted, or belong to another environment.")]
    NotFound,
    #[error("Some fields need another look.")]
    Invalid { problems: Vec<FieldProblem> },
    #[error("Another {component} connection here is already named “{name}”. Choose another name.")]
    NameTaken { component: String, name: String },
    #[error("Somebody else changed this connection meanwhile. Look at the current values and try again.")]
    Conflict { current: Box<Summary> },
    #[error("Somebody else changed this meanwhile: version {version} is in force now. Look at it and try again.")]
    Superseded { version: i64 },
    #[error("{told}")]
    InUse { told: String },
    #[error("This workspace holds as many components of its own as it can (100). Remove some first.")]
    TooManyComponents,
    #[error(
        "Something else was already created with this request id or Idempotency-Key. Send another one with each new \
         request."
    )]
    Reused,
    #[error(
        "What this request created before was deleted since. Restore it, or create it anew under another request id or \
         Idempotency-Key."
    )]
    Gone,
    #[error("This environment holds as many connections as it can (20,000). Delete some first.")]
    Full,
    #[error("You keep as many connections to yourself as one person can (500). Delete some first.")]
    OwnFull,
    #[error("Too many checks run at once. Wait a moment and try again.")]
    Busy,
    #[error("Patchbay cannot reach its database right now. Nothing was changed; try again in a moment.")]
    Unavailable,
    #[error("Patchbay was updated since this page was opened. Reload the page.")]
    Outdated,
    #[error("Patchbay cannot be reached. Check your network and try again.")]
    Offline,
    #[error("Something went wrong inside Patchbay. The log of the server says more.")]
    Internal,
}

impl ApiError {
    /// Nobody is signed in any more, in one way or another.
    #[must_use]
    pub const fn is_signed_out(&self) -> bool {
        matches!(self, Self::SignedOut | Self::FrameSignedOut | Self::SomebodyElse)
    }

    /// One problem with one field.
    #[must_use]
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid { problems: vec![FieldProblem::new(field, message)] }
    }
}

impl From<leptos::wasm_split::SplitLoaderError> for ApiError {
    /// A part of the page that is fetched when it is wanted did not come.
    fn from(_: leptos::wasm_split::SplitLoaderError) -> Self {
        Self::Offline
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::Offline,
            ServerFnErrorErr::Deserialization(_) | ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                Self::Outdated
            }
            _ => Self::Internal,
        }
    }
}
