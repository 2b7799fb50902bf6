//! What already runs on this machine, offered on the empty page.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::catalog::{LocalService, local_services};
use crate::api::error::ApiError;
use crate::domain::field::FieldValues;
use crate::domain::role::Action;
use crate::ui::state::catalog::Catalog;
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;

/// How far the look has come.
#[derive(Clone)]
enum Look {
    NotYet,
    Looking,
    Found(Vec<LocalService>),
    Failed(ApiError),
}

/// A button that looks which known local ports answer. Shows nothing to those who are not at the machine, or may not create.
#[component]
pub fn LocalOffer() -> impl IntoView {
    let list = ListState::expect();
    let offered = list.viewer.with_value(|viewer| viewer.local && viewer.may(Action::CreateConnection));
    offered.then(|| view! { <Offer /> }.into_any())
}

#[component]
fn Offer() -> impl IntoView {
    let look = RwSignal::new(Look::NotYet);
    let catalog = Catalog::expect();
    let start = move |_| {
        catalog.want();
        look.set(Look::Looking);
        spawn_local(async move {
            let answer = local_services().await;
            let _ = look.try_set(answer.map_or_else(Look::Failed, Look::Found));
        });
    };
    let busy = move || matches!(look.get(), Look::Looking);
    view! {
        <div class="local-offer">
            <button type="button" class="button" on:click=start disabled=busy>
                {move || if busy() { "Looking …" } else { "Look on this machine" }}
            </button>
            <div role="status">
                {move || match look.get() {
                    Look::NotYet | Look::Looking => ().into_any(),
                    Look::Failed(error) => view! { <p class="problem">{error.to_string()}</p> }.into_any(),
                    Look::Found(found) if found.is_empty() => {
                        view! { <p>"Nothing answers on the usual ports of this machine."</p> }.into_any()
                    }
                    Look::Found(found) => {
                        view! {
                            <p>"Found on this machine:"</p>
                            <ul class="local-found">{found.into_iter().map(found_service).collect_view()}</ul>
                        }
                        .into_any()
                    }
                }}
            </div>
        </div>
    }
    .into_any()
}

fn found_service(service: LocalService) -> impl IntoView {
    let dialogs = Dialogs::expect();
    let catalog = Catalog::expect();
    let slug = service.component.clone();
    let name = move || catalog.form(&slug).map_or_else(|| slug.to_string(), |form| form.badge.name);
    let connect = move |_| {
        let mut values = FieldValues::default();
        values.set("host", "localhost");
        values.set("port", service.port.to_string());
        dialogs.open(Dialog::Prefilled(service.component.clone(), values));
    };
    view! {
        <li>
            <button type="button" class="button" on:click=connect>
                "Connect " {name} " on port " {service.port}
            </button>
        </li>
    }
}
