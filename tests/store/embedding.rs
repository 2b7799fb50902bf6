//! Workspaces, tickets and bearers, and whose connections somebody sees.

use patchbay::domain::embedding::Origin;
use patchbay::domain::environment::Environment;
use patchbay::domain::id::{InstanceKeyId, WorkspaceId};
use patchbay::domain::owner::{EndUser, Sight};
use patchbay::domain::replacement::Replacement;
use patchbay::domain::role::{EnvironmentSet, Role};
use patchbay::domain::time::Timestamp;
use patchbay::server::store::record::{AuditAction, Change, NewConnection, Scope};
use patchbay::server::store::{
    AuditVerdict, EmbedGrant, NewBearer, NewInstanceKey, NewTicket, PageQuery, Reason, Replacing, StoreError,
    TicketRefused, WorkspaceSettings,
};

use crate::database::{Database, entry, id, name, new, on_both_engines, production};

on_both_engines!(
    a_workspace_is_made_once_and_changed_after_that,
    a_ticket_is_good_once_and_only_for_its_page,
    of_many_who_show_one_ticket_one_gets_in,
    a_bearer_ends_with_its_time_and_with_its_page,
    a_revoked_key_takes_its_tickets_and_bearers_along,
    one_user_fills_no_environment,
    what_is_over_is_forgotten,
    a_user_sees_and_changes_nothing_of_another,
    a_purge_is_told_to_whoever_saw_the_connection,
    two_users_may_use_one_name,
);

const NOW: Timestamp = Timestamp(10_000);

fn origin(text: &str) -> Origin {
    Origin::try_from(text.to_owned()).expect("an origin")
}

fn acme() -> WorkspaceId {
    WorkspaceId::try_from("acme".to_owned()).expect("an id")
}

fn user(id: &str) -> EndUser {
    EndUser::new(id.to_owned(), None).expect("a user")
}

fn settings(origins: &[&str]) -> WorkspaceSettings {
    let allowed_origins = origins.iter().map(|text| origin(text)).collect();
    WorkspaceSettings { name: "Acme".to_owned(), allowed_origins, ..WorkspaceSettings::default() }
}

/// The first time, with a key to make tickets with.
async fn embed(database: &Database, origins: &[&str]) -> bool {
    let stored = entry(AuditAction::WorkspaceStored);
    let is_new = database.store.put_workspace(&acme(), settings(origins), stored).await.expect("stored");
    if is_new {
        let key = NewInstanceKey { id: key(), name: "platform".to_owned(), key_hash: [9; 32] };
        let made = database.store.create_instance_key(key, entry(AuditAction::KeyCreated)).await;
        made.expect("made");
    }
    is_new
}

fn key() -> InstanceKeyId {
    InstanceKeyId::from_bytes([9; 16])
}

fn ticket(number: u8) -> NewTicket {
    let grant = EmbedGrant {
        workspace: acme(),
        user: user("ada"),
        role: Role::Editor,
        environments: EnvironmentSet::EVERY,
        origin: origin("https://a.example"),
    };
    NewTicket { token_hash: [number; 32], key: key(), grant, expires_at: NOW.plus(1_000) }
}

fn bearer(number: u8, at: Timestamp) -> NewBearer {
    NewBearer { token_hash: [number; 32], at, expires_at: NOW.plus(10_000) }
}

async fn redeem(database: &Database, number: u8, by: &str, at: Timestamp) -> Result<EmbedGrant, TicketRefused> {
    let told = |_: &EmbedGrant| entry(AuditAction::FrameSignedIn);
    let redeemed = database.store.redeem_ticket([number; 32], origin(by), bearer(number + 100, at), told).await;
    redeemed.expect("an answer").map(|redeemed| redeemed.grant)
}

fn seen_by(user_id: &str) -> Scope {
    Scope { sight: Sight::User(user(user_id).id), ..production() }
}

async fn owned(database: &Database, number: u32, text: &str, owner: Option<&str>) {
    let given = NewConnection { owner: owner.map(user), ..new(number, text) };
    database.store.insert(&production(), given, entry(AuditAction::Created)).await.expect("inserted");
}

async fn names(database: &Database, scope: &Scope) -> Vec<String> {
    let (_, rows) = database.store.snapshot(scope).await.expect("a snapshot");
    let mut names: Vec<String> = rows.into_iter().map(|row| row.name.into()).collect();
    names.sort();
    names
}

async fn a_workspace_is_made_once_and_changed_after_that(database: &Database) {
    assert!(embed(database, &["https://a.example"]).await);
    assert!(!embed(database, &[]).await);
    let stored = database.store.workspace(&acme()).await.expect("read").expect("there");
    assert_eq!(stored.settings, settings(&[]));
    let all = database.store.workspaces(None, 10).await.expect("read");
    assert_eq!(all.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["acme", "default"]);
    for environment in Environment::ALL {
        assert_eq!(database.store.revision(&Scope::whole(acme(), environment)).await, Ok(1));
    }
    assert_eq!(database.store.verify_audit(&acme()).await, Ok(AuditVerdict::Intact { lines: 2 }));
}

