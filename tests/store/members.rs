//! Members, links, sessions, API keys, and the vault's keys.

use patchbay::domain::connection_set::ConnectionSet;
use patchbay::domain::environment::Environment;
use patchbay::domain::id::{ApiKeyId, ConnectionId, MemberId, WorkspaceId};
use patchbay::domain::role::{EnvironmentSet, Permission, Role};
use patchbay::domain::time::{MINUTE, Timestamp};
use patchbay::server::store::record::{AuditAction, AuditEntry};
use patchbay::server::store::{
    AuditVerdict, Member, NewApiKey, NewSession, SignOut, StoreError, TrailQuery, WrappedKey,
};

use crate::database::{Database, entry, on_both_engines, production, scope};

on_both_engines!(
    the_default_workspace_is_made_once,
    a_sign_in_link_works_once_and_in_time,
    a_sign_in_that_fails_leaves_the_link,
    a_sign_out_that_fails_leaves_no_line,
    sessions_end_by_idleness_by_age_and_by_sign_out,
    an_api_key_works_until_it_expires,
    a_revoked_api_key_is_gone_and_its_end_is_written_down,
    the_audit_trail_is_read_from_its_end,
    the_first_data_key_stays_in_force,
);

async fn the_default_workspace_is_made_once(database: &Database) {
    let again = database.store.ensure_default_workspace(Timestamp(9), MemberId::from_bytes([1; 16])).await;
    let owner = again.expect("a workspace");
    assert_eq!(owner.id, database.member);
    assert_eq!((owner.role, owner.environments, owner.operator), (Role::Owner, EnvironmentSet::EVERY, true));
    assert_eq!(database.store.ready().await, Ok(()));
}

fn session(number: u8, at: Timestamp) -> NewSession {
    let (idle_until, absolute_until) = (at.plus(2 * MINUTE), at.plus(10 * MINUTE));
    NewSession { id_hash: [number; 32], before: None, at, idle_until, absolute_until }
}

fn signed_in(_: &Member) -> AuditEntry {
    entry(AuditAction::SignedIn)
}

async fn begin(database: &Database, session: NewSession) {
    let store = &database.store;
    store.create_sign_in_link([1; 32], &database.member, session.at.plus(1)).await.expect("made");
    store.sign_in([1; 32], session, signed_in).await.expect("read").expect("signed in");
}

async fn a_sign_in_link_works_once_and_in_time(database: &Database) {
    let store = &database.store;
    store.create_sign_in_link([1; 32], &database.member, Timestamp(100)).await.expect("made");
    let member = store.sign_in([1; 32], session(1, Timestamp(99)), signed_in).await.expect("used").expect("in time");
    assert_eq!(member.id, database.member);
    assert_eq!(store.sign_in([1; 32], session(2, Timestamp(99)), signed_in).await, Ok(None));
    store.create_sign_in_link([2; 32], &database.member, Timestamp(100)).await.expect("made");
    assert_eq!(store.sign_in([2; 32], session(2, Timestamp(100)), signed_in).await, Ok(None));
    assert_eq!(store.session([2; 32], Timestamp(100)).await, Ok(None));
    let nobody = store.create_sign_in_link([3; 32], &MemberId::from_bytes([1; 16]), Timestamp(100)).await;
    assert_eq!(nobody, Err(StoreError::NotFound));
    let verdict = store.verify_audit(&WorkspaceId::default_workspace()).await;
    assert_eq!(verdict, Ok(AuditVerdict::Intact { lines: 1 }));
}

async fn a_sign_in_that_fails_leaves_the_link(database: &Database) {
    let store = &database.store;
    store.create_sign_in_link([1; 32], &database.member, Timestamp(100)).await.expect("made");
    database.execute("ALTER TABLE sessions RENAME TO away").await;
    assert_eq!(store.sign_in([1; 32], session(1, Timestamp(1)), signed_in).await, Err(StoreError::Unavailable));
    database.execute("ALTER TABLE away RENAME TO sessions").await;
    let member = store.sign_in([1; 32], session(1, Timestamp(1)), signed_in).await.expect("used");
    assert_eq!(member.map(|member| member.id).as_ref(), Some(&database.member));
}

