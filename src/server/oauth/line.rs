//! The way to providers: over [`crate::server::dial`] alone, 10 seconds and 256 KiB at most, verified where encrypted;
//! no redirects, no proxies, no compression.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

use super::error::{Cause, Silence};
use crate::domain::time::Timestamp;
use crate::domain::web_address::is_of_another_protocol;
use crate::server::clock::Clock;
use crate::server::dial::host::Host;
use crate::server::dial::http::{Answer, converse};
use crate::server::dial::tls::{Trust, encrypt};
use crate::server::dial::{Dialer, Steps};

/// Time for one request, from resolving to the end of the answer.
const LIMIT: Duration = Duration::from_secs(10);
/// Bytes of an answer's body that are read.
const LONGEST_BODY: usize = 0x0004_0000;

/// Puts requests to providers. Cheap to clone.
#[derive(Clone)]
pub struct Line {
    dialer: Dialer,
    clock: Clock,
    trust: Trust,
    limit: Duration,
}

impl Line {
    #[must_use]
    pub const fn new(dialer: Dialer, clock: Clock) -> Self {
        Self { dialer, clock, trust: Trust::Machine, limit: LIMIT }
    }

    /// The same for a provider whose certificate is of an authority of its own.
    #[must_use]
    pub fn trusting(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    #[must_use]
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The same with less patience.
    #[cfg(test)]
    pub(super) fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Sends a request whose target lies at `url`.
    pub(super) async fn send(&self, url: &Url, request: Request<Bytes>) -> Result<Answer, Silence> {
        let sent = AtomicBool::new(false);
        match timeout(self.limit, self.send_patiently(url, request, &sent)).await {
            Ok(answer) => answer,
            Err(_) => Err(Silence { may_have_acted: sent.load(Ordering::Relaxed), ..Silence::new(Cause::TimedOut) }),
        }
    }

    async fn send_patiently(&self, url: &Url, request: Request<Bytes>, sent: &AtomicBool) -> Result<Answer, Silence> {
        let unreachable = || Silence::new(Cause::Unreachable);
        let host = Host::parse(url.host_str().unwrap_or_default()).map_err(|_| unreachable())?;
        let port = url.port_or_known_default().ok_or_else(unreachable)?;
        if is_of_another_protocol(port) {
            return Err(unreachable().with_detail(&format!("port {port} is another protocol's than HTTP")));
        }
        let mut steps = Steps::unheard();
        let connected = self.dialer.connect(&host, port, &mut steps).await;
        let mut wire = connected.map_err(|error| Silence::new(Cause::Unreachable).with_detail(error.detail()))?.wire;
        if url.scheme() == "https" {
            wire = encrypt(wire, &host, &self.trust, self.now(), &mut steps)
                .await
                .map_err(|error| Silence::new(Cause::Tls).with_detail(error.detail()))?;
        }
        sent.store(true, Ordering::Relaxed);
        let answer = converse(wire, request.map(Full::new), LONGEST_BODY + 1)
            .await
            .map_err(|error| Silence::new(Cause::Broken).with_detail(error.detail()))?;
        if answer.body.len() > LONGEST_BODY { Err(Silence::new(Cause::TooLong)) } else { Ok(answer) }
    }
}
