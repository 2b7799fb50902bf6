//! Connections that nobody signed in for: silent ones, slow ones, and those that read nothing.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures::stream;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

use patchbay::server::http::listen::{Bounds, serve};

const LONG: Duration = Duration::from_secs(20);
const BOUNDS: Bounds =
    Bounds { connections: 2_000, head: Duration::from_millis(500), stall: Duration::from_millis(500) };

async fn start(router: Router, bounds: Bounds) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, router, bounds, std::future::pending()));
    address
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

async fn open(address: SocketAddr, sent: &str) -> TcpStream {
    #[expect(clippy::disallowed_methods, reason = "the test is the client")]
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(sent.as_bytes()).await.expect("sent");
    stream
}

/// What came until the server closed the connection.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let _ = timeout(LONG, stream.read_to_end(&mut text)).await.expect("the server closes it");
    String::from_utf8_lossy(&text).into_owned()
}

async fn ask(address: SocketAddr) -> String {
    until_closed(open(address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await).await
}

#[tokio::test]
async fn connections_that_send_no_whole_head_are_closed() {
    let address = start(hello(), BOUNDS).await;
    for sent in ["", "PRI * HTTP", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nx: y\r\n"] {
        let begun = Instant::now();
        until_closed(open(address, sent).await).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{sent:?} was kept for {:?}", begun.elapsed());
    }
    let idle = open(address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(until_closed(idle).await.ends_with("hello"));
}

#[tokio::test]
async fn three_hundred_silent_connections_keep_nobody_out() {
    let address = start(hello(), Bounds { head: LONG, ..BOUNDS }).await;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(open(address, "").await);
    }
    let begun = Instant::now();
    assert!(ask(address).await.ends_with("hello"));
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn beyond_the_most_connections_others_wait_until_one_is_closed() {
    let address = start(hello(), Bounds { connections: 3, ..BOUNDS }).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(open(address, "").await);
    }
    let begun = Instant::now();
    assert!(ask(address).await.ends_with("hello"));
    assert!(begun.elapsed() + Duration::from_millis(100) >= BOUNDS.head);
}

/// Sends for ever; says when the server lets go of it.
fn endless(gone: UnboundedSender<()>) -> Router {
    struct Told(UnboundedSender<()>);
    impl Drop for Told {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let answer = move || async move {
        let told = Told(gone.clone());
        Body::from_stream(stream::repeat_with(move || {
            let _kept = &told;
            Ok::<_, Infallible>(Bytes::from_static(&[0; 8_192]))
        }))
    };
    Router::new().route("/", get(answer))
}

#[tokio::test]
async fn who_reads_nothing_is_dropped() {
    let (gone, mut was_dropped) = unbounded_channel();
    let address = start(endless(gone), BOUNDS).await;
    let _deaf = open(address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(timeout(LONG, was_dropped.recv()).await, Ok(Some(())));
}

#[tokio::test]
async fn a_stream_that_is_read_outlives_every_limit() {
    let events = || async {
        let silence = stream::pending::<Result<Event, Infallible>>();
        Sse::new(silence).keep_alive(KeepAlive::new().interval(Duration::from_millis(800)))
    };
    let address = start(Router::new().route("/", get(events)), BOUNDS).await;
    let mut stream = open(address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    sleep(Duration::from_secs(3)).await;
    let mut buffer = [0; 4096];
    for _ in 0..3 {
        let read = timeout(LONG, stream.read(&mut buffer)).await.expect("in time").expect("open");
        assert!(read > 0, "the stream was closed");
    }
}