async fn a_ticket_is_good_once_and_only_for_its_page(database: &Database) {
    embed(database, &["https://a.example", "https://b.example"]).await;
    database.store.create_ticket(ticket(1), entry(AuditAction::TicketMade)).await.expect("made");
    assert_eq!(redeem(database, 1, "https://b.example", NOW).await, Err(TicketRefused::OtherOrigin));
    assert_eq!(redeem(database, 1, "https://a.example", NOW.plus(1_000)).await, Err(TicketRefused::Expired));
    embed(database, &["https://b.example"]).await;
    assert_eq!(redeem(database, 1, "https://a.example", NOW).await, Err(TicketRefused::OriginNotAllowed));
    embed(database, &["https://a.example"]).await;
    assert_eq!(redeem(database, 1, "https://a.example", NOW).await, Ok(ticket(1).grant));
    assert_eq!(redeem(database, 1, "https://a.example", NOW).await, Err(TicketRefused::Used));
    assert_eq!(redeem(database, 2, "https://a.example", NOW).await, Err(TicketRefused::Unknown));
    // Two stores of settings before, three after them: what was refused left no line.
    assert_eq!(database.store.verify_audit(&acme()).await, Ok(AuditVerdict::Intact { lines: 5 }));
}

async fn of_many_who_show_one_ticket_one_gets_in(database: &Database) {
    embed(database, &["https://a.example"]).await;
    database.store.create_ticket(ticket(1), entry(AuditAction::TicketMade)).await.expect("made");
    let tries = (0..8).map(|number| {
        let told = |_: &EmbedGrant| entry(AuditAction::FrameSignedIn);
        database.store.redeem_ticket([1; 32], origin("https://a.example"), bearer(number + 10, NOW), told)
    });
    let answers = futures::future::join_all(tries).await;
    let good = answers.iter().filter(|answer| matches!(answer, Ok(Ok(_)))).count();
    let used = answers.iter().filter(|answer| matches!(answer, Ok(Err(TicketRefused::Used)))).count();
    assert_eq!((good, used), (1, 7), "{answers:?}");
}

async fn a_bearer_ends_with_its_time_and_with_its_page(database: &Database) {
    embed(database, &["https://a.example"]).await;
    database.store.create_ticket(ticket(1), entry(AuditAction::TicketMade)).await.expect("made");
    redeem(database, 1, "https://a.example", NOW).await.expect("let in");
    let known = |at: Timestamp| async move {
        database.store.embed_bearer([101; 32], at).await.expect("read").map(|(grant, name)| (grant.user, name))
    };
    assert_eq!(known(NOW).await, Some((user("ada"), "Acme".to_owned())));
    assert_eq!(known(NOW.plus(10_000)).await, None);
    embed(database, &[]).await;
    assert_eq!(known(NOW).await, None);
}

async fn a_revoked_key_takes_its_tickets_and_bearers_along(database: &Database) {
    embed(database, &["https://a.example"]).await;
    for number in [1, 2] {
        database.store.create_ticket(ticket(number), entry(AuditAction::TicketMade)).await.expect("made");
    }
    redeem(database, 1, "https://a.example", NOW).await.expect("let in");
    database.store.revoke_instance_key(&key(), entry(AuditAction::KeyRevoked)).await.expect("revoked");
    assert_eq!(database.store.embed_bearer([101; 32], NOW).await.expect("read").map(drop), None);
    assert_eq!(redeem(database, 2, "https://a.example", NOW).await, Err(TicketRefused::Unknown));
}

async fn one_user_fills_no_environment(database: &Database) {
    let store = &database.store;
    let many = (1..=500).map(|n| (NewConnection { owner: Some(user("ada")), ..new(n, &format!("n {n}")) }, NOW));
    store.insert_many(&production(), many.collect(), entry(AuditAction::Created)).await.expect("inserted");
    let one = |number, owner: Option<EndUser>| {
        let given = NewConnection { owner, ..new(number, "one more") };
        async move { store.insert(&production(), given, entry(AuditAction::Created)).await.map(drop) }
    };
    assert_eq!(one(501, Some(user("ada"))).await, Err(StoreError::OwnFull));
    assert_eq!((one(501, Some(user("bob"))).await, one(502, None).await), (Ok(()), Ok(())));
    store.delete(&production(), &id(1), NOW, entry(AuditAction::Deleted)).await.expect("deleted");
    assert_eq!(one(503, Some(user("ada"))).await, Ok(()));
    let restored = store.undelete(&production(), &id(1), entry(AuditAction::Restored)).await;
    assert_eq!(restored.err(), Some(StoreError::OwnFull));
}

