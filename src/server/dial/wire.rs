//! A connected byte stream, plain or encrypted, that ends a flood.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes read from one connection at most: 1 MiB of answer, and room for handshakes, headers and framing.
const MOST: usize = 0x0014_0000;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection that [`super::Dialer`] made. Dropping it closes the socket.
pub struct Wire {
    inner: Box<dyn Duplex>,
    left: usize,
    encrypted: bool,
}

/// The service sent more than any answer needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service sent more than 1 MiB")]
pub struct Flood;

impl Flood {
    /// Whether this is why reading failed.
    #[must_use]
    pub fn caused(error: &io::Error) -> bool {
        error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}

impl Wire {
    pub(super) fn plain(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { inner: Box::new(stream), left: MOST, encrypted: false }
    }

    pub(super) fn encrypted(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { inner: Box::new(stream), left: MOST, encrypted: true }
    }

    /// The same for bodies that somebody else counts.
    #[must_use]
    pub fn for_long(self) -> Self {
        Self { left: usize::MAX, ..self }
    }

    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other(Flood)));
        }
        let most = self.left.min(buf.remaining());
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        buf.advance(read);
        self.left -= read;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn a_flood_ends_at_the_limit() {
        let endless = tokio::io::join(tokio::io::repeat(b'x'), tokio::io::sink());
        let mut read = Vec::new();
        let error = Wire::plain(endless).read_to_end(&mut read).await.expect_err("a flood");
        assert_eq!(read.len(), MOST);
        assert!(Flood::caused(&error));
    }
}
