//! Where secrets are sent that were stored before this was noted.

use patchbay::domain::field::FieldValues;
use patchbay::domain::time::Timestamp;
use patchbay::server::catalog::Catalog;
use patchbay::server::service::destinations::destination;
use patchbay::server::service::destinations::note_destinations;
use patchbay::server::store::record::{AuditAction, NewConnection};

use crate::database::{Database, entry, id, new, on_both_engines, production};

on_both_engines!(
    a_destination_is_noted_once_of_every_secret_that_lacks_it,
    what_cannot_be_told_or_needs_no_note_is_left_alone,
    a_secret_given_anew_meanwhile_keeps_its_own_note,
);

/// A database login at a host, stored before destinations were noted.
fn login(number: u32, host: &str) -> NewConnection {
    let mut config = FieldValues::default();
    config.set("host", host);
    let mut given = new(number, &format!("connection {number}"));
    given.component = "postgresql".to_owned().try_into().expect("a slug");
    "password".clone_into(&mut given.credentials.method);
    given.credentials.config = config;
    given
}

async fn insert(database: &Database, given: NewConnection) {
    database.store.insert(&production(), given, entry(AuditAction::Created)).await.expect("inserted");
}

async fn noted(database: &Database, number: u32) -> Option<Vec<u8>> {
    let stored = database.store.connection(&production(), &id(number)).await.expect("read").expect("there");
    stored.credentials.destination
}

/// What the shipped component says of a login.
fn expected(catalog: &Catalog, given: &NewConnection) -> Vec<u8> {
    let method = catalog.method(&given.component, &given.credentials.method).expect("a method");
    destination(method, &given.credentials.config)
}

async fn a_destination_is_noted_once_of_every_secret_that_lacks_it(database: &Database) {
    let catalog = Catalog::load(None).expect("the catalog");
    let many: Vec<_> = (1..=450).map(|number| (login(number, &format!("db-{number}.example")), Timestamp(1))).collect();
    let created = entry(AuditAction::Created);
    database.store.insert_many(&production(), many.clone(), created).await.expect("inserted");
    database.store.delete(&production(), &id(7), Timestamp(2), entry(AuditAction::Deleted)).await.expect("deleted");
    let revision = database.store.revision(&production()).await;
    assert_eq!(note_destinations(&database.store, &catalog).await, Ok(450));
    assert_eq!(note_destinations(&database.store, &catalog).await, Ok(0));
    for (given, number) in many.iter().map(|(given, _)| given).zip(1..) {
        assert_eq!(noted(database, number).await, Some(expected(&catalog, given)), "{number}");
    }
    assert_eq!(database.store.revision(&production()).await, revision, "nobody sees a change");
}

async fn what_cannot_be_told_or_needs_no_note_is_left_alone(database: &Database) {
    let catalog = Catalog::load(None).expect("the catalog");
    let mut gone = login(1, "db.example");
    gone.component = "no-such-component".to_owned().try_into().expect("a slug");
    let mut other_way = login(2, "db.example");
    "no_such_method".clone_into(&mut other_way.credentials.method);
    let mut without = login(3, "db.example");
    without.credentials.sealed = Vec::new();
    let mut has = login(4, "db.example");
    has.credentials.destination = Some(vec![7; 32]);
    for given in [gone, other_way, without, has, login(5, "db.example")] {
        insert(database, given).await;
    }
    assert_eq!(note_destinations(&database.store, &catalog).await, Ok(1));
    for number in 1..=3 {
        assert_eq!(noted(database, number).await, None, "{number}");
    }
    assert_eq!(noted(database, 4).await, Some(vec![7; 32]));
    assert!(noted(database, 5).await.is_some());
}

async fn a_secret_given_anew_meanwhile_keeps_its_own_note(database: &Database) {
    let store = &database.store;
    insert(database, login(1, "db.example")).await;
    assert_eq!(store.note_destination(&production(), &id(1), 2, vec![1; 32]).await, Ok(false));
    assert_eq!(store.note_destination(&production(), &id(1), 1, vec![2; 32]).await, Ok(true));
    assert_eq!(store.note_destination(&production(), &id(1), 1, vec![3; 32]).await, Ok(false));
    assert_eq!(noted(database, 1).await, Some(vec![2; 32]));
}
