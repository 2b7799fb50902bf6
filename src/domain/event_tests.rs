use super::*;
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::time::DAY;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const NOTICE: i64 = 7 * DAY;

fn standing(health: Health) -> Standing {
    let summary = Summary {
        id: ConnectionId::from_bytes([1; 16]),
        component: "slack".to_owned().try_into().expect("a slug"),
        name: "A".to_owned().try_into().expect("a name"),
        owner: None,
        account: None,
        health,
        tags: TagSet::default(),
        workflows: None,
        created_at: NOW,
        last_used_at: None,
        expires_at: None,
        version: 1,
    };
    Standing { summary, secret_version: 1, is_deleted: false }
}

fn valid() -> Standing {
    standing(Health::Valid { checked_at: NOW })
}

fn ending(end: Timestamp) -> Standing {
    let mut ending = valid();
    ending.summary.expires_at = Some(end);
    ending
}

fn told_of(standing: &Standing) -> Told {
    news(None, standing, NOW, NOTICE).1
}

fn kinds(told: Option<&Told>, standing: &Standing, now: Timestamp) -> Vec<EventType> {
    news(told, standing, now, NOTICE).0.into_iter().map(|news| news.kind).collect()
}

#[test]
fn the_first_that_is_told_is_the_creation_and_nothing_is_told_twice() {
    assert_eq!(kinds(None, &valid(), NOW), [EventType::Created]);
    assert_eq!(kinds(Some(&told_of(&valid())), &valid(), NOW), []);
}

#[test]
fn a_status_that_turns_is_told_and_another_reason_for_the_same_is_not() {
    let unproven = standing(Health::Unproven);
    let rejected = standing(Health::Rejected { reason: "no".to_owned(), at: NOW });
    assert_eq!(kinds(Some(&told_of(&unproven)), &valid(), NOW), [EventType::Activated]);
    assert_eq!(kinds(Some(&told_of(&valid())), &rejected, NOW), [EventType::Deactivated]);
    assert_eq!(kinds(Some(&told_of(&unproven)), &rejected, NOW), []);
    assert_eq!(reason(&rejected.summary, NOW), Some("rejected"));
    assert_eq!(reason(&valid().summary, NOW), None);
}

#[test]
fn an_edit_is_told_by_its_parts_and_a_renewal_is_none() {
    let mut edited = valid();
    edited.secret_version = 2;
    assert_eq!(kinds(Some(&told_of(&valid())), &edited, NOW), []);
    edited.summary.version = 2;
    edited.summary.name = "B".to_owned().try_into().expect("a name");
    let (all, _) = news(Some(&told_of(&valid())), &edited, NOW, NOTICE);
    assert_eq!(all, [News { kind: EventType::Updated, changed: vec![Part::Name, Part::Credentials] }]);
}

#[test]
fn while_deleted_nothing_is_told_until_it_comes_back() {
    let deleted = Standing { is_deleted: true, ..valid() };
    assert_eq!(kinds(Some(&told_of(&valid())), &deleted, NOW), [EventType::Deleted]);
    let gone = told_of(&deleted);
    assert_eq!(kinds(Some(&gone), &Standing { is_deleted: true, ..standing(Health::Unproven) }, NOW), []);
    assert_eq!(kinds(Some(&gone), &standing(Health::Unproven), NOW), [EventType::Undeleted]);
}

#[test]
fn an_end_is_foretold_once_and_then_told() {
    let end = NOW.plus(30 * DAY);
    let told = told_of(&ending(end));
    assert!(told.awaits && kinds(Some(&told), &ending(end), end.plus(-8 * DAY)).is_empty());
    let (all, told) = news(Some(&told), &ending(end), end.plus(-7 * DAY), NOTICE);
    assert_eq!(all, [News { kind: EventType::Expiring, changed: Vec::new() }]);
    assert!(told.awaits && kinds(Some(&told), &ending(end), end.plus(-DAY)).is_empty());
    let (all, told) = news(Some(&told), &ending(end), end, NOTICE);
    assert_eq!(all, [News { kind: EventType::Deactivated, changed: Vec::new() }]);
    assert!(!told.awaits && kinds(Some(&told), &ending(end), end.plus(DAY)).is_empty());
    let renewed = ending(end.plus(3 * DAY));
    assert_eq!(kinds(Some(&told), &renewed, end), [EventType::Activated, EventType::Expiring]);
}

#[test]
fn an_end_that_moves_on_with_each_renewal_is_foretold_once() {
    let mut told = told_of(&ending(NOW.plus(DAY)));
    for hour in 1..48 {
        let now = NOW.plus(hour * DAY / 24);
        let mut renewed = ending(now.plus(DAY));
        renewed.secret_version = 1 + hour;
        let (all, then) = news(Some(&told), &renewed, now, NOTICE);
        assert_eq!(all, [], "hour {hour}");
        told = then;
    }
    let now = NOW.plus(3 * DAY);
    let far = news(Some(&told), &ending(now.plus(30 * DAY)), now, NOTICE).1;
    assert_eq!(kinds(Some(&far), &ending(now.plus(30 * DAY)), now.plus(25 * DAY)), [EventType::Expiring]);
    let mut other = ending(now.plus(2 * DAY));
    (other.secret_version, other.summary.version) = (99, 2);
    assert_eq!(kinds(Some(&told), &other, now), [EventType::Updated, EventType::Expiring]);
}

#[test]
fn while_deleted_no_end_is_foretold() {
    let end = NOW.plus(10 * DAY);
    let deleted = Standing { is_deleted: true, ..ending(end) };
    let (_, told) = news(Some(&told_of(&ending(end))), &deleted, NOW, NOTICE);
    let (all, told) = news(Some(&told), &deleted, end.plus(-DAY), NOTICE);
    assert_eq!(all, []);
    assert_eq!(kinds(Some(&told), &ending(end), end.plus(-DAY)), [EventType::Undeleted, EventType::Expiring]);
}

#[test]
fn an_end_that_passed_unseen_is_not_foretold_any_more() {
    let end = NOW.plus(30 * DAY);
    let (all, told) = news(Some(&told_of(&ending(end))), &ending(end), end.plus(DAY), NOTICE);
    assert_eq!(all, [News { kind: EventType::Deactivated, changed: Vec::new() }]);
    assert!(!told.awaits);
}

#[test]
fn a_type_reads_back_from_its_word() {
    for kind in EventType::OF_CONNECTIONS {
        assert_eq!(EventType::parse(kind.as_str()), Some(kind));
        assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.as_str());
    }
    assert_eq!(EventType::parse("webhook.test"), None);
}
