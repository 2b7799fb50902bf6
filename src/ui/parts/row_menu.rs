//! What can be done to one connection: a button on each row, and one menu for all rows.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::row::{Table, labelled_by};
use crate::browser::popover;
use crate::domain::connection::Summary;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::ui::dialogs::testing::test_now;
use crate::ui::state::dialogs::{Dialog, Dialogs};
use crate::ui::state::list::ListState;
use crate::ui::state::seats::Seat;
use crate::ui::state::toasts::Toasts;

/// The element that shows the menu.
const MENU: &str = "row-menu";

/// Which connection the menu speaks of.
#[derive(Clone, Copy)]
pub struct MenuFor(RwSignal<Option<Summary>>);

impl MenuFor {
    pub fn provide() -> Self {
        let menu = Self(RwSignal::new(None));
        provide_context(menu);
        menu
    }

    #[must_use]
    pub fn is_for(self, id: &ConnectionId) -> bool {
        self.0.with(|menu| menu.as_ref().is_some_and(|menu| menu.id == *id))
    }
}

/// The button at a row's end.
#[component]
pub fn RowMenu(key: usize, table: Table, seat: Memo<Seat>, expanded: bool) -> impl IntoView {
    let MenuFor(menu) = table.menu;
    let open = move |event: leptos::ev::MouseEvent| {
        menu.set(Some(seat.with_untracked(|seat| seat.row.summary.clone())));
        popover::open_at(MENU, &event);
    };
    view! {
        <div role="cell" class="actions">
            <button
                type="button"
                class="icon-button dots"
                id=format!("row-{key}-menu")
                aria-label="Actions for"
                aria-labelledby=labelled_by(key, "menu")
                aria-haspopup="menu"
                aria-expanded=expanded.to_string()
                on:click=open
            ></button>
        </div>
    }
    .into_any()
}

/// What an item does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Open,
    Test,
    Edit,
    EditTags,
    Replace,
    Delete,
}

impl Deed {
    const ALL: [Self; 6] = [Self::Open, Self::Test, Self::Edit, Self::EditTags, Self::Replace, Self::Delete];

    const fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Test => "Test now",
            Self::Edit => "Edit",
            Self::EditTags => "Edit tags",
            Self::Replace => "Replace everywhere",
            Self::Delete => "Delete",
        }
    }

    const fn action(self) -> Action {
        match self {
            Self::Open => Action::ViewConnections,
            Self::Test => Action::TestConnection,
            Self::Edit => Action::EditConnection,
            Self::EditTags => Action::TagConnection,
            Self::Replace => Action::ReplaceConnection,
            Self::Delete => Action::DeleteConnection,
        }
    }
}

/// The menu itself: one native popover, put where it was asked for.
#[component]
pub fn RowMenuPopover() -> impl IntoView {
    let state = ListState::expect();
    let dialogs = Dialogs::expect();
    let toasts = Toasts::expect();
    let MenuFor(menu) = expect_context();
    let navigate = use_navigate();
    let carry_out = Callback::new(move |(deed, id): (Deed, ConnectionId)| match deed {
        Deed::Open => {
            let url = untrack(|| state.detail_link(&id));
            navigate(&url, NavigateOptions { resolve: false, scroll: false, ..Default::default() });
        }
        Deed::Test => test_now(state, toasts, id),
        Deed::Edit => dialogs.open(Dialog::Edit(id)),
        Deed::EditTags => state.editing_tags.set(Some(id)),
        Deed::Replace => dialogs.open(Dialog::Replace(id)),
        Deed::Delete => dialogs.open(Dialog::Delete(id)),
    });
    let item = move |deed: Deed| {
        let choose = move |_| {
            let chosen = menu.with_untracked(|menu| menu.as_ref().map(|summary| summary.id.clone()));
            popover::close(MENU);
            if let Some(id) = chosen {
                carry_out.run((deed, id));
            }
        };
        let class = if deed == Deed::Delete { "menu-item danger" } else { "menu-item" };
        // Only where workflows use it is there anything to replace.
        let hidden = move || {
            let is_used = |summary: &Summary| summary.workflows.is_some_and(|count| count > 0);
            deed == Deed::Replace && !menu.with(|menu| menu.as_ref().is_some_and(is_used))
        };
        view! { <button type="button" role="menuitem" tabindex="-1" class=class hidden=hidden on:click=choose>{deed.label()}</button> }
    };
    let keydown = move |event: KeyboardEvent| popover::move_in_menu(MENU, &event);
    let label = move || menu.with(|menu| menu.as_ref().map(|summary| format!("Actions for {}", summary.name)));
    view! {
        <div class="menu" id=MENU role="menu" popover="auto" aria-label=move || label() on:keydown=keydown
            on:toggle=move |_| if !popover::is_open(MENU) { menu.set(None) }>
            {Deed::ALL.into_iter().filter(|deed| state.may(deed.action())).map(item).collect_view()}
        </div>
    }
    .into_any()
}
