//! Who is signed in, and the way out.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::session::sign_out;
use crate::domain::role::Action;
use crate::ui::state::list::ListState;
use crate::ui::state::toasts::Toasts;

/// A native popover: it opens without a script, and Escape or a click beside it closes it.
#[component]
pub fn AccountMenu() -> impl IntoView {
    let state = ListState::expect();
    let toasts = Toasts::expect();
    let (name, workspace, demo) =
        state.viewer.with_value(|viewer| (viewer.name.clone(), viewer.workspace_name.clone(), viewer.demo));
    let deleted = state.base().deleted(state.environment);
    let settings = state.may(Action::ManageKeys).then(|| {
        let href = state.base().settings("keys", state.environment);
        view! { <a class="menu-item" href=href>"Settings"</a> }
    });
    let leave = move |everywhere: bool| {
        let door = state.base().file("sign-in");
        spawn_local(async move {
            match sign_out(everywhere).await {
                Ok(()) => {
                    let _ = window().location().assign(&door);
                }
                Err(error) => toasts.complain(error.to_string()),
            }
        });
    };
    view! {
        <button type="button" class="icon-button account" popovertarget="account-menu" aria-label="Account" aria-haspopup="true" title="Account">
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5">
                <circle cx="8" cy="5.5" r="2.75" />
                <path d="M2.5 14c.6-2.9 2.8-4.25 5.5-4.25S12.900 11.100 13.500 14" />
            </svg>
        </button>
        <div class="menu account-menu" id="account-menu" popover="auto" role="group" aria-label="Account">
            <p class="menu-head">
                <strong>{name}</strong>
                <span>{workspace} {demo.then_some(" · sample data")}</span>
            </p>
            <a class="menu-item" href=deleted>"Recently deleted"</a>
            {settings}
            <button type="button" class="menu-item" on:click=move |_| leave(false)>"Sign out"</button>
            <button type="button" class="menu-item" on:click=move |_| leave(true)>"Sign out everywhere"</button>
        </div>
    }
    .into_any()
}
