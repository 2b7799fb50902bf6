//! The application: document shell, boot script, routes.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

use super::pages::connections::ConnectionsPage;
use super::pages::detail::{self, DetailPanel};
pub use super::parts::theme::Theme;
use super::settings::{self, Settings};
pub use super::state::address::Base;
use crate::api::error::ApiError;

/// The page's files as the build named them. The server puts it in context of [`shell`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assets {
    /// Path below which the product is served: empty, or such as `/patchbay`.
    pub base: String,
    /// URLs of the script that loads the module, the module itself and the style sheet.
    pub js: String,
    pub wasm: String,
    pub css: String,
}

/// What may differ between documents.
#[derive(Clone, Copy, Debug)]
pub struct ShellOptions {
    pub title: &'static str,
}

impl Default for ShellOptions {
    fn default() -> Self {
        Self { title: "Connections · Patchbay" }
    }
}

/// The whole document. Expects [`Assets`], a [`Theme`] and a nonce in context.
pub fn shell(options: ShellOptions) -> impl IntoView {
    let assets = use_context::<Assets>().unwrap_or_default();
    let theme = use_context::<Theme>().unwrap_or_default();
    let base = Base::new(&assets.base);
    let icon = base.file("favicon.svg");
    let meta = assets.base.clone();
    let css = assets.css.clone();
    provide_context(base);
    provide_context(theme);
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.attribute()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="patchbay-base" content=meta />
                <meta name="color-scheme" content="light dark" />
                <title>{options.title}</title>
                <link rel="stylesheet" href=css />
                <link rel="icon" type="image/svg+xml" href=icon />
                <BootScript assets />
            </head>
            <body>
                <App />
                <div id="boot-failure" role="alert" hidden>
                    "Patchbay could not start in this browser. The list can be read, page by page; to change \
                    something, reload the page or try a current browser."
                </div>
                <noscript>
                    <p class="boot-note">
                        "Scripts are switched off, so the list can be read but not changed. It is shown page by page."
                    </p>
                </noscript>
            </body>
        </html>
    }
}

/// Starts the module, once the page has been painted for the first time, and says so in words where it fails.
///
/// Stands in for leptos' `HydrationScripts`, which writes the nonce into `crossorigin` (leptos-rs/leptos#4843).
#[component]
fn BootScript(assets: Assets) -> impl IntoView {
    let nonce = use_nonce();
    let script = format!(
        "const drawn = new Promise(done => document.hidden ? done() : requestAnimationFrame(() => setTimeout(done)));\
         import({js:?}).then(m => m.default({{module_or_path: {wasm:?}}}).then(() => drawn).then(() => m.hydrate()))\
         .catch(e => {{ console.error(e); document.getElementById('boot-failure').hidden = false; }});",
        js = assets.js,
        wasm = assets.wasm,
    );
    let (js, wasm) = (assets.js, assets.wasm);
    view! {
        <link rel="modulepreload" href=js nonce=nonce.clone() />
        <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
        <script type="module" nonce=nonce inner_html=script></script>
    }
}

/// The routes: the list, and beside it one connection or instead of it what was deleted; the settings.
#[component]
pub fn App() -> impl IntoView {
    let base = Base::expect().pages().to_owned();
    view! {
        <Router base>
            <Routes fallback=|| view! { <NotFound /> }>
                <ParentRoute path=path!("/") view=ConnectionsPage ssr=SsrMode::Async>
                    <Route path=path!("/") view=|| () />
                    <Route path=path!("/connections/:id") view=|| view! { <DetailPanel /> }.into_any() />
                    <Route path=path!("/deleted") view=|| () />
                </ParentRoute>
                <Route path=path!("/settings/:page?") view=Settings />
            </Routes>
        </Router>
    }
    .into_any()
}

/// Fetches the code of what a path shows, where that is a file of its own. A page that the server has rendered can be
/// taken over only when its code is there.
///
/// # Errors
/// [`ApiError::Offline`] where it cannot be fetched.
pub async fn fetch_code_of(base: &Base, path: &str) -> Result<(), ApiError> {
    if base.is_detail(path) {
        detail::preload().await?;
    } else if base.is_settings(path) {
        settings::preload().await?;
    }
    Ok(())
}

#[component]
fn NotFound() -> impl IntoView {
    let home = Base::expect().file("");
    view! {
        <main class="plain-page">
            <h1>"There is nothing here"</h1>
            <p>"The address leads nowhere. " <a href=home>"Go to your connections"</a> "."</p>
        </main>
    }
    .into_any()
}
