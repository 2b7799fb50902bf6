//! The credential form: methods, name, tags, fields, the check as it happens, and what can be done after it. Where the
//! method connects an account, what goes on at the service takes its place meanwhile.

use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;

use super::connect::stage::Stage;
use super::connect::{AccountPart, CONNECT, ConnectButton, Connecting, FlowView, LastEnding};
use super::draft::{Draft, NAME, TAGS};
use super::frame::Closing;
use super::progress::Progress;
use super::submission::Submission;
use crate::api::stream::Saving;
use crate::domain::component::MethodForm;
use crate::domain::field::Field;
use crate::domain::name::NAME_LIMIT;
use crate::domain::owner::Audience;
use crate::ui::parts::field_input::{FieldInput, element_id, focus_soon};
use crate::ui::parts::step_list::StepList;
use crate::ui::parts::tag_input::TagField;
use crate::ui::state::list::ListState;

/// What a form does when its buttons are pressed.
#[derive(Clone, Copy)]
pub struct Deeds {
    pub save: Callback<Saving>,
    /// Ends the check under way.
    pub cancel_check: Callback<()>,
    /// Back to the picker, where there is one.
    pub back: Option<Callback<()>>,
}

/// The body and foot of a dialog that asks for credentials.
#[component]
pub fn CredentialForm(connecting: Connecting, deeds: Deeds) -> impl IntoView {
    let Submission { draft, name, progress, vouched, .. } = connecting.submission;
    let connects = Memo::new(move |_| connecting.applies() && connecting.reconnect.with_value(Option::is_none));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if connects.get_untracked() {
            connecting.begin();
        } else if !progress.with_untracked(|progress| progress.running) {
            deeds.save.run(if vouched.get_untracked() { Saving::Vouched } else { Saving::WhenValid });
        }
    };
    let fields = move || {
        let method = draft.method_form()?;
        let intro = (!method.intro.is_empty()).then(|| view! { <p class="intro">{method.intro.clone()}</p> });
        let inputs: Vec<_> =
            method.fields.into_iter().map(|field| view! { <FieldInput draft=draft field=field /> }).collect();
        let inputs = (!inputs.is_empty()).then(|| view! { <div class="fields">{inputs}</div> });
        let account = method.oauth.map(|oauth| view! { <AccountPart connecting=connecting oauth=oauth /> });
        Some(view! { {intro}{inputs}{account} }.into_any())
    };
    focus_first_gap(connecting);
    let several = draft.form.with_value(|form| form.methods.len() > 1);
    view! {
        <form class="dialog-form" novalidate on:submit=submit hidden={move || draft.stage.with(Stage::covers_form)}>
            <div class="dialog-body">
                <LastEnding connecting=connecting />
                {several.then(|| view! { <Methods draft=draft /> })}
                <NameAndTags draft=draft name=name />
                {draft.chooses_audience.get_value().then(|| view! { <AudienceChoice draft=draft /> })}
                <div id="method-fields" role={several.then_some("tabpanel")} aria-labelledby={several.then_some("method-tab")}>{fields}</div>
                <Findings draft=draft progress=progress vouched=vouched />
            </div>
            <Foot connecting=connecting connects=connects deeds=deeds />
        </form>
        <FlowView connecting=connecting />
    }
    .into_any()
}

/// Begins where there is something to do: with reconnecting where that is wanted, else with the first gap.
fn focus_first_gap(connecting: Connecting) {
    let draft = connecting.submission.draft;
    let wanted = connecting.reconnect.with_value(|before| before.as_ref().is_some_and(|before| before.wanted));
    let gap = untrack(|| {
        let fields = draft.method_form().map(|method| method.fields).unwrap_or_default();
        let kept = |id: &str| draft.stored(id).is_some() && !draft.replaced.with(|replaced| replaced.contains(id));
        let open = |field: &&Field| !field.optional && draft.value(&field.id).is_empty() && !kept(&field.id);
        fields.iter().find(open).map(|field| element_id(&field.id))
    });
    let first = if wanted { CONNECT.to_owned() } else { gap.unwrap_or_else(|| element_id(NAME)) };
    Effect::new(move |_| focus_soon(first.clone()));
}

/// The ways to sign in, as tabs.
#[component]
fn Methods(draft: Draft) -> impl IntoView {
    let methods: Vec<MethodForm> = draft.form.with_value(|form| form.methods.clone());
    let ids: Vec<String> = methods.iter().map(|method| method.id.clone()).collect();
    let choose = move |id: &str| {
        draft.method.set(id.to_owned());
        draft.problems.update(std::collections::BTreeMap::clear);
    };
    let keydown = move |event: KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowRight" => 1,
            "ArrowLeft" => ids.len() - 1,
            _ => return,
        };
        event.prevent_default();
        let here = draft.method.with_untracked(|method| ids.iter().position(|id| id == method)).unwrap_or(0);
        choose(&ids[(here + step) % ids.len()]);
        focus_soon("method-tab".to_owned());
    };
    let tab = move |method: MethodForm| {
        let (id, compared) = (method.id.clone(), method.id);
        let selected = Memo::new(move |_| draft.method.with(|chosen| *chosen == compared));
        view! {
            <button
                type="button"
                role="tab"
                id={move || selected.get().then_some("method-tab")}
                aria-selected={move || selected.get().to_string()}
                aria-controls="method-fields"
                tabindex={move || if selected.get() { "0" } else { "-1" }}
                on:click={move |_| choose(&id)}
            >
                {method.label}
            </button>
        }
    };
    view! {
        <div class="tabs" role="tablist" aria-label="Way to sign in" on:keydown=keydown>
            {methods.into_iter().map(tab).collect_view()}
        </div>
    }
    .into_any()
}

