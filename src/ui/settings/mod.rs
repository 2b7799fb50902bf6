//! The settings of a workspace, for its owners. To add a page: its file here, and its line in [`PAGES`].

pub mod components;
mod form;
pub mod keys;
mod sure;
pub mod webhooks;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_split::wasm_split;
use leptos_router::hooks::{use_location, use_params_map};

use self::components::ComponentsPage;
use self::keys::KeysPage;
use self::webhooks::WebhooksPage;
use crate::api::error::ApiError;
use crate::api::session::{Viewer, current_viewer};
use crate::browser::title;
use crate::domain::filter::ListQuery;
use crate::domain::role::Action;
use crate::ui::parts::later::later;
use crate::ui::parts::theme::{Theme, ThemeButton};
use crate::ui::parts::toast_stack::ToastStack;
use crate::ui::state::address::{Asked, Base};
use crate::ui::state::toasts::Toasts;

/// One page.
struct Page {
    /// Its address below `/settings/`.
    path: &'static str,
    name: &'static str,
    /// What one must be allowed to do to see it.
    action: Action,
    view: fn() -> AnyView,
}

/// All pages, as the navigation lists them. Each finds the [`Viewer`] and [`Toasts`] in context.
const PAGES: [Page; 3] = [
    Page { path: "keys", name: "API keys", action: Action::ManageKeys, view: || view! { <KeysPage /> }.into_any() },
    Page {
        path: "webhooks",
        name: "Webhooks",
        action: Action::ManageWebhooks,
        view: || view! { <WebhooksPage /> }.into_any(),
    },
    Page {
        path: "components",
        name: "Components",
        action: Action::ManageComponents,
        view: || view! { <ComponentsPage /> }.into_any(),
    },
];

/// `/settings/{page}`. The code of all pages is one file, fetched when it is wanted.
#[component]
pub fn Settings() -> impl IntoView {
    later(settings())
}

/// The settings themselves.
///
/// # Errors
/// [`ApiError::Offline`] where its code cannot be fetched.
#[allow(clippy::unnecessary_wraps, reason = "fetching the code can fail, in a browser")]
#[wasm_split(settings, fallible, preload(preload), wasm_split_path = leptos::wasm_split)]
pub fn settings() -> Result<AnyView, ApiError> {
    Ok(view! { <Frame /> }.into_any())
}

/// Navigation beside the page. What the page holds is fetched by the browser, so the server renders the frame alone.
#[component]
fn Frame() -> impl IntoView {
    Toasts::provide();
    provide_context(RwSignal::new(use_context::<Theme>().unwrap_or_default()));
    let known = RwSignal::new(None::<Result<Viewer, ApiError>>);
    Effect::new(move |_| {
        spawn_local(async move {
            let answer = current_viewer().await;
            let _ = known.try_set(Some(answer));
        });
    });
    let params = use_params_map();
    let page = Memo::new(move |_| {
        let asked = params.with(|params| params.get("page")).unwrap_or_else(|| PAGES[0].path.to_owned());
        PAGES.iter().position(|page| page.path == asked)
    });
    let content = move || match (known.get(), page.get().map(|index| &PAGES[index])) {
        (_, None) => said("There is no such page."),
        (None, _) => view! { <p class="waiting" role="status">"Loading …"</p> }.into_any(),
        (Some(Err(error)), _) => said(error.to_string()),
        (Some(Ok(viewer)), Some(page)) => permitted(viewer, page),
    };
    Effect::new(move |_| {
        if let Some(page) = page.get() {
            title::set(PAGES[page].name);
        }
    });
    on_cleanup(|| title::set("Connections"));
    let search = use_location().search;
    let environment = Memo::new(move |_| search.with(|search| Asked::parse(search).environment));
    let base = StoredValue::new(Base::expect());
    let link = move |(index, one): (usize, &'static Page)| {
        let href = move || base.with_value(|base| base.settings(one.path, environment.get()));
        let current = move || (page.get() == Some(index)).then_some("page");
        view! { <li><a class="menu-item" href=move || href() aria-current=move || current()>{one.name}</a></li> }
    };
    let links = PAGES.iter().enumerate().map(link).collect_view();
    let back = move || base.with_value(|base| base.list(environment.get(), &ListQuery::default()));
    view! {
        <div class="settings">
            <header class="bar">
                <a class="back" href=move || back()>"← Connections"</a>
                <h1>"Settings"</h1>
                <span class="spring"></span>
                <ThemeButton />
            </header>
            <nav aria-label="Settings"><ul>{links}</ul></nav>
            <main tabindex="-1">{move || content()}</main>
            <ToastStack />
        </div>
    }
    .into_any()
}

fn said(words: impl Into<String>) -> AnyView {
    view! { <p class="verdict" role="alert">{words.into()}</p> }.into_any()
}

/// The page, or why this person does not see it.
fn permitted(viewer: Viewer, page: &Page) -> AnyView {
    if viewer.may(page.action) {
        provide_context(viewer);
        return (page.view)();
    }
    let place = viewer.workspace_name;
    said(if viewer.embedded {
        format!("{} are looked after in Patchbay itself, not in an embedded page.", page.name)
    } else {
        format!("{} are for the owners of {place}. Ask one of them.", page.name)
    })
}
