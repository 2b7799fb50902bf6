//! Short messages at the edge of the page, some with an undo.

use leptos::prelude::*;

/// One message.
#[derive(Clone)]
pub struct Toast {
    pub id: u64,
    pub text: String,
    pub bad: bool,
    /// Label and deed of its button.
    pub action: Option<(String, Callback<()>)>,
}

#[derive(Clone, Copy)]
pub struct Toasts(RwSignal<Vec<Toast>>);

impl Toasts {
    pub fn provide() -> Self {
        let toasts = Self(RwSignal::new(Vec::new()));
        provide_context(toasts);
        toasts
    }

    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    pub fn tell(self, text: impl Into<String>) {
        self.push(text.into(), false, None);
    }

    pub fn complain(self, text: impl Into<String>) {
        self.push(text.into(), true, None);
    }

    pub fn offer(self, text: impl Into<String>, label: &str, deed: impl Fn() + Send + Sync + 'static) {
        self.push(text.into(), false, Some((label.to_owned(), Callback::new(move |()| deed()))));
    }

    pub fn dismiss(self, id: u64) {
        self.0.update(|toasts| toasts.retain(|toast| toast.id != id));
    }

    #[must_use]
    pub fn all(self) -> Vec<Toast> {
        self.0.get()
    }

    fn push(self, text: String, bad: bool, action: Option<(String, Callback<()>)>) {
        self.0.update(|toasts| {
            let id = toasts.last().map_or(1, |toast| toast.id + 1);
            toasts.push(Toast { id, text, bad, action });
        });
    }
}
