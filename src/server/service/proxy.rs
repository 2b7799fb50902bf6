//! Requests sent in a connection's name: the credential never leaves the server, and each call is recorded.

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_LENGTH, LOCATION};
use hyper::{Response, StatusCode};
use url::Url;

use super::Services;
use super::caller::Caller;
use super::hand_out::{Usable, Withheld};
use super::pace::Place;
use crate::api::error::ApiError;
use crate::domain::id::ConnectionId;
use crate::domain::role::Action;
use crate::domain::time::MINUTE;
use crate::server::dial::http::Driver;
use crate::server::dial::tls::Trust;
use crate::server::probe::Scrubber;
use crate::server::probe::http_request::Shape;
use crate::server::proxy::body::{Broken, Measured, Progress};
use crate::server::proxy::target::{self, LeadsElsewhere};
use crate::server::proxy::{Answer, Inquiry, NoAnswer, Redirect, Sent, at_hand, exchange, headers, outgoing, signed};
use crate::server::store::record::AuditAction;

/// A token younger than this is not renewed because a service refused it.
const YOUNG: i64 = MINUTE;
/// Characters of a path that are recorded.
const LONGEST_PATH: usize = 300;

/// Why no answer of the service is passed on. What it prints is for everybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    #[error(transparent)]
    Withheld(#[from] Withheld),
    #[error(transparent)]
    LeadsElsewhere(#[from] LeadsElsewhere),
    #[error("Only services spoken to by HTTP have a proxy. Fetch the credentials instead.")]
    NotHttp,
    #[error("The request is larger than the {} MiB that pass this proxy.", .0 >> 20)]
    TooLarge(u64),
    #[error("The answer is larger than the {} MiB that pass this proxy.", .0 >> 20)]
    AnswerTooLarge(u64),
    #[error("The service did not answer in time.")]
    Slow,
    #[error("The service wants to speak another protocol, which does not pass this proxy.")]
    Upgrade,
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
}

impl From<ApiError> for Unsent {
    fn from(error: ApiError) -> Self {
        Self::Withheld(error.into())
    }
}

/// The head of an answer, with its connection, and what the request was made of.
struct Answered {
    response: Response<Incoming>,
    driver: Driver,
    shape: Shape,
    url: Url,
}

impl Services {
    /// Sends a request with a connection's credential and gives the service's answer, after the call is recorded. Goes on
    /// to the record even if whoever asked goes away.
    ///
    /// # Errors
    /// [`Unsent`].
    pub async fn proxy(
        &self,
        caller: Caller,
        id: ConnectionId,
        inquiry: Inquiry,
        body: Sent,
    ) -> Result<Answer, Unsent> {
        let services = self.clone();
        self.finish(async move { Ok(services.proxied(&caller, &id, &inquiry, body).await) }).await?
    }

    async fn proxied(
        &self,
        caller: &Caller,
        id: &ConnectionId,
        inquiry: &Inquiry,
        body: Sent,
    ) -> Result<Answer, Unsent> {
        self.pace(caller, id)?;
        let place = self.pace.enter(caller.key_for(id)?, self.setting.runtime.proxied_at_once);
        let place = place.ok_or(Withheld::TooManyAtOnce)?;
        let usable = self.usable(caller, Action::SendRequest, id).await?;
        let shape = usable.shape().ok_or(Unsent::NotHttp)??;
        target::join(&shape.base, &inquiry.path, inquiry.query.as_deref(), &shape.query)?;
        let (stored, scrub) = (usable.stored.clone(), Scrubber::new(&usable.secrets));
        let answered = Box::pin(self.exchanged(caller, usable, inquiry, body)).await;
        let outcome = answered
            .as_ref()
            .map_or_else(|_| "no answer".to_owned(), |answered| answered.response.status().as_u16().to_string());
        let path: String = inquiry.path.chars().take(LONGEST_PATH).collect();
        let about = scrub.clean(&format!("{} {path} {outcome}", inquiry.method));
        self.record_use(caller, &stored, AuditAction::Proxied, about).await?;
        let answered = answered?;
        if answered.response.status() == StatusCode::UNAUTHORIZED {
            // Its own errors concern nobody who has an answer.
            let _ = self.doubt(caller, &stored, "status 401 to the proxy".to_owned()).await;
        }
        self.passed_on(answered, place, &scrub)
    }

    /// Sends the request, and once more with another token where the one sent was refused and the body is at hand.
    async fn exchanged(
        &self,
        caller: &Caller,
        usable: Usable,
        inquiry: &Inquiry,
        body: Sent,
    ) -> Result<Answered, Unsent> {
        let again = match &body {
            Sent::Whole(bytes) => Some(bytes.clone()),
            Sent::Stream { .. } => None,
        };
        let first = self.sent(&usable, inquiry, body).await?;
        let refused = first.response.status() == StatusCode::UNAUTHORIZED;
        let Some(bytes) = again.filter(|_| refused) else { return Ok(first) };
        if !self.has_other_token(caller, &usable).await {
            return Ok(first);
        }
        let id = usable.stored.summary.id.clone();
        match self.usable(caller, Action::SendRequest, &id).await {
            Ok(usable) => self.sent(&usable, inquiry, Sent::Whole(bytes)).await,
            Err(_) => Ok(first),
        }
    }

    /// Whether there is another token by now than one that was refused.
    async fn has_other_token(&self, caller: &Caller, usable: &Usable) -> bool {
        let (Some(grant), before) = (&usable.grant, usable.stored.secret_version) else { return false };
        let Ok((current, _)) = self.active(caller, &usable.stored.summary.id).await else { return false };
        if current.secret_version != before {
            return true;
        }
        // A service that refuses whatever it is shown must not have its provider asked again and again.
        self.clock.now().since(grant.issued_at) >= YOUNG
            && Box::pin(self.fresh(current, true)).await.is_ok_and(|renewed| renewed.secret_version != before)
    }

    async fn sent(&self, usable: &Usable, inquiry: &Inquiry, body: Sent) -> Result<Answered, Unsent> {
        let limits = self.setting.runtime;
        let shape = usable.shape().ok_or(Unsent::NotHttp)??;
        let url = target::join(&shape.base, &inquiry.path, inquiry.query.as_deref(), &shape.query)?;
        let request = signed(outgoing(inquiry, &shape, &url)?, &shape, &url, &body, &self.clock)?;
        let progress = Progress::new();
        let (stream, length) = match body {
            Sent::Whole(bytes) => (at_hand(bytes), None),
            Sent::Stream { body, length } => (body, length),
        };
        let measured = Measured::new(stream, limits.proxied_body, limits.proxied_pause, progress.clone(), ());
        let request = request.map(|()| measured.announced(length));
        let trust = usable.values().get("ca").map_or(Trust::Machine, |pem| Trust::Own(pem.to_owned()));
        let dialer = self.prober.dialer();
        let exchange = exchange(&dialer, &self.clock, &url, &trust, request);
        let answered = progress.watch(limits.proxied_pause, exchange).await;
        if progress.is_too_large() {
            return Err(Unsent::TooLarge(limits.proxied_body));
        }
        let (response, driver) = answered.map_err(|_: Broken| Unsent::Slow)??;
        Ok(Answered { response, driver, shape, url })
    }

    /// What the caller gets to see of an answer.
    fn passed_on(&self, answered: Answered, place: Place, scrub: &Scrubber) -> Result<Answer, Unsent> {
        let limits = self.setting.runtime;
        let Answered { response, driver, shape, url } = answered;
        let (head, body) = response.into_parts();
        if head.status.is_informational() {
            return Err(Unsent::Upgrade);
        }
        let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        // An answer to HEAD tells the length of what it leaves out (RFC 9110, section 8.6).
        if length.is_some_and(|length| length > limits.proxied_body) && !body.is_end_stream() {
            return Err(Unsent::AnswerTooLarge(limits.proxied_body));
        }
        let mut headers = headers::inward(&head.headers);
        let location = if head.status.is_redirection() { headers.remove(LOCATION) } else { None };
        let location = location.as_ref().and_then(|location| location.to_str().ok());
        let redirect = location.map(|text| match target::below(&shape.base, &url, text, &shape.query) {
            Some(path) => Redirect::Below(path),
            None => Redirect::Elsewhere(text.to_owned()),
        });
        // What the service puts into an address of its own may be the credential.
        let redirect = redirect.filter(|redirect| match redirect {
            Redirect::Below(text) | Redirect::Elsewhere(text) => scrub.clean(text) == *text,
        });
        headers::drop_telling(&mut headers, scrub);
        let stream = body.map_err(Into::into).boxed_unsync();
        let with_it = (driver, place);
        let body = Measured::new(stream, limits.proxied_body, limits.proxied_pause, Progress::new(), with_it);
        Ok(Answer { status: head.status, headers, redirect, body })
    }
}
