use super::*;
use crate::domain::time::Timestamp;
use crate::server::oauth::{Captured, Cause};
use crate::server::vault::SecretText;
use proptest::prelude::*;

fn tokens(name: &str) -> Box<Tokens> {
    Box::new(Tokens {
        access_token: SecretText::new(name.to_owned()),
        refresh_token: None,
        issued_at: Timestamp(0),
        expires_at: None,
        refresh_expires_at: None,
        scopes: None,
        captured: Captured::default(),
    })
}

const CALM: Standing = Standing { is_current: true, is_leased: true, was_lost_before: false, failures: 0 };

fn refused() -> OAuthError {
    OAuthError::Refused(Said { code: "invalid_grant".to_owned(), description: String::new() })
}

fn silence(may_have_acted: bool, wait: Option<i64>) -> OAuthError {
    Silence { wait, may_have_acted, ..Silence::new(Cause::TimedOut) }.into()
}

#[test]
fn what_the_winner_of_a_race_stored_is_adopted() {
    let late = Standing { is_current: false, ..CALM };
    for outcome in [
        Outcome::Renewed(tokens("new")),
        Outcome::Failed(refused()),
        Outcome::Failed(silence(true, None)),
        Outcome::NotStored,
        Outcome::Abandoned,
    ] {
        assert_eq!(settle(outcome, late, 0), Next::Adopt);
    }
}

#[test]
fn a_refusal_ends_it_and_tells_a_lost_answer_apart() {
    let said = Said { code: "invalid_grant".to_owned(), description: String::new() };
    assert_eq!(settle(Outcome::Failed(refused()), CALM, 0), Next::End(Ending::Refused(said.clone())));
    let lost = Standing { was_lost_before: true, ..CALM };
    assert_eq!(settle(Outcome::Failed(refused()), lost, 0), Next::End(Ending::AnswerLost(said)));
}

#[test]
fn a_clients_trouble_is_no_connections_trouble() {
    let error = OAuthError::WrongClient(Said::default());
    assert_eq!(settle(Outcome::Failed(error), CALM, 0), Next::MendClient(Said::default()));
}

#[test]
fn a_client_that_is_missing_is_told_as_that() {
    assert_eq!(settle(Outcome::Failed(OAuthError::NoClient), CALM, 0), Next::MendClient(Said::default()));
    let sentence = OAuthError::NoClient.sentence("Gmail");
    assert!(sentence.contains("no OAuth client for Gmail") && sentence.contains("Set one up"), "{sentence}");
    assert_ne!(sentence, OAuthError::WrongClient(Said::default()).sentence("Gmail"));
}

#[test]
fn an_answer_that_cannot_be_stored_is_held_on_to_while_the_lease_lasts() {
    assert_eq!(settle(Outcome::NotStored, CALM, 0), Next::HoldOn);
    let over = Standing { is_leased: false, ..CALM };
    assert_eq!(settle(Outcome::NotStored, over, 0), Next::Later { after: 0, was_lost: true });
}

#[test]
fn the_providers_wish_is_waited_for() {
    let next = settle(Outcome::Failed(silence(true, Some(90_000))), CALM, 0);
    assert_eq!(next, Next::Later { after: 90_000, was_lost: true });
}

fn errors() -> impl Strategy<Value = OAuthError> {
    let said = || Said { code: "x".to_owned(), description: "y".to_owned() };
    let told = prop_oneof![
        Just(refused()),
        Just(OAuthError::WrongClient(said())),
        Just(OAuthError::InvalidScope(said())),
        Just(OAuthError::AccessDenied(said())),
        Just(OAuthError::Misunderstood(said())),
        Just(OAuthError::NotTold { capture: "x".to_owned() }),
        Just(OAuthError::ForbiddenHost { capture: "x".to_owned() }),
        Just(OAuthError::Incomplete { field: "x".to_owned() }),
        Just(OAuthError::Unsupported),
        Just(OAuthError::UnusableKey),
    ];
    prop_oneof![
        told,
        (any::<bool>(), proptest::option::of(0..86_400_000_i64)).prop_map(|(acted, wait)| silence(acted, wait))
    ]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Renewed(tokens("new"))),
        errors().prop_map(Outcome::Failed),
        Just(Outcome::NotStored),
        Just(Outcome::Abandoned),
    ]
}

/// Where a fault strikes one attempt.
#[derive(Clone, Debug)]
enum Fault {
    None,
    /// The process dies after the claim, before anything was sent.
    DiesBeforeSending,
    /// The provider acted, and the answer is lost: by a crash, or on the way.
    AnswerLost,
    /// The provider acted, and the commit fails until the lease ends.
    CommitFails,
    Unreachable,
    Busy,
}

fn faults() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::None),
        1 => Just(Fault::DiesBeforeSending),
        1 => Just(Fault::AnswerLost),
        1 => Just(Fault::CommitFails),
        1 => Just(Fault::Unreachable),
        1 => Just(Fault::Busy),
    ]
}

