//! *API keys*: what programs come in with.

use leptos::prelude::*;

#[component]
pub fn KeysPage() -> impl IntoView {
    view! {
        <div class="settings-head">
            <div>
                <h2>"API keys"</h2>
                <p class="intro">"Programs use the REST API with a key. "<code>"patchbay api-key create"</code>" makes one."</p>
            </div>
        </div>
    }
    .into_any()
}
