//! Turns an API key or a session cookie, never both, into a [`Caller`]; an instance key into a [`Platform`]. A frame's
//! bearer counts by itself: where host and Patchbay are one site, browsers send the session's cookie along.

use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use leptos::prelude::use_context;
use std::net::SocketAddr;

use super::refusal::Refusal;
use super::{AppState, session};
use crate::api::error::ApiError;
use crate::server::service::Services;
use crate::server::service::caller::{Caller, Platform, Principal};
use crate::server::token;

/// Puts the caller, if there is one, into the request's extensions. Turns down what is neither one nor none.
pub async fn layer(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    match identify(&app, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

async fn identify(app: &AppState, request: &mut Request) -> Result<(), Refusal> {
    let path = request.uri().path().to_owned();
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_string());
    let cookie = session::cookie_in(request.headers(), &app.config.public_url);
    if !request.headers().contains_key(header::AUTHORIZATION) {
        let Some(id) = cookie else { return Ok(()) };
        let found = session::resume(app, &id, address).await.map_err(|error| Refusal::new(&path, error))?;
        if let Some((caller, current)) = found {
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(current);
        }
        return Ok(());
    }
    let key = bearer(request.headers()).map(str::to_owned);
    let refused = |error| Refusal::new(&path, error);
    if let Some(bearer) = key.as_ref().filter(|key| key.starts_with(token::BEARER_PREFIX)) {
        let caller = app.services.of_bearer(bearer, address).await.map_err(refused)?;
        request.extensions_mut().insert(caller.ok_or_else(|| Refusal::new(&path, ApiError::FrameSignedOut))?);
        return Ok(());
    }
    if cookie.is_some() {
        return Err(Refusal::two_identities(&path));
    }
    let key = key.ok_or_else(|| Refusal::unknown_key(&path))?;
    if key.starts_with(token::INSTANCE_PREFIX) {
        let platform = of_instance_key(app, &key, address).await.map_err(refused)?;
        request.extensions_mut().insert(platform.ok_or_else(|| Refusal::unknown_key(&path))?);
        return Ok(());
    }
    let caller = of_key(app, &key, address).await.map_err(refused)?;
    request.extensions_mut().insert(caller.ok_or_else(|| Refusal::unknown_key(&path))?);
    Ok(())
}

/// The token of `Authorization: Bearer` (RFC 6750, section 2.1), if it looks like a key of ours.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with(token::KEY_PREFIX)).then_some(token)
}

async fn of_key(app: &AppState, key: &str, address: Option<String>) -> Result<Option<Caller>, ApiError> {
    let services = &app.services;
    let Some(key) = services.api_key(token::hash(key)).await? else { return Ok(None) };
    services.note_key(&key);
    Ok(Some(Caller {
        workspace_name: key.workspace.to_string(),
        workspace: key.workspace,
        principal: Principal::ApiKey {
            id: key.id,
            name: key.name,
            permissions: key.permissions,
            connections: key.connections,
        },
        environments: key.environments,
        operator: false,
        address,
    }))
}

async fn of_instance_key(app: &AppState, key: &str, address: Option<String>) -> Result<Option<Platform>, ApiError> {
    let services = &app.services;
    let Some(key) = services.store.instance_key(token::hash(key)).await? else { return Ok(None) };
    services.note_instance_key(&key);
    Ok(Some(Platform { id: key.id, name: key.name, address }))
}

/// The caller and the use cases, for a server function: over HTTP, and in-process while a page is rendered.
///
/// # Errors
/// [`ApiError::SignedOut`] where the request carried no valid session or key.
pub async fn current() -> Result<(Caller, Services), ApiError> {
    let services = use_context::<Services>().ok_or(ApiError::Internal)?;
    let parts = use_context::<Parts>().ok_or(ApiError::Internal)?;
    let caller = parts.extensions.get::<Caller>().cloned().ok_or(ApiError::SignedOut)?;
    Ok((caller, services))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_key_of_ours_is_read() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, header::HeaderValue::from_static(value));
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(with("Bearer pb_abc").as_deref(), Some("pb_abc"));
        assert_eq!(with("bearer pb_abc").as_deref(), Some("pb_abc"));
        for other in ["Basic cGI6", "Bearer", "Bearer abc", "pb_abc"] {
            assert_eq!(with(other), None, "{other}");
        }
    }
}
