//! The real router on a `SQLite` database of its own, with a clock that tests move.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;
use tower::ServiceExt as _;

use patchbay::api::stream::{CreateRequest, ProbeEvent, Saving};
use patchbay::domain::component::ComponentSlug;
use patchbay::domain::connection_set::ConnectionSet;
use patchbay::domain::environment::Environment;
use patchbay::domain::field::FieldValues;
use patchbay::domain::id::{ApiKeyId, InstanceKeyId, MemberId, WorkspaceId};
use patchbay::domain::role::{EnvironmentSet, Permission, Role};
use patchbay::domain::time::{DAY, Timestamp};
use patchbay::server::catalog::Catalog;
use patchbay::server::clock::Clock;
use patchbay::server::config::Config;
use patchbay::server::dial::policy::NetworkPolicy;
use patchbay::server::dial::{Dialer, Open, SystemResolver};
use patchbay::server::http::{AppState, router, sign_in};
use patchbay::server::probe::Prober;
use patchbay::server::random::Random;
use patchbay::server::service::caller::{Caller, Principal};
use patchbay::server::service::{Means, OAuthSetup, Services, Setting};
use patchbay::server::store::record::{AuditAction, AuditEntry};
use patchbay::server::store::{Member, NewApiKey, NewInstanceKey, Store};
use patchbay::server::token;
use patchbay::server::vault::Vault;

pub const ORIGIN: &str = "http://127.0.0.1:3000";
pub const HOST: &str = "https://app.acme.example";
pub const COOKIE: &str = "patchbay-3000";

/// A server without a socket.
pub struct Site {
    pub app: AppState,
    pub owner: Member,
    router: Router,
    now: Arc<AtomicI64>,
    /// Connections that were opened, or tried.
    pub dialled: Arc<AtomicU32>,
    folder: PathBuf,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

/// How a request says who asks.
#[derive(Clone, Debug)]
pub enum As {
    Nobody,
    Cookie(String),
    Key(String),
}

impl Site {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With `PATCHBAY_*` variables beside the defaults.
    pub async fn with(variables: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("patchbay-http-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let data = folder.display().to_string();
        let variable = |name: &str| match name {
            "PATCHBAY_DATA_DIR" => Some(data.clone()),
            _ => variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()),
        };
        let config = Config::read(None, &variable).expect("settings");
        let now = Arc::new(AtomicI64::new(1_800_000_000_000));
        let told = Arc::clone(&now);
        let clock = Clock::steered(move || Timestamp(told.load(Ordering::Relaxed)));
        let random = Random::system();
        let store = Store::open(config.database_url.reveal()).await.expect("a database");
        let vault = Vault::open(store.clone(), config.key_source(), random.clone()).await.expect("a vault");
        let dialled = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&dialled);
        #[expect(clippy::disallowed_methods, reason = "the dialer has checked it, and here it is counted")]
        let open: Open = Arc::new(move |peer| {
            count.fetch_add(1, Ordering::Relaxed);
            Box::pin(TcpStream::connect(peer))
        });
        let policy = NetworkPolicy { local: config.local(), ..NetworkPolicy::default() };
        let dialer = Dialer::new(policy, Arc::new(SystemResolver)).opening_by(open);
        let prober = Prober::new(dialer, clock.clone());
        let catalog = Catalog::load(config.catalog_dir.as_deref()).expect("the catalog");
        let owner_id = MemberId::from_bytes(random.uuid_v7(clock.now()).expect("bytes"));
        let owner = store.ensure_default_workspace(clock.now(), owner_id).await.expect("an owner");
        let setting = Setting { local: config.local(), demo: false, runtime: config.limits.runtime };
        let oauth = OAuthSetup {
            redirect_url: config.public_url.join("/oauth/callback"),
            typed_redirect_url: config.public_url.join("/oauth/callback/own"),
            start_url: config.public_url.join("/oauth/start"),
            ..OAuthSetup::default()
        };
        let services = Services::new(store, vault, catalog, prober, clock, random, setting, oauth);
        let app = AppState { services, config: Arc::new(config) };
        Self { router: router(&app), app, owner, now, dialled, folder }
    }

    /// As after a restart: the catalog's files are read again.
    pub fn reload_catalog(&mut self) {
        let catalog = Catalog::load(self.app.config.catalog_dir.as_deref()).expect("the catalog");
        self.app.services = again(&self.app.services, catalog);
        self.router = router(&self.app);
    }

    /// From now on providers' answers are written down here before they are committed.
    pub fn keep_journal(&mut self, folder: PathBuf) {
        let services = &self.app.services;
        let oauth = OAuthSetup { journal: Some(folder), ..services.oauth.clone() };
        self.app.services = with_oauth(services, services.catalog.clone(), oauth);
        self.router = router(&self.app);
    }

