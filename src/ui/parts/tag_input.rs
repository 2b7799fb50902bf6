//! Tags as chips with completion: in a form, and as an editor of its own on a row.

use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::prelude::*;

use super::tag_choice::{suggestions, with_added};

/// The tags being edited and what is typed beside them.
#[derive(Clone, Copy)]
struct Editing {
    tags: RwSignal<Vec<String>>,
    text: RwSignal<String>,
    problem: RwSignal<Option<String>>,
    /// Which completion is chosen; none: what is typed counts.
    chosen: RwSignal<Option<usize>>,
    offered: Memo<Vec<String>>,
}

impl Editing {
    fn new(tags: RwSignal<Vec<String>>, completion: Signal<Vec<String>>) -> Self {
        let text = RwSignal::new(String::new());
        let offered = Memo::new(move |_| {
            let typed = text.get();
            if typed.trim().is_empty() { Vec::new() } else { suggestions(&completion.get(), &tags.get(), &typed) }
        });
        Self { tags, text, problem: RwSignal::new(None), chosen: RwSignal::new(None), offered }
    }

    /// Takes a text over as tags; what breaks a rule stays where it was typed, with the reason.
    fn add(self, text: &str) -> bool {
        match with_added(&self.tags.get_untracked(), text) {
            Ok(tags) => {
                self.tags.set(tags);
                self.text.set(String::new());
                self.chosen.set(None);
                self.problem.set(None);
                true
            }
            Err(rule) => {
                self.problem.set(Some(rule.to_string()));
                false
            }
        }
    }

    fn add_typed(self) -> bool {
        let text = self.text.get_untracked();
        text.trim().is_empty() || self.add(&text)
    }

    fn type_text(self, text: String) {
        self.problem.set(None);
        self.chosen.set(None);
        if text.contains(',') {
            self.text.set(text.clone());
            self.add(&text);
        } else {
            self.text.set(text);
        }
    }

    fn move_choice(self, by: isize) {
        let count = self.offered.with_untracked(Vec::len);
        if count == 0 {
            return;
        }
        // One more than the completions: the text itself.
        let places = count + 1;
        let now = self.chosen.get_untracked().map_or(0, |index| index + 1);
        let next = (now + places).saturating_add_signed(by) % places;
        self.chosen.set(next.checked_sub(1));
    }

    /// Carries out a key; `false`: it means nothing here, and the surroundings may have it.
    fn press(self, event: &KeyboardEvent) -> bool {
        let blank = self.text.with_untracked(|text| text.trim().is_empty());
        match event.key().as_str() {
            "Enter" if !event.is_composing() && !blank => {
                let choice =
                    self.chosen.get_untracked().and_then(|index| self.offered.get_untracked().get(index).cloned());
                let _ = match choice {
                    Some(tag) => self.add(&tag),
                    None => self.add_typed(),
                };
            }
            "Backspace" if self.text.with_untracked(String::is_empty) => self.tags.update(|tags| {
                tags.pop();
            }),
            "ArrowDown" => self.move_choice(1),
            "ArrowUp" => self.move_choice(-1),
            "Escape" if !blank => {
                self.text.set(String::new());
                self.problem.set(None);
            }
            _ => return false,
        }
        true
    }
}

