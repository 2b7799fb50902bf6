//! Accepts connections. hyper's own builder, because axum's `serve` sets no limits: whoever has not signed in can open
//! as many connections as they like, and must not be able to keep them.

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

use super::stall::Unstalled;

/// How long a shutdown waits for requests being answered.
const GRACE: Duration = Duration::from_secs(10);
/// After an accept that failed, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);
/// How often the log tells that no more connections can be accepted.
const TOLD_EVERY: Duration = Duration::from_mins(1);
/// Most open connections.
const CONNECTIONS: usize = 2_000;
/// Where it cannot be found out how many files may be open: half of what macOS allows.
const FEW_CONNECTIONS: usize = 128;

/// What a connection may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Most connections open at once; others wait until one is closed.
    pub connections: usize,
    /// Until a request's head has to be there, the first one's as well as the next one's.
    pub head: Duration,
    /// How long a peer may take nothing of what is sent to it.
    pub stall: Duration,
}

impl Bounds {
    /// Half of the files that this process may open are left to the database, to probes and to the rest.
    #[must_use]
    pub fn of_this_process() -> Self {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let connections = open_files(&limits).map_or(FEW_CONNECTIONS, |files| (files / 2).clamp(1, CONNECTIONS));
        Self { connections, head: Duration::from_secs(10), stall: Duration::from_secs(30) }
    }
}

/// The soft limit of open files, of proc(5)'s `limits`.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

/// Serves until `stop` is done, then lets running requests finish.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, stop: impl Future<Output = ()>) {
    // HTTP/1 only: browsers speak HTTP/2 over TLS alone, proxies need it of nobody behind them, and hyper sets its
    // connections no time limit.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(bounds.head);
    let server = Server { builder, shutdown: GracefulShutdown::new(), router, bounds };
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut complaint = Complaint::default();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places, &mut complaint) => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer, place)) => server.answer(stream, peer, place),
            Err(error) => {
                complaint.tell(&format!("a connection could not be accepted: {:?}", error.kind()));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(GRACE, server.shutdown.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time; they are cut off");
    }
}

/// The next connection, once there is a place for it. Until then the operating system keeps it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    complaint: &mut Complaint,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    if places.available_permits() == 0 {
        complaint.tell("as many connections are open as may be; others wait");
    }
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

struct Server {
    builder: Builder<TokioExecutor>,
    shutdown: GracefulShutdown,
    router: Router,
    bounds: Bounds,
}

impl Server {
    fn answer(&self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        // Small answers must not wait for the next packet; where it cannot be set, they only come later.
        let _ = stream.set_nodelay(true);
        let service = self.router.clone().map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.map(axum::body::Body::new)
        });
        let io = TokioIo::new(Unstalled::new(stream, self.bounds.stall));
        let connection = self.builder.serve_connection(io, TowerToHyperService::new(service)).into_owned();
        let watched = self.shutdown.watch(connection);
        tokio::spawn(async move {
            // The peer went away, took too long or spoke no HTTP: nothing that anybody could mend.
            let _ = watched.await;
            drop(place);
        });
    }
}

/// A warning that would otherwise fill the log.
#[derive(Default)]
struct Complaint {
    told: Option<Instant>,
}

impl Complaint {
    fn tell(&mut self, what: &str) {
        if self.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            self.told = Some(Instant::now());
            tracing::warn!("{what}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_open_files_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             unlimited            unlimited            processes \n\
                      Max open files            1024                 1048576              files     \n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(open_files(&limits.replace("1024 ", "unlimited")), Some(usize::MAX));
        assert_eq!(open_files(""), None);
    }
}
