//! *Components*: what this workspace can connect to beside the built-in ones.

mod editor;
mod guided;
mod trial;

use leptos::prelude::*;
use leptos::task::spawn_local;

use self::editor::{Draft, Editor};
use crate::api::components::{OwnComponent, own_components, remove_component};
use crate::api::error::ApiError;
use crate::domain::component::ComponentSlug;
use crate::ui::parts::field_input::focus_soon;
use crate::ui::settings::sure::{Sure, Words, ask_id};
use crate::ui::state::toasts::Toasts;

/// The button that begins a component.
const NEW: &str = "new-component";

/// The list, and what is being described.
#[derive(Clone, Copy)]
struct Desk {
    own: RwSignal<Option<Result<Vec<OwnComponent>, ApiError>>>,
    open: RwSignal<Option<Draft>>,
    toasts: Toasts,
    /// The page: what is being described lives as long as it, and not as long as the list in whose place it comes.
    page: StoredValue<Owner>,
}

impl Desk {
    fn describe(self, draft: impl FnOnce() -> Draft) {
        let draft = self.page.with_value(|page| page.with(draft));
        self.open.set(Some(draft));
    }

    async fn fetch(self) {
        let answer = own_components().await;
        let _ = self.own.try_set(Some(answer));
    }

    fn load(self) {
        spawn_local(self.fetch());
    }

    fn remove(self, slug: ComponentSlug, version: i64) {
        spawn_local(async move {
            let focus = match remove_component(slug.clone(), version).await {
                Ok(()) => {
                    self.toasts.tell("The component was removed.");
                    NEW.to_owned()
                }
                Err(error) => {
                    self.toasts.complain(error.to_string());
                    ask_id(slug.as_str())
                }
            };
            // The list stands anew by then.
            self.fetch().await;
            focus_soon(focus);
        });
    }
}

#[component]
pub fn ComponentsPage() -> impl IntoView {
    let page = StoredValue::new(Owner::current().unwrap_or_default());
    let desk = Desk { own: RwSignal::new(None), open: RwSignal::new(None), toasts: Toasts::expect(), page };
    Effect::new(move |_| desk.load());
    let done = Callback::new(move |()| {
        desk.open.set(None);
        desk.load();
    });
    move || match desk.open.get() {
        Some(draft) => view! { <Editor draft=draft on_done=done /> }.into_any(),
        None => list(desk),
    }
}

fn list(desk: Desk) -> AnyView {
    let rows = move || match desk.own.get() {
        None => view! { <p class="waiting" role="status">"Loading …"</p> }.into_any(),
        Some(Err(error)) => view! { <p class="verdict" role="alert">{error.to_string()}</p> }.into_any(),
        Some(Ok(own)) if own.is_empty() => view! {
            <p class="none">"None yet. Describe a service of your own once, and everybody here can connect to it."</p>
        }
        .into_any(),
        Some(Ok(own)) => {
            let rows = own.into_iter().map(|one| row(desk, one)).collect_view();
            view! { <ul class="own-components">{rows}</ul> }.into_any()
        }
    };
    view! {
        <div class="settings-head">
            <div>
                <h2>"Components"</h2>
                <p class="intro">
                    "Services of your own, described in the format of the built-in ones. The platform can register them over the REST API as well."
                </p>
            </div>
            <button type="button" class="button primary" id=NEW on:click={move |_| desk.describe(Draft::begun)}>
                "New component"
            </button>
        </div>
        {move || rows()}
    }
    .into_any()
}

fn row(desk: Desk, one: OwnComponent) -> AnyView {
    let used = match one.connections {
        0 => "not used yet".to_owned(),
        1 => "1 connection".to_owned(),
        many => format!("{many} connections"),
    };
    let name = editor::name_of(&one.definition).unwrap_or_else(|| one.slug.to_string());
    let said = format!("{} · version {} by {} · {used}", one.slug, one.version, one.by);
    let (slug, version) = (one.slug.clone(), one.version);
    let edit_label = format!("Edit {name}");
    let busy = RwSignal::new(false);
    let on_sure = Callback::new(move |()| desk.remove(slug.clone(), version));
    let words = Words { ask: "Remove", question: "Remove it, with all its versions?", sure: "Remove component" };
    let id = one.slug.to_string();
    view! {
        <li>
            <span><b>{name.clone()}</b><small>{said}</small></span>
            <button type="button" class="button small" aria-label=edit_label
                on:click={move |_| desk.describe(|| Draft::of(&one))}>"Edit"</button>
            <Sure words id name busy on_sure />
        </li>
    }
    .into_any()
}
