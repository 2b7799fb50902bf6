//! The window in which an account is connected.

use leptos::ev::{self, MessageEvent};
use leptos::prelude::*;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, Window};

/// What the page after the service says when it is done, on this channel and to the page that opened it.
const CHANNEL: &str = "patchbay-connect";
const ENDED: &str = "connect-ended";

/// Size in CSS pixels: room for the consent pages of the large providers.
const WIDTH: i32 = 560;
const HEIGHT: i32 = 720;

/// A window that was asked for; the browser may have refused it.
#[derive(Clone, Debug)]
pub struct Popup(Option<Window>);

impl Popup {
    /// Opens an empty window. Only within a click or a key press: browsers refuse one that comes later.
    #[must_use]
    pub fn open() -> Self {
        let features = features(&window());
        Self(window().open_with_url_and_target_and_features("about:blank", "_blank", &features).ok().flatten())
    }

    /// Leads it to an address; `false` where there is no window to lead. Called once: the address may work once only.
    #[must_use]
    pub fn go(&self, url: &str) -> bool {
        self.0.as_ref().is_some_and(|popup| popup.location().replace(url).is_ok())
    }

    /// Closes it, where it can still be reached.
    pub fn close(&self) {
        if let Some(popup) = &self.0 {
            let _ = popup.close();
        }
    }
}

/// Centred over this window.
fn features(opener: &Window) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a screen")]
    let pixels =
        |length: Result<JsValue, JsValue>| length.ok().and_then(|length| length.as_f64()).unwrap_or(0.0) as i32;
    let centre = |start: i32, whole: i32, part: i32| start + ((whole - part) / 2).max(0);
    let left = centre(pixels(opener.screen_x()), pixels(opener.outer_width()), WIDTH);
    let top = centre(pixels(opener.screen_y()), pixels(opener.outer_height()), HEIGHT);
    format!("popup,width={WIDTH},height={HEIGHT},left={left},top={top}")
}

/// Calls `ask` when something hints that connecting has ended: a message from our own page, or the focus coming back.
/// Until the view it is called in goes. Only a hint: storage may be partitioned, and an opener cut off.
pub fn on_hint(ask: impl Fn() + Copy + 'static) {
    let message = window_event_listener(ev::message, move |event| {
        if is_ours(&event) {
            ask();
        }
    });
    let focus = window_event_listener(ev::focus, move |_| ask());
    let heard = Closure::<dyn Fn()>::new(ask);
    let channel = BroadcastChannel::new(CHANNEL).ok();
    if let Some(channel) = &channel {
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    }
    let channel = StoredValue::new_local((channel, heard));
    on_cleanup(move || {
        message.remove();
        focus.remove();
        let _ = channel.try_update_value(|(channel, _)| channel.take().map(|channel| channel.close()));
    });
}

fn is_ours(event: &MessageEvent) -> bool {
    let said =
        js_sys::Reflect::get(&event.data(), &JsValue::from_str("patchbay")).ok().and_then(|word| word.as_string());
    let own = window().location().origin().is_ok_and(|origin| origin == event.origin());
    own && said.as_deref() == Some(ENDED)
}
