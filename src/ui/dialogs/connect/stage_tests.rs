use super::*;
use crate::domain::component::ComponentSlug;
use crate::domain::health::Health;
use crate::domain::id::ConnectionId;
use crate::domain::tag::TagSet;
use crate::domain::time::Timestamp;
use proptest::prelude::*;

fn flow(number: u8) -> FlowId {
    FlowId::from_bytes([number; 16])
}

fn waiting(number: u8, way: Way) -> Waiting {
    let url = "https://patchbay.example/oauth/start#code".to_owned();
    Waiting::new(Begun { flow: flow(number), url, expires_at: Timestamp(0), device: None }, way, false)
}

fn summary() -> Box<Summary> {
    Box::new(Summary {
        owner: None,
        id: ConnectionId::from_bytes([1; 16]),
        component: ComponentSlug::try_from("gmail".to_owned()).expect("a slug"),
        name: "Support".to_owned().try_into().expect("a name"),
        account: Some("ops@acme.example".to_owned()),
        health: Health::Valid { checked_at: Timestamp(0) },
        tags: TagSet::default(),
        workflows: None,
        created_at: Timestamp(0),
        last_used_at: None,
        expires_at: None,
        version: 1,
    })
}

fn connected() -> Progress {
    Progress::Connected { summary: summary() }
}

fn other_account() -> Progress {
    Progress::OtherAccount { was: "ops@acme.example".to_owned(), is: "me@home.example".to_owned() }
}

fn after(events: impl IntoIterator<Item = Event>) -> Stage {
    events.into_iter().fold(Stage::default(), |mut stage, event| {
        stage.take(event);
        stage
    })
}

fn begun(way: Way) -> [Event; 2] {
    [Event::Asked, Event::Begun(waiting(1, way))]
}

fn told(progress: Progress) -> Event {
    Event::Told(flow(1), progress)
}

#[test]
fn an_account_is_connected_once_the_server_says_so() {
    let events = begun(Way::Window).into_iter().chain([told(Progress::Opened), told(connected())]);
    assert_eq!(after(events), Stage::Connected(summary()));
}

#[test]
fn a_refused_beginning_leaves_the_form_as_it_was() {
    assert_eq!(after([Event::Asked, Event::Refused]), Stage::Form(None));
}

#[test]
fn a_failure_and_a_lapse_lead_back_to_the_form_and_say_why() {
    let failed = Progress::Failed { message: "Access was refused.".to_owned() };
    let stage = after(begun(Way::Window).into_iter().chain([told(failed)]));
    assert_eq!(stage, Stage::Form(Some(Ending::Failed("Access was refused.".to_owned()))));
    let stage = after(begun(Way::Link).into_iter().chain([told(Progress::Expired)]));
    assert_eq!(stage, Stage::Form(Some(Ending::Expired)));
}

#[test]
fn a_server_out_of_reach_ends_nothing_and_is_told() {
    let mut stage = after(begun(Way::Window).into_iter().chain([Event::Unanswered(flow(1), ApiError::Offline)]));
    let Stage::Waiting(waiting) = &stage else { panic!("it was given up: {stage:?}") };
    assert_eq!(waiting.trouble_words().as_deref(), Some("Patchbay cannot be reached; still trying."));
    stage.take(told(Progress::Opened));
    let Stage::Waiting(waiting) = &stage else { panic!("it was given up: {stage:?}") };
    assert_eq!(waiting.trouble_words(), None);
}

#[test]
fn a_flow_the_server_no_longer_knows_is_over() {
    let stage = after(begun(Way::Window).into_iter().chain([Event::Unanswered(flow(1), ApiError::NotFound)]));
    assert_eq!(stage, Stage::Form(Some(Ending::Expired)));
}

#[test]
fn a_window_that_nobody_reaches_is_asked_about() {
    let mut stage = after(begun(Way::Window).into_iter().chain([Event::Late(flow(1))]));
    assert!(matches!(&stage, Stage::Waiting(waiting) if waiting.may_be_unseen()));
    stage.take(told(Progress::Opened));
    assert!(matches!(&stage, Stage::Waiting(waiting) if !waiting.may_be_unseen()));
}

