//! The HTTP client that the `oauth2` crate is given: it hands each request over and waits for the answer.
//!
//! It borrows nothing, because the crate's futures can be sent between threads only with such a client: the compiler
//! cannot prove it of a borrowing one (rust-lang/rust issue 110338).

use futures::future::BoxFuture;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use tokio::sync::{mpsc, oneshot};

use super::error::{Cause, OAuthError, Silence};

type Answer = Result<HttpResponse, OAuthError>;
type Wish = (HttpRequest, oneshot::Sender<Answer>);

/// Where the crate leaves its requests.
pub(super) struct Outlet(mpsc::UnboundedSender<Wish>);

/// Where they are picked up.
pub(super) struct Wishes(mpsc::UnboundedReceiver<Wish>);

pub(super) fn outlet() -> (Outlet, Wishes) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Outlet(sender), Wishes(receiver))
}

impl<'c> AsyncHttpClient<'c> for Outlet {
    type Error = OAuthError;
    type Future = BoxFuture<'c, Answer>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (sender, answer) = oneshot::channel();
            let unheard = || OAuthError::NoEvidence(Silence::new(Cause::Unreachable));
            self.0.send((request, sender)).map_err(|_| unheard())?;
            answer.await.map_err(|_| unheard())?
        })
    }
}

impl Wishes {
    /// Answers what `asking` asks until it is done.
    pub(super) async fn answered<T, F>(mut self, mut asking: BoxFuture<'_, T>, speak: impl Fn(HttpRequest) -> F) -> T
    where
        F: Future<Output = Answer>,
    {
        loop {
            tokio::select! {
                done = &mut asking => return done,
                Some((request, sender)) = self.0.recv() => {
                    // Nobody waits any more: then nobody misses it.
                    let _ = sender.send(speak(request).await);
                }
            }
        }
    }
}