    /// Another server on the same database.
    pub fn replica(&self) -> Self {
        let services = again(&self.app.services, self.app.services.catalog.clone());
        let app = AppState { services, config: Arc::clone(&self.app.config) };
        let (now, dialled) = (Arc::clone(&self.now), Arc::clone(&self.dialled));
        // Its folder is the first one's to remove.
        let folder = self.folder.join("replica");
        Self { router: router(&app), app, owner: self.owner.clone(), now, dialled, folder }
    }

    pub fn pass(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::Relaxed);
    }

    /// For an answer that is read as it comes.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 16 << 20).await.expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// An answer whose body the test reads.
    pub async fn stream(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("an answer")
    }

    /// The head of an answer whose body may go on for long.
    pub async fn head(&self, path: &str, who: &As) -> Answer {
        let response = self.router.clone().oneshot(request("GET", path, who, None)).await.expect("an answer");
        Answer { status: response.status(), headers: response.headers().clone(), text: String::new() }
    }

    pub async fn get(&self, path: &str, who: &As) -> Answer {
        self.send(request("GET", path, who, None)).await
    }

    /// As our own page would send it.
    pub async fn call(&self, method: &str, path: &str, who: &As, body: &Value) -> Answer {
        self.send(request(method, path, who, Some(body.to_string()))).await
    }

    /// A one-time link's token.
    pub async fn link(&self) -> String {
        self.link_of(&self.owner).await
    }

    async fn link_of(&self, member: &Member) -> String {
        let Means { store, clock, random, .. } = &*self.app.services;
        let link = sign_in::new_link(store, clock, random, &self.app.config.public_url, member).await;
        link.expect("a link").split_once('#').expect("a fragment").1.to_owned()
    }

    /// The owner, signed in by a link.
    pub async fn sign_in(&self) -> As {
        self.sign_in_as(&self.owner).await
    }

    async fn sign_in_as(&self, member: &Member) -> As {
        let token = serde_json::json!({ "token": self.link_of(member).await });
        let answer = self.call("POST", "/sign-in", &As::Nobody, &token).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
        As::Cookie(value_of(answer.header("set-cookie")))
    }

    /// A member of its own with a session.
    pub async fn member(&self, role: Role, environments: &[Environment]) -> As {
        let Means { clock, random, .. } = &*self.app.services;
        let id = MemberId::from_bytes(random.uuid_v7(clock.now()).expect("bytes"));
        sqlx::any::install_default_drivers();
        let pool = sqlx::AnyPool::connect(self.app.config.database_url.reveal()).await.expect("the database");
        sqlx::query("INSERT INTO members VALUES ($1, 'default', 'Ada', $2, $3, 0, $4)")
            .bind(id.as_str())
            .bind(role.as_str())
            .bind(serde_json::to_string(environments).expect("JSON"))
            .bind(clock.now().0)
            .execute(&pool)
            .await
            .expect("a member");
        pool.close().await;
        let member = Member { id, role, ..self.owner.clone() };
        self.sign_in_as(&member).await
    }

    pub async fn key(&self, permissions: &[Permission], environments: &[Environment]) -> As {
        self.key_for(permissions, environments, ConnectionSet::Every).await
    }

    /// A key that may use some connections at run time.
    pub async fn key_for(
        &self,
        permissions: &[Permission],
        environments: &[Environment],
        connections: ConnectionSet,
    ) -> As {
        let Means { store, clock, random, .. } = &*self.app.services;
        let key = token::draw(random, token::KEY_PREFIX).expect("bytes");
        let now = clock.now();
        let new = NewApiKey {
            id: ApiKeyId::from_bytes(random.uuid_v7(now).expect("bytes")),
            workspace: WorkspaceId::default_workspace(),
            name: "test".to_owned(),
            prefix: token::shown(&key),
            created_by: "test".to_owned(),
            key_hash: token::hash(key.reveal()),
            environments: EnvironmentSet::try_from(environments.to_vec()).expect("environments"),
            permissions: permissions.to_vec(),
            connections,
            expires_at: Some(now.plus(DAY)),
            created_at: now,
        };
        let entry = AuditEntry {
            at: now,
            actor: "system".to_owned(),
            actor_name: "test".to_owned(),
            address: None,
            action: AuditAction::KeyCreated,
            about: String::new(),
        };
        store.create_api_key(new, entry).await.expect("a key");
        As::Key(key.reveal().to_owned())
    }

    /// A key of the platform.
    pub async fn instance_key(&self) -> As {
        let Means { store, clock, random, .. } = &*self.app.services;
        let key = token::draw(random, token::INSTANCE_PREFIX).expect("bytes");
        let id = InstanceKeyId::from_bytes(random.uuid_v7(clock.now()).expect("bytes"));
        let new = NewInstanceKey { id, name: "platform".to_owned(), key_hash: token::hash(key.reveal()) };
        let entry = AuditEntry::system(clock.now(), AuditAction::KeyCreated, "platform");
        store.create_instance_key(new, entry).await.expect("a key");
        As::Key(key.reveal().to_owned())
    }

    /// A workspace that [`HOST`] may embed.
    pub async fn workspace(&self, id: &str) {
        let platform = self.instance_key().await;
        let body = serde_json::json!({ "name": id, "allowed_origins": [HOST] });
        let answer = self.call("PUT", &format!("/api/v1/workspaces/{id}"), &platform, &body).await;
        assert!(answer.status.is_success(), "{}", answer.text);
    }

    /// What the platform's server gets for one of its users.
    pub async fn ticket(&self, workspace: &str, user: &str, role: Role, environments: &[Environment]) -> String {
        let platform = self.instance_key().await;
        let body = serde_json::json!({
            "workspace": workspace, "user": { "id": user, "name": user }, "role": role, "environments": environments,
            "origin": HOST
        });
        let answer = self.call("POST", "/api/v1/embed/sessions", &platform, &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        answer.json()["ticket"].as_str().expect("a ticket").to_owned()
    }

    /// Somebody in a frame.
    pub async fn end_user(&self, workspace: &str, user: &str, role: Role, environments: &[Environment]) -> As {
        let ticket = self.ticket(workspace, user, role, environments).await;
        let trade = serde_json::json!({ "ticket": ticket, "origin": HOST });
        let answer = self.call("POST", "/embed/token", &As::Nobody, &trade).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        As::Key(answer.json()["token"].as_str().expect("a bearer").to_owned())
    }

    /// A connection that was never checked.
    pub async fn connection(&self, environment: Environment, name: &str) -> String {
        let values = [("token", "ghp_canary000000000000000000000000000000")];
        self.created(environment, name, ("github", "token"), &values, Saving::AsNotActive).await
    }

    /// A connection to an HTTP API that a person vouches for.
    pub async fn vouched(&self, environment: Environment, name: &str, base_url: &str) -> String {
        let values = [("base_url", base_url), ("token", "canary-bearer")];
        self.created(environment, name, ("http", "bearer"), &values, Saving::Vouched).await
    }

    /// A connection saved in this way.
    pub async fn created(
        &self,
        environment: Environment,
        name: &str,
        (component, method): (&str, &str),
        fields: &[(&str, &str)],
        saving: Saving,
    ) -> String {
        let caller = Caller {
            workspace: self.owner.workspace.clone(),
            workspace_name: self.owner.workspace_name.clone(),
            principal: Principal::Member { id: self.owner.id.clone(), name: "Owner".to_owned(), role: Role::Owner },
            environments: EnvironmentSet::EVERY,
            operator: false,
            address: None,
        };
        let mut values = FieldValues::default();
        for (field, value) in fields {
            values.set(field, *value);
        }
        let request = CreateRequest {
            request_id: format!("{environment} {name}"),
            environment,
            component: ComponentSlug::try_from(component.to_owned()).expect("a slug"),
            method: method.to_owned(),
            name: name.to_owned(),
            tags: Vec::new(),
            values,
            saving,
            audience: None,
        };
        let (live, _steps) = unbounded_channel();
        match self.app.services.create(&caller, request, live).await {
            ProbeEvent::Saved { summary, .. } => summary.id.to_string(),
            other => panic!("not created: {other:?}"),
        }
    }
}