#[test]
fn another_account_is_asked_about_and_kept_or_replaced() {
    let asked = || begun(Way::Window).into_iter().chain([told(other_account())]);
    let failed = Progress::Failed { message: "The account connected before was kept.".to_owned() };
    let kept = after(asked().chain([Event::Decided(false), told(failed)]));
    assert_eq!(kept, Stage::Form(Some(Ending::Kept { was: "ops@acme.example".to_owned() })));
    let replaced = after(asked().chain([Event::Decided(true), told(connected())]));
    assert_eq!(replaced, Stage::Connected(summary()));
}

#[test]
fn a_decision_that_did_not_get_through_can_be_made_again() {
    let unanswered = Event::Unanswered(flow(1), ApiError::Unavailable);
    let stage = after(begun(Way::Window).into_iter().chain([told(other_account()), Event::Decided(true), unanswered]));
    let Stage::OtherAccount(choice) = stage else { panic!("the question is gone: {stage:?}") };
    assert_eq!((choice.decided, choice.trouble), (None, Some(ApiError::Unavailable)));
}

#[test]
fn only_a_link_goes_on_without_its_dialog_and_a_choice_waits() {
    let by = |way| after(begun(way));
    let choice = after(begun(Way::Window).into_iter().chain([told(other_account())]));
    assert!(choice.is_handed_over() && !choice.is_under_way());
    assert!(by(Way::Link).is_handed_over() && !by(Way::Link).is_under_way());
    assert!(by(Way::Window).is_under_way() && by(Way::Device).is_under_way());
    assert!(!Stage::default().is_under_way());
}

fn any_way() -> impl Strategy<Value = Way> {
    prop_oneof![Just(Way::Window), Just(Way::Link), Just(Way::Device)]
}

fn any_progress() -> impl Strategy<Value = Progress> {
    prop_oneof![
        3 => Just(Progress::Waiting),
        3 => Just(Progress::Opened),
        1 => Just(connected()),
        2 => Just(other_account()),
        1 => Just(Progress::Failed { message: "no".to_owned() }),
        1 => Just(Progress::Expired),
    ]
}

fn any_error() -> impl Strategy<Value = ApiError> {
    let errors = [ApiError::Offline, ApiError::Unavailable, ApiError::SignedOut, ApiError::Busy, ApiError::NotFound];
    proptest::sample::select(errors.to_vec())
}

fn any_event() -> impl Strategy<Value = Event> {
    let number = 1_u8..4;
    prop_oneof![
        3 => Just(Event::Asked),
        1 => Just(Event::Refused),
        3 => (number.clone(), any_way()).prop_map(|(number, way)| Event::Begun(waiting(number, way))),
        6 => (number.clone(), any_progress()).prop_map(|(number, progress)| Event::Told(flow(number), progress)),
        2 => (number.clone(), any_error()).prop_map(|(number, error)| Event::Unanswered(flow(number), error)),
        1 => number.prop_map(|number| Event::Late(flow(number))),
        1 => any::<bool>().prop_map(Event::Decided),
        1 => Just(Event::GivenUp),
    ]
}

/// The flow an event speaks of.
fn concerned(event: &Event) -> Option<&FlowId> {
    match event {
        Event::Told(flow, _) | Event::Unanswered(flow, _) | Event::Late(flow) => Some(flow),
        _ => None,
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_rules_hold(events in proptest::collection::vec(any_event(), 0..60)) {
        let mut stage = Stage::default();
        for event in events {
            let before = stage.clone();
            stage.take(event.clone());

            // What was connected stays connected.
            if matches!(before, Stage::Connected(_)) {
                prop_assert_eq!(&stage, &before);
            }
            // News of another flow changes nothing.
            if concerned(&event).is_some_and(|flow| before.flow() != Some(flow)) {
                prop_assert_eq!(&stage, &before);
            }
            // Only the server's word connects.
            if matches!(stage, Stage::Connected(_)) && !matches!(before, Stage::Connected(_)) {
                let said_so = matches!(event, Event::Told(_, Progress::Connected { .. }));
                prop_assert!(said_so);
            }
            // A flow is never exchanged for another without a form in between.
            if let (Some(was), Some(is)) = (before.flow(), stage.flow()) {
                prop_assert_eq!(was, is);
            }
            if let (Stage::Waiting(was), Stage::Waiting(is)) = (&before, &stage) {
                prop_assert!(is.opened || !was.opened);
            }
            // One of them is shown, never both.
            prop_assert!(!(stage.is_form() && stage.covers_form()));
            prop_assert!(!(stage.is_under_way() && stage.is_handed_over()));
        }
    }
}
