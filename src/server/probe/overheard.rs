//! A connection whose reading is looked at before a library sees it: what the library would misread, or forget.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::server::dial::Wire;

/// Hands everything on but what `hear` turns into an error.
pub struct Overheard<H> {
    wire: Wire,
    hear: H,
}

impl<H: FnMut(io::Result<&[u8]>) -> io::Result<()>> Overheard<H> {
    /// `hear` is given what each reading came to.
    pub const fn over(wire: Wire, hear: H) -> Self {
        Self { wire, hear }
    }
}

impl<H: FnMut(io::Result<&[u8]>) -> io::Result<()> + Unpin> AsyncRead for Overheard<H> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.wire).poll_read(cx, buf));
        Poll::Ready((self.hear)(read.map(|()| &buf.filled()[before..])))
    }
}

impl<H: Unpin> AsyncWrite for Overheard<H> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}
