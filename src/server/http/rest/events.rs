//! The feed of events: as JSON by cursor, or as `text/event-stream`.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event as Frame, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use utoipa::{IntoParams, ToSchema};

use super::body::QueryOf;
use super::problem::Problem;
use super::words::{EnvironmentWord, cursor, event_types, reached};
use crate::api::error::ApiError;
use crate::server::http::AppState;
use crate::server::http::changes::{KEEP_ALIVE, LONGEST};
use crate::server::service::Services;
use crate::server::service::caller::Caller;
use crate::server::service::events::EventQuery;
use crate::server::store::{Event, Stretch};

/// Longest wait for news, in seconds.
const LONGEST_WAIT: u64 = 20;
/// The cursor that stands for the end of the feed.
const LATEST: &str = "latest";

/// Which events, and from where on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventParams {
    /// `cursor` of the answer before, or `latest`; from the oldest event that is kept unless given.
    cursor: Option<String>,
    /// Only those in this environment.
    #[param(value_type = Option<EnvironmentWord>, inline)]
    environment: Option<String>,
    /// Only these types, with commas between them.
    #[param(example = "connection.deactivated,connection.expiring")]
    types: Option<String>,
    /// 1 to 200; 50 unless given.
    limit: Option<u32>,
    /// Seconds to wait for an event where there is none yet; at most 20, 0 unless given.
    wait: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub struct EventList {
    items: Vec<EventView>,
    /// Send it as `cursor`, now or later, for what follows.
    cursor: String,
    /// Whether more is there already.
    more: bool,
}

/// An event.
#[derive(Serialize, ToSchema)]
pub struct EventView {
    #[schema(example = "evt_0193e2b1c7f87a3b9d2e4f5061728394")]
    id: String,
    #[serde(rename = "type")]
    #[schema(example = "connection.deactivated")]
    kind: &'static str,
    timestamp: String,
    #[schema(value_type = Object)]
    data: Value,
}

/// What happened to connections, the oldest first. With `Accept: text/event-stream` the answer goes on as things happen;
/// the header `Last-Event-ID` counts as the cursor then.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "listEvents", tag = "events", params(EventParams),
    responses((status = 200, body = EventList), (status = 410, body = Problem), (status = "4XX", body = Problem))
)]
pub async fn events(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    QueryOf(params): QueryOf<EventParams>,
) -> Result<Response, Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let streams = text(header::ACCEPT).is_some_and(|accept| accept.contains("text/event-stream"));
    let resumed = text(header::HeaderName::from_static("last-event-id")).filter(|_| streams);
    let place = resumed.or(params.cursor.as_deref());
    let is_latest = place == Some(LATEST);
    let after = match place {
        Some(LATEST) => Some(app.services.last_event(&caller).await?),
        Some(place) => Some(cursor("cursor", place)?),
        None => None,
    };
    let query = EventQuery {
        environment: params.environment.as_deref().map(|word| reached(&caller, word)).transpose()?,
        kinds: params
            .types
            .as_deref()
            .map(|words| event_types("types", words.split(',')))
            .transpose()?
            .unwrap_or_default(),
        after,
        limit: params.limit,
    };
    let follower = Follower { news: app.services.watch_events(&caller).await?, services: app.services, caller, query };
    if streams {
        return follower.stream().await;
    }
    let wait = if is_latest { 0 } else { u64::from(params.wait.unwrap_or_default()).min(LONGEST_WAIT) };
    Ok(Json(follower.wait(Duration::from_secs(wait)).await?).into_response())
}

/// Somebody who follows the feed.
struct Follower {
    services: Services,
    caller: Caller,
    query: EventQuery,
    news: watch::Receiver<i64>,
}

impl Follower {
    async fn next(&mut self) -> Result<Stretch, Problem> {
        // First, so that what happens while it is read is not slept over.
        self.news.borrow_and_update();
        let stretch = self.services.events(&self.caller, &self.query).await?;
        self.query.after = Some(stretch.until);
        Ok(stretch)
    }

    /// What is there, or comes in time.
    async fn wait(mut self, patience: Duration) -> Result<EventList, Problem> {
        let end = Instant::now() + patience;
        let mut stretch = self.next().await?;
        while stretch.events.is_empty() && matches!(timeout_at(end, self.news.changed()).await, Ok(Ok(()))) {
            stretch = self.next().await?;
        }
        let items = stretch.events.into_iter().map(view).collect::<Result<_, _>>()?;
        Ok(EventList { items, cursor: stretch.until.to_string(), more: stretch.more })
    }

    /// What is there, and what comes. Ends after a while: the follower has to show anew who it is.
    async fn stream(mut self) -> Result<Response, Problem> {
        let end = Instant::now() + LONGEST;
        let first = self.next().await?;
        let frames =
            stream::unfold((self, first, VecDeque::new()), move |(mut follower, mut stretch, mut ready)| async move {
                if Instant::now() >= end {
                    return None;
                }
                ready.extend(std::mem::take(&mut stretch.events));
                while ready.is_empty() {
                    if !stretch.more {
                        timeout_at(end, follower.news.changed()).await.ok()?.ok()?;
                    }
                    stretch = follower.next().await.ok()?;
                    ready.extend(std::mem::take(&mut stretch.events));
                }
                let frame = frame(ready.pop_front()?)?;
                Some((frame, (follower, stretch, ready)))
            });
        // The first byte leaves at once, so that the follower knows it is heard.
        let began = stream::once(async { Frame::default().comment("began") });
        let whole = Sse::new(began.chain(frames).map(Ok::<_, Infallible>));
        Ok(whole.keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
    }
}

fn frame(event: Event) -> Option<Frame> {
    let (id, kind) = (event.sequence.to_string(), event.kind.as_str());
    Frame::default().id(id).event(kind).json_data(view(event).ok()?).ok()
}

fn view(event: Event) -> Result<EventView, ApiError> {
    Ok(EventView {
        id: event.id.into(),
        kind: event.kind.as_str(),
        timestamp: event.at.to_rfc3339(),
        data: serde_json::from_str(&event.data).map_err(|_| ApiError::Internal)?,
    })
}
