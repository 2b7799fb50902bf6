//! Setting up the environment's own OAuth client, step by step.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::web_sys::HtmlElement;
use std::future::Future;

use super::client::KnownClient;
use super::{CONNECT, Connecting};
use crate::api::connect::{ClientOrigin, ClientSetup, register_oauth_client, remove_oauth_client, store_oauth_client};
use crate::api::error::ApiError;
use crate::domain::component::{ComponentForm, ComponentSlug, MethodForm, MethodKind};
use crate::domain::field::{Field, FieldValues};
use crate::ui::dialogs::draft::{Draft, Start};
use crate::ui::parts::copy_field::CopyField;
use crate::ui::parts::field_input::{FieldInput, element_id, focus_soon};

const CLIENT_ID: &str = "client_id";
const CLIENT_SECRET: &str = "client_secret";
/// Longest id and secret, in characters; as the server holds it.
const LONGEST: usize = 2048;

/// A client being set up.
#[derive(Clone, Copy)]
struct Setting {
    connecting: Connecting,
    /// Id and secret: a form of its own within the form.
    draft: Draft,
    busy: RwSignal<bool>,
    said: RwSignal<Option<String>>,
}

#[component]
pub fn ClientForm(connecting: Connecting, setup: ClientSetup) -> impl IntoView {
    let draft = draft_of(connecting, &setup.origin);
    tell_outer(draft, connecting.submission.draft);
    let setting = Setting { connecting, draft, busy: RwSignal::new(false), said: RwSignal::new(None) };
    let component = connecting.component();
    let page = page_link(&component, &setup.help_url);
    let fields = untrack(|| draft.method_form()).map(|method| method.fields).unwrap_or_default();
    let fields = fields.into_iter().map(|field| view! { <FieldInput draft=draft field=field /> }).collect_view();
    let scopes = scopes(connecting).map(|scopes| {
        view! {
            <li>
                "Allow it these scopes, where the service asks for them there."
                <CopyField id="client-scopes" label="Scopes" what="scopes" value=scopes />
            </li>
        }
    });
    let said = move || setting.said.get().map(|words| view! { <p class="verdict" role="alert">{words}</p> });
    let busy = move || setting.busy.get().to_string();
    let register = setup.can_register.then(|| {
        let words = format!("Let {component} make one");
        view! { <button type="button" class="button small" aria-disabled=busy on:click={move |_| setting.register()}>{words}</button> }
    });
    let own = matches!(setup.origin, ClientOrigin::Own { .. });
    view! {
        <ol class="guide" on:keydown={move |event| setting.keydown(&event)}>
            <li>{page}</li>
            <li>
                "Register an app there with this redirect URL."
                <CopyField id="redirect-url" label="Redirect URL" what="redirect URL" value=setup.redirect_url />
            </li>
            {scopes}
            <li>
                "Paste its client ID and secret here."
                <div class="fields">{fields}</div>
            </li>
        </ol>
        {said}
        <div class="deeds">
            <button type="button" class="button small" aria-disabled=busy on:click={move |_| setting.store()}>"Use this client"</button>
            {register}
            {own.then(|| view! { <Removal setting=setting /> })}
        </div>
    }
    .into_any()
}

/// What is typed here counts for the form around, as long as it stands here.
fn tell_outer(draft: Draft, outer: Draft) {
    Effect::new(move |_| outer.typed_within.set(draft.is_changed()));
    on_cleanup(move || {
        let _ = outer.typed_within.try_set(false);
    });
}

