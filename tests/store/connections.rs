//! Connections: names, versions, environments, deletion, pages.

use patchbay::domain::environment::Environment;
use patchbay::domain::evidence::{Account, Evidence, Verdict};
use patchbay::domain::health::Health;
use patchbay::domain::time::Timestamp;
use patchbay::server::store::record::{AuditAction, Change, NewConnection, Proof};
use patchbay::server::store::{PageQuery, StoreError};

use crate::database::{
    Database, credentials, entry, found, id, insert, name, new, on_both_engines, production, scope, tags,
};

on_both_engines!(
    what_was_inserted_reads_back_whole,
    names_are_unique_regardless_of_case,
    a_stale_version_is_refused,
    another_environments_id_is_none_everywhere,
    a_deleted_connection_comes_back_unproven_and_a_purged_one_never,
    a_full_environment_takes_no_more,
    a_repeated_request_creates_nothing_twice,
    another_request_with_the_same_id_is_no_repetition,
    proof_of_older_secrets_is_dropped,
    pages_by_keyset_filter_and_miss_nothing,
    a_failed_bulk_insert_leaves_nothing,
);

fn proof() -> Proof {
    let account = Account {
        identity: Some("bot@acme".to_owned()),
        subject: Some("U1".to_owned()),
        scopes: vec!["chat:write".to_owned()],
    };
    let evidence = Evidence {
        at: Timestamp(5),
        steps: Vec::new(),
        verdict: Verdict::Valid,
        account: account.clone(),
        expires_at: Some(Timestamp(99)),
        not_before: None,
        host_key: None,
    };
    Proof {
        health: Health::Valid { checked_at: Timestamp(5) },
        account,
        evidence: Some(evidence),
        expires_at: Some(Timestamp(99)),
        check_at: None,
    }
}

async fn what_was_inserted_reads_back_whole(database: &Database) {
    let (store, scope) = (&database.store, production());
    let mut given = NewConnection { tags: tags(&["Ops", "Ärger"]), ..new(1, "Grüße 🚀 ' \" \\ %_") };
    given.credentials.proof = proof();
    given.credentials.config.set("host", "db.example");
    let summary = store.insert(&scope, given.clone(), entry(AuditAction::Created)).await.expect("inserted");
    let stored = store.connection(&scope, &id(1)).await.expect("read").expect("there");
    assert_eq!(stored.summary, summary);
    assert_eq!((summary.name, summary.tags), (given.name, given.tags));
    assert_eq!((summary.account.as_deref(), summary.version, summary.workflows), (Some("bot@acme"), 1, None));
    assert_eq!((summary.created_at, summary.expires_at), (Timestamp(1_000), Some(Timestamp(99))));
    assert_eq!((stored.secret_version, stored.deleted_at), (1, None));
    assert_eq!(stored.credentials.sealed, b"sealed");
    assert_eq!(stored.credentials.config, given.credentials.config);
    assert_eq!(stored.credentials.proof.evidence, given.credentials.proof.evidence);
    assert_eq!(stored.credentials.proof.account, given.credentials.proof.account);
}

async fn names_are_unique_regardless_of_case(database: &Database) {
    let (store, scope) = (&database.store, production());
    insert(store, &scope, 1, "Ärger  im Büro").await.expect("inserted");
    assert_eq!(insert(store, &scope, 2, "ärger IM büro").await, Err(StoreError::NameTaken));
    let other =
        NewConnection { component: "github".to_owned().try_into().expect("a slug"), ..new(3, "ärger im büro") };
    store.insert(&scope, other, entry(AuditAction::Created)).await.expect("another component's names are its own");
    insert(store, &self::scope(Environment::Staging), 4, "Ärger im Büro").await.expect("so are an environment's");
    insert(store, &scope, 5, "free").await.expect("inserted");
    let change = Change { name: Some(name("ÄRGER im büro")), ..Change::default() };
    assert_eq!(store.update(&scope, &id(5), 1, change, entry(AuditAction::Edited)).await, Err(StoreError::NameTaken));
    assert_eq!(store.snapshot(&scope).await.expect("read").1.len(), 3);
}

async fn a_stale_version_is_refused(database: &Database) {
    let (store, scope) = (&database.store, production());
    insert(store, &scope, 1, "one").await.expect("inserted");
    let change = |text: &str| Change { name: Some(name(text)), ..Change::default() };
    let first = store.update(&scope, &id(1), 1, change("two"), entry(AuditAction::Edited)).await.expect("updated");
    assert_eq!((first.name.as_str(), first.version), ("two", 2));
    let late = store.update(&scope, &id(1), 1, change("three"), entry(AuditAction::Edited)).await;
    assert_eq!(late, Err(StoreError::Stale));
    let gone = store.update(&scope, &id(7), 1, change("three"), entry(AuditAction::Edited)).await;
    assert_eq!(gone, Err(StoreError::NotFound));
    let change = Change { credentials: Some(credentials(b"other")), tags: Some(tags(&["a"])), ..Change::default() };
    store.update(&scope, &id(1), 2, change, entry(AuditAction::Edited)).await.expect("updated");
    let stored = store.connection(&scope, &id(1)).await.expect("read").expect("there");
    assert_eq!((stored.secret_version, stored.credentials.sealed.as_slice()), (2, b"other".as_slice()));
    assert_eq!((stored.summary.name.as_str(), stored.summary.tags), ("two", tags(&["a"])));
}