async fn what_is_over_is_forgotten(database: &Database) {
    embed(database, &["https://a.example"]).await;
    database.store.create_ticket(ticket(1), entry(AuditAction::TicketMade)).await.expect("made");
    redeem(database, 1, "https://a.example", NOW).await.expect("let in");
    assert_eq!(database.store.purge_embedding(NOW).await, Ok(0));
    assert_eq!(database.store.purge_embedding(NOW.plus(1_000)).await, Ok(1), "the ticket");
    assert_eq!(database.store.purge_embedding(NOW.plus(10_000)).await, Ok(1), "the bearer");
}

async fn a_user_sees_and_changes_nothing_of_another(database: &Database) {
    owned(database, 1, "shared", None).await;
    owned(database, 2, "of ada", Some("ada")).await;
    owned(database, 3, "of bob", Some("bob")).await;
    let (ada, bob) = (seen_by("ada"), seen_by("bob"));
    assert_eq!(names(database, &ada).await, ["of ada", "shared"]);
    assert_eq!(names(database, &bob).await, ["of bob", "shared"]);
    assert_eq!(names(database, &Scope { sight: Sight::Workspace, ..production() }).await, ["shared"]);
    assert_eq!(names(database, &production()).await.len(), 3);
    let store = &database.store;
    let page = store.page(&bob, &PageQuery { limit: 10, ..PageQuery::default() }).await.expect("a page");
    assert_eq!(page.len(), 2);
    assert!(store.connection(&bob, &id(2)).await.expect("read").is_none());
    let change = Change { name: Some(name("taken over")), ..Change::default() };
    let written = store.update(&bob, &id(2), 1, change, entry(AuditAction::Edited)).await;
    assert_eq!(written.err(), Some(StoreError::NotFound));
    let gone = |scope: Scope| async move { store.delete(&scope, &id(2), NOW, entry(AuditAction::Deleted)).await };
    assert_eq!(gone(bob.clone()).await, Err(StoreError::NotFound));
    let plan = || Replacement::everywhere(id(1));
    let deleted = store.delete_replacing(&bob, &id(2), plan(), None, entry(AuditAction::Deleted)).await;
    assert_eq!(deleted, Err(StoreError::NotFound));
    let replaced = store.replace(&bob, &id(2), plan(), entry(AuditAction::Replaced)).await;
    assert_eq!(replaced, Err(StoreError::NotFound));
    let by_anothers = store.replace(&bob, &id(3), Replacement::everywhere(id(2)), entry(AuditAction::Replaced)).await;
    assert!(matches!(by_anothers, Ok(Replacing::Refused(why)) if why[0].reason == Reason::Unknown));
    let offers = store.replacements_for(&bob, &id(3), 9).await.expect("read");
    assert_eq!(offers.into_iter().map(|it| it.id).collect::<Vec<_>>(), [id(1)]);
    assert_eq!(gone(ada.clone()).await, Ok(()));
    assert_eq!((store.deleted_count(&ada).await, store.deleted_count(&bob).await), (Ok(1), Ok(0)));
    assert_eq!(store.deleted(&bob).await.expect("read"), []);
    assert_eq!(store.undelete(&bob, &id(2), entry(AuditAction::Restored)).await.err(), Some(StoreError::NotFound));
    assert_eq!(store.purge(&bob, &id(2), entry(AuditAction::Purged)).await, Err(StoreError::NotFound));
    assert!(store.undelete(&ada, &id(2), entry(AuditAction::Restored)).await.is_ok());
}

async fn a_purge_is_told_to_whoever_saw_the_connection(database: &Database) {
    owned(database, 1, "of ada", Some("ada")).await;
    let store = &database.store;
    store.delete(&production(), &id(1), NOW, entry(AuditAction::Deleted)).await.expect("deleted");
    let removed =
        |scope: Scope| async move { store.changes_since(&scope, 1).await.expect("read").expect("changes").removed };
    for _ in 0..2 {
        assert_eq!(removed(seen_by("ada")).await, [id(1)]);
        assert_eq!(removed(seen_by("bob")).await, []);
        // Then once more, when nothing but the mark of it is left.
        let _ = store.purge(&production(), &id(1), entry(AuditAction::Purged)).await;
    }
}

async fn two_users_may_use_one_name(database: &Database) {
    owned(database, 1, "mail", None).await;
    owned(database, 2, "mail", Some("ada")).await;
    owned(database, 3, "MAIL", Some("bob")).await;
    let again = NewConnection { owner: Some(user("ada")), ..new(4, "Mail") };
    let taken = database.store.insert(&production(), again, entry(AuditAction::Created)).await;
    assert_eq!(taken.err(), Some(StoreError::NameTaken));
}
