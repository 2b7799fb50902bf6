//! The form's part for methods that connect an account.

use leptos::prelude::*;

use super::button::ConnectButton;
use super::client::ClientPart;
use super::consent::Abilities;
use super::elsewhere::Elsewhere;
use super::{Connecting, Reconnect};
use crate::domain::component::OAuthForm;

/// What will be asked for, by which client, and other ways. The form of an existing connection also says whose account
/// it is, and connects it anew here: its own button saves name and tags only.
#[component]
pub fn AccountPart(connecting: Connecting, oauth: OAuthForm) -> impl IntoView {
    let draft = connecting.submission.draft;
    let device = oauth.device;
    let standing = connecting.reconnect.with_value(|before| before.as_ref().map(|before| standing(before, &oauth)));
    let abilities = view! { <Abilities draft=draft oauth=oauth /> };
    let further = view! {
        <ClientPart connecting=connecting />
        <Elsewhere connecting=connecting device=device />
    };
    let Some(standing) = standing else {
        return view! { {abilities}{further} }.into_any();
    };
    view! {
        <section class="account-part" aria-labelledby="account-title">
            <h3 id="account-title">"Account"</h3>
            {standing}
            {abilities}
            <div class="deeds"><ConnectButton connecting=connecting submits=false /></div>
            {further}
        </section>
    }
    .into_any()
}

/// Whose account it is, and what it was not allowed.
fn standing(before: &Reconnect, oauth: &OAuthForm) -> AnyView {
    let whose = match &before.account {
        Some(account) => view! { <p>"Connected as " <b class="address">{account.clone()}</b></p> }.into_any(),
        None => view! { <p>"The service has not said whose account it is."</p> }.into_any(),
    };
    let missing = (!before.missing.is_empty()).then(|| {
        let words: Vec<&str> = before.missing.iter().map(|scope| oauth.allows(scope)).collect();
        view! { <p class="notice warn">{format!("Reconnect and allow: {}.", words.join(", "))}</p> }
    });
    view! { {whose}{missing} }.into_any()
}
