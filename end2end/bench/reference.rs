//! What the credential fetch is measured against: a handler that does one read by primary key and one insert that is
//! committed in a group, on the same store. An example, so that no build of the product holds it.
//!
//! `reference DATABASE_URL CONNECTION_ID`; prints its address.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use patchbay::domain::environment::Environment;
use patchbay::domain::id::{ConnectionId, WorkspaceId};
use patchbay::server::clock::Clock;
use patchbay::server::store::record::{AuditAction, AuditEntry, Scope};
use patchbay::server::store::{AuditWriter, Store, UseLine};

#[derive(Clone)]
struct Reference {
    store: Store,
    writer: AuditWriter,
    scope: Scope,
    connection: ConnectionId,
    clock: Clock,
}

async fn handle(State(it): State<Reference>) -> Result<&'static str, StatusCode> {
    let unavailable = |_| StatusCode::SERVICE_UNAVAILABLE;
    it.store.data_key(&it.scope).await.map_err(unavailable)?;
    let entry = AuditEntry::system(it.clock.now(), AuditAction::HandedOut, "reference");
    let line = UseLine { scope: it.scope.clone(), connection: it.connection.clone(), entry };
    it.writer.append(line).await.map_err(unavailable)?;
    Ok("ok")
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, connection] = arguments.as_slice() else { panic!("reference DATABASE_URL CONNECTION_ID") };
    let store = Store::open_existing(url).await.expect("a database that a server has made");
    let scope = Scope::whole(WorkspaceId::default_workspace(), Environment::Production);
    let connection = connection.parse().expect("a connection's id");
    let writer = AuditWriter::start(store.clone());
    let app = Router::new().route("/", post(handle)).with_state(Reference {
        store,
        writer,
        scope,
        connection,
        clock: Clock::system(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("listening on {}", listener.local_addr().expect("an address"));
    axum::serve(listener, app).await.expect("served");
}
