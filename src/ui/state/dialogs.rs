//! Which dialog is open. At most one is.

use leptos::prelude::*;
use std::time::Duration;

use super::catalog::Catalog;
use crate::browser::host;
use crate::domain::component::ComponentSlug;
use crate::domain::field::FieldValues;
use crate::domain::id::ConnectionId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// The component picker, or at once the form of one component.
    New(Option<ComponentSlug>),
    /// The form of one component with some fields filled in.
    Prefilled(ComponentSlug, FieldValues),
    Edit(ConnectionId),
    /// The same form, begun where the account is connected anew.
    Reconnect(ConnectionId),
    Delete(ConnectionId),
    /// Other connections for its workflows.
    Replace(ConnectionId),
    /// In a frame: one of the connections there are, or a new one.
    Choose,
    /// The list of keyboard shortcuts.
    Shortcuts,
}

/// Opens and closes dialogs; focus returns to where it came from when one closes.
#[derive(Clone, Copy)]
pub struct Dialogs(RwSignal<Option<Dialog>>);

impl Dialogs {
    /// Puts the dialogs, and the catalog they fill their forms from, in context.
    pub fn provide() -> Self {
        Catalog::provide();
        let dialogs = Self(RwSignal::new(None));
        provide_context(dialogs);
        if let Some(alone) = host::only_dialog() {
            // A modal dialog cannot open before it stands in the document.
            set_timeout(move || drop(dialogs.0.try_set(Some(alone))), Duration::ZERO);
        }
        dialogs
    }

    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    pub fn open(self, dialog: Dialog) {
        self.0.set(Some(dialog));
    }

    /// The component picker.
    pub fn open_new(self) {
        self.open(Dialog::New(None));
    }

    /// In a frame that shows a dialog alone, that one stands behind every other.
    pub fn close(self) {
        let alone = host::only_dialog();
        if alone.is_some() && self.0.with_untracked(|open| *open == alone) {
            host::closed();
        }
        self.0.set(alone);
    }

    #[must_use]
    pub fn current(self) -> Option<Dialog> {
        self.0.get()
    }

    #[must_use]
    pub fn is_open(self) -> bool {
        self.0.with_untracked(Option::is_some)
    }
}
