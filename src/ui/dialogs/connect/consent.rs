//! What will be asked for, in words.

use leptos::prelude::*;

use crate::domain::component::{OAuthForm, ScopeForm};
use crate::ui::dialogs::draft::Draft;

/// "Patchbay will be able to": the required permissions, then those that may be left out.
#[component]
pub fn Abilities(draft: Draft, oauth: OAuthForm) -> impl IntoView {
    let (optional, required): (Vec<_>, Vec<_>) = oauth.scopes.into_iter().partition(|scope| scope.optional);
    if required.is_empty() && optional.is_empty() {
        return ().into_any();
    }
    let required = required.into_iter().map(|scope| view! { <li class="granted">{scope.allows}</li> }).collect_view();
    let optional = optional.into_iter().map(|scope| choice(draft, scope)).collect_view();
    view! {
        <section class="abilities" aria-labelledby="abilities-title">
            <h3 id="abilities-title">"Patchbay will be able to"</h3>
            <ul>{required}{optional}</ul>
        </section>
    }
    .into_any()
}

fn choice(draft: Draft, scope: ScopeForm) -> impl IntoView {
    let (name, compared) = (scope.scope.clone(), scope.scope);
    let chosen = Memo::new(move |_| draft.scopes.with(|scopes| scopes.contains(&compared)));
    let change = move |event: leptos::ev::Event| {
        let wanted = event_target_checked(&event);
        draft.scopes.update(|scopes| {
            if wanted {
                scopes.insert(name.clone());
            } else {
                scopes.remove(&name);
            }
        });
    };
    view! {
        <li>
            <label>
                <input type="checkbox" prop:checked=chosen on:change=change />
                <span>{scope.allows} " " <span class="optional">"optional"</span></span>
            </label>
        </li>
    }
}
