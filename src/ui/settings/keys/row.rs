//! One key of the list.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Keys;
use crate::api::error::ApiError;
use crate::api::keys::{KeyLine, NamedConnection, revoke_api_key};
use crate::domain::api_key::KeyStanding;
use crate::domain::environment::Environment;
use crate::domain::id::ApiKeyId;
use crate::domain::role::Permission;
use crate::domain::time::{Timestamp, relative, until};
use crate::ui::parts::field_input::focus_soon;
use crate::ui::settings::sure::{Sure, Words};
use crate::ui::state::toasts::Toasts;

#[component]
pub fn KeyRow(key: KeyLine, now: Timestamp) -> impl IntoView {
    let standing = KeyStanding::of(key.created_at, key.last_used_at, key.expires_at, now);
    let mark = mark(&key, standing, now).map(|(class, words)| view! { <span class=class>{words}</span> });
    let prefix = key.prefix.clone().map(|prefix| view! { <code>{prefix}"…"</code> });
    let permissions: Vec<&str> = key.permissions.iter().map(|permission| word(*permission)).collect();
    let environments = key.environments.iter().map(place).collect_view();
    let limit = key.connections.as_deref().map(limit);
    let who = key.created_by.clone().map(|who| format!(" by {who}"));
    let used = match key.last_used_at {
        Some(at) => view! { "Last used "{moment(at, relative(at, now))} }.into_any(),
        None => "Never used".into_any(),
    };
    let end = match key.expires_at {
        Some(end) if end <= now => view! { "Expired "{moment(end, relative(end, now))} }.into_any(),
        Some(end) => view! { "Expires "{moment(end, until(end, now))} }.into_any(),
        None => "Does not expire".into_any(),
    };
    let expired = standing == KeyStanding::Expired;
    view! {
        <li class="key" class:ended=expired>
            <div class="key-about">
                <p class="key-name"><strong>{key.name.clone()}</strong>{prefix}{mark}</p>
                <p class="key-scope"><span>{permissions.join(", ")}</span>{environments}</p>
                {limit}
                <p class="key-times">
                    <span>{used}</span><span>{end}</span>
                    <span>"Made "{moment(key.created_at, relative(key.created_at, now))}{who}</span>
                </p>
            </div>
            <RevokeKey id=key.id name=key.name expired=expired />
        </li>
    }
    .into_any()
}

fn moment(at: Timestamp, words: String) -> AnyView {
    let exact = at.to_rfc3339();
    view! { <time datetime=exact.clone() title=exact>{words}</time> }.into_any()
}

/// What stands out, and how.
fn mark(key: &KeyLine, standing: KeyStanding, now: Timestamp) -> Option<(&'static str, String)> {
    match (standing, key.expires_at) {
        (KeyStanding::Expired, _) => Some(("flag bad", "Expired".to_owned())),
        (KeyStanding::ExpiresSoon, Some(end)) => Some(("flag warn", format!("Expires {}", until(end, now)))),
        (KeyStanding::Idle, _) => Some(("flag warn", "Unused for 3 months".to_owned())),
        _ => None,
    }
}

/// What a permission is called.
pub(super) const fn word(permission: Permission) -> &'static str {
    match permission {
        Permission::Use => "Use",
        Permission::Read => "Read",
        Permission::Write => "Write",
        Permission::Credentials => "Credentials",
    }
}

fn place(environment: Environment) -> AnyView {
    view! { <span class="place" data-environment=environment.as_str()>{environment.label()}</span> }.into_any()
}

fn limit(connections: &[NamedConnection]) -> AnyView {
    if connections.is_empty() {
        return view! { <p class="key-limit">"The connections it was limited to are deleted: it reaches none."</p> }
            .into_any();
    }
    let names: Vec<&str> = connections.iter().map(|one| one.name.as_str()).collect();
    view! { <p class="key-limit">"Only "{names.join(", ")}</p> }.into_any()
}

/// *Revoke*, which asks once more.
#[component]
fn RevokeKey(id: ApiKeyId, name: String, expired: bool) -> impl IntoView {
    let (keys, toasts) = (Keys::expect(), Toasts::expect());
    let busy = RwSignal::new(false);
    let (about, group, told) = (id.to_string(), name.clone(), StoredValue::new(name.clone()));
    let on_sure = Callback::new(move |()| {
        let id = id.clone();
        spawn_local(async move {
            match revoke_api_key(id).await {
                // Somebody else was faster.
                Ok(()) | Err(ApiError::NotFound) => {
                    toasts.tell(format!("{} is revoked: it is refused from now on", told.get_value()));
                    focus_soon(super::NEW.to_owned());
                    keys.fetch();
                }
                Err(error) => {
                    let _ = busy.try_set(false);
                    toasts.complain(error.to_string());
                }
            }
        });
    });
    let question = if expired { "Revoke it?" } else { "Revoke it? Programs that use it are refused at once." };
    let words = Words { ask: "Revoke", question, sure: "Revoke key" };
    view! {
        <div class="deeds" role="group" aria-label=group>
            <Sure words id=about name busy on_sure />
        </div>
    }
    .into_any()
}
