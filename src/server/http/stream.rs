//! Creation, update, test and trial, answered step by step as `text/event-stream`.
//!
//! The work runs inside the response's body: when the browser closes it, the work is dropped, and with it the
//! connection to the service. What is being committed runs in a task of the use case and finishes.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt, stream};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::AppState;
use crate::api::error::ApiError;
use crate::api::stream::{CreateRequest, ProbeEvent, TestRequest, TryRequest, UpdateRequest};
use crate::domain::evidence::Step;
use crate::server::service::Services;
use crate::server::service::caller::Caller;

/// Silence after which a comment keeps proxies from closing the stream.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

type Body<T> = Result<Json<T>, JsonRejection>;

/// `POST /rpc/stream/create`.
pub async fn create(app: State<AppState>, caller: Extension<Caller>, body: Body<CreateRequest>) -> Response {
    run(app, caller, body, |services, caller, request, live| {
        Box::pin(async move { services.create(&caller, request, live).await })
    })
}

/// `POST /rpc/stream/update`.
pub async fn update(app: State<AppState>, caller: Extension<Caller>, body: Body<UpdateRequest>) -> Response {
    run(app, caller, body, |services, caller, request, live| {
        Box::pin(async move { services.update(&caller, request, live).await })
    })
}

/// `POST /rpc/stream/test`.
pub async fn test(app: State<AppState>, caller: Extension<Caller>, body: Body<TestRequest>) -> Response {
    run(app, caller, body, |services, caller, request, live| {
        Box::pin(async move { services.test(&caller, request, live).await })
    })
}

/// `POST /rpc/stream/try`.
pub async fn try_out(app: State<AppState>, caller: Extension<Caller>, body: Body<TryRequest>) -> Response {
    run(app, caller, body, |services, caller, request, live| {
        Box::pin(async move { services.try_component(&caller, request, live).await })
    })
}

fn run<T>(
    State(app): State<AppState>,
    Extension(caller): Extension<Caller>,
    body: Body<T>,
    work: impl FnOnce(Services, Caller, T, UnboundedSender<Step>) -> BoxFuture<'static, ProbeEvent>,
) -> Response {
    let request = match body {
        Ok(Json(request)) => request,
        Err(rejection) => {
            return (rejection.status(), Json(ApiError::Outdated)).into_response();
        }
    };
    let (live, steps) = unbounded_channel();
    let events = events(steps, work(app.services, caller, request, live));
    // The first byte leaves at once, before the service has answered anything.
    let began = stream::once(async { Event::default().comment("began") });
    let framed = events.enumerate().map(|(number, event)| frame(number, &event));
    let whole = began.chain(framed).map(Ok::<_, Infallible>);
    Sse::new(whole).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

fn frame(number: usize, event: &ProbeEvent) -> Event {
    let named = Event::default().id(number.to_string());
    // A ProbeEvent always serialises; were it not so, the reader would take the comment for silence.
    named.json_data(event).unwrap_or_else(|_| Event::default().comment("unreadable"))
}

/// Steps as they come, then the end. Steps are on their way even after the work is done, so the channel is emptied.
fn events(steps: UnboundedReceiver<Step>, work: BoxFuture<'static, ProbeEvent>) -> impl Stream<Item = ProbeEvent> {
    stream::unfold(Stage::Working(steps, work), |stage| async move {
        match stage {
            Stage::Working(mut steps, mut work) => tokio::select! {
                biased;
                Some(step) = steps.recv() => Some((ProbeEvent::Step { step }, Stage::Working(steps, work))),
                end = &mut work => {
                    drop(work);
                    next_left(steps, Box::new(end)).await
                }
            },
            Stage::Emptying(steps, end) => next_left(steps, end).await,
            Stage::Over => None,
        }
    })
}

async fn next_left(mut steps: UnboundedReceiver<Step>, end: Box<ProbeEvent>) -> Option<(ProbeEvent, Stage)> {
    match steps.recv().await {
        Some(step) => Some((ProbeEvent::Step { step }, Stage::Emptying(steps, end))),
        None => Some((*end, Stage::Over)),
    }
}

enum Stage {
    Working(UnboundedReceiver<Step>, BoxFuture<'static, ProbeEvent>),
    Emptying(UnboundedReceiver<Step>, Box<ProbeEvent>),
    Over,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::evidence::StepKind;

    #[tokio::test]
    async fn every_step_comes_before_the_end_even_a_late_one() {
        let (live, steps) = unbounded_channel();
        let work = Box::pin(async move {
            let _ = live.send(Step::running(StepKind::Resolve));
            tokio::spawn(async move {
                tokio::task::yield_now().await;
                live.send(Step::running(StepKind::Connect))
            });
            ProbeEvent::Failed { error: ApiError::Busy }
        });
        let all: Vec<_> = events(steps, work).collect().await;
        assert!(matches!(
            all.as_slice(),
            [ProbeEvent::Step { .. }, ProbeEvent::Step { .. }, ProbeEvent::Failed { .. }]
        ));
    }

    #[tokio::test]
    async fn dropping_the_stream_drops_the_work() {
        let (live, steps) = unbounded_channel();
        let (dropped, was_dropped) = tokio::sync::oneshot::channel::<()>();
        let work = Box::pin(async move {
            let _keep = (live, dropped);
            std::future::pending::<ProbeEvent>().await
        });
        drop(Box::pin(events(steps, work)));
        assert!(was_dropped.await.is_err());
    }
}
