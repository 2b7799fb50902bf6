//! For those who cannot sign in here and now: a link for the account's owner, a code for another device.

use leptos::prelude::*;

use super::Connecting;
use crate::api::connect::Way;

#[component]
pub fn Elsewhere(connecting: Connecting, device: bool) -> impl IntoView {
    let code = device.then(|| {
        view! {
            <p>"Signed in on another device, or no window here? Enter a short code there instead."</p>
            <button type="button" class="button small" on:click={move |_| connecting.begin_by(Way::Device)}>"Use a code instead"</button>
        }
    });
    view! {
        <details class="elsewhere">
            <summary>"Somebody else owns the account?"</summary>
            <p>"Send them a link. It shows what will be connected, and they sign in themselves; it works once, for 7 days."</p>
            <button type="button" class="button small" on:click={move |_| connecting.begin_by(Way::Link)}>"Copy a link"</button>
            {code}
        </details>
    }
    .into_any()
}
