//! Any sequence of faults at any step of a renewal: no working refresh token is lost or overwritten, none is used twice
//! but after a lost answer, and there is always a next step.

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::connect::{begin, land, open, progress};
use crate::harness::Site;
use patchbay::api::error::ApiError;
use patchbay::domain::environment::Environment;
use patchbay::domain::health::Health;
use patchbay::domain::id::ConnectionId;
use patchbay::domain::owner::Sight;
use patchbay::domain::time::{HOUR, MINUTE};
use patchbay::server::store::record::{RenewalClaim, Scope};

/// What the provider does with the next refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Answer {
    #[default]
    Good,
    /// A new access token alone: the refresh token stays as it is.
    WithoutRefreshToken,
    /// It renews, and what it answers is of no use.
    Lost,
    /// None of these renews.
    Unavailable,
    TooMany,
    WrongClient,
    Nonsense,
    /// The grant was ended there.
    Ended,
}

/// What happens here.
#[derive(Clone, Copy, Debug)]
enum Step {
    Renew(Answer),
    /// The process dies between claim and request.
    Dies,
    /// The worker sleeps past its lease; another one renews, and then the first wakes up.
    TakenOver(Answer),
}

/// A provider that rotates and ends the grant where a used token comes back.
#[derive(Default)]
struct Rotating {
    newest: u32,
    ended: bool,
    next: Answer,
    /// How often each token renewed something, or came back after it had.
    used: HashMap<u32, u32>,
    lost: bool,
    /// What the next answers wait for; the deed is done before.
    held: VecDeque<oneshot::Receiver<()>>,
}

type Shared = Arc<Mutex<Rotating>>;

fn lock(shared: &Shared) -> MutexGuard<'_, Rotating> {
    shared.lock().expect("a lock")
}

fn tokens(number: u32, refresh: bool) -> Response {
    let mut answer = json!({ "access_token": format!("at-{number}"), "token_type": "Bearer", "expires_in": 3600 });
    if refresh {
        answer["refresh_token"] = json!(format!("rt-{number}"));
    }
    Json(answer).into_response()
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "error": code }))).into_response()
}

async fn token(State(shared): State<Shared>, Form(form): Form<HashMap<String, String>>) -> Response {
    let (answer, held) = {
        let mut provider = lock(&shared);
        (answer_of(&mut provider, &form), provider.held.pop_front())
    };
    if let Some(held) = held {
        held.await.expect("let go");
    }
    answer
}

fn answer_of(provider: &mut Rotating, form: &HashMap<String, String>) -> Response {
    let Some(presented) = form.get("refresh_token") else {
        provider.newest = 1;
        return tokens(1, true);
    };
    let number: u32 = presented.trim_start_matches("rt-").parse().expect("a token of this provider");
    let answer = std::mem::take(&mut provider.next);
    match answer {
        Answer::Unavailable => return error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        Answer::TooMany => return error(StatusCode::TOO_MANY_REQUESTS, "slow_down"),
        Answer::WrongClient => return error(StatusCode::UNAUTHORIZED, "invalid_client"),
        Answer::Nonsense => return error(StatusCode::BAD_REQUEST, "invalid_request"),
        Answer::Ended => provider.ended = true,
        Answer::Good | Answer::WithoutRefreshToken | Answer::Lost => {}
    }
    *provider.used.entry(number).or_default() += u32::from(answer != Answer::WithoutRefreshToken);
    if provider.ended || number != provider.newest {
        provider.ended = true;
        return error(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    if answer == Answer::WithoutRefreshToken {
        return tokens(number, false);
    }
    provider.newest += 1;
    if answer == Answer::Lost {
        provider.lost = true;
        return "<html>".into_response();
    }
    tokens(provider.newest, true)
}

/// One connected account at this provider.
struct Walk {
    site: Site,
    shared: Shared,
    scope: Scope,
    id: ConnectionId,
}

impl Walk {
    async fn begin() -> Self {
        let shared = Shared::default();
        let app = Router::new().route("/token", post(token)).with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, app).await.expect("served") });
        let site = Site::new().await;
        let owner = site.sign_in().await;
        let body = json!({ "request": {
            "environment": "production", "component": "oauth2", "method": "sign_in", "name": "Mail", "by": "window",
            "values": {
                "authorize_url": format!("{origin}/authorize"), "token_url": format!("{origin}/token"),
                "client_id": "patchbay", "client_secret": "secret", "scopes": "email",
            },
        } });
        let begun = begin(&site, &owner, &body).await;
        let opened = open(&site, &begun).await;
        let query = format!("code=c0de&state={}", opened.parameter("state").expect("a state"));
        let landed = land(&site, Some(&opened.browser), &query).await;
        assert!(landed.text.contains("is connected"), "{}", landed.text);
        let summary = progress(&site, &owner, &begun).await["connected"]["summary"].clone();
        let id = ConnectionId::try_from(summary["id"].as_str().expect("an id").to_owned()).expect("an id");
        let scope = Scope {
            workspace: site.owner.workspace.clone(),
            environment: Environment::Production,
            sight: Sight::Everybody,
        };
        Self { site, shared, scope, id }
    }

    async fn claim(&self) -> Option<RenewalClaim> {
        let services = &self.site.app.services;
        let now = services.clock.now();
        services.store.claim_renewals(now, now.plus(MINUTE), 1, Default::default()).await.expect("claims").pop()
    }

    async fn renew(&self, claim: RenewalClaim, answer: Answer) {
        lock(&self.shared).next = answer;
        self.site.app.services.renew_claimed(claim).await.expect("settled");
        lock(&self.shared).next = Answer::Good;
    }

    /// Begins what is due, and comes back once the provider has been asked so often.
    async fn renew_aside(&self, asked: u32) -> JoinHandle<Result<(), ApiError>> {
        let (services, claim) = (self.site.app.services.clone(), self.claim().await.expect("due"));
        let worker = tokio::spawn(async move { services.renew_claimed(claim).await });
        while lock(&self.shared).used.values().sum::<u32>() < asked {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        worker
    }

    /// Does a step, where anything is still due.
    async fn take(&self, step: Step) {
        // Every lease and every wait is over by then, and the token due.
        self.site.pass(2 * HOUR);
        let Some(claim) = self.claim().await else { return };
        match step {
            Step::Renew(answer) => self.renew(claim, answer).await,
            Step::Dies => {}
            Step::TakenOver(answer) => {
                self.site.pass(2 * MINUTE);
                let other = self.claim().await.expect("the lease is over");
                self.renew(other, answer).await;
                let used = lock(&self.shared).used.clone();
                self.renew(claim, Answer::Good).await;
                assert_eq!(lock(&self.shared).used, used, "the late one presents nothing");
            }
        }
    }

    async fn check(&self) -> Result<bool, TestCaseError> {
        let store = &self.site.app.services.store;
        let health = store.connection(&self.scope, &self.id).await.expect("read").expect("there").summary.health;
        let grant = store.grant(&self.scope, &self.id).await.expect("read").expect("a grant");
        let provider = lock(&self.shared);
        prop_assert!(provider.used.values().all(|times| *times <= 2), "{:?}", provider.used);
        prop_assert!(provider.lost || provider.used.values().all(|times| *times <= 1), "{:?}", provider.used);
        if let Health::Rejected { reason, .. } = &health {
            prop_assert!(provider.ended, "given up while the provider knows it: {reason}");
            prop_assert!(reason.ends_with("Reconnect the account."), "{reason}");
            prop_assert_eq!(grant.refresh_at, None);
        } else {
            prop_assert!(grant.refresh_at.is_some(), "there is a next step: {health:?}");
        }
        Ok(matches!(health, Health::Rejected { .. }))
    }
}

