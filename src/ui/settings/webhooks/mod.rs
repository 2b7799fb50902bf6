//! *Webhooks*: where the platform is told what happens to connections.

mod deliveries;
mod form;
mod row;

use leptos::prelude::*;
use leptos::task::spawn_local;

use self::form::WebhookForm;
use self::row::WebhookRow;
use crate::api::error::ApiError;
use crate::api::webhooks::{MadeSecret, WebhookLine, WebhookList, webhooks};
use crate::ui::parts::copy_field::CopyField;
use crate::ui::parts::field_input::focus_soon;

/// Ids of elements that focus is given to.
const NEW: &str = "new-webhook";
const SECRET: &str = "webhook-secret";

/// What the page shows beside the list.
#[derive(Clone)]
enum Stage {
    Looking,
    Making,
    Editing(WebhookLine),
    Made(MadeSecret),
}

/// The page's state.
#[derive(Clone, Copy)]
struct Webhooks {
    list: RwSignal<Option<Result<WebhookList, ApiError>>>,
    stage: RwSignal<Stage>,
}

impl Webhooks {
    fn expect() -> Self {
        expect_context()
    }

    fn fetch(self) {
        spawn_local(async move {
            let answer = webhooks().await;
            let _ = self.list.try_set(Some(answer));
        });
    }

    fn show(self, stage: Stage) {
        let focus = match &stage {
            Stage::Looking => NEW,
            Stage::Making | Stage::Editing(_) => form::URL,
            Stage::Made(_) => SECRET,
        };
        if self.stage.try_set(stage).is_none() {
            focus_soon(focus.to_owned());
        }
    }
}

#[component]
pub fn WebhooksPage() -> impl IntoView {
    let page = Webhooks { list: RwSignal::new(None), stage: RwSignal::new(Stage::Looking) };
    provide_context(page);
    page.fetch();
    let looking = Memo::new(move |_| page.stage.with(|stage| matches!(stage, Stage::Looking)));
    let new = move || {
        looking.get().then(|| {
            view! { <button type="button" class="button primary" id=NEW on:click={move |_| page.show(Stage::Making)}>"New webhook"</button> }
        })
    };
    let beside = move || match page.stage.get() {
        Stage::Looking => ().into_any(),
        Stage::Making => view! { <WebhookForm edited=None /> }.into_any(),
        Stage::Editing(line) => view! { <WebhookForm edited=Some(line) /> }.into_any(),
        Stage::Made(made) => view! { <Made made=made /> }.into_any(),
    };
    view! {
        <div class="settings-head">
            <div>
                <h2>"Webhooks"</h2>
                <p class="intro">
                    "Patchbay tells your platform what happens to connections: that one was created, stops working, \
                    expires soon, is deleted or replaced. Messages are signed in the Standard Webhooks format and hold no \
                    secret."
                </p>
            </div>
            {move || new()}
        </div>
        {move || beside()}
        {move || listed(page)}
    }
    .into_any()
}

/// The signing secret, this once.
#[component]
fn Made(made: MadeSecret) -> impl IntoView {
    let page = Webhooks::expect();
    view! {
        <section class="panel" aria-labelledby="secret-title">
            <h3 id="secret-title">{format!("The signing secret for {}", made.url)}</h3>
            <p>
                "Copy it now and put it where your endpoint verifies signatures. It cannot be shown again. A secret it \
                replaces still signs for 24 hours, so that nothing is refused meanwhile."
            </p>
            <CopyField id=SECRET label="Signing secret" what="the signing secret" value=made.secret />
            <div class="deeds">
                <button type="button" class="button" on:click={move |_| page.show(Stage::Looking)}>"I have copied it"</button>
            </div>
        </section>
    }
    .into_any()
}

fn listed(page: Webhooks) -> AnyView {
    match page.list.get() {
        None => view! { <p class="waiting" role="status">"Loading …"</p> }.into_any(),
        Some(Err(error)) => view! {
            <div class="settings-head">
                <p class="verdict" role="alert">{error.to_string()}</p>
                <button type="button" class="button" on:click={move |_| page.fetch()}>"Try again"</button>
            </div>
        }
        .into_any(),
        Some(Ok(list)) if list.webhooks.is_empty() => {
            view! { <p class="none">"There are no webhooks yet: nobody is told what happens here."</p> }.into_any()
        }
        Some(Ok(WebhookList { now, webhooks })) => {
            let rows = webhooks.into_iter().map(|line| view! { <WebhookRow line=line now=now /> }).collect_view();
            view! { <ul class="keys" aria-label="Webhooks">{rows}</ul> }.into_any()
        }
    }
}