/// A provider that rotates: only the newest token is good, or, where it forgives, also the one before.
struct Rotating {
    newest: u32,
    forgives: bool,
}

impl Rotating {
    fn present(&mut self, token: u32) -> Result<u32, ()> {
        if token == self.newest {
            self.newest += 1;
            Ok(self.newest)
        } else if self.forgives && token + 1 == self.newest {
            Ok(self.newest)
        } else {
            Err(())
        }
    }
}

/// What a walk through faults came to.
struct Walk {
    stored: u32,
    ended: Option<Ending>,
    lost: bool,
}

/// One row, one attempt after the other, as a worker executes the decisions.
fn walk(faults: &[Fault], forgives: bool) -> Walk {
    let mut provider = Rotating { newest: 0, forgives };
    let (mut stored, mut lost, mut failures) = (0, false, 0);
    for fault in faults {
        let standing = Standing { was_lost_before: lost, failures, is_leased: false, ..CALM };
        let outcome = match fault {
            Fault::DiesBeforeSending => Outcome::Abandoned,
            Fault::Unreachable => Outcome::Failed(silence(false, None)),
            Fault::Busy => Outcome::Failed(OAuthError::NoEvidence(Silence::new(Cause::TooMany))),
            Fault::None | Fault::AnswerLost | Fault::CommitFails => match (provider.present(stored), fault) {
                (Ok(_), Fault::AnswerLost) => Outcome::Failed(silence(true, None)),
                (Ok(_), Fault::CommitFails) => Outcome::NotStored,
                (Ok(token), _) => Outcome::Renewed(tokens(&token.to_string())),
                (Err(()), _) => Outcome::Failed(refused()),
            },
        };
        match settle(outcome, standing, 7) {
            Next::Store(tokens) => {
                stored = tokens.access_token.reveal().parse().expect("a number");
                (lost, failures) = (false, 0);
            }
            Next::Later { was_lost, .. } => (lost, failures) = (was_lost, failures + 1),
            Next::Again => lost = true,
            Next::End(ending) => return Walk { stored, ended: Some(ending), lost },
            other => panic!("{other:?}"),
        }
    }
    Walk { stored, ended: None, lost }
}

proptest! {
    #[test]
    fn only_a_current_claim_stores_and_only_what_the_provider_gave(
        outcome in outcomes(), is_current: bool, is_leased: bool, was_lost_before: bool,
        failures in 0..100_u32, spread: u16,
    ) {
        let standing = Standing { is_current, is_leased, was_lost_before, failures };
        let given = outcome.clone();
        match settle(outcome, standing, spread) {
            Next::Store(tokens) => {
                prop_assert!(is_current);
                prop_assert_eq!(given, Outcome::Renewed(tokens));
            }
            Next::End(_) => {
                let proves = matches!(
                    &given,
                    Outcome::Failed(OAuthError::Refused(_) | OAuthError::AccessDenied(_) | OAuthError::InvalidScope(_))
                );
                prop_assert!(proves && is_current);
            }
            Next::Later { after, was_lost } => {
                prop_assert!((0..=86_400_000).contains(&after));
                // What was lost once stays lost until an answer was stored.
                prop_assert!(was_lost || !was_lost_before);
            }
            Next::HoldOn => prop_assert!(is_current && is_leased),
            Next::Adopt => prop_assert!(!is_current),
            Next::Again | Next::MendClient(_) => prop_assert!(is_current),
        }
    }

    #[test]
    fn a_forgiving_provider_never_ends_a_connection(faults in proptest::collection::vec(faults(), 0..30)) {
        let walked = walk(&faults, true);
        prop_assert_eq!(walked.ended, None);
    }

    #[test]
    fn a_strict_provider_ends_it_only_after_a_lost_answer_and_says_so(faults in proptest::collection::vec(faults(), 0..30)) {
        let walked = walk(&faults, false);
        let lost = faults.iter().any(|fault| matches!(fault, Fault::AnswerLost | Fault::CommitFails));
        match walked.ended {
            Some(ending) => prop_assert!(lost && walked.lost && matches!(ending, Ending::AnswerLost(_))),
            None if !lost => {
                let good = faults.iter().filter(|fault| matches!(fault, Fault::None)).count();
                prop_assert_eq!(walked.stored as usize, good);
            }
            None => {}
        }
    }

    #[test]
    fn the_back_off_grows_to_a_quarter_of_an_hour(failures in 0..1_000_u32, spread: u16) {
        let wait = back_off(failures, spread);
        prop_assert!((SECOND / 10..=15 * MINUTE).contains(&wait));
        prop_assert!(wait <= back_off(failures, u16::MAX) && back_off(failures, u16::MAX) <= back_off(failures + 1, u16::MAX));
    }
}
