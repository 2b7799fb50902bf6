//! Ten thousand clients that go away in the middle of a request leave nothing open in the database.

use futures::stream::{self, StreamExt as _};
use sqlx::{AnyConnection, Connection as _, Executor as _};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::harness::{As, Site};
use crate::runtime::intact;
use patchbay::domain::environment::Environment::Development;
use patchbay::domain::role::Permission::Credentials;
use patchbay::server::http::listen::{self, Bounds};
use patchbay::server::http::router;

const CLIENTS: u64 = 10_000;
const AT_ONCE: usize = 128;
const RATE: (&str, &str) = ("PATCHBAY_LIMITS_KEY_REQUESTS_PER_SECOND", "1000000");

async fn connect(address: SocketAddr) -> TcpStream {
    #[expect(clippy::disallowed_methods, reason = "the test is the client")]
    let stream = TcpStream::connect(address).await;
    stream.expect("connected")
}

/// Clients that ask for credentials and leave: some before the request is whole, some while it is worked on.
async fn abandon(site: &Site) -> (SocketAddr, String) {
    let id = site.vouched(Development, "API", "https://api.acme.example").await;
    let As::Key(key) = site.key(&[Credentials], &[Development]).await else { panic!("a key") };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(listen::serve(listener, router(&site.app), Bounds::of_this_process(), std::future::pending()));
    let head = format!(
        "POST /api/v1/connections/{id}/credentials HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    );
    let ask = &head;
    stream::iter(0..CLIENTS)
        .for_each_concurrent(AT_ONCE, async |number| {
            let mut stream = connect(address).await;
            let whole = number % 8 != 0;
            let bytes = if whole { format!("{ask}{{}}") } else { format!("{ask}{{") };
            stream.write_all(bytes.as_bytes()).await.expect("sent");
            sleep(Duration::from_micros(number % 40 * 250)).await;
        })
        .await;
    (address, format!("{head}{{}}"))
}

/// Whoever comes afterwards is served as if nothing had happened.
async fn served(address: SocketAddr, request: &str) {
    let mut stream = connect(address).await;
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    timeout(Duration::from_secs(10), stream.read_to_string(&mut answer)).await.expect("in time").expect("read");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_clients_that_leave_keep_no_transaction_open_on_sqlite() {
    let site = Site::with(&[RATE]).await;
    let (address, request) = abandon(&site).await;
    served(address, &request).await;
    let mut raw = AnyConnection::connect(site.app.config.database_url.reveal()).await.expect("a connection");
    raw.execute("PRAGMA busy_timeout = 3000").await.expect("set");
    // The writer's lock is to be had, and nobody reads so long that the log could not be put back.
    raw.execute("BEGIN IMMEDIATE").await.expect("no transaction is open");
    raw.execute("COMMIT").await.expect("ended");
    let row = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut raw).await;
    let (busy, _, _): (i64, i64, i64) = row.expect("a checkpoint");
    assert_eq!(busy, 0, "a reader holds on to what it began");
    intact(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_clients_that_leave_keep_no_transaction_open_on_postgresql() {
    let Ok(maintenance) = std::env::var("PATCHBAY_TEST_POSTGRES_URL") else {
        println!("NOT RUN: ten thousand clients on PostgreSQL: PATCHBAY_TEST_POSTGRES_URL is not set");
        return;
    };
    sqlx::any::install_default_drivers();
    let name = format!("patchbay_disconnect_{}", std::process::id());
    let mut server = AnyConnection::connect(&maintenance).await.expect("the maintenance database");
    server.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))).await.expect("a database");
    let mut url = url::Url::parse(&maintenance).expect("a URL");
    url.set_path(&name);
    let site = Site::with(&[RATE, ("PATCHBAY_DATABASE_URL", url.as_str())]).await;
    let (address, request) = abandon(&site).await;
    served(address, &request).await;
    let open = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = $1 AND xact_start IS NOT NULL";
    let mut left = -1_i64;
    for _ in 0..50 {
        (left,) = sqlx::query_as(open).bind(&name).fetch_one(&mut server).await.expect("counted");
        if left == 0 {
            break;
        }
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(left, 0, "transactions are open though nobody asks");
    intact(&site).await;
    drop(site);
    let gone = format!("DROP DATABASE {name} WITH (FORCE)");
    server.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(gone))).await.expect("dropped");
}
