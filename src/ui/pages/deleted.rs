//! *Recently deleted*: what can still be brought back.

use leptos::prelude::*;

/// `/deleted`
#[component]
pub fn RecentlyDeleted() -> impl IntoView {}
