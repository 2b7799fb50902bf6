//! Requests of runtimes, sent with a credential that stays here: what goes out and what comes back, and nothing of who
//! may ask.

pub mod body;
pub mod headers;
pub mod target;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use url::Url;

use crate::domain::web_address::is_of_another_protocol;
use crate::server::clock::Clock;
use crate::server::dial::host::Host;
use crate::server::dial::http::{Driver, HttpError, stream};
use crate::server::dial::tls::{TlsError, Trust, encrypt};
use crate::server::dial::{DialError, Dialer, Steps};
use crate::server::probe::http_request::Shape;
use body::{Measured, Stream};

/// A request as a runtime sent it.
pub struct Inquiry {
    pub method: Method,
    /// Below the base URL, as it was sent: empty, or beginning with `/`.
    pub path: String,
    pub query: Option<String>,
    pub headers: HeaderMap,
}

/// The body of a request.
pub enum Sent {
    /// Small enough to be sent again.
    Whole(Bytes),
    /// Passed on as it comes.
    Stream { body: Stream, length: Option<u64> },
}

/// What a service answered, as the caller may see it.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub redirect: Option<Redirect>,
    pub body: Measured,
}

/// Where a service wants the caller to go, who is not taken there.
pub enum Redirect {
    /// Path and query below the base URL.
    Below(String),
    Elsewhere(String),
}

/// Why a service gave no answer. What it prints is for everybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("Port {0} is another protocol's than HTTP.")]
    OtherProtocol(u16),
    #[error("The base URL is not a complete address.")]
    Address,
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("The request holds a header that cannot be sent.")]
    Header,
    #[error("A signed request is signed as a whole: send a body of 256 KiB at most, and announce its length.")]
    Unsignable,
}

/// The request to the service: origin form, with the credential in its place.
///
/// # Errors
/// [`NoAnswer::Address`], [`NoAnswer::Header`].
pub fn outgoing(inquiry: &Inquiry, shape: &Shape, url: &Url) -> Result<Request<()>, NoAnswer> {
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request =
        Request::builder().method(inquiry.method.clone()).uri(target).body(()).map_err(|_| NoAnswer::Address)?;
    *request.headers_mut() = headers::outward(&inquiry.headers, shape, url).ok_or(NoAnswer::Header)?;
    Ok(request)
}

/// The same, signed over its whole body where the service wants that.
///
/// # Errors
/// [`NoAnswer::Unsignable`].
pub fn signed(
    request: Request<()>,
    shape: &Shape,
    url: &Url,
    body: &Sent,
    clock: &Clock,
) -> Result<Request<()>, NoAnswer> {
    let Some(signer) = &shape.signer else { return Ok(request) };
    let Sent::Whole(bytes) = body else { return Err(NoAnswer::Unsignable) };
    let mut whole = request.map(|()| bytes.clone());
    signer.sign(&mut whole, url.as_str(), clock.now()).map_err(|_| NoAnswer::Unsignable)?;
    Ok(whole.map(drop))
}

/// Sends a request and reads the head of the answer. Dropping what comes back closes the socket.
///
/// # Errors
/// [`NoAnswer`].
pub async fn exchange(
    dialer: &Dialer,
    clock: &Clock,
    url: &Url,
    trust: &Trust,
    request: Request<Measured>,
) -> Result<(Response<Incoming>, Driver), NoAnswer> {
    let host = Host::parse(url.host_str().unwrap_or_default()).map_err(|_| NoAnswer::Address)?;
    let port = url.port_or_known_default().ok_or(NoAnswer::Address)?;
    if is_of_another_protocol(port) {
        return Err(NoAnswer::OtherProtocol(port));
    }
    let mut steps = Steps::unheard();
    let mut wire = dialer.connect(&host, port, &mut steps).await?.wire.for_long();
    if url.scheme() == "https" {
        wire = encrypt(wire, &host, trust, clock.now(), &mut steps).await?.for_long();
    }
    Ok(stream(wire, request).await?)
}

/// A body that is at hand, as one that streams.
#[must_use]
pub fn at_hand(bytes: Bytes) -> Stream {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}
