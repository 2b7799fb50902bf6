//! The browser's functions as the server sees them: views name them on both sides, and only a browser calls them.

use crate::ui::state::list::ListState;

/// Nothing to copy to without a browser.
pub mod clipboard {
    pub fn copy(_text: &str) -> impl Future<Output = bool> {
        std::future::ready(false)
    }

    #[must_use]
    pub fn copy_field(_id: &str) -> bool {
        false
    }
}

pub mod cookie {
    pub fn remember(_name: &str, _value: &str, _base: &str) {}
}

/// The server tells no day to a page that is not a browser's yet.
#[must_use]
pub const fn today() -> String {
    String::new()
}

/// No files without a browser.
pub mod file {
    pub fn chosen(_event: &leptos::ev::Event, _on_url: impl FnOnce(String) + 'static) {}
}

/// No host without a browser.
pub mod host {
    use crate::domain::connection::Summary;
    use crate::domain::id::ConnectionId;
    use crate::domain::time::Timestamp;
    use crate::ui::state::dialogs::Dialog;

    #[must_use]
    pub const fn component() -> Option<String> {
        None
    }

    #[must_use]
    pub const fn only_dialog() -> Option<Dialog> {
        None
    }

    pub fn tell(_kind: &str, _summary: &Summary, _environment: &str, _now: Timestamp) {}

    pub fn tell_replaced(_summary: &Summary, _environment: &str, _now: Timestamp, _moved: &[(String, ConnectionId)]) {}

    pub fn lacks(_kind: &str) {}

    pub fn closed() {}

    pub fn popup_blocked() {}
}

pub mod keyboard {
    pub fn listen(_state: super::ListState) {}
}

/// Nobody leaves without a browser.
pub mod leaving {
    use leptos::prelude::Signal;

    pub fn hold(_dirty: Signal<bool>, _close: impl Fn() + 'static) {}
}

pub mod popover {
    use leptos::ev::{FocusEvent, KeyboardEvent, MouseEvent};

    pub fn open_at(_menu: &str, _event: &MouseEvent) {}

    pub fn close(_menu: &str) {}

    #[must_use]
    pub fn is_open(_menu: &str) -> bool {
        false
    }

    pub fn move_in_menu(_menu: &str, _event: &KeyboardEvent) {}

    pub fn close_when_left(_popover: &str, _event: &FocusEvent) {}
}

/// No window without a browser.
pub mod popup {
    #[derive(Clone, Debug)]
    pub struct Popup;

    impl Popup {
        #[must_use]
        pub fn open() -> Self {
            Self
        }

        #[must_use]
        pub fn go(&self, _url: &str) -> bool {
            false
        }

        pub fn close(&self) {}
    }

    pub fn on_hint(_ask: impl Fn() + Copy + 'static) {}
}

pub mod sight {
    use crate::domain::id::ConnectionId;
    use crate::ui::state::shown::Window;

    pub fn focus_row(_id: &ConnectionId) {}

    pub fn focus_row_if_lost(_id: &ConnectionId) {}

    pub fn follow(_state: super::ListState) {}

    #[must_use]
    pub fn first_window() -> Window {
        Window::FIRST
    }

    pub fn pass_focus(_id: Option<&ConnectionId>) {}

    pub fn look(_state: super::ListState) {}
}

pub mod snapshot {
    pub fn follow(_state: super::ListState) {}
}

pub mod theme {
    use crate::ui::parts::theme::Theme;

    pub fn apply(_theme: Theme, _base: &str) {}
}

/// The document that the server renders has its title in it.
pub mod title {
    pub fn set(_page: &str) {}
}

/// No stream without a browser.
pub mod stream {
    use crate::api::error::ApiError;
    use crate::api::stream::ProbeEvent;

    /// Never called while rendering.
    ///
    /// # Errors
    /// Always [`ApiError::Offline`].
    pub async fn probe_events(_path: &str, _body: String, _on_event: impl FnMut(ProbeEvent)) -> Result<(), ApiError> {
        Err(ApiError::Offline)
    }
}

/// No chance without a browser.
pub mod random {
    /// Never called while rendering.
    #[must_use]
    pub fn request_id() -> String {
        String::new()
    }
}

/// No element to change without a browser.
pub mod repaint {
    use crate::ui::parts::filter_links::Offer;
    use crate::ui::parts::row_face::Face;

    /// Never called while rendering, as its neighbour.
    pub const fn row(_id: &str, _before: &Face, _after: &Face) {}

    pub const fn filters(_before: &[Offer], _after: &[Offer]) {}
}
