//! A database of its own for each test, on both engines.

use patchbay::domain::connection::Summary;
use patchbay::domain::environment::Environment;
use patchbay::domain::field::FieldValues;
use patchbay::domain::id::{ConnectionId, MemberId, WorkspaceId};
use patchbay::domain::name::ConnectionName;
use patchbay::domain::tag::TagSet;
use patchbay::domain::time::Timestamp;
use patchbay::server::store::record::{
    AuditAction, AuditEntry, Credentials, Found, Judged, NewConnection, Proof, Scope,
};
use patchbay::server::store::{Store, StoreError};
use sqlx::{AnyConnection, Connection, Executor};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// Names the server's maintenance database; the tests make databases of their own beside it.
const POSTGRES: &str = "PATCHBAY_TEST_POSTGRES_URL";

pub struct Database {
    pub url: String,
    pub store: Store,
    pub member: MemberId,
    folder: Option<PathBuf>,
    maintenance: Option<String>,
}

fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("patchbay_store_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Database {
    pub async fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(unique());
        let url = format!("sqlite://{}", folder.join("patchbay.db").display());
        Self::at(url, Some(folder), None).await
    }

    /// `None` where there is no `PostgreSQL` to test against. The locale is no C locale: that would hide faults.
    pub async fn postgres() -> Option<Self> {
        let Ok(maintenance) = std::env::var(POSTGRES) else {
            println!("NOT RUN: store tests on PostgreSQL: {POSTGRES} is not set");
            return None;
        };
        sqlx::any::install_default_drivers();
        let name = unique();
        let mut server = AnyConnection::connect(&maintenance).await.expect("the maintenance database");
        let create =
            format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
        server.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(create))).await.expect("a database");
        let mut url = url::Url::parse(&maintenance).expect("a URL");
        url.set_path(&name);
        Some(Self::at(url.into(), None, Some(maintenance)).await)
    }

    async fn at(url: String, folder: Option<PathBuf>, maintenance: Option<String>) -> Self {
        let store = Store::open(&url).await.expect("a store");
        let member = MemberId::from_bytes([9; 16]);
        store.ensure_default_workspace(Timestamp(1), member.clone()).await.expect("a workspace");
        Self { url, store, member, folder, maintenance }
    }

    /// A connection beside the store's own.
    pub async fn raw(&self) -> AnyConnection {
        AnyConnection::connect(&self.url).await.expect("a connection")
    }

    pub async fn execute(&self, sql: &'static str) {
        self.raw().await.execute(sqlx::raw_sql(sql)).await.expect("executed");
    }

    pub fn file(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.join("patchbay.db"))
    }

    pub async fn remove(self) {
        if let Some(maintenance) = &self.maintenance {
            let name = url::Url::parse(&self.url).expect("a URL").path().trim_start_matches('/').to_owned();
            let mut server = AnyConnection::connect(maintenance).await.expect("the maintenance database");
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            server.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(drop))).await.expect("dropped");
        }
        if let Some(folder) = &self.folder {
            std::fs::remove_dir_all(folder).expect("removed");
        }
    }
}

/// Makes one test on each engine of every `async fn(&Database)` named.
macro_rules! on_both_engines {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let database = crate::database::Database::sqlite().await;
                super::$test(&database).await;
                database.remove().await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(database) = crate::database::Database::postgres().await {
                    super::$test(&database).await;
                    database.remove().await;
                }
            })+
        }
    };
}
pub(crate) use on_both_engines;

pub fn scope(environment: Environment) -> Scope {
    Scope::whole(WorkspaceId::default_workspace(), environment)
}

pub fn production() -> Scope {
    scope(Environment::Production)
}

pub fn entry(action: AuditAction) -> AuditEntry {
    AuditEntry {
        at: Timestamp(1_000),
        actor: "member:test".to_owned(),
        actor_name: "Test".to_owned(),
        address: None,
        action,
        about: String::new(),
    }
}

/// What a check found out about secrets of a version, plain to see.
pub fn found(secret_version: i64, proof: Proof) -> Found {
    let at = proof.evidence.as_ref().map_or(Timestamp(i64::MAX), |evidence| evidence.at);
    let judged = Judged { proof, visible: true, entry: Some(entry(AuditAction::Tested)) };
    Found { at, secret_version, fence: None, judge: Box::new(|_| judged) }
}

pub fn id(number: u32) -> ConnectionId {
    let mut bytes = [0; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    ConnectionId::from_bytes(bytes)
}

pub fn name(text: &str) -> ConnectionName {
    ConnectionName::try_from(text.to_owned()).expect("a name")
}

pub fn tags(texts: &[&str]) -> TagSet {
    TagSet::parse(texts.iter().copied()).expect("tags")
}

pub fn credentials(sealed: &[u8]) -> Credentials {
    Credentials {
        method: "token".to_owned(),
        config: FieldValues::default(),
        sealed: sealed.to_vec(),
        secrets: Vec::new(),
        destination: None,
        grant: None,
        proof: Proof::default(),
    }
}

pub fn new(number: u32, text: &str) -> NewConnection {
    NewConnection {
        owner: None,
        id: id(number),
        component: "slack".to_owned().try_into().expect("a slug"),
        own_component: false,
        name: name(text),
        tags: TagSet::default(),
        credentials: credentials(b"sealed"),
        request_id: None,
        request_digest: None,
    }
}

pub async fn insert(store: &Store, scope: &Scope, number: u32, text: &str) -> Result<Summary, StoreError> {
    store.insert(scope, new(number, text), entry(AuditAction::Created)).await
}
