use super::*;
use crate::server::oauth::Cause;
use proptest::prelude::*;

const CALM: Standing = Standing { was_lost_before: false, failures: 0, client_alone: false };

fn refused() -> OAuthError {
    OAuthError::Refused(Said { code: "invalid_grant".to_owned(), description: String::new() })
}

fn silence(may_have_acted: bool, wait: Option<i64>) -> OAuthError {
    Silence { wait, may_have_acted, ..Silence::new(Cause::TimedOut) }.into()
}

#[test]
fn a_refusal_ends_it_and_tells_a_lost_answer_apart() {
    let said = Said { code: "invalid_grant".to_owned(), description: String::new() };
    assert_eq!(settle(&refused(), CALM, 0), Next::End(Ending::Refused(said.clone())));
    let lost = Standing { was_lost_before: true, ..CALM };
    assert_eq!(settle(&refused(), lost, 0), Next::End(Ending::AnswerLost(said)));
}

#[test]
fn a_clients_trouble_is_no_connections_trouble() {
    let error = OAuthError::WrongClient(Said::default());
    assert_eq!(settle(&error, CALM, 0), Next::MendClient);
}

#[test]
fn where_the_client_is_all_there_is_its_refusal_ends_it() {
    let said = Said { code: "invalid_client".to_owned(), description: String::new() };
    let alone = Standing { client_alone: true, ..CALM };
    let ended = Next::End(Ending::ClientRefused(said.clone()));
    assert_eq!(settle(&OAuthError::WrongClient(said), alone, 0), ended);
}

#[test]
fn a_client_that_is_missing_is_told_as_that() {
    assert_eq!(settle(&OAuthError::NoClient, CALM, 0), Next::MendClient);
    let sentence = OAuthError::NoClient.sentence("Gmail");
    assert!(sentence.contains("no OAuth client for Gmail") && sentence.contains("Set one up"), "{sentence}");
    assert_ne!(sentence, OAuthError::WrongClient(Said::default()).sentence("Gmail"));
}

#[test]
fn the_providers_wish_is_waited_for() {
    let next = settle(&silence(true, Some(90_000)), CALM, 0);
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

/// Where a fault strikes one attempt.
#[derive(Clone, Debug)]
enum Fault {
    None,
    /// The process dies after the claim, before anything was sent.
    DiesBeforeSending,
    /// The provider acted, and the answer is lost: by a crash, or on the way.
    AnswerLost,
    /// The provider acted, and the process dies with what it held: no journal is kept.
    DiesHolding,
    Unreachable,
    Busy,
}

fn faults() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::None),
        1 => Just(Fault::DiesBeforeSending),
        1 => Just(Fault::AnswerLost),
        1 => Just(Fault::DiesHolding),
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
        let standing = Standing { was_lost_before: lost, failures, ..CALM };
        let error = match fault {
            Fault::Unreachable => silence(false, None),
            Fault::Busy => OAuthError::NoEvidence(Silence::new(Cause::TooMany)),
            // The claim says that it may have been presented.
            Fault::DiesBeforeSending => {
                lost = true;
                continue;
            }
            Fault::None | Fault::AnswerLost | Fault::DiesHolding => match (provider.present(stored), fault) {
                (Ok(_), Fault::AnswerLost) => silence(true, None),
                (Ok(_), Fault::DiesHolding) => {
                    lost = true;
                    continue;
                }
                (Ok(token), _) => {
                    (stored, lost, failures) = (token, false, 0);
                    continue;
                }
                (Err(()), _) => refused(),
            },
        };
        match settle(&error, standing, 7) {
            Next::Later { was_lost, .. } => (lost, failures) = (was_lost, failures + 1),
            Next::End(ending) => return Walk { stored, ended: Some(ending), lost },
            Next::MendClient => panic!("no client was at fault"),
        }
    }
    Walk { stored, ended: None, lost }
}

proptest! {
    #[test]
    fn only_a_refusal_ends_it_and_what_was_lost_stays_lost(
        error in errors(), was_lost_before: bool, client_alone: bool, failures in 0..100_u32, spread: u16,
    ) {
        match settle(&error, Standing { was_lost_before, failures, client_alone }, spread) {
            Next::End(ending) => match error {
                OAuthError::Refused(_) | OAuthError::AccessDenied(_) | OAuthError::InvalidScope(_) => {
                    prop_assert_eq!(matches!(ending, Ending::AnswerLost(_)), was_lost_before);
                }
                OAuthError::WrongClient(_) => prop_assert!(client_alone),
                other => prop_assert!(false, "{other:?}"),
            },
            Next::Later { after, was_lost } => {
                prop_assert!((0..=86_400_000).contains(&after));
                prop_assert!(was_lost || !was_lost_before);
            }
            Next::MendClient => prop_assert!(matches!(error, OAuthError::WrongClient(_)) && !client_alone),
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
        let lost = faults.iter().any(|fault| matches!(fault, Fault::AnswerLost | Fault::DiesHolding));
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
