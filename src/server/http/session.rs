//! Sessions: a random id in a cookie, its hash in the store.

use axum::extract::FromRef;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use super::{AppState, caller};
use crate::api::error::ApiError;
use crate::domain::time::{DAY, Timestamp};
use crate::server::config::PublicUrl;
use crate::server::service::Means;
use crate::server::service::caller::{Caller, Principal};
use crate::server::store::record::{AuditAction, AuditEntry};
use crate::server::store::{Member, NewSession, SignOut};
use crate::server::token;
use crate::server::vault::SecretText;

/// A session unused for so long ends.
const IDLE: i64 = 7 * DAY;
/// A session ends after so long, however much it is used.
const ABSOLUTE: i64 = 30 * DAY;

/// The hash of the session a request came with.
#[derive(Clone, Copy)]
pub struct Current([u8; 32]);

/// Uses a sign-in link up and begins a session; the cookie, or `None` where the link is worth nothing any more.
///
/// # Errors
/// [`ApiError::Unavailable`], [`ApiError::Internal`] without random bytes.
pub async fn begin(
    app: &AppState,
    link: &str,
    before: Option<&SecretText>,
    address: Option<String>,
) -> Result<Option<HeaderValue>, ApiError> {
    let Means { store, clock, random, .. } = &*app.services;
    let (id, now) = (token::draw(random, "")?, clock.now());
    let session = NewSession {
        id_hash: token::hash(id.reveal()),
        before: before.map(|before| token::hash(before.reveal())),
        at: now,
        idle_until: now.plus(IDLE),
        absolute_until: now.plus(ABSOLUTE),
    };
    // Made first: whatever fails, fails before the link is used up.
    let cookie = set_cookie(&app.config.public_url, id.reveal(), ABSOLUTE)?;
    let entry = move |member: &Member| signed_in(member, now, address);
    Ok(store.sign_in(token::hash(link), session, entry).await?.map(|_| cookie))
}

fn signed_in(member: &Member, at: Timestamp, address: Option<String>) -> AuditEntry {
    AuditEntry {
        at,
        actor: format!("member:{}", member.id),
        actor_name: member.name.clone(),
        address,
        action: AuditAction::SignedIn,
        about: "one-time link".to_owned(),
    }
}

/// The member a session belongs to, and the session; `None` once it has ended.
///
/// # Errors
/// [`ApiError::Unavailable`].
pub async fn resume(
    app: &AppState,
    id: &SecretText,
    address: Option<String>,
) -> Result<Option<(Caller, Current)>, ApiError> {
    let Means { store, clock, .. } = &*app.services;
    let (now, hash) = (clock.now(), token::hash(id.reveal()));
    let Some((member, seen_at)) = store.session(hash, now).await? else { return Ok(None) };
    app.services.note_session(hash, seen_at, IDLE);
    Ok(Some((of_member(member, address), Current(hash))))
}

fn of_member(member: Member, address: Option<String>) -> Caller {
    Caller {
        workspace: member.workspace,
        workspace_name: member.workspace_name,
        principal: Principal::Member { id: member.id, name: member.name, role: member.role },
        environments: member.environments,
        operator: member.operator,
        address,
    }
}

/// Ends the session of the server function being run, or every session of its member, and takes the cookie back.
///
/// # Errors
/// [`ApiError::SignedOut`] where there is none, [`ApiError::Unavailable`].
pub async fn end_current(everywhere: bool) -> Result<(), ApiError> {
    let (caller, services) = caller::current().await?;
    let parts = use_context::<Parts>().ok_or(ApiError::Internal)?;
    let Some(Current(hash)) = parts.extensions.get::<Current>() else { return Err(ApiError::SignedOut) };
    let audit = caller.audit(&services.clock, AuditAction::SignedOut, if everywhere { "everywhere" } else { "" });
    let which = match &caller.principal {
        Principal::Member { id, .. } if everywhere => SignOut::Everywhere(id.clone()),
        _ => SignOut::Session(*hash),
    };
    services.store.sign_out(&caller.workspace, which, audit).await?;
    if let (Some(url), Some(response)) = (use_context::<PublicUrl>(), use_context::<ResponseOptions>()) {
        response.append_header(header::SET_COOKIE, set_cookie(&url, "", 0)?);
    }
    Ok(())
}

impl FromRef<AppState> for PublicUrl {
    fn from_ref(app: &AppState) -> Self {
        app.config.public_url.clone()
    }
}

/// The session id a request came with.
#[must_use]
pub fn cookie_in(headers: &HeaderMap, url: &PublicUrl) -> Option<SecretText> {
    value_of(headers, &cookie_name(url)).map(SecretText::new)
}

/// The value of a cookie by its name.
#[must_use]
pub fn value_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    texts
        .flat_map(Cookie::split_parse)
        .flatten()
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

/// `__Host-` binds a cookie to one host, but demands the path `/`; `__Secure-` allows another path. Browsers reject
/// both without `Secure`, so plain http has a plain name, with the port: cookies do not tell ports apart, and a
/// sample workspace on the next port must not sign anybody out.
fn cookie_name(url: &PublicUrl) -> String {
    cookie_name_of(url, "patchbay")
}

/// The same for a cookie of another purpose.
pub fn cookie_name_of(url: &PublicUrl, purpose: &str) -> String {
    match (url.https(), url.base()) {
        (true, "") => format!("__Host-{purpose}"),
        (true, _) => format!("__Secure-{purpose}"),
        (false, _) => format!("{purpose}-{}", url.port()),
    }
}

/// `milliseconds` of life; zero takes it back.
fn set_cookie(url: &PublicUrl, value: &str, milliseconds: i64) -> Result<HeaderValue, ApiError> {
    let path = if url.base().is_empty() { "/" } else { url.base() };
    let cookie = Cookie::build((cookie_name(url), value))
        .path(path)
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(url.https())
        .max_age(cookie::time::Duration::milliseconds(milliseconds));
    HeaderValue::try_from(cookie.to_string()).map_err(|_| ApiError::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie_at(url: &str) -> String {
        let url = PublicUrl::parse(url).expect("a good URL");
        set_cookie(&url, "id", DAY).expect("a header").to_str().expect("text").to_owned()
    }

    #[test]
    fn the_cookie_is_as_strict_as_the_url_allows() {
        assert_eq!(
            cookie_at("https://a.example"),
            "__Host-patchbay=id; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=86400"
        );
        assert!(cookie_at("https://a.example/x").starts_with("__Secure-patchbay=id; "));
        assert!(cookie_at("https://a.example/x").contains("Path=/x;"));
        assert_eq!(
            cookie_at("http://127.0.0.1:3000"),
            "patchbay-3000=id; HttpOnly; SameSite=Lax; Path=/; Max-Age=86400"
        );
    }
}