async fn another_environments_id_is_none_everywhere(database: &Database) {
    let (store, here, there) = (&database.store, production(), scope(Environment::Staging));
    let given = NewConnection { request_id: Some("r".to_owned()), ..new(1, "one") };
    store.insert(&here, given, entry(AuditAction::Created)).await.expect("inserted");
    assert!(store.connection(&there, &id(1)).await.expect("read").is_none());
    assert!(store.by_request_id(&there, "r").await.expect("read").is_none());
    assert!(store.snapshot(&there).await.expect("read").1.is_empty());
    assert!(store.changes_since(&there, 0).await.expect("read").expect("changes").changed.is_empty());
    assert!(store.audit_of(&there, &id(1), 9).await.expect("read").is_empty());
    let page = PageQuery { limit: 9, ..PageQuery::default() };
    assert!(store.page(&there, &page).await.expect("read").is_empty());
    let edited = || entry(AuditAction::Edited);
    assert_eq!(store.update(&there, &id(1), 1, Change::default(), edited()).await, Err(StoreError::NotFound));
    assert_eq!(store.record_found(&there, &id(1), found(1, proof())).await, Ok(None));
    assert_eq!(store.delete(&there, &id(1), Timestamp(2), edited()).await, Err(StoreError::NotFound));
    store.delete(&here, &id(1), Timestamp(2), edited()).await.expect("deleted");
    assert_eq!(store.deleted_count(&there).await, Ok(0));
    assert_eq!(store.undelete(&there, &id(1), edited()).await, Err(StoreError::NotFound));
    assert_eq!(store.purge(&there, &id(1), edited()).await, Err(StoreError::NotFound));
    assert_eq!(store.deleted_count(&here).await, Ok(1));
}

async fn a_deleted_connection_comes_back_unproven_and_a_purged_one_never(database: &Database) {
    let (store, scope) = (&database.store, production());
    let mut given = new(1, "one");
    given.credentials.proof = proof();
    store.insert(&scope, given, entry(AuditAction::Created)).await.expect("inserted");
    let deleted = || entry(AuditAction::Deleted);
    assert_eq!(store.purge(&scope, &id(1), deleted()).await, Err(StoreError::InUse));
    store.delete(&scope, &id(1), Timestamp(7), deleted()).await.expect("deleted");
    assert_eq!(store.delete(&scope, &id(1), Timestamp(8), deleted()).await, Err(StoreError::NotFound));
    assert_eq!(store.deleted(&scope).await.expect("read")[0].1, Timestamp(7));
    let (summary, _) = store.undelete(&scope, &id(1), entry(AuditAction::Restored)).await.expect("restored");
    assert_eq!(summary.health, Health::Unproven);
    store.delete(&scope, &id(1), Timestamp(9), deleted()).await.expect("deleted");
    insert(store, &scope, 2, "ONE").await.expect("the name is free");
    let taken = store.undelete(&scope, &id(1), entry(AuditAction::Restored)).await;
    assert_eq!(taken, Err(StoreError::NameTaken));
    assert_eq!(store.purge_due(Timestamp(9), Timestamp(20)).await, Ok(0));
    assert_eq!(store.purge_due(Timestamp(10), Timestamp(20)).await, Ok(1));
    assert!(store.connection(&scope, &id(1)).await.expect("read").is_none());
    let removed = async || store.changes_since(&scope, 0).await.expect("read").expect("changes").removed;
    store.forget_purged(Timestamp(20)).await.expect("nothing to forget");
    assert_eq!(removed().await, [id(1)]);
    store.forget_purged(Timestamp(21)).await.expect("forgotten");
    assert_eq!(removed().await, []);
    let restored = store.undelete(&scope, &id(1), entry(AuditAction::Restored)).await;
    assert_eq!(restored, Err(StoreError::NotFound));
}

async fn a_full_environment_takes_no_more(database: &Database) {
    let (store, scope) = (database.store.clone().with_capacity(2), production());
    insert(&store, &scope, 1, "one").await.expect("inserted");
    insert(&store, &scope, 2, "two").await.expect("inserted");
    assert_eq!(insert(&store, &scope, 3, "three").await, Err(StoreError::Full));
    store.delete(&scope, &id(1), Timestamp(7), entry(AuditAction::Deleted)).await.expect("deleted");
    insert(&store, &scope, 3, "three").await.expect("there is room again");
    let restored = store.undelete(&scope, &id(1), entry(AuditAction::Restored)).await;
    assert_eq!(restored, Err(StoreError::Full));
}

