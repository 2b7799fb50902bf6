//! What was sent to a webhook, what waits, and what was given up.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::error::ApiError;
use crate::api::webhooks::{AttemptLine, Deliveries, DeliveryLine, replay_webhook, webhook_deliveries};
use crate::domain::id::{EventId, WebhookId};
use crate::domain::time::{Timestamp, relative};
use crate::domain::webhook::DeliveryState;
use crate::ui::state::toasts::Toasts;

/// `again`: reads the list anew whenever it changes.
#[component]
pub fn DeliveryList(id: WebhookId, again: RwSignal<u32>) -> impl IntoView {
    let toasts = Toasts::expect();
    let known = RwSignal::new(None::<Result<Deliveries, ApiError>>);
    let failed = RwSignal::new(false);
    let id = StoredValue::new(id);
    Effect::new(move |_| {
        again.track();
        let failed = failed.get();
        spawn_local(async move {
            let answer = webhook_deliveries(id.get_value(), failed).await;
            let _ = known.try_set(Some(answer));
        });
    });
    let replay = Callback::new(move |event: Option<EventId>| {
        spawn_local(async move {
            match replay_webhook(id.get_value(), event).await {
                Ok(0) => toasts.tell("Nothing was given up".to_owned()),
                Ok(1) => toasts.tell("1 event is sent again".to_owned()),
                Ok(count) => toasts.tell(format!("{count} events are sent again")),
                Err(error) => toasts.complain(error.to_string()),
            }
            let _ = again.try_update(|again| *again += 1);
        });
    });
    let content = move || match known.get() {
        None => view! { <p class="waiting" role="status">"Loading …"</p> }.into_any(),
        Some(Err(error)) => view! { <p class="verdict" role="alert">{error.to_string()}</p> }.into_any(),
        Some(Ok(list)) if list.deliveries.is_empty() => view! { <p class="none">"Nothing here yet."</p> }.into_any(),
        Some(Ok(Deliveries { now, deliveries })) => {
            let rows = deliveries.into_iter().map(|line| row(line, now, replay)).collect_view();
            view! { <ul class="delivery-list" aria-label="Deliveries">{rows}</ul> }.into_any()
        }
    };
    view! {
        <div class="deliveries">
            <div class="deeds">
                <label class="tick">
                    <input type="checkbox" prop:checked={move || failed.get()} on:change={move |_| failed.update(|failed| *failed = !*failed)} />
                    <span>"Only what was given up"</span>
                </label>
                <button type="button" class="button small" on:click={move |_| again.update(|again| *again += 1)}>"Refresh"</button>
                <button type="button" class="button small" on:click={move |_| replay.run(None)}>"Send all that failed again"</button>
            </div>
            {move || content()}
        </div>
    }
    .into_any()
}

fn row(line: DeliveryLine, now: Timestamp, replay: Callback<Option<EventId>>) -> AnyView {
    let (class, state) = match line.state {
        DeliveryState::Delivered => ("flag good", "Delivered".to_owned()),
        DeliveryState::Failed => ("flag bad", "Given up".to_owned()),
        DeliveryState::Waiting if line.attempts.is_empty() => ("flag", "On its way".to_owned()),
        DeliveryState::Waiting => ("flag warn", format!("Again {}", relative(line.next_at, now))),
    };
    let (at, exact) = (relative(line.created_at, now), line.created_at.to_rfc3339());
    let attempts = line.attempts.into_iter().map(|attempt| told(attempt, now)).collect_view();
    let event = line.event.clone();
    let label = format!("Send {} again", line.event);
    view! {
        <li class="delivery">
            <p class="key-name"><strong>{line.kind}</strong><span class=class>{state}</span><time datetime=exact.clone() title=exact>{at}</time></p>
            <p class="key-limit"><code>{line.event.to_string()}</code></p>
            <ul class="attempts">{attempts}</ul>
            <button type="button" class="button small" aria-label=label on:click={move |_| replay.run(Some(event.clone()))}>"Send again"</button>
        </li>
    }
    .into_any()
}

fn told(attempt: AttemptLine, now: Timestamp) -> AnyView {
    let status = attempt.status.map_or_else(|| "No answer".to_owned(), |status| status.to_string());
    let words = format!("{status} · {} ms · {}", attempt.milliseconds, relative(attempt.at, now));
    view! { <li><span>{words}</span>" "<q>{attempt.said}</q></li> }.into_any()
}
