//! Many writers, interrupted requests, and what the files hold.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use patchbay::domain::id::WorkspaceId;
use patchbay::domain::time::Timestamp;
use patchbay::server::random::Random;
use patchbay::server::store::record::AuditAction;
use patchbay::server::store::{AuditVerdict, Store, StoreError};
use patchbay::server::vault::{KeySource, SealContext, SecretText, Secrets, Vault};
use sqlx::{Executor, Row};
use std::time::{Duration, Instant};

use crate::database::{Database, credentials, entry, id, insert, new, on_both_engines, production};

on_both_engines!(
    sixty_four_writers_at_once_see_no_error,
    an_interrupted_request_leaves_no_open_transaction,
    twenty_thousand_rows_read_in_one_go,
    a_store_opens_again_with_all_it_held,
    what_only_reads_opens_no_database_that_lacks_a_table,
);

async fn sixty_four_writers_at_once_see_no_error(database: &Database) {
    let writers = (0..64).map(|number| {
        let store = database.store.clone();
        tokio::spawn(async move { insert(&store, &production(), number, &format!("name {number}")).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("finished").expect("inserted");
    }
    let (revision, rows) = database.store.snapshot(&production()).await.expect("snapshot");
    assert_eq!((revision, rows.len()), (65, 64));
    let verdict = database.store.verify_audit(&WorkspaceId::default_workspace()).await;
    assert_eq!(verdict, Ok(AuditVerdict::Intact { lines: 64 }));
}

async fn an_interrupted_request_leaves_no_open_transaction(database: &Database) {
    for number in 0..200_u32 {
        let store = database.store.clone();
        let request = async move { insert(&store, &production(), number, &format!("name {number}")).await };
        let patience = Duration::from_micros(u64::from(number) * 20);
        tokio::time::timeout(patience, request).await.ok();
    }
    insert(&database.store, &production(), 1_000, "after").await.expect("the writer is free");
    // A writer from outside gets the lock at once.
    let mut outside = database.raw().await;
    if database.file().is_some() {
        outside.execute(sqlx::raw_sql("PRAGMA busy_timeout = 2000; BEGIN IMMEDIATE; ROLLBACK")).await.expect("free");
    } else {
        let open = sqlx::query(
            "SELECT COUNT(*) AS open FROM pg_stat_activity \
             WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
        );
        let row = open.fetch_one(&mut outside).await.expect("counted");
        assert_eq!(row.get::<i64, _>("open"), 0);
    }
    let verdict = database.store.verify_audit(&WorkspaceId::default_workspace()).await.expect("verified");
    let (_, rows) = database.store.snapshot(&production()).await.expect("snapshot");
    assert_eq!(verdict, AuditVerdict::Intact { lines: i64::try_from(rows.len()).expect("few") });
}

async fn twenty_thousand_rows_read_in_one_go(database: &Database) {
    let many = (0..20_000).map(|number| (new(number, &format!("name {number}")), Timestamp(i64::from(number))));
    let begun = Instant::now();
    let created = entry(AuditAction::Created);
    database.store.insert_many(&production(), many.collect(), created).await.expect("inserted");
    println!("20,000 inserted in {:?}", begun.elapsed());
    let begun = Instant::now();
    let (_, rows) = database.store.snapshot(&production()).await.expect("snapshot");
    println!("20,000 read in {:?}", begun.elapsed());
    assert_eq!(rows.len(), 20_000);
    assert_eq!(insert(&database.store, &production(), 20_000, "one more").await, Err(StoreError::Full));
}

async fn a_store_opens_again_with_all_it_held(database: &Database) {
    insert(&database.store, &production(), 1, "one").await.expect("inserted");
    let again = Store::open(&database.url).await.expect("opened");
    assert_eq!(again.snapshot(&production()).await, database.store.snapshot(&production()).await);
}

async fn what_only_reads_opens_no_database_that_lacks_a_table(database: &Database) {
    Store::open_existing(&database.url).await.expect("up to date");
    database.execute("DELETE FROM _sqlx_migrations WHERE version = 2").await;
    assert_eq!(Store::open_existing(&database.url).await.err(), Some(StoreError::Outdated));
    database.execute("UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1").await;
    assert_eq!(Store::open_existing(&database.url).await.err(), Some(StoreError::Corrupt));
    database.execute("DROP TABLE _sqlx_migrations").await;
    assert_eq!(Store::open_existing(&database.url).await.err(), Some(StoreError::Missing));
}

#[tokio::test]
async fn an_unreachable_database_is_unavailable() {
    for url in ["postgres://nobody:x@127.0.0.1:1/nothing", "sqlite:///proc/none/patchbay.db", "mysql://a@b/c"] {
        assert_eq!(Store::open(url).await.err(), Some(StoreError::Unavailable), "{url}");
    }
}

/// The canary scan: raw, hexadecimal, and base64 at each of its three offsets.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_never_stand_in_the_database_files() {
    let database = Database::sqlite().await;
    let file = database.file().expect("a file");
    let source = KeySource { inline: None, file: file.with_file_name("key") };
    let vault = Vault::open(database.store.clone(), source, Random::system()).await.expect("a vault");
    let canary = "canary-5d1f0e7c-never-in-the-clear";
    let mut secrets = Secrets::default();
    secrets.insert("token", SecretText::new(canary.to_owned()));
    let (scope, connection) = (production(), id(1));
    let context = SealContext { scope: &scope, holder: connection.as_str(), method: "token", secret_version: 1 };
    let mut given = new(1, "visible-name");
    given.credentials = credentials(&vault.seal(&context, &secrets).await.expect("sealed"));
    database.store.insert(&scope, given, entry(AuditAction::Created)).await.expect("inserted");
    let stored = database.store.connection(&scope, &connection).await.expect("read").expect("there");
    assert_eq!(vault.open_sealed(&context, &stored.credentials.sealed).await, Ok(secrets));

    let mut forms =
        vec![canary.as_bytes().to_vec(), canary.bytes().flat_map(|b| format!("{b:02x}").into_bytes()).collect()];
    forms.extend((0..3).map(|skip| {
        let whole = STANDARD_NO_PAD.encode(&canary.as_bytes()[skip..]);
        whole.as_bytes()[..whole.len() - 2].to_vec()
    }));
    let files = std::fs::read_dir(file.parent().expect("a folder")).expect("a folder");
    let bytes = files.flat_map(|file| std::fs::read(file.expect("a file").path()).expect("read")).collect::<Vec<_>>();
    let holds = |form: &[u8]| bytes.windows(form.len()).any(|window| window == form);
    assert!(holds(b"visible-name"), "the scan reads the files");
    assert!(!forms.iter().any(|form| holds(form)));
    drop(vault);
    database.remove().await;
}
