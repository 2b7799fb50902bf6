//! Members, links, sessions, API keys, and the vault's keys.

use patchbay::domain::environment::Environment;
use patchbay::domain::id::{ApiKeyId, MemberId, WorkspaceId};
use patchbay::domain::role::{EnvironmentSet, Permission, Role};
use patchbay::domain::time::{MINUTE, Timestamp};
use patchbay::server::store::record::AuditAction;
use patchbay::server::store::{AuditVerdict, NewApiKey, StoreError, WrappedKey};

use crate::database::{Database, entry, on_both_engines, production, scope};

on_both_engines!(
    the_default_workspace_is_made_once,
    a_sign_in_link_works_once_and_in_time,
    sessions_end_by_idleness_by_age_and_by_sign_out,
    an_api_key_works_until_it_expires,
    a_revoked_api_key_is_gone_and_its_end_is_written_down,
    the_first_data_key_stays_in_force,
);

async fn the_default_workspace_is_made_once(database: &Database) {
    let again = database.store.ensure_default_workspace(Timestamp(9), MemberId::from_bytes([1; 16])).await;
    let owner = again.expect("a workspace");
    assert_eq!(owner.id, database.member);
    assert_eq!((owner.role, owner.environments, owner.operator), (Role::Owner, EnvironmentSet::EVERY, true));
    assert_eq!(database.store.ready().await, Ok(()));
}

async fn a_sign_in_link_works_once_and_in_time(database: &Database) {
    let store = &database.store;
    store.create_sign_in_link([1; 32], &database.member, Timestamp(100)).await.expect("made");
    let member = store.use_sign_in_link([1; 32], Timestamp(99)).await.expect("used").expect("in time");
    assert_eq!(member.id, database.member);
    assert_eq!(store.use_sign_in_link([1; 32], Timestamp(99)).await, Ok(None));
    store.create_sign_in_link([2; 32], &database.member, Timestamp(100)).await.expect("made");
    assert_eq!(store.use_sign_in_link([2; 32], Timestamp(100)).await, Ok(None));
    let nobody = store.create_sign_in_link([3; 32], &MemberId::from_bytes([1; 16]), Timestamp(100)).await;
    assert_eq!(nobody, Err(StoreError::NotFound));
}

async fn sessions_end_by_idleness_by_age_and_by_sign_out(database: &Database) {
    let (store, member) = (&database.store, &database.member);
    let (idle, end) = (Timestamp(2 * MINUTE), Timestamp(10 * MINUTE));
    store.create_session([1; 32], member, Timestamp(0), idle, end).await.expect("made");
    let (found, created_at) = store.session([1; 32], Timestamp(1)).await.expect("read").expect("there");
    assert_eq!((&found.id, created_at), (member, Timestamp(0)));
    assert_eq!(store.session([1; 32], idle).await, Ok(None));
    store.touch_session([1; 32], Timestamp(MINUTE - 1), Timestamp(20 * MINUTE)).await.expect("too early");
    assert_eq!(store.session([1; 32], idle).await, Ok(None));
    store.touch_session([1; 32], Timestamp(MINUTE), Timestamp(20 * MINUTE)).await.expect("touched");
    assert!(store.session([1; 32], idle).await.expect("read").is_some());
    assert_eq!(store.session([1; 32], end).await, Ok(None));
    store.create_session([2; 32], member, Timestamp(0), idle, end).await.expect("made");
    store.end_session([2; 32]).await.expect("ended");
    assert_eq!(store.session([2; 32], Timestamp(1)).await, Ok(None));
    store.end_sessions_of(member).await.expect("ended");
    assert_eq!(store.session([1; 32], Timestamp(1)).await, Ok(None));
}

async fn an_api_key_works_until_it_expires(database: &Database) {
    let store = &database.store;
    let environments = EnvironmentSet::try_from(vec![Environment::Staging]).expect("a set");
    let key = NewApiKey {
        id: ApiKeyId::from_bytes([4; 16]),
        workspace: WorkspaceId::default_workspace(),
        name: "CI".to_owned(),
        key_hash: [5; 32],
        environments,
        permissions: vec![Permission::Use, Permission::Read],
        expires_at: Timestamp(10 * MINUTE),
        created_at: Timestamp(1),
    };
    store.create_api_key(key.clone(), entry(AuditAction::KeyCreated)).await.expect("made");
    let found = store.api_key([5; 32], Timestamp(2)).await.expect("read").expect("there");
    assert_eq!((&found.id, found.environments, &found.permissions), (&key.id, environments, &key.permissions));
    assert_eq!(found.last_used_at, None);
    store.touch_api_key(&found, Timestamp(2)).await.expect("touched");
    let found = store.api_key([5; 32], Timestamp(2)).await.expect("read").expect("there");
    assert_eq!(found.last_used_at, Some(Timestamp(2)));
    store.touch_api_key(&found, Timestamp(3)).await.expect("too early");
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
        key_hash: [number; 32],
        environments: EnvironmentSet::EVERY,
        permissions: vec![Permission::Read],
        expires_at: Timestamp(10 * MINUTE),
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