async fn a_sign_out_that_fails_leaves_no_line(database: &Database) {
    let (store, workspace) = (&database.store, WorkspaceId::default_workspace());
    begin(database, session(1, Timestamp(0))).await;
    database.execute("ALTER TABLE sessions RENAME TO away").await;
    let signed_out = entry(AuditAction::SignedOut);
    let failed = store.sign_out(&workspace, SignOut::Session([1; 32]), signed_out.clone()).await;
    assert_eq!(failed, Err(StoreError::Unavailable));
    database.execute("ALTER TABLE away RENAME TO sessions").await;
    assert_eq!(store.verify_audit(&workspace).await, Ok(AuditVerdict::Intact { lines: 1 }));
    store.sign_out(&workspace, SignOut::Session([1; 32]), signed_out).await.expect("signed out");
    assert_eq!(store.session([1; 32], Timestamp(1)).await, Ok(None));
    assert_eq!(store.verify_audit(&workspace).await, Ok(AuditVerdict::Intact { lines: 2 }));
}

async fn sessions_end_by_idleness_by_age_and_by_sign_out(database: &Database) {
    let (store, member) = (&database.store, &database.member);
    let (idle, end) = (Timestamp(2 * MINUTE), Timestamp(10 * MINUTE));
    begin(database, session(1, Timestamp(0))).await;
    let (found, seen_at) = store.session([1; 32], Timestamp(1)).await.expect("read").expect("there");
    assert_eq!((&found.id, seen_at), (member, Timestamp(0)));
    assert_eq!(store.session([1; 32], idle).await, Ok(None));
    store.touch_session([1; 32], Timestamp(MINUTE - 1), Timestamp(20 * MINUTE)).await.expect("too early");
    assert_eq!(store.session([1; 32], idle).await, Ok(None));
    store.touch_session([1; 32], Timestamp(MINUTE), Timestamp(20 * MINUTE)).await.expect("touched");
    assert!(store.session([1; 32], idle).await.expect("read").is_some());
    assert_eq!(store.session([1; 32], end).await, Ok(None));
    begin(database, NewSession { before: Some([2; 32]), ..session(3, Timestamp(0)) }).await;
    begin(database, NewSession { before: Some([3; 32]), ..session(2, Timestamp(0)) }).await;
    assert_eq!(store.session([3; 32], Timestamp(1)).await, Ok(None));
    let (workspace, signed_out) = (WorkspaceId::default_workspace(), entry(AuditAction::SignedOut));
    store.sign_out(&workspace, SignOut::Session([2; 32]), signed_out.clone()).await.expect("ended");
    assert_eq!(store.session([2; 32], Timestamp(1)).await, Ok(None));
    store.sign_out(&workspace, SignOut::Everywhere(member.clone()), signed_out).await.expect("ended");
    assert_eq!(store.session([1; 32], Timestamp(1)).await, Ok(None));
}

async fn an_api_key_works_until_it_expires(database: &Database) {
    let store = &database.store;
    let environments = EnvironmentSet::try_from(vec![Environment::Staging]).expect("a set");
    let key = NewApiKey {
        id: ApiKeyId::from_bytes([4; 16]),
        workspace: WorkspaceId::default_workspace(),
        name: "CI".to_owned(),
        prefix: "pb_abcdef".to_owned(),
        created_by: "Owner".to_owned(),
        key_hash: [5; 32],
        environments,
        permissions: vec![Permission::Use, Permission::Credentials],
        connections: ConnectionSet::try_from(Some(vec![ConnectionId::from_bytes([8; 16])])).expect("a set"),
        expires_at: Some(Timestamp(10 * MINUTE)),
        created_at: Timestamp(1),
    };
    store.create_api_key(key.clone(), entry(AuditAction::KeyCreated)).await.expect("made");
    let found = store.api_key([5; 32], Timestamp(2)).await.expect("read").expect("there");
    assert_eq!((&found.id, found.environments, &found.permissions), (&key.id, environments, &key.permissions));
    assert_eq!((found.last_used_at, &found.connections), (None, &key.connections));
    store.touch_api_key(&key.workspace, &key.id, Timestamp(2)).await.expect("touched");
    let found = store.api_key([5; 32], Timestamp(2)).await.expect("read").expect("there");
    assert_eq!(found.last_used_at, Some(Timestamp(2)));
    store.touch_api_key(&key.workspace, &key.id, Timestamp(1)).await.expect("a late note of an earlier use");
    let found = store.api_key([5; 32], Timestamp(2)).await.expect("read").expect("there");
    assert_eq!(found.last_used_at, Some(Timestamp(2)));
    assert_eq!(store.api_key([5; 32], Timestamp(10 * MINUTE)).await, Ok(None));
    assert_eq!(store.api_key([6; 32], Timestamp(2)).await, Ok(None));
}

