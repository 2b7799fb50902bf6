//! Which OAuth client a connection uses; and where there is none, how to set one up.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Connecting;
use super::client_form::ClientForm;
use crate::api::connect::{ClientOrigin, ClientSetup, oauth_client};
use crate::api::error::ApiError;
use crate::domain::role::Action;
use crate::ui::parts::copy_field::CopyField;
use crate::ui::state::list::ListState;

/// Where the focus goes when a client has to be set up first.
const PART: &str = "client-part";
/// Characters of a client's id that tell it apart.
const TELLING: usize = 12;

/// What the form knows of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KnownClient {
    #[default]
    Asked,
    Here(ClientSetup),
    Failed(ApiError),
}

impl KnownClient {
    /// The element to attend to before anything can be connected: there is no client yet.
    #[must_use]
    pub fn first_to_do(&self) -> Option<&'static str> {
        matches!(self, Self::Here(ClientSetup { origin: ClientOrigin::None, .. })).then_some(PART)
    }
}

impl Connecting {
    fn fetch_client(self) {
        let draft = self.submission.draft;
        let component = draft.form.with_value(|form| form.badge.slug.clone());
        let method = draft.method.get_untracked();
        self.client.set(KnownClient::Asked);
        spawn_local(async move {
            let answer = oauth_client(self.environment, component, method.clone()).await;
            // Another method may have been chosen meanwhile, or the dialog closed.
            if draft.method.try_get_untracked() == Some(method) {
                let _ = self.client.try_set(answer.map_or_else(KnownClient::Failed, KnownClient::Here));
            }
        });
    }
}

#[component]
pub fn ClientPart(connecting: Connecting) -> impl IntoView {
    let may = ListState::expect().may(Action::ManageOAuthClients);
    Effect::new(move |_| connecting.fetch_client());
    move || {
        match connecting.client.get() {
        KnownClient::Asked => view! { <p class="client-line">"Looking up the OAuth client …"</p> }.into_any(),
        KnownClient::Failed(error) => view! {
            <p class="client-line">
                {error.to_string()} " "
                <button type="button" class="link" on:click={move |_| connecting.fetch_client()}>"Look it up again"</button>
            </p>
        }
        .into_any(),
        KnownClient::Here(setup) => known(connecting, setup, may),
    }
    }
}

fn known(connecting: Connecting, setup: ClientSetup, may: bool) -> AnyView {
    let component = connecting.component();
    match &setup.origin {
        ClientOrigin::Form => view! {
            <CopyField id="redirect-url" label="Redirect URL to register with your client" what="redirect URL" value=setup.redirect_url />
        }
        .into_any(),
        ClientOrigin::None if may => view! {
            <section class="client-setup" id=PART tabindex="-1" aria-labelledby="client-title">
                <h3 id="client-title">"Set up an OAuth client"</h3>
                <p class="help">{purpose(connecting, &component)}</p>
                <ClientForm connecting=connecting setup=setup />
            </section>
        }
        .into_any(),
        ClientOrigin::None => {
            let words = format!("Ask an owner of the workspace to set up an OAuth client for {component}.");
            view! { <p class="notice" id=PART tabindex="-1">{words}</p> }.into_any()
        }
        ClientOrigin::Operator | ClientOrigin::Own { .. } => in_use(connecting, setup, may),
    }
}

/// What a client is, for those who have never made one.
fn purpose(connecting: Connecting, component: &str) -> String {
    let environment = connecting.environment.label();
    format!(
        "{component} wants to know which app asks. This is done once: every {component} connection in {environment} then uses it."
    )
}

/// One quiet line, which opens the form for those who may change it.
fn in_use(connecting: Connecting, setup: ClientSetup, may: bool) -> AnyView {
    let line = line(&setup.origin);
    let problem = setup.problem.clone().map(|problem| view! { <p class="notice warn">{problem}</p> });
    let ailing = problem.is_some();
    if !may {
        return view! { {problem}<p class="client-line">{line}</p> }.into_any();
    }
    view! {
        {problem}
        <details class="client-change" open=ailing>
            <summary>{line} " " <span class="change">"Change"</span></summary>
            <ClientForm connecting=connecting setup=setup />
        </details>
    }
    .into_any()
}

fn line(origin: &ClientOrigin) -> String {
    match origin {
        ClientOrigin::Own { client_id, .. } => format!("Uses this environment's own client {}", telling(client_id)),
        ClientOrigin::Operator => "Uses the client your operator set up".to_owned(),
        ClientOrigin::None | ClientOrigin::Form => String::new(),
    }
}

/// As much of an id as tells it apart.
fn telling(id: &str) -> String {
    match id.char_indices().nth(TELLING) {
        Some((end, _)) => format!("{}…", &id[..end]),
        None => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    #[test]
    fn a_long_id_is_cut_and_a_short_one_is_not() {
        assert_eq!(telling("1234"), "1234");
        assert_eq!(telling("123456789012"), "123456789012");
        assert_eq!(telling("1234567890123.apps.example"), "123456789012…");
        assert_eq!(telling("ääääääääääääää"), "ääääääääääää…");
    }

    #[test]
    fn the_line_says_whose_client_it_is() {
        let own = ClientOrigin::Own { client_id: "abc".to_owned(), stored_at: Timestamp(0), has_secret: true };
        assert_eq!(line(&own), "Uses this environment's own client abc");
        assert_eq!(line(&ClientOrigin::Operator), "Uses the client your operator set up");
    }

    #[test]
    fn only_a_client_that_is_known_to_be_lacking_holds_anything_up() {
        let with = |origin| {
            let (redirect_url, help_url) = (String::new(), String::new());
            KnownClient::Here(ClientSetup { origin, redirect_url, help_url, problem: None, can_register: false })
        };
        assert_eq!(with(ClientOrigin::None).first_to_do(), Some(PART));
        for there in [with(ClientOrigin::Operator), with(ClientOrigin::Form)] {
            assert_eq!(there.first_to_do(), None);
        }
        for unknown in [KnownClient::Asked, KnownClient::Failed(ApiError::Offline)] {
            assert_eq!(unknown.first_to_do(), None);
        }
    }
}
