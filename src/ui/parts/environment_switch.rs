//! The three environments, side by side; the one shown is unmistakable.

use leptos::html::A;
use leptos::prelude::*;

use crate::domain::environment::Environment;
use crate::ui::state::list::ListState;

/// Set while another environment is on its way, so that focus can follow to the new page's switch.
#[derive(Clone, Copy)]
pub struct Switching(pub RwSignal<Option<Environment>>);

/// Links, one an environment. Filters stay behind: another environment has other components and tags.
#[component]
pub fn EnvironmentSwitch() -> impl IntoView {
    let state = ListState::expect();
    let Switching(switching) = expect_context();
    let granted = state.viewer.with_value(|viewer| viewer.environments);
    let link = move |environment: Environment| {
        let current = environment == state.environment;
        let node = NodeRef::<A>::new();
        Effect::new(move |_| {
            if current && switching.get_untracked() == Some(environment) {
                if let Some(link) = node.get() {
                    let _ = link.focus();
                }
                switching.set(None);
            }
        });
        let href = move || environment_link(state, environment);
        view! {
            <a
                node_ref=node
                href=move || href()
                data-environment=environment.as_str()
                aria-current=current.then_some("true")
                aria-busy=move || (switching.get() == Some(environment) && !current).then_some("true")
                on:click=move |event| {
                    // With a modifier it opens elsewhere.
                    let here = !(event.ctrl_key() || event.meta_key() || event.shift_key());
                    switching.set((here && !current).then_some(environment));
                }
            >
                {environment.label()}
            </a>
        }
    };
    view! {
        <nav class="environments" aria-label="Environment">
            {Environment::ALL.into_iter().filter(|one| granted.contains(*one)).map(link).collect_view()}
        </nav>
    }
    .into_any()
}

fn environment_link(state: ListState, environment: Environment) -> String {
    let sort = state.query.with(|query| query.sort);
    let query = crate::domain::filter::ListQuery { sort, ..Default::default() };
    state.base().list(environment, &query)
}
