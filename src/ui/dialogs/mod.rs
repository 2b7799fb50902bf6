//! The dialogs, and the one place that shows whichever is open.

pub mod choose;
pub mod connect;
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
pub mod replace;
pub mod replacement;
pub mod running;
pub mod shortcuts;
pub mod submission;
pub mod testing;
pub mod waiting;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::wasm_split;

use self::choose::ChooseDialog;
use self::delete::DeleteDialog;
use self::edit::EditDialog;
use self::new::NewDialog;
use self::replace::ReplaceDialog;
use self::shortcuts::ShortcutsDialog;
use crate::api::error::ApiError;
use crate::domain::field::FieldValues;
use crate::ui::pages::detail;
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::toasts::Toasts;

/// Shows the open dialog. The dialogs' code is a file of its own, fetched when the list can already be used.
#[component]
pub fn DialogHost() -> impl IntoView {
    let dialogs = Dialogs::expect();
    let toasts = Toasts::expect();
    Effect::new(|_| {
        request_idle_callback(|| {
            // What fails here is fetched again, and told, when a dialog is wanted.
            spawn_local(async {
                drop(preload().await);
                drop(detail::preload().await);
            });
        });
    });
    let shown = move |dialog| {
        Suspend::new(async move {
            let failed = |error: ApiError| {
                dialogs.close();
                toasts.complain(error.to_string());
            };
            view_of(dialog).await.map_err(failed).ok()
        })
    };
    view! { <Suspense>{move || dialogs.current().map(shown)}</Suspense> }.into_any()
}

/// A dialog's view.
///
/// # Errors
/// [`ApiError::Offline`] where its code cannot be fetched.
#[allow(clippy::unnecessary_wraps, reason = "fetching the code can fail, in a browser")]
#[wasm_split(dialogs, fallible, preload(preload), wasm_split_path = leptos::wasm_split)]
fn view_of(dialog: Dialog) -> Result<AnyView, ApiError> {
    Ok(match dialog {
        Dialog::Choose => view! { <ChooseDialog /> }.into_any(),
        Dialog::New(component) => view! { <NewDialog component=component prefill=FieldValues::default() /> }.into_any(),
        Dialog::Prefilled(slug, prefill) => view! { <NewDialog component=Some(slug) prefill=prefill /> }.into_any(),
        Dialog::Edit(id) => view! { <EditDialog id=id reconnect=false /> }.into_any(),
        Dialog::Reconnect(id) => view! { <EditDialog id=id reconnect=true /> }.into_any(),
        Dialog::Delete(id) => view! { <DeleteDialog id=id /> }.into_any(),
        Dialog::Replace(id) => view! { <ReplaceDialog id=id /> }.into_any(),
        Dialog::Shortcuts => view! { <ShortcutsDialog /> }.into_any(),
    })
}
