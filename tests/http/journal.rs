//! The provider has renewed, and the database does not take it: the answer is kept, and where a journal is kept, beyond
//! the process.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use patchbay::domain::environment::Environment;
use patchbay::domain::id::ConnectionId;
use patchbay::domain::owner::Sight;
use patchbay::domain::time::{HOUR, MINUTE};
use patchbay::server::store::record::{RenewalClaim, Scope};
use sqlx::{AnyConnection, Connection as _, Executor as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;

use crate::connect::{Provider, connected, test};
use crate::harness::{As, Site};

/// Names the server's maintenance database.
const POSTGRES: &str = "PATCHBAY_TEST_POSTGRES_URL";

macro_rules! on_both_engines {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(super::Scene::new(None).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(url) = super::database().await {
                    super::$test(super::Scene::new(Some(url)).await).await;
                }
            })+
        }
    };
}

on_both_engines!(
    an_answer_is_held_in_memory_while_the_database_is_away,
    what_a_dead_process_wrote_down_is_committed_at_the_next_start,
    whoever_takes_the_renewal_over_presents_nothing_again,
    a_note_of_another_key_replaces_nothing_and_is_left,
);

/// A database of its own; `None` where there is no `PostgreSQL`.
async fn database() -> Option<String> {
    let Ok(maintenance) = std::env::var(POSTGRES) else {
        println!("NOT RUN: journal tests on PostgreSQL: {POSTGRES} is not set");
        return None;
    };
    sqlx::any::install_default_drivers();
    let name = format!("patchbay_journal_{}", unique());
    let mut server = AnyConnection::connect(&maintenance).await.expect("the maintenance database");
    let create = format!("CREATE DATABASE {name}");
    server.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(create))).await.expect("a database");
    let mut url = url::Url::parse(&maintenance).expect("a URL");
    url.set_path(&name);
    Some(url.into())
}

fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// One connected account whose token is due.
struct Scene {
    site: Site,
    owner: As,
    provider: Provider,
    id: String,
    url: String,
}

impl Scene {
    async fn new(url: Option<String>) -> Self {
        let set: Vec<(&str, &str)> = url.iter().map(|url| ("PATCHBAY_DATABASE_URL", url.as_str())).collect();
        let (site, provider) = (Site::with(&set).await, Provider::start().await);
        let owner = site.sign_in().await;
        let id = connected(&site, &provider, &owner).await;
        site.pass(2 * HOUR);
        let url = site.app.config.database_url.reveal().to_owned();
        Self { site, owner, provider, id, url }
    }

    /// From now on answers are written down here first.
    fn keep_journal(&mut self) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("patchbay-journal-{}", unique()));
        std::fs::create_dir_all(&folder).expect("a folder");
        self.site.keep_journal(folder.clone());
        folder
    }

    async fn claim(&self) -> RenewalClaim {
        let services = &self.site.app.services;
        let now = services.clock.now();
        services.store.claim_renewals(now, now.plus(MINUTE), 1, Default::default()).await.expect("claims").remove(0)
    }

    /// Nobody can write, until what is returned is dropped.
    async fn away(&self) -> AnyConnection {
        let mut other = AnyConnection::connect(&self.url).await.expect("a connection");
        let lock = if self.url.starts_with("sqlite") {
            "BEGIN IMMEDIATE"
        } else {
            "BEGIN; LOCK TABLE connections IN EXCLUSIVE MODE"
        };
        other.execute(sqlx::raw_sql(lock)).await.expect("locked");
        other
    }

    /// Renews on a task of its own, until the provider has answered.
    async fn renew_until_answered(&self, claim: RenewalClaim) -> JoinHandle<()> {
        let services = self.site.app.services.clone();
        let renewal = tokio::spawn(async move { services.renew_claimed(claim).await.expect("renewed") });
        while self.presented() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        renewal
    }

    /// A process that dies between the provider's answer and the commit; its note.
    async fn die_before_the_commit(&self, journal: &Path) -> PathBuf {
        let claim = self.claim().await;
        let lock = self.away().await;
        let renewal = self.renew_until_answered(claim).await;
        let note = loop {
            if let Some(note) = notes(journal).pop() {
                break note;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        renewal.abort();
        assert!(renewal.await.expect_err("killed").is_cancelled());
        // What was already on its way to the database gives up there.
        tokio::time::sleep(Duration::from_secs(9)).await;
        drop(lock);
        note
    }

    /// How often a refresh token was presented.
    fn presented(&self) -> usize {
        self.provider.script().asked.iter().filter(|form| form["grant_type"] == "refresh_token").count()
    }

    async fn secret_version(&self) -> i64 {
        let scope = Scope {
            workspace: self.site.owner.workspace.clone(),
            environment: Environment::Production,
            sight: Sight::Everybody,
        };
        let id = ConnectionId::try_from(self.id.clone()).expect("an id");
        self.site.app.services.store.connection(&scope, &id).await.expect("read").expect("there").secret_version
    }

    /// The provider takes only the newest token.
    async fn works_without_another_renewal(&self) {
        let before = self.presented();
        let tested = test(&self.site, &self.owner, &self.id).await;
        assert!(tested.contains("\"valid\""), "{tested}");
        assert_eq!(self.presented(), before);
    }
}

/// What waits in a journal.
fn notes(journal: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(journal).expect("read").flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "renewal")).collect()
}

