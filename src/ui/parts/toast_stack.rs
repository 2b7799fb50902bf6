//! The messages at the edge of the page.

use leptos::prelude::*;

#[component]
pub fn ToastStack() -> impl IntoView {}