async fn a_revoked_api_key_is_gone_and_its_end_is_written_down(database: &Database) {
    let (store, workspace) = (&database.store, WorkspaceId::default_workspace());
    let key = |number: u8| NewApiKey {
        id: ApiKeyId::from_bytes([number; 16]),
        workspace: WorkspaceId::default_workspace(),
        name: format!("key {number}"),
        prefix: "pb_abcdef".to_owned(),
        created_by: "Owner".to_owned(),
        key_hash: [number; 32],
        environments: EnvironmentSet::EVERY,
        permissions: vec![Permission::Read],
        connections: ConnectionSet::Every,
        expires_at: None,
        created_at: Timestamp(i64::from(number)),
    };
    for number in [1, 2] {
        store.create_api_key(key(number), entry(AuditAction::KeyCreated)).await.expect("made");
    }
    let first = key(1).id;
    let revoke = || store.revoke_api_key(&workspace, &first, entry(AuditAction::KeyRevoked));
    revoke().await.expect("revoked");
    assert_eq!(revoke().await, Err(StoreError::NotFound));
    assert_eq!(store.api_key([1; 32], Timestamp(5)).await, Ok(None));
    let left = store.api_keys(&workspace).await.expect("keys");
    assert_eq!(left.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["key 2"]);
    assert_eq!(store.verify_audit(&workspace).await, Ok(AuditVerdict::Intact { lines: 3 }));
}

async fn the_audit_trail_is_read_from_its_end(database: &Database) {
    let (store, workspace) = (&database.store, WorkspaceId::default_workspace());
    for number in 1..=3 {
        let entry = AuditEntry::system(Timestamp(number * 1_000), AuditAction::KeyCreated, format!("key {number}"));
        store.append_audit(&workspace, None, Some(&format!("key_{number}")), entry).await.expect("written");
    }
    let read = async |subject: Option<&str>, since: i64, most: u32| {
        let query = TrailQuery { subject: subject.map(str::to_owned), since: Timestamp(since), most };
        let lines = store.trail(&workspace, &query).await.expect("read");
        lines.into_iter().map(|line| line.about).collect::<Vec<_>>()
    };
    assert_eq!(read(None, 0, 2).await, ["key 2", "key 3"]);
    assert_eq!(read(Some("key_1"), 0, 9).await, ["key 1"]);
    assert_eq!(read(None, 3_000, 9).await, ["key 3"]);
    let elsewhere = WorkspaceId::try_from("elsewhere".to_owned()).expect("an id");
    let all = TrailQuery { subject: None, since: Timestamp(0), most: 9 };
    assert_eq!(store.trail(&elsewhere, &all).await, Ok(Vec::new()));
}

async fn the_first_data_key_stays_in_force(database: &Database) {
    let store = &database.store;
    assert_eq!(store.any_sealed().await, Ok(false));
    let (first, second) = (WrappedKey { id: [1; 16], wrapped: vec![1] }, WrappedKey { id: [2; 16], wrapped: vec![2] });
    assert_eq!(store.insert_data_key(&production(), first.clone()).await, Ok(first.clone()));
    assert_eq!(store.insert_data_key(&production(), second).await, Ok(first.clone()));
    assert_eq!(store.data_key(&production()).await, Ok(Some(first)));
    assert_eq!(store.data_key(&scope(Environment::Staging)).await, Ok(None));
    assert_eq!(store.any_sealed().await, Ok(true));
    assert_eq!(store.insert_key_canary([1; 16]).await, Ok([1; 16]));
    assert_eq!(store.insert_key_canary([2; 16]).await, Ok([1; 16]));
}