async fn walk(steps: &[Step]) -> Result<(), TestCaseError> {
    let walk = Walk::begin().await;
    for step in steps {
        walk.take(*step).await;
        walk.check().await?;
    }
    // Once all is well again, it works, or it has said that it has to be reconnected.
    for _ in 0..2 {
        walk.take(Step::Renew(Answer::Good)).await;
    }
    let rejected = walk.check().await?;
    let (ended, lost) = {
        let provider = lock(&walk.shared);
        (provider.ended, provider.lost)
    };
    prop_assert_eq!(rejected, ended);
    let asked_for =
        steps.iter().any(|step| matches!(step, Step::Renew(Answer::Ended) | Step::TakenOver(Answer::Ended)));
    prop_assert!(!ended || lost || asked_for, "nothing of ours ended it");
    Ok(())
}

#[tokio::test]
async fn where_a_used_token_was_refused_the_one_that_replaced_it_is_tried_at_once() {
    let walk = Walk::begin().await;
    walk.site.pass(2 * HOUR);
    let (let_first_go, first_held) = oneshot::channel();
    let (let_second_go, second_held) = oneshot::channel();
    lock(&walk.shared).held.extend([first_held, second_held]);
    let first = walk.renew_aside(1).await;
    // The answer to the first is still on its way when its lease is over: the same token is presented once more.
    walk.site.pass(2 * MINUTE);
    let second = walk.renew_aside(2).await;
    for (let_go, worker) in [(let_first_go, first), (let_second_go, second)] {
        let_go.send(()).expect("waited for");
        worker.await.expect("a worker").expect("settled");
    }
    assert!(lock(&walk.shared).ended);
    let claim = walk.claim().await.expect("due at once, although the tokens are new");
    walk.renew(claim, Answer::Good).await;
    let stored = walk.site.app.services.store.connection(&walk.scope, &walk.id).await.expect("read").expect("there");
    let Health::Rejected { reason, .. } = stored.summary.health else { panic!("{:?}", stored.summary.health) };
    assert!(reason.ends_with("Reconnect the account."), "{reason}");
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Good),
        2 => Just(Answer::WithoutRefreshToken),
        1 => Just(Answer::Lost),
        2 => Just(Answer::Unavailable),
        1 => Just(Answer::TooMany),
        2 => Just(Answer::WrongClient),
        1 => Just(Answer::Nonsense),
        1 => Just(Answer::Ended),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => answers().prop_map(Step::Renew),
        2 => Just(Step::Dies),
        2 => answers().prop_map(Step::TakenOver),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_fault_at_any_step_loses_a_working_token(steps in proptest::collection::vec(steps(), 1..9)) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(walk(&steps))?;
    }
}
