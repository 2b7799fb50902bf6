//! One question and its answer in HTTP/1.1, by hyper over a connection of ours: no redirects, no proxies, no compression.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use std::pin::pin;
use std::time::UNIX_EPOCH;
use tokio::task::JoinSet;

use super::Wire;
use crate::domain::time::{DAY, SECOND, Timestamp};

/// What we call ourselves.
pub const USER_AGENT: &str = concat!("Patchbay/", env!("CARGO_PKG_VERSION"));
/// Bytes of an answer's headers at most.
const LONGEST_HEAD: usize = 0x0001_0000;

/// What a service answered.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// As long as the one who asked wanted to read.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value, where it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    #[must_use]
    pub fn is_web_page(&self) -> bool {
        // Bytes, for a type that is no text is no reason to believe the page.
        let kind = self.headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
        kind.is_some_and(|kind| kind.windows(4).any(|word| word == b"html"))
    }

    /// Whether the body is compressed, though nobody asked for that.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        let encoding = self.headers.get(CONTENT_ENCODING);
        encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    }

    /// `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3), as milliseconds from now; a day at most.
    #[must_use]
    pub fn retry_after(&self, now: Timestamp) -> Option<i64> {
        let value = self.header(RETRY_AFTER.as_str())?.trim();
        // Some write seconds with a fraction.
        let whole = value.split('.').next().unwrap_or(value);
        let wait = if let Ok(seconds) = whole.parse::<i64>() {
            seconds.saturating_mul(SECOND)
        } else {
            let at = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
            i64::try_from(at.as_millis()).ok()?.saturating_sub(now.0)
        };
        Some(wait.clamp(0, DAY))
    }
}

/// No answer. What it prints is for everybody; `detail` is for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    #[error("What answers here does not speak HTTP, or not as it should. Check the address.")]
    NotHttp { detail: String },
    #[error("The service closed the connection without an answer.")]
    NoAnswer { detail: String },
    #[error("The connection to the service broke off.")]
    Broken { detail: String },
}

impl HttpError {
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::NotHttp { detail } | Self::NoAnswer { detail } | Self::Broken { detail } => detail,
        }
    }
}

impl From<hyper::Error> for HttpError {
    fn from(error: hyper::Error) -> Self {
        let detail = error.to_string();
        if error.is_parse() {
            Self::NotHttp { detail }
        } else if error.is_incomplete_message() || error.is_canceled() {
            Self::NoAnswer { detail }
        } else {
            Self::Broken { detail }
        }
    }
}

/// Carries a conversation on whose bodies stream. Dropping it closes the socket.
pub struct Driver {
    _task: JoinSet<()>,
}

/// Sends the request and reads the head of the answer; both bodies stream, each as fast as its reader takes it.
///
/// # Errors
/// [`HttpError`] where there is no head.
pub async fn stream<B>(wire: Wire, request: Request<B>) -> Result<(Response<Incoming>, Driver), HttpError>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(LONGEST_HEAD).handshake(TokioIo::new(wire)).await?;
    let mut task = JoinSet::new();
    // Its errors are those of the bodies, too.
    task.spawn(async move { drop(connection.await) });
    let response = sender.send_request(request).await?;
    Ok((response, Driver { _task: task }))
}

/// Sends the request and reads the answer, `longest` bytes of its body at most.
///
/// # Errors
/// [`HttpError`] where there is no whole answer up to there.
pub async fn converse(wire: Wire, request: Request<Full<Bytes>>, longest: usize) -> Result<Answer, HttpError> {
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(LONGEST_HEAD).handshake(TokioIo::new(wire)).await?;
    let mut conversation = pin!(async move {
        let (head, mut body) = sender.send_request(request).await?.into_parts();
        let mut read = Vec::new();
        while read.len() < longest
            && let Some(frame) = body.frame().await
        {
            let data = frame?.into_data().unwrap_or_default();
            read.extend_from_slice(&data[..data.len().min(longest - read.len())]);
        }
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: read })
    });
    tokio::select! {
        biased;
        answer = &mut conversation => answer,
        _ = connection => conversation.await,
    }
}