/// The use cases of another process, which remembers nothing.
fn again(services: &Services, catalog: Catalog) -> Services {
    let oauth = services.oauth.clone();
    with_oauth(services, catalog, oauth)
}

fn with_oauth(services: &Services, catalog: Catalog, oauth: OAuthSetup) -> Services {
    let Means { store, vault, prober, clock, random, setting, .. } = &**services;
    let (store, vault, prober) = (store.clone(), vault.clone(), prober.clone());
    Services::new(store, vault, catalog, prober, clock.clone(), random.clone(), *setting, oauth)
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A request as our own page sends it.
pub fn request(method: &str, path: &str, who: &As, body: Option<String>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if method != Method::GET {
        request = request.header("sec-fetch-site", "same-origin");
    }
    request = match who {
        As::Nobody => request,
        As::Cookie(id) => request.header(header::COOKIE, format!("{COOKIE}={id}")),
        As::Key(key) => request.header(header::AUTHORIZATION, format!("Bearer {key}")),
    };
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    request.body(body.map_or_else(Body::empty, Body::from)).expect("a request")
}

/// The value in a `Set-Cookie` header.
pub fn value_of(set_cookie: &str) -> String {
    let pair = set_cookie.split(';').next().expect("a pair");
    pair.split_once('=').expect("a value").1.to_owned()
}
