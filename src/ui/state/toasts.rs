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
    /// Milliseconds it stands while nobody points at it; `None`: until it is dismissed.
    pub stands_for: Option<u32>,
}

/// How long a plain message stands.
const PLAIN: u32 = 6_000;
/// How long an undo is offered.
const OFFER: u32 = 10_000;

#[derive(Clone, Copy)]
pub struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    last_id: StoredValue<u64>,
}

impl Toasts {
    pub fn provide() -> Self {
        let toasts = Self { shown: RwSignal::new(Vec::new()), last_id: StoredValue::new(0) };
        provide_context(toasts);
        toasts
    }

    #[must_use]
    pub fn expect() -> Self {
        expect_context()
    }

    pub fn tell(self, text: impl Into<String>) {
        self.push(text.into(), false, None, Some(PLAIN));
    }

    /// Says that something went wrong; stands until it is dismissed.
    pub fn complain(self, text: impl Into<String>) {
        self.push(text.into(), true, None, None);
    }

    /// Says that something has begun; stands until whoever began it dismisses it.
    #[must_use]
    pub fn begin(self, text: impl Into<String>) -> u64 {
        self.push(text.into(), false, None, None)
    }

    /// Says what was done and offers a deed, such as its undoing, for ten seconds.
    pub fn offer(self, text: impl Into<String>, label: &str, deed: impl Fn() + Send + Sync + 'static) {
        let action = (label.to_owned(), Callback::new(move |()| deed()));
        self.push(text.into(), false, Some(action), Some(OFFER));
    }

    pub fn dismiss(self, id: u64) {
        self.shown.update(|toasts| toasts.retain(|toast| toast.id != id));
    }

    #[must_use]
    pub fn all(self) -> Vec<Toast> {
        self.shown.get()
    }

    /// An id is never used twice, so that a late dismissal hits no other message.
    fn push(self, text: String, bad: bool, action: Option<(String, Callback<()>)>, stands_for: Option<u32>) -> u64 {
        let id = self.last_id.get_value() + 1;
        self.last_id.set_value(id);
        self.shown.update(|toasts| toasts.push(Toast { id, text, bad, action, stands_for }));
        id
    }
}
