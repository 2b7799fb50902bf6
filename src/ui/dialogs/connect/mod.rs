//! Connecting an account by OAuth 2.0, as a person sees it: what it will be able to do, which client it uses, and how
//! far it is while somebody signs in at the service.

mod account;
mod button;
mod choice;
mod client;
mod client_form;
mod consent;
mod elsewhere;
pub mod stage;
mod waiting;

pub use account::AccountPart;
pub use button::{ConnectButton, LastEnding};
pub use waiting::FlowView;

use leptos::prelude::*;
use leptos::task::spawn_local;

use self::client::KnownClient;
use self::stage::{Event, LATE, Stage, Waiting};
use super::submission::Submission;
use crate::api::connect::{
    Begun, ConnectRequest, Way, begin_connect, cancel_connect, connect_progress, decide_connect,
};
use crate::browser::popup::{self, Popup};
use crate::domain::component::MethodKind;
use crate::domain::connection::Summary;
use crate::domain::environment::Environment;
use crate::domain::id::{ConnectionId, FlowId};
use crate::ui::parts::field_input::focus_soon;
use crate::ui::state::list::ListState;

/// The button that begins, and takes the focus again when a flow has ended.
pub const CONNECT: &str = "connect";

/// The connection whose account is connected anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconnect {
    pub id: ConnectionId,
    /// The method it was connected by.
    pub method: String,
    pub account: Option<String>,
    /// Permissions the component requires and the account was not given.
    pub missing: Vec<String>,
    /// Reconnecting is what the form was opened for.
    pub wanted: bool,
}

/// Connecting the account of one form.
#[derive(Clone, Copy)]
pub struct Connecting {
    pub submission: Submission,
    /// `None`: the form is of a new connection.
    pub reconnect: StoredValue<Option<Reconnect>>,
    client: RwSignal<KnownClient>,
    environment: Environment,
    on_connected: Callback<Summary>,
    popup: StoredValue<Option<Popup>, LocalStorage>,
    asking: StoredValue<bool>,
}

impl Connecting {
    /// A flow by window or code is called off when the view it is made in goes.
    #[must_use]
    pub fn new(submission: Submission, reconnect: Option<Reconnect>, on_connected: Callback<Summary>) -> Self {
        let connecting = Self {
            submission,
            reconnect: StoredValue::new(reconnect),
            client: RwSignal::new(KnownClient::default()),
            environment: ListState::expect().environment,
            on_connected,
            popup: StoredValue::new_local(None),
            asking: StoredValue::new(false),
        };
        on_cleanup(move || {
            if connecting.stage().try_with_untracked(Stage::is_under_way) == Some(true) {
                connecting.leave();
            }
        });
        connecting
    }

    #[must_use]
    pub fn stage(self) -> RwSignal<Stage> {
        self.submission.draft.stage
    }

    /// The component's name.
    #[must_use]
    pub fn component(self) -> String {
        self.submission.draft.form.with_value(|form| form.badge.name.clone())
    }

    /// Whether the method chosen connects an account.
    #[must_use]
    pub fn applies(self) -> bool {
        self.submission.draft.method_form().is_some_and(|method| method.oauth.is_some())
    }

    /// Whether the account is connected anew by the method it was connected by.
    #[must_use]
    pub fn is_anew(self) -> bool {
        let method = self.submission.draft.method.get();
        self.reconnect.with_value(|before| before.as_ref().is_some_and(|before| before.method == method))
    }

    /// Begins where the method usually begins. Only within a click or a key press.
    pub fn begin(self) {
        let kind = untrack(|| self.submission.draft.method_form()).map(|method| method.kind);
        self.begin_by(if kind == Some(MethodKind::DeviceCode) { Way::Device } else { Way::Window });
    }

    /// The same by a way of choice.
    pub fn begin_by(self, way: Way) {
        let stage = self.stage();
        if !stage.with_untracked(Stage::is_form) {
            return;
        }
        if let Some(first) = self.client.with_untracked(KnownClient::first_to_do) {
            focus_soon(first.to_owned());
            return;
        }
        if !self.submission.is_sound() {
            return;
        }
        let popup = (way == Way::Window).then(Popup::open);
        self.submission.progress.set(super::progress::Progress::default());
        self.learn(Event::Asked);
        let request = untrack(|| self.request(way));
        spawn_local(async move {
            match begin_connect(request).await {
                Ok(begun) => self.begun(begun, way, popup),
                Err(error) => {
                    close(popup.as_ref());
                    if !stage.is_disposed() {
                        self.learn(Event::Refused);
                        self.submission.fail(error);
                    }
                }
            }
        });
    }

