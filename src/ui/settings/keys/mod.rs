//! *API keys*: what programs come in with.

mod connections;
mod form;
mod row;

use leptos::prelude::*;
use leptos::task::spawn_local;

use self::form::KeyForm;
use self::row::KeyRow;
use crate::api::error::ApiError;
use crate::api::keys::{KeyList, MadeKey, api_keys};
use crate::ui::parts::copy_field::CopyField;
use crate::ui::parts::field_input::focus_soon;

/// Ids of elements that focus is given to.
const NEW: &str = "new-key";
const MADE: &str = "made-key";

/// What the page shows beside the list.
#[derive(Clone)]
enum Stage {
    Looking,
    Making,
    Made(MadeKey),
}

/// The page's state.
#[derive(Clone, Copy)]
struct Keys {
    list: RwSignal<Option<Result<KeyList, ApiError>>>,
    stage: RwSignal<Stage>,
}

impl Keys {
    fn expect() -> Self {
        expect_context()
    }

    /// Asks for the list; what was known of it stays until the answer is there.
    fn fetch(self) {
        spawn_local(async move {
            let answer = api_keys().await;
            let _ = self.list.try_set(Some(answer));
        });
    }

    fn begin(self) {
        self.stage.set(Stage::Making);
        focus_soon(form::NAME.to_owned());
    }

    fn made(self, key: MadeKey) {
        self.stage.set(Stage::Made(key));
        focus_soon(MADE.to_owned());
        self.fetch();
    }

    /// Back to the list alone.
    fn end(self) {
        self.stage.set(Stage::Looking);
        focus_soon(NEW.to_owned());
    }
}

#[component]
pub fn KeysPage() -> impl IntoView {
    let keys = Keys { list: RwSignal::new(None), stage: RwSignal::new(Stage::Looking) };
    provide_context(keys);
    keys.fetch();
    let looking = Memo::new(move |_| keys.stage.with(|stage| matches!(stage, Stage::Looking)));
    let new = move || {
        looking.get().then(|| {
            view! { <button type="button" class="button primary" id=NEW on:click={move |_| keys.begin()}>"New key"</button> }
        })
    };
    let beside = move || match keys.stage.get() {
        Stage::Looking => ().into_any(),
        Stage::Making => view! { <KeyForm /> }.into_any(),
        Stage::Made(key) => view! { <Made key=key /> }.into_any(),
    };
    view! {
        <div class="settings-head">
            <div>
                <h2>"API keys"</h2>
                <p class="intro">
                    "Programs come in with a key: a workflow runtime that fetches credentials, a deployment that \
                    registers workflows. Give each a key of its own, for no more than it needs."
                </p>
            </div>
            {move || new()}
        </div>
        {move || beside()}
        {move || listed(keys)}
    }
    .into_any()
}

/// The key itself, this once.
#[component]
fn Made(key: MadeKey) -> impl IntoView {
    let keys = Keys::expect();
    let title = format!("{} is made", key.name);
    view! {
        <section class="panel" aria-labelledby="made-title">
            <h3 id="made-title">{title}</h3>
            <p>
                "Copy the key now and put it where the program reads its secrets. Patchbay keeps a hash of it alone, so it \
                cannot be shown again: if it is lost, revoke it and make another."
            </p>
            <CopyField id=MADE label="Key" what="the key" value=key.key />
            <div class="deeds">
                <button type="button" class="button" on:click={move |_| keys.end()}>"I have copied it"</button>
            </div>
        </section>
    }
    .into_any()
}

fn listed(keys: Keys) -> AnyView {
    match keys.list.get() {
        None => view! { <p class="waiting" role="status">"Loading …"</p> }.into_any(),
        Some(Err(error)) => view! {
            <div class="settings-head">
                <p class="verdict" role="alert">{error.to_string()}</p>
                <button type="button" class="button" on:click={move |_| keys.fetch()}>"Try again"</button>
            </div>
        }
        .into_any(),
        Some(Ok(KeyList { keys, .. })) if keys.is_empty() => {
            view! { <p class="none">"There are no API keys yet. Without one, no program reaches this workspace."</p> }
                .into_any()
        }
        Some(Ok(KeyList { now, keys })) => {
            let rows = keys.into_iter().map(|key| view! { <KeyRow key=key now=now /> }).collect_view();
            view! { <ul class="keys" aria-label="API keys">{rows}</ul> }.into_any()
        }
    }
}
