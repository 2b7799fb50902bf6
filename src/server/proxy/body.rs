//! Bodies that stream through: counted, watched for pauses, and never held.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, SizeHint};
use std::any::Any;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// A body of either direction.
pub type Stream = UnsyncBoxBody<Bytes, BoxError>;

/// Why a body broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("more bytes than may pass")]
    TooLarge,
    #[error("nothing came for too long")]
    Paused,
}

/// When something last moved, in either direction.
#[derive(Clone, Debug)]
pub struct Progress(Arc<Mutex<Moves>>);

#[derive(Clone, Copy, Debug)]
struct Moves {
    last: Instant,
    is_too_large: bool,
}

impl Progress {
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Moves { last: Instant::now(), is_too_large: false })))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Moves) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the request was larger than it may be.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.with(|moves| moves.is_too_large)
    }

    /// Does the work as long as something moves.
    ///
    /// # Errors
    /// [`Broken::Paused`].
    pub async fn watch<T>(&self, pause: Duration, work: impl Future<Output = T>) -> Result<T, Broken> {
        let mut work = std::pin::pin!(work);
        loop {
            let due = self.with(|moves| moves.last) + pause;
            tokio::select! {
                done = &mut work => return Ok(done),
                () = sleep_until(due) => {
                    if self.with(|moves| moves.last) + pause <= Instant::now() {
                        return Err(Broken::Paused);
                    }
                }
            }
        }
    }
}

/// A body of which so many bytes may pass, and that may say nothing for so long.
pub struct Measured {
    body: Stream,
    left: u64,
    /// What it holds in all, where that was announced.
    length: Option<u64>,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    progress: Progress,
    /// Kept as long as the body: a place, a connection.
    _held: Box<dyn Any + Send>,
}

impl Measured {
    #[must_use]
    pub fn new(body: Stream, most: u64, pause: Duration, progress: Progress, held: impl Any + Send) -> Self {
        let length = body.size_hint().exact();
        Self { body, left: most, length, pause, waiting: None, progress, _held: Box::new(held) }
    }

    /// The same, of so many bytes.
    #[must_use]
    pub fn announced(self, length: Option<u64>) -> Self {
        Self { length: self.length.or(length), ..self }
    }
}

impl Body for Measured {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
            let due = Instant::now() + self.pause;
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep_until(due)));
            ready!(waiting.as_mut().poll(cx));
            return Poll::Ready(Some(Err(Broken::Paused.into())));
        };
        self.waiting = None;
        self.progress.with(|moves| moves.last = Instant::now());
        // Trailers are of one hop unless both sides agreed on them, which they did not.
        let Some(frame) = frame else { return Poll::Ready(None) };
        let Ok(data) = frame?.into_data() else { return Poll::Ready(None) };
        let Some(left) = self.left.checked_sub(data.len() as u64) else {
            self.progress.with(|moves| moves.is_too_large = true);
            return Poll::Ready(Some(Err(Broken::TooLarge.into())));
        };
        self.left = left;
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt as _, Full, StreamBody};

    fn measured(body: Stream, most: u64) -> Measured {
        Measured::new(body, most, Duration::from_millis(20), Progress::new(), ())
    }

    #[tokio::test]
    async fn a_body_breaks_off_where_it_is_too_large_or_pauses_too_long() {
        let whole = || Full::new(Bytes::from_static(b"12345")).map_err(Into::into).boxed_unsync();
        assert_eq!(measured(whole(), 5).collect().await.expect("whole").to_bytes(), "12345");
        let error = measured(whole(), 4).collect().await.expect_err("too large");
        assert_eq!(error.downcast_ref(), Some(&Broken::TooLarge));
        let silent = StreamBody::new(futures::stream::pending::<Result<Frame<Bytes>, BoxError>>()).boxed_unsync();
        let error = measured(silent, 4).collect().await.expect_err("silent");
        assert_eq!(error.downcast_ref(), Some(&Broken::Paused));
    }
}
