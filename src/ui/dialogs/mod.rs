//! The dialogs, and the one place that shows whichever is open.

pub mod delete;
pub mod draft;
pub mod edit;
pub mod form;
pub mod frame;
pub mod local_offer;
pub mod naming;
pub mod new;
pub mod picker;
pub mod progress;
pub mod running;
pub mod shortcuts;
pub mod submission;
pub mod testing;
pub mod waiting;

use leptos::prelude::*;

use self::delete::DeleteDialog;
use self::edit::EditDialog;
use self::new::NewDialog;
use self::shortcuts::ShortcutsDialog;
use crate::domain::field::FieldValues;
use crate::ui::state::dialogs::{Dialog, Dialogs};

/// Shows the open dialog.
#[component]
pub fn DialogHost() -> impl IntoView {
    let dialogs = Dialogs::expect();
    let open = move |dialog| match dialog {
        Dialog::New(component) => view! { <NewDialog component=component prefill=FieldValues::default() /> }.into_any(),
        Dialog::Prefilled(slug, prefill) => view! { <NewDialog component=Some(slug) prefill=prefill /> }.into_any(),
        Dialog::Edit(id) => view! { <EditDialog id=id /> }.into_any(),
        Dialog::Delete(id) => view! { <DeleteDialog id=id /> }.into_any(),
        Dialog::Shortcuts => view! { <ShortcutsDialog /> }.into_any(),
    };
    (move || dialogs.current().map(open)).into_any()
}
