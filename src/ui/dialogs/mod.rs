//! The dialogs, and the one place that shows whichever is open.

pub mod frame;
pub mod local_offer;
pub mod progress;
pub mod running;
pub mod shortcuts;
pub mod testing;

use leptos::prelude::*;

use self::shortcuts::ShortcutsDialog;
use crate::ui::state::dialogs::{Dialog, Dialogs};

/// Shows the open dialog.
#[component]
pub fn DialogHost() -> impl IntoView {
    let dialogs = Dialogs::expect();
    move || {
        dialogs.current().map(|dialog| match dialog {
            Dialog::Shortcuts => view! { <ShortcutsDialog /> }.into_any(),
            _ => ().into_any(),
        })
    }
}
