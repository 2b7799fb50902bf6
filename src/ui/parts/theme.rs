//! Light, dark, or as the system says.

use leptos::prelude::*;

use crate::ui::state::address::Base;

/// How the page is coloured. Kept in the cookie `patchbay_theme`, so that the server renders it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// The cookie that holds it.
    pub const COOKIE: &'static str = "patchbay_theme";

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Anything unknown reads as the system's.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The value of `data-theme`; the system's theme has none.
    #[must_use]
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }

    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }
}

/// A button that goes through the themes.
#[component]
pub fn ThemeButton() -> impl IntoView {
    let theme = use_context::<RwSignal<Theme>>().unwrap_or_else(|| RwSignal::new(use_context().unwrap_or_default()));
    let base = StoredValue::new(Base::expect());
    let label = move || format!("Theme: {}", theme.get().as_str());
    let turn = move |_| {
        let next = theme.get_untracked().next();
        theme.set(next);
        crate::browser::theme::apply(next, base.get_value().as_str());
    };
    view! {
        <button type="button" class="icon-button theme" aria-label=label title=label on:click=turn>
            <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
                <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" />
                <path d="M8 2a6 6 0 0 1 0 12Z" fill="currentColor" />
            </svg>
        </button>
    }
    .into_any()
}
