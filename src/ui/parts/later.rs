//! A part of the page whose code is a file of its own.

use leptos::prelude::*;

use crate::api::error::ApiError;

/// Shows it once its code is there: at once on the server, and where the code was fetched before.
pub fn later(view: impl Future<Output = Result<AnyView, ApiError>> + Send + 'static) -> AnyView {
    let view = Suspend::new(async move {
        let failed = |error: ApiError| view! { <p class="verdict" role="alert">{error.to_string()}</p> }.into_any();
        view.await.unwrap_or_else(failed)
    });
    view! { <Suspense fallback=|| view! { <p class="waiting" role="status">"Loading …"</p> }>{view}</Suspense> }
        .into_any()
}