    fn request(self, by: Way) -> ConnectRequest {
        let draft = self.submission.draft;
        let offered = draft.method_form().and_then(|method| method.oauth).map(|oauth| oauth.scopes).unwrap_or_default();
        let chosen = |scope: &String| draft.scopes.with(|scopes| scopes.contains(scope));
        let optional = offered.into_iter().filter(|scope| scope.optional).map(|scope| scope.scope);
        ConnectRequest {
            environment: self.environment,
            component: draft.form.with_value(|form| form.badge.slug.clone()),
            method: draft.method.get(),
            name: self.submission.name.get(),
            tags: draft.tags.get(),
            values: draft.counting(),
            scopes: optional.filter(chosen).collect(),
            reconnect: self.reconnect.with_value(|before| before.as_ref().map(|before| before.id.clone())),
            by,
            audience: Some(draft.audience.get()),
        }
    }

    fn begun(self, begun: Begun, way: Way, popup: Option<Popup>) {
        if self.stage().is_disposed() {
            close(popup.as_ref());
            give_up(self.environment, begun.flow);
            return;
        }
        let blocked = way == Way::Window && !popup.as_ref().is_some_and(|popup| popup.go(&begun.url));
        if blocked {
            crate::browser::host::popup_blocked();
        }
        self.popup.set_value(popup);
        self.learn(Event::Begun(Waiting::new(begun, way, blocked)));
    }

    /// Asks how far it is, now and then and whenever there is a hint, until the view it is called in goes.
    fn follow(self, waiting: &Waiting) {
        let flow = waiting.begun.flow.clone();
        if let Ok(clock) = set_interval_with_handle(move || self.ask(), waiting.period()) {
            on_cleanup(move || clock.clear());
        }
        if let Ok(late) = set_timeout_with_handle(move || self.learn(Event::Late(flow)), LATE) {
            on_cleanup(move || late.clear());
        }
        popup::on_hint(move || self.ask());
    }

    fn ask(self) {
        let (Some(flow), Some(false)) = (self.flow(), self.asking.try_get_value()) else { return };
        self.asking.set_value(true);
        spawn_local(async move {
            let answer = connect_progress(self.environment, flow.clone()).await;
            let _ = self.asking.try_update_value(|asking| *asking = false);
            self.learn(match answer {
                Ok(progress) => Event::Told(flow, progress),
                Err(error) => Event::Unanswered(flow, error),
            });
        });
    }

    /// Puts the other account in the place of the one before, or drops it.
    fn decide(self, replace: bool) {
        let open = self.stage().with_untracked(|stage| match stage {
            Stage::OtherAccount(choice) if choice.decided.is_none() => Some(choice.flow.clone()),
            _ => None,
        });
        let Some(flow) = open else { return };
        self.learn(Event::Decided(replace));
        spawn_local(async move {
            self.learn(match decide_connect(self.environment, flow.clone(), replace).await {
                Ok(progress) => Event::Told(flow, progress),
                Err(error) => Event::Unanswered(flow, error),
            });
        });
    }

    /// Gives the flow up. What was typed stays.
    fn cancel(self) {
        self.leave();
        self.learn(Event::GivenUp);
    }

    fn leave(self) {
        if let Some(flow) = self.flow() {
            self.popup.with_value(|popup| close(popup.as_ref()));
            give_up(self.environment, flow);
        }
    }

    fn flow(self) -> Option<FlowId> {
        self.stage().try_with_untracked(|stage| stage.flow().cloned()).flatten()
    }

    /// Goes on by an event; whoever opened the form learns of a connection once.
    fn learn(self, event: Event) {
        let stage = self.stage();
        let summary = stage.try_update(|stage| {
            let before = matches!(stage, Stage::Connected(_));
            stage.take(event);
            match stage {
                Stage::Connected(summary) if !before => Some(summary.clone()),
                _ => None,
            }
        });
        if let Some(summary) = summary.flatten() {
            self.on_connected.run(*summary);
        }
    }
}

fn close(popup: Option<&Popup>) {
    if let Some(popup) = popup {
        popup.close();
    }
}

/// Has the server refuse what comes back later. If this does not get through, the flow lapses by itself.
fn give_up(environment: Environment, flow: FlowId) {
    spawn_local(async move {
        let _ = cancel_connect(environment, flow).await;
    });
}
