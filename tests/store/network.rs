//! `PostgreSQL` behind a network that breaks. What is cut off stays open and silent for ever, as where a router lost
//! its state; only connections made after the network is back lead anywhere.

use patchbay::domain::time::Timestamp;
use patchbay::server::store::record::AuditAction;
use patchbay::server::store::{Store, StoreError};
use sqlx::Row;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::database::{Database, entry, insert, new, production};

/// How soon a database that is back has to be in use again.
const SOON: Duration = Duration::from_secs(5);
/// The server ends a transaction that nobody goes on with after ten seconds; until then it holds its locks.
const LOCKS_GONE: Duration = Duration::from_secs(8);

struct Network {
    broken: watch::Sender<bool>,
    url: String,
}

impl Network {
    async fn before(database: &Database) -> Self {
        let mut url = url::Url::parse(&database.url).expect("a URL");
        let server = format!("127.0.0.1:{}", url.port().expect("a port"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        url.set_port(Some(listener.local_addr().expect("an address").port())).expect("set");
        let (broken, watched) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, server.clone(), watched.clone()));
            }
        });
        Self { broken, url: url.into() }
    }

    fn breaks(&self) {
        self.broken.send_replace(true);
    }

    fn is_back(&self) -> Instant {
        self.broken.send_replace(false);
        Instant::now()
    }
}

async fn forward(mut client: TcpStream, server: String, mut broken: watch::Receiver<bool>) {
    #[expect(clippy::disallowed_methods, reason = "the test is the network")]
    let mut server = TcpStream::connect(server).await.expect("connected");
    if !*broken.borrow() {
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = broken.wait_for(|broken| *broken) => {}
        }
    }
    std::future::pending::<()>().await;
}

async fn ready_again(store: &Store, since: Instant) -> Duration {
    while store.ready().await.is_err() {
        assert!(since.elapsed() < Duration::from_mins(1), "never ready again");
    }
    since.elapsed()
}

async fn open_transactions(database: &Database) -> i64 {
    let open = "SELECT COUNT(*) AS open FROM pg_stat_activity \
                WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    sqlx::query(open).fetch_one(&mut database.raw().await).await.expect("counted").get("open")
}

/// A network that carries no word of the server's after those that hold a text.
struct Trap {
    armed: watch::Sender<bool>,
    sprung: Arc<AtomicUsize>,
    url: String,
}

impl Trap {
    async fn before(database: &Database, text: &'static str) -> Self {
        let mut url = url::Url::parse(&database.url).expect("a URL");
        let server = format!("127.0.0.1:{}", url.port().expect("a port"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        url.set_port(Some(listener.local_addr().expect("an address").port())).expect("set");
        // It has to read what it carries.
        url.query_pairs_mut().append_pair("sslmode", "disable");
        let (armed, watched) = watch::channel(true);
        let sprung = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sprung);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward_until(text, client, server.clone(), watched.clone(), Arc::clone(&count)));
            }
        });
        Self { armed, sprung, url: url.into() }
    }
}

async fn forward_until(
    text: &str,
    client: TcpStream,
    server: String,
    armed: watch::Receiver<bool>,
    sprung: Arc<AtomicUsize>,
) {
    #[expect(clippy::disallowed_methods, reason = "the test is the network")]
    let server = TcpStream::connect(server).await.expect("connected");
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
    let mut words = vec![0; 0x10000];
    while let Ok(length @ 1..) = from_server.read(&mut words).await {
        let last = *armed.borrow() && words[..length].windows(text.len()).any(|window| window == text.as_bytes());
        if last {
            // Counted before it is carried: whoever has read it finds it counted.
            sprung.fetch_add(1, Ordering::SeqCst);
        }
        if to_client.write_all(&words[..length]).await.is_err() {
            return;
        }
        if last {
            std::future::pending::<()>().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_break_while_connections_are_given_back_takes_none_of_their_places() {
    let Some(database) = Database::postgres().await else { return };
    insert(&database.store, &production(), 1, "the last word").await.expect("inserted");
    let trap = Trap::before(&database, "the last word").await;
    let store = Store::open(&trap.url).await.expect("a store");
    // As many as the pool has: each reads its answer, and then nothing more.
    let readers = (0..8).map(|_| async { store.snapshot(&production()).await.map(drop) });
    let read = futures::future::join_all(readers).await;
    assert!(read.iter().all(Result::is_ok), "{read:?}");
    assert_eq!(trap.sprung.load(Ordering::SeqCst), 8);
    trap.armed.send_replace(false);
    // Within a moment of their answers they are lent without being asked; then whoever gets one waits as one in the middle
    // of a read does.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let begun = Instant::now();
    store.snapshot(&production()).await.expect("a place");
    println!("read again after {:?}", begun.elapsed());
    assert!(begun.elapsed() < SOON, "read again only after {:?}", begun.elapsed());
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_break_of_seconds_in_the_middle_of_a_write_ends_with_it() {
    let Some(database) = Database::postgres().await else { return };
    let network = Network::before(&database).await;
    let store = Store::open(&network.url).await.expect("a store");
    let writer = store.clone();
    let many = (0..10_000).map(|number| (new(number, &format!("name {number}")), Timestamp(1))).collect();
    tokio::spawn(async move { writer.insert_many(&production(), many, entry(AuditAction::Created)).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    network.breaks();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(open_transactions(&database).await, 1, "the break meets a transaction");
    let back = network.is_back();
    let ready = ready_again(&store, back).await;
    while insert(&store, &production(), 20_000, "after").await.is_err() {}
    println!("ready after {ready:?}, written after {:?}", back.elapsed());
    assert!(ready < SOON, "ready only after {ready:?}");
    assert!(back.elapsed() < LOCKS_GONE, "written only after {:?}", back.elapsed());
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_away_for_long_is_in_use_soon_after() {
    let Some(database) = Database::postgres().await else { return };
    let network = Network::before(&database).await;
    let store = Store::open(&network.url).await.expect("a store");
    // Warm pools: every connection of both is cut off.
    futures::future::join_all((0..16).map(|_| store.ready())).await;
    network.breaks();
    let begun = Instant::now();
    let readers = futures::future::join_all((0..20).map(|_| async { store.snapshot(&production()).await.map(drop) }));
    let writers = futures::future::join_all((0..20).map(|number| {
        let store = &store;
        async move { insert(store, &production(), number, &format!("name {number}")).await.map(drop) }
    }));
    let (read, written) = futures::future::join(readers, writers).await;
    assert!(read.iter().chain(&written).all(|answer| *answer == Err(StoreError::Unavailable)));
    assert!(begun.elapsed() < Duration::from_secs(30), "given up only after {:?}", begun.elapsed());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ready = ready_again(&store, network.is_back()).await;
    println!("given up after {:?}, ready after {ready:?}", begun.elapsed());
    assert!(ready < SOON, "ready only after {ready:?}");
    insert(&store, &production(), 99, "after").await.expect("written");
    database.remove().await;
}