/// What will be asked for, as the provider names it.
fn scopes(connecting: Connecting) -> Option<String> {
    let oauth = untrack(|| connecting.submission.draft.method_form())?.oauth?;
    let names: Vec<_> = oauth.scopes.into_iter().map(|scope| scope.scope).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

fn page_link(component: &str, help_url: &str) -> AnyView {
    if help_url.is_empty() {
        return format!("Open the page where {component} registers apps.").into_any();
    }
    view! {
        "Open "
        <a href=help_url.to_owned() target="_blank" rel="noreferrer noopener">{format!("{component}'s page for apps")}</a>
        "."
    }
    .into_any()
}

/// Asks once more: what is removed here ends elsewhere.
#[component]
fn Removal(setting: Setting) -> impl IntoView {
    let asking = RwSignal::new(false);
    let ask = move |_| {
        asking.set(true);
        focus_soon("client-keep".to_owned());
    };
    move || {
        if !asking.get() {
            return view! { <button type="button" class="button small" on:click=ask>"Remove"</button> }.into_any();
        }
        view! {
            <p class="notice warn">"Connections that use this client cannot be renewed without it. Remove it?"</p>
            <button type="button" class="button small danger" on:click={move |_| setting.remove()}>"Remove it"</button>
            <button type="button" class="button small" id="client-keep" on:click={move |_| asking.set(false)}>"Keep it"</button>
        }
        .into_any()
    }
}

/// A form of two fields. An id that is already stored stands in it; a secret never comes back.
fn draft_of(connecting: Connecting, origin: &ClientOrigin) -> Draft {
    let mut values = FieldValues::default();
    let mut help = "Leave it empty where the service gives none.";
    if let ClientOrigin::Own { client_id, has_secret, .. } = origin {
        values.set(CLIENT_ID, client_id.clone());
        if *has_secret {
            help = "Leave it empty to keep the stored one, as long as the client ID stays the same.";
        }
    }
    let id = Field { max_length: LONGEST, ..Field::text(CLIENT_ID, "Client ID") };
    let secret = Field {
        secret: true,
        optional: true,
        max_length: LONGEST,
        help: help.to_owned(),
        ..Field::text(CLIENT_SECRET, "Client secret")
    };
    let method = MethodForm {
        id: "client".to_owned(),
        label: String::new(),
        kind: MethodKind::Fields,
        intro: String::new(),
        fields: vec![id, secret],
        may_be_vouched_for: false,
        oauth: None,
    };
    let form = connecting.submission.draft.form.get_value();
    Draft::new(ComponentForm { methods: vec![method], ..form }, Start { values, ..Start::default() })
}

impl Setting {
    /// Whose client it is, as the contract names it.
    fn target(self) -> (ComponentSlug, String) {
        let draft = self.connecting.submission.draft;
        (draft.form.with_value(|form| form.badge.slug.clone()), draft.method.get_untracked())
    }

    fn store(self) {
        // A client has no name of its own; the form wants one.
        if !self.draft.check("OAuth client") {
            self.focus_problem();
            return;
        }
        let (component, method) = self.target();
        let (id, secret) = untrack(|| (self.draft.value(CLIENT_ID), self.draft.value(CLIENT_SECRET)));
        self.carry_out(store_oauth_client(self.connecting.environment, component, method, id, secret));
    }

    fn register(self) {
        let (component, method) = self.target();
        let values = untrack(|| self.connecting.submission.draft.counting());
        self.carry_out(register_oauth_client(self.connecting.environment, component, method, values));
    }

    fn remove(self) {
        let (component, method) = self.target();
        self.carry_out(remove_oauth_client(self.connecting.environment, component, method));
    }

    /// One request at a time. Once it is set up, the focus goes on to what it was set up for.
    fn carry_out(self, request: impl Future<Output = Result<ClientSetup, ApiError>> + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.said.set(None);
        spawn_local(async move {
            match request.await {
                Ok(setup) => {
                    let _ = self.connecting.client.try_set(KnownClient::Here(setup));
                    focus_soon(CONNECT.to_owned());
                }
                Err(error) if !self.busy.is_disposed() => self.refused(&error),
                Err(_) => {}
            }
        });
    }

    /// What is wrong with a field stands at it; everything else below the fields.
    fn refused(self, error: &ApiError) {
        self.busy.set(false);
        let homeless = self.draft.show(Draft::problems_of(error));
        let placed = self.draft.problems.with_untracked(|problems| !problems.is_empty());
        if !homeless.is_empty() {
            self.said.set(Some(homeless.join(" ")));
        } else if !placed {
            self.said.set(Some(error.to_string()));
        }
        self.focus_problem();
    }

    fn focus_problem(self) {
        if let Some(field) = self.draft.first_problem() {
            focus_soon(element_id(&field));
        }
    }

    /// Enter in one of its fields stores the client; it does not submit the form around it.
    fn keydown(self, event: &KeyboardEvent) {
        let in_field = [CLIENT_ID, CLIENT_SECRET].map(element_id).contains(&event_target::<HtmlElement>(event).id());
        if event.key() == "Enter" && in_field {
            event.prevent_default();
            self.store();
        }
    }
}
