//! One webhook of the list.

use leptos::prelude::*;
use leptos::task::spawn_local;
use std::future::Future;

use super::deliveries::DeliveryList;
use super::form::label;
use super::{NEW, Stage, Webhooks};
use crate::api::error::ApiError;
use crate::api::webhooks::{WebhookLine, WebhookRequest, change_webhook, remove_webhook, rotate_webhook, test_webhook};
use crate::domain::environment::Environment;
use crate::domain::time::{Timestamp, relative};
use crate::ui::parts::field_input::focus_soon;
use crate::ui::state::toasts::Toasts;

#[component]
pub fn WebhookRow(line: WebhookLine, now: Timestamp) -> impl IntoView {
    let opened = RwSignal::new(false);
    // Counts what was sent by hand, so that the list is read again.
    let again = RwSignal::new(0_u32);
    let mark = mark(&line).map(|(class, words)| view! { <span class=class>{words}</span> });
    let told = match line.types.as_slice() {
        [] => "Everything".to_owned(),
        [one] => label(*one).to_owned(),
        some => format!("{} kinds of events", some.len()),
    };
    let environments = line.environments.iter().map(place).collect_view();
    let (made, exact) = (relative(line.created_at, now), line.created_at.to_rfc3339());
    let (id, url, is_off) = (StoredValue::new(line.id.clone()), line.url.clone(), !line.enabled);
    let list = move || opened.get().then(|| view! { <DeliveryList id=id.get_value() again=again /> });
    let words = move || if opened.get() { "Hide deliveries" } else { "Deliveries" };
    view! {
        <li class="key webhook" class:ended=is_off>
            <div class="key-about">
                <p class="key-name"><strong>{line.url.clone()}</strong>{mark}</p>
                <p class="key-scope"><span>{told}</span>{environments}</p>
                <p class="key-times"><span>"Made "<time datetime=exact.clone() title=exact>{made}</time></span></p>
            </div>
            <div class="deeds" role="group" aria-label=url>
                <button type="button" class="button small" aria-expanded={move || opened.get().to_string()} on:click={move |_| opened.update(|opened| *opened = !*opened)}>
                    {move || words()}
                </button>
                <Deeds line=line opened=opened again=again />
            </div>
            {move || list()}
        </li>
    }
    .into_any()
}

/// What stands out, and how.
fn mark(line: &WebhookLine) -> Option<(&'static str, String)> {
    match line {
        WebhookLine { gone: true, .. } => Some(("flag bad", "Disabled: its endpoint says that it is gone".to_owned())),
        WebhookLine { enabled: false, .. } => Some(("flag warn", "Disabled".to_owned())),
        WebhookLine { failures: 1.., .. } => Some(("flag bad", format!("Failing, {} in a row", line.failures))),
        _ => None,
    }
}

fn place(environment: Environment) -> AnyView {
    view! { <span class="place" data-environment=environment.as_str()>{environment.label()}</span> }.into_any()
}

/// Says how a deed went, and reads the list again.
fn carry_out(page: Webhooks, toasts: Toasts, deed: impl Future<Output = Result<&'static str, ApiError>> + 'static) {
    spawn_local(async move {
        match deed.await {
            Ok(done) => toasts.tell(done.to_owned()),
            Err(error) => toasts.complain(error.to_string()),
        }
        page.fetch();
    });
}

#[component]
fn Deeds(line: WebhookLine, opened: RwSignal<bool>, again: RwSignal<u32>) -> impl IntoView {
    let (page, toasts) = (Webhooks::expect(), Toasts::expect());
    let enabled = line.enabled;
    let line = StoredValue::new(line);
    let asking = RwSignal::new(false);
    let test = move |_| {
        let id = line.with_value(|line| line.id.clone());
        carry_out(page, toasts, async move {
            test_webhook(id).await?;
            let _ = opened.try_set(true);
            let _ = again.try_update(|again| *again += 1);
            Ok("A test is on its way")
        });
    };
    let rotate = move |_| {
        let id = line.with_value(|line| line.id.clone());
        carry_out(page, toasts, async move {
            let made = rotate_webhook(id).await?;
            page.show(Stage::Made(made));
            Ok("The secret before signs for 24 hours more")
        });
    };
    let turn = move |_| {
        let line = line.get_value();
        let request = WebhookRequest {
            url: line.url,
            types: line.types,
            environments: line.environments.iter().collect(),
            enabled: !line.enabled,
        };
        carry_out(page, toasts, async move {
            change_webhook(line.id, request).await?;
            Ok(if enabled { "Nothing more is sent to it" } else { "What waited for it is sent now" })
        });
    };
    let remove = move |_| {
        let id = line.with_value(|line| line.id.clone());
        carry_out(page, toasts, async move {
            remove_webhook(id).await?;
            focus_soon(NEW.to_owned());
            Ok("The webhook is removed")
        });
    };
    let deeds = move || {
        if asking.get() {
            view! {
                <span class="sure">"Remove it? What waits for it is never sent."</span>
                <button type="button" class="button danger small" on:click=remove>"Remove webhook"</button>
                <button type="button" class="button small" on:click={move |_| asking.set(false)}>"Keep"</button>
            }
            .into_any()
        } else {
            view! {
                <button type="button" class="button small" on:click=test disabled={!enabled}>"Send a test"</button>
                <button type="button" class="button small" on:click={move |_| page.show(Stage::Editing(line.get_value()))}>"Edit"</button>
                <button type="button" class="button small" on:click=turn>{if enabled { "Disable" } else { "Enable" }}</button>
                <button type="button" class="button small" on:click=rotate>"New secret"</button>
                <button type="button" class="button small" on:click={move |_| asking.set(true)}>"Remove"</button>
            }
            .into_any()
        }
    };
    view! { {move || deeds()} }.into_any()
}