async fn an_answer_is_held_in_memory_while_the_database_is_away(scene: Scene) {
    let claim = scene.claim().await;
    let lock = scene.away().await;
    let renewal = scene.renew_until_answered(claim).await;
    // Longer than any statement waits for a lock: a commit fails for good, and another is tried.
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert!(!renewal.is_finished(), "the answer is held on to");
    drop(lock);
    tokio::time::timeout(Duration::from_secs(30), renewal).await.expect("in time").expect("stored");
    assert_eq!(scene.secret_version().await, 2);
    scene.works_without_another_renewal().await;
    assert_eq!(scene.presented(), 1);
}

async fn what_a_dead_process_wrote_down_is_committed_at_the_next_start(mut scene: Scene) {
    let journal = scene.keep_journal();
    let note = scene.die_before_the_commit(&journal).await;
    let mode = std::fs::metadata(&note).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&note).expect("read");
    for secret in ["canary-access-2", "canary-refresh-2", "canary-refresh-1", "canary-client-secret"] {
        let encoded = STANDARD.encode(secret);
        for spelling in [secret, encoded.trim_end_matches('=')] {
            assert!(!text.contains(spelling), "{spelling}");
        }
    }
    assert_eq!(scene.secret_version().await, 1, "nothing was committed");
    scene.site.app.services.replay_journal().await.expect("replayed");
    assert_eq!((scene.secret_version().await, notes(&journal).len()), (2, 0));
    scene.works_without_another_renewal().await;
    assert_eq!(scene.presented(), 1);
    std::fs::remove_dir_all(journal).expect("removed");
}

async fn whoever_takes_the_renewal_over_presents_nothing_again(mut scene: Scene) {
    let journal = scene.keep_journal();
    scene.die_before_the_commit(&journal).await;
    scene.site.pass(MINUTE);
    let claim = scene.claim().await;
    assert_eq!(claim.presented, 2, "an answer was lost");
    scene.site.app.services.renew_claimed(claim).await.expect("renewed");
    assert_eq!((scene.secret_version().await, notes(&journal).len()), (2, 0));
    scene.works_without_another_renewal().await;
    assert_eq!(scene.presented(), 1, "the note told what the provider had answered");
    std::fs::remove_dir_all(journal).expect("removed");
}

async fn a_note_of_another_key_replaces_nothing_and_is_left(mut scene: Scene) {
    let mut elsewhere = Scene::new(None).await;
    let foreign = elsewhere.keep_journal();
    let note = elsewhere.die_before_the_commit(&foreign).await;
    let journal = scene.keep_journal();
    let text = std::fs::read_to_string(&note).expect("read").replace(&elsewhere.id, &scene.id);
    let moved = journal.join(format!("{}-1.renewal", scene.id));
    std::fs::write(&moved, text).expect("written");
    scene.site.app.services.replay_journal().await.expect("replayed");
    assert_eq!(scene.secret_version().await, 1, "what does not open here replaces nothing");
    assert_eq!(notes(&journal), [moved], "it is left where it is");
    // And stands in nobody's way.
    let claim = scene.claim().await;
    scene.site.app.services.renew_claimed(claim).await.expect("renewed");
    scene.works_without_another_renewal().await;
    for folder in [journal, foreign] {
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
