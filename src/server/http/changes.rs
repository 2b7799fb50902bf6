//! Tells an open page that its environment changed, as `text/event-stream`: each event is the new revision.

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use serde::Deserialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;

use super::AppState;
use super::refusal::Refusal;
use crate::domain::environment::Environment;
use crate::server::service::caller::Caller;

/// Silence after which a comment keeps proxies from closing the stream.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// After this the page has to ask again, and shows anew who it is.
pub(super) const LONGEST: Duration = Duration::from_mins(10);

#[derive(Deserialize)]
pub struct Which {
    env: Environment,
}

/// `GET /rpc/stream/changes?env=`.
pub async fn changes(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    Query(which): Query<Which>,
) -> Response {
    let revisions = match app.services.watch(&caller, which.env).await {
        Ok(revisions) => revisions,
        Err(error) => return Refusal::new("/rpc/stream/changes", error).into_response(),
    };
    let end = Instant::now() + LONGEST;
    let news = stream::unfold(revisions, move |mut revisions| async move {
        tokio::time::timeout_at(end, revisions.changed()).await.ok()?.ok()?;
        let revision = *revisions.borrow_and_update();
        Some((Event::default().data(revision.to_string()), revisions))
    });
    // The first byte leaves at once, so that the page knows it is heard.
    let began = stream::once(async { Event::default().comment("began") });
    Sse::new(began.chain(news).map(Ok::<_, Infallible>))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response()
}
