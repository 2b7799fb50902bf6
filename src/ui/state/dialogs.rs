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
pub struct Dialogs {
    open: RwSignal<Option<Dialog>>,
    /// In a frame that shows a dialog alone: that one, whatever the host says later.
    alone: StoredValue<Option<Dialog>>,
}

impl Dialogs {
    /// Puts the dialogs, and the catalog they fill their forms from, in context.
    pub fn provide() -> Self {
        Catalog::provide();
        let alone = host::only_dialog();
        let dialogs = Self { open: RwSignal::new(None), alone: StoredValue::new(alone.clone()) };
        provide_context(dialogs);
        if alone.is_some() {
            // A modal dialog cannot open before it stands in the document.
            set_timeout(move || drop(dialogs.open.try_set(alone)), Duration::ZERO);
        }
        dialogs
    }

    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    pub fn open(self, dialog: Dialog) {
        self.open.set(Some(dialog));
    }

    /// The component picker.
    pub fn open_new(self) {
        self.open(Dialog::New(None));
    }

    /// In a frame that shows a dialog alone, that one stands behind every other.
    pub fn close(self) {
        let alone = self.alone.get_value();
        if alone.is_some() && self.open.with_untracked(|open| *open == alone) {
            host::closed();
        }
        self.open.set(alone);
    }

    #[must_use]
    pub fn current(self) -> Option<Dialog> {
        self.open.get()
    }

    #[must_use]
    pub fn is_open(self) -> bool {
        self.open.with_untracked(Option::is_some)
    }
}