async fn a_repeated_request_creates_nothing_twice(database: &Database) {
    let (store, scope) = (&database.store, production());
    let given = |number, text| NewConnection { request_id: Some("r".to_owned()), ..new(number, text) };
    let first = store.insert(&scope, given(1, "one"), entry(AuditAction::Created)).await.expect("inserted");
    for repeated in [given(2, "one"), given(3, "another")] {
        assert_eq!(store.insert(&scope, repeated, entry(AuditAction::Created)).await, Ok(first.clone()));
    }
    assert_eq!(store.by_request_id(&scope, "r").await.map(|earlier| earlier.map(|it| it.summary)), Ok(Some(first)));
    assert_eq!(store.snapshot(&scope).await.expect("read").1.len(), 1);
}

async fn another_request_with_the_same_id_is_no_repetition(database: &Database) {
    let (store, scope) = (&database.store, production());
    let given = |number, digest: &[u8]| NewConnection {
        request_id: Some("r".to_owned()),
        request_digest: Some(digest.to_vec()),
        ..new(number, "one")
    };
    let insert = |given| store.insert(&scope, given, entry(AuditAction::Created));
    let first = insert(given(1, b"a")).await.expect("inserted");
    assert_eq!(insert(given(2, b"b")).await, Err(StoreError::NameTaken));
    assert_eq!(insert(given(3, b"a")).await, Ok(first));
    store.delete(&scope, &id(1), Timestamp(2), entry(AuditAction::Deleted)).await.expect("deleted");
    assert_eq!(insert(given(4, b"a")).await, Err(StoreError::NameTaken));
    let earlier = store.by_request_id(&scope, "r").await.expect("read").expect("there");
    assert!(earlier.is_deleted && earlier.is_repeated_by(Some(b"a")) && !earlier.is_repeated_by(Some(b"b")));
}

async fn proof_of_older_secrets_is_dropped(database: &Database) {
    let (store, scope) = (&database.store, production());
    insert(store, &scope, 1, "one").await.expect("inserted");
    let summary = store.record_found(&scope, &id(1), found(1, proof())).await.expect("recorded").expect("there");
    assert_eq!(summary.health, Health::Valid { checked_at: Timestamp(5) });
    let change = Change { credentials: Some(credentials(b"other")), ..Change::default() };
    store.update(&scope, &id(1), summary.version, change, entry(AuditAction::Edited)).await.expect("updated");
    let revision = store.revision(&scope).await;
    assert_eq!(store.record_found(&scope, &id(1), found(1, proof())).await, Ok(None));
    assert_eq!(store.revision(&scope).await, revision);
    let stored = store.connection(&scope, &id(1)).await.expect("read").expect("there");
    assert_eq!(stored.summary.health, Health::Unproven);
    assert_eq!(store.audit_of(&scope, &id(1), 9).await.expect("read").len(), 3);
    store.delete(&scope, &id(1), Timestamp(7), entry(AuditAction::Deleted)).await.expect("deleted");
    assert_eq!(store.record_found(&scope, &id(1), found(2, proof())).await, Ok(None));
}

async fn pages_by_keyset_filter_and_miss_nothing(database: &Database) {
    let (store, scope) = (&database.store, production());
    let many = (0..25).map(|n| {
        let labels = if n % 5 == 0 { tags(&["Ops"]) } else { tags(&[]) };
        // Several share a moment: the id decides.
        (NewConnection { tags: labels, ..new(n, &format!("Orders {n:02}")) }, Timestamp(i64::from(n / 4)))
    });
    store.insert_many(&scope, many.collect(), entry(AuditAction::Created)).await.expect("inserted");
    let mut query = PageQuery { limit: 4, ..PageQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = store.page(&scope, &query).await.expect("read");
        let Some(last) = page.last() else { break };
        query.after = Some((last.created_at, last.id.clone()));
        seen.extend(page.into_iter().map(|row| row.id));
    }
    assert_eq!(seen, (0..25).rev().map(id).collect::<Vec<_>>());
    let ids = |query: PageQuery| async move {
        let rows = store.page(&production(), &PageQuery { limit: 99, ..query }).await.expect("read");
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let tagged = ids(PageQuery { tag_key: Some("ops".to_owned()), ..PageQuery::default() }).await;
    assert_eq!(tagged, [20, 15, 10, 5, 0].map(id));
    let named = ids(PageQuery { name_prefix: Some("ORDERS 1".to_owned()), ..PageQuery::default() }).await;
    assert_eq!(named, (10..20).rev().map(id).collect::<Vec<_>>());
    let component = Some("github".to_owned().try_into().expect("a slug"));
    assert!(ids(PageQuery { component, ..PageQuery::default() }).await.is_empty());
}

async fn a_failed_bulk_insert_leaves_nothing(database: &Database) {
    let (store, scope) = (&database.store, production());
    let revision = store.revision(&scope).await.expect("read");
    let many = vec![(new(1, "one"), Timestamp(1)), (new(2, "ONE"), Timestamp(2))];
    assert_eq!(store.insert_many(&scope, many, entry(AuditAction::Created)).await, Err(StoreError::NameTaken));
    assert_eq!(store.snapshot(&scope).await, Ok((revision, Vec::new())));
}