#[component]
fn NameAndTags(draft: Draft, name: Memo<String>) -> impl IntoView {
    let list = ListState::expect();
    let name_problem = Memo::new(move |_| draft.problem(NAME));
    let tags_problem = Memo::new(move |_| draft.problem(TAGS));
    let id = element_id(NAME);
    view! {
        <div class="fields">
            <div class="field half" class:bad={move || name_problem.with(Option::is_some)}>
                <div class="field-head"><label for=id.clone()>"Name"</label></div>
                <input
                    class="control"
                    id=id.clone()
                    type="text"
                    maxlength=NAME_LIMIT
                    autocomplete="off"
                    aria-required="true"
                    aria-invalid={move || name_problem.with(Option::is_some).to_string()}
                    aria-describedby="field-name-problem"
                    prop:value=name
                    on:input={move |event| draft.type_name(event_target_value(&event))}
                />
                <p class="problem" id="field-name-problem">{name_problem}</p>
            </div>
            <div class="field half">
                <div class="field-head"><label for=element_id(TAGS)>"Tags"</label></div>
                <TagField tags=draft.tags completion=Signal::derive(move || list.tags()) id=element_id(TAGS) />
                <p class="problem">{tags_problem}</p>
            </div>
        </div>
    }
    .into_any()
}

/// Whose a new connection will be.
#[component]
fn AudienceChoice(draft: Draft) -> impl IntoView {
    let choice = move |audience: Audience, label: &'static str| {
        view! {
            <label class="choice">
                <input
                    type="radio"
                    name="audience"
                    prop:checked={move || draft.audience.get() == audience}
                    on:change={move |_| draft.audience.set(audience)}
                />
                <span>{label}</span>
            </label>
        }
    };
    view! {
        <fieldset class="audience">
            <legend>"Who may use it"</legend>
            {choice(Audience::Me, "Only me")}
            {choice(Audience::Workspace, "Everyone in the workspace")}
        </fieldset>
    }
    .into_any()
}

/// The steps, the verdict, and the offer to vouch.
#[component]
fn Findings(draft: Draft, progress: RwSignal<Progress>, vouched: RwSignal<bool>) -> impl IntoView {
    let list = ListState::expect();
    let operator = list.viewer.with_value(|viewer| viewer.operator);
    let visible = Memo::new(move |_| progress.with(|progress| progress.running || !progress.steps.is_empty()));
    let steps = Signal::derive(move || progress.with(|progress| progress.steps.clone()));
    let running = Signal::derive(move || progress.with(|progress| progress.running));
    let verdict = move || {
        let text = progress.with(|progress| progress.verdict.clone())?;
        Some(view! { <p class="verdict" role="alert">{text}</p> })
    };
    let may_vouch = move || {
        progress.with(|progress| progress.unaskable)
            && draft.method_form().is_some_and(|method| method.may_be_vouched_for)
    };
    // A check that begins is brought into sight: the fields may fill the dialog.
    Effect::new(move |_| {
        if running.get() {
            request_animation_frame(|| {
                if let Some(findings) = document().get_element_by_id("findings") {
                    findings.scroll_into_view();
                }
            });
        }
    });
    view! {
        <div id="findings">
            {verdict}
            <Show when={move || visible.get()}>
                <StepList steps=steps running=running operator=operator />
            </Show>
        </div>
        <Show when=may_vouch>
            <label class="vouch">
                <input type="checkbox" prop:checked=vouched on:change={move |event| vouched.set(event_target_checked(&event))} />
                <span>"It cannot be checked; I vouch that it works"</span>
            </label>
        </Show>
    }
    .into_any()
}

#[component]
fn Foot(connecting: Connecting, connects: Memo<bool>, deeds: Deeds) -> impl IntoView {
    let closing = Closing::expect();
    let progress = connecting.submission.progress;
    let running = Memo::new(move |_| progress.with(|progress| progress.running));
    let refused = Memo::new(move |_| progress.with(|progress| progress.refused && !progress.running));
    let back = deeds.back.map(|back| {
        view! { <button type="button" class="button" disabled=running on:click={move |_| back.run(())}>"Back"</button> }
    });
    let leave = move || {
        if running.get() {
            let cancel = move |_| deeds.cancel_check.run(());
            view! { <button type="button" class="button" on:click=cancel>"Cancel check"</button> }.into_any()
        } else {
            view! { <button type="button" class="button" on:click={move |_| closing.request()}>"Cancel"</button> }
                .into_any()
        }
    };
    let first = move || {
        if connects.get() {
            return view! { <ConnectButton connecting=connecting submits=true /> }.into_any();
        }
        view! {
            <button type="submit" class="button primary" aria-disabled={move || running.get().to_string()}>
                {move || if running.get() { "Checking…" } else { "Save" }}
            </button>
        }
        .into_any()
    };
    view! {
        <footer class="dialog-foot">
            {leave}
            {back}
            <span class="spring"></span>
            <Show when={move || refused.get()}>
                <button type="button" class="button" on:click={move |_| deeds.save.run(Saving::AsNotActive)}>
                    "Save as not active"
                </button>
            </Show>
            {first}
        </footer>
    }
    .into_any()
}
