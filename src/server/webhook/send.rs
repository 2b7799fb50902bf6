//! One attempt: over [`crate::server::dial`] alone, 10 seconds and 4 KiB of the answer at most; no redirects.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use std::time::Duration;
use tokio::time::timeout;
use url::{Position, Url};

use crate::domain::time::Timestamp;
use crate::domain::web_address::is_of_another_protocol;
use crate::server::dial::address::{AddressClass, judge};
use crate::server::dial::host::Host;
use crate::server::dial::http::{Answer, USER_AGENT as OWN_NAME, converse};
use crate::server::dial::tls::{Trust, encrypt};
use crate::server::dial::{Dialer, Steps};

/// Time for one attempt, from resolving to the end of the answer.
const LIMIT: Duration = Duration::from_secs(10);
/// Bytes of an answer's body that are read.
const LONGEST_ANSWER: usize = 0x1000;

/// What is sent.
pub struct Message<'a> {
    pub id: &'a str,
    pub at: Timestamp,
    pub body: &'a str,
    /// With a space between them.
    pub signatures: &'a str,
}

/// Why there was no answer, in words for everybody.
pub type Silence = String;

/// Sends a message to an address.
///
/// # Errors
/// [`Silence`].
pub async fn send(dialer: &Dialer, trust: &Trust, url: &str, message: &Message<'_>) -> Result<Answer, Silence> {
    let sent = timeout(LIMIT, send_patiently(dialer, trust, url, message)).await;
    sent.unwrap_or_else(|_| Err("No whole answer within 10 seconds.".to_owned()))
}

async fn send_patiently(dialer: &Dialer, trust: &Trust, url: &str, message: &Message<'_>) -> Result<Answer, Silence> {
    let wrong = || "This is no address to send to.".to_owned();
    let url = Url::parse(url).map_err(|_| wrong())?;
    let host = Host::parse(url.host_str().unwrap_or_default()).map_err(|_| wrong())?;
    let port = url.port_or_known_default().filter(|port| !is_of_another_protocol(*port)).ok_or_else(wrong)?;
    let request = request(&url, message).ok_or_else(wrong)?;
    let mut steps = Steps::unheard();
    let connected = dialer.connect(&host, port, &mut steps).await.map_err(|error| error.to_string())?;
    let wire = match url.scheme() {
        "https" => {
            encrypt(connected.wire, &host, trust, message.at, &mut steps).await.map_err(|error| error.to_string())?
        }
        _ if judge(connected.peer.ip()) == AddressClass::Public => {
            return Err("Nothing is sent over plain http to a public address. Use https.".to_owned());
        }
        _ => connected.wire,
    };
    converse(wire, request, LONGEST_ANSWER).await.map_err(|error| error.to_string())
}

fn request(url: &Url, message: &Message<'_>) -> Option<Request<Full<Bytes>>> {
    let mut signatures = HeaderValue::from_str(message.signatures).ok()?;
    signatures.set_sensitive(true);
    Request::builder()
        .method(Method::POST)
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, OWN_NAME)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT_ENCODING, "identity")
        .header("webhook-id", message.id)
        .header("webhook-timestamp", message.at.0.div_euclid(1_000))
        .header("webhook-signature", signatures)
        .body(Full::from(message.body.to_owned()))
        .ok()
}