/// The chips, the text box and its completions. `on_key` gets the keys that mean nothing to it.
#[component]
fn TagBox(editing: Editing, id: String, on_key: Callback<KeyboardEvent>, autofocus: bool) -> impl IntoView {
    let input = NodeRef::<Input>::new();
    if autofocus {
        input.on_load(|element| {
            let _ = element.focus();
        });
    }
    let list = format!("{id}-choices");
    let problem_id = format!("{id}-problem");
    let option_prefix = list.clone();
    let active = move || editing.chosen.get().map(|index| format!("{option_prefix}-{index}"));
    let keydown = move |event: KeyboardEvent| {
        if editing.press(&event) {
            event.prevent_default();
            event.stop_propagation();
        } else {
            on_key.run(event);
        }
    };
    view! {
        <div class="tag-input" class:bad={move || editing.problem.with(Option::is_some)}>
            <ul class="tag-chips" aria-label="Chosen tags">{chips(editing, input)}</ul>
            <input
                node_ref=input
                id=id.clone()
                type="text"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                aria-label="Tags"
                aria-autocomplete="list"
                aria-controls=list.clone()
                aria-activedescendant=active
                aria-invalid={move || editing.problem.with(Option::is_some).to_string()}
                aria-describedby=problem_id.clone()
                placeholder={move || if editing.tags.with(Vec::is_empty) { "Add a tag" } else { "" }}
                prop:value={move || editing.text.get()}
                on:input={move |event| editing.type_text(event_target_value(&event))}
                on:keydown=keydown
                on:blur={move |_| {
                    // A box that leaves the document with the focus in it blurs when its state is gone already.
                    if !editing.text.is_disposed() {
                        editing.add_typed();
                    }
                }}
            />
            {choices(editing, list)}
        </div>
        <p class="problem" id=problem_id role="alert">{move || editing.problem.get()}</p>
    }
    .into_any()
}

fn chips(editing: Editing, input: NodeRef<Input>) -> impl IntoView {
    let remove = move |tag: String| {
        editing.tags.update(|tags| tags.retain(|other| *other != tag));
        if let Some(element) = input.get_untracked() {
            let _ = element.focus();
        }
    };
    move || {
        let chip = |tag: String| {
            let label = format!("Remove tag {tag}");
            let text = tag.clone();
            view! {
                <li class="chip">
                    <span>{text}</span>
                    <button type="button" aria-label=label on:click={move |_| remove(tag.clone())}>"×"</button>
                </li>
            }
        };
        editing.tags.get().into_iter().map(chip).collect_view()
    }
}

fn choices(editing: Editing, id: String) -> impl IntoView {
    let prefix = id.clone();
    let options = move || {
        let option = |(index, tag): (usize, String)| {
            let text = tag.clone();
            let selected = move || (editing.chosen.get() == Some(index)).to_string();
            view! {
                <li
                    role="option"
                    id={format!("{prefix}-{index}")}
                    aria-selected=selected
                    on:mousedown={move |event| {
                        event.prevent_default();
                        editing.add(&tag);
                    }}
                >
                    {text}
                </li>
            }
        };
        editing.offered.get().into_iter().enumerate().map(option).collect_view()
    };
    view! {
        <ul class="tag-choices" role="listbox" aria-label="Tags that exist" id=id
            hidden={move || editing.offered.with(Vec::is_empty)}>
            {options}
        </ul>
    }
}

/// The tags of a form, bound to a signal. Its label stands outside and names `id`.
#[component]
pub fn TagField(
    tags: RwSignal<Vec<String>>,
    #[prop(into)] completion: Signal<Vec<String>>,
    #[prop(into)] id: String,
) -> impl IntoView {
    let editing = Editing::new(tags, completion);
    view! { <TagBox editing=editing id=id on_key=Callback::new(|_| ()) autofocus=false /> }
}

/// An editor of its own, such as on a row: Enter in the empty box saves, Escape gives up.
#[component]
pub fn TagInput(
    tags: Vec<String>,
    #[prop(into)] completion: Signal<Vec<String>>,
    on_save: Callback<Vec<String>>,
    on_cancel: Callback<()>,
) -> impl IntoView {
    let editing = Editing::new(RwSignal::new(tags), completion);
    let save = move || {
        if editing.add_typed() {
            on_save.run(editing.tags.get_untracked());
        }
    };
    let on_key = Callback::new(move |event: KeyboardEvent| {
        // A row listens to keys as well; here they belong to the editor.
        event.stop_propagation();
        match event.key().as_str() {
            "Enter" if !event.is_composing() => save(),
            "Escape" => on_cancel.run(()),
            _ => {}
        }
    });
    view! {
        <div class="tag-editor" role="group" aria-label="Edit tags">
            <TagBox editing=editing id="row-tags".to_owned() on_key=on_key autofocus=true />
            <button type="button" class="button primary small" on:click={move |_| save()}>"Save tags"</button>
            <button type="button" class="button small" on:click={move |_| on_cancel.run(())}>"Cancel"</button>
        </div>
    }
    .into_any()
}
