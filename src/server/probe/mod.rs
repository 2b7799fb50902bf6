//! Asking a service whether a credential works; one file a protocol.

mod amqp;
pub(super) mod aws;
mod destination;
mod ftp;
mod google;
mod http;
pub(super) mod http_outcome;
pub(super) mod http_request;
mod imap;
mod ldap;
mod lines;
mod login;
mod mqtt;
mod mysql;
mod nats;
mod overheard;
mod postgresql;
#[cfg(feature = "protocols")]
mod rare;
#[cfg(not(feature = "protocols"))]
#[path = "rare/absent.rs"]
mod rare;
mod redis;
mod replay;
mod scrub;
mod setback;
mod smtp;
mod turns;
pub(super) mod values;

use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use crate::domain::evidence::{Account, Evidence, Step, StepKind, Verdict};
use crate::domain::field::FieldValues;
use crate::domain::time::Timestamp;
use crate::server::catalog::definition::{Definition, HttpService, Method, Service};
use crate::server::clock::Clock;
use crate::server::dial::host::Host;
use crate::server::dial::tls::end_of;
use crate::server::dial::{Dialer, Steps};
use crate::server::vault::Secrets;
pub use destination::places;
pub use replay::replay;
pub use scrub::Scrubber;
use setback::Setback;
pub use turns::NoTurn;
use turns::Turns;
pub use values::Values;

/// Time for one whole probe.
const LIMIT: Duration = Duration::from_secs(10);

/// Asks services. Cheap to clone; all clones share the limit of probes at once.
#[derive(Clone)]
pub struct Prober {
    dialer: Dialer,
    clock: Clock,
    turns: Turns,
    limit: Duration,
}

/// What to ask: whether these secrets, with this configuration, work at this component.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub component: &'a Definition,
    pub method: &'a Method,
    pub config: &'a FieldValues,
    pub secrets: &'a Secrets,
}

impl Question<'_> {
    /// The host it is put to, as far as its fields tell; empty where they are wrong.
    #[must_use]
    pub fn host(&self) -> String {
        let values = Values::of(self);
        let host = match &self.method.service {
            Service::Http(service) => http::host(service, values),
            Service::GoogleServiceAccount {} => "oauth2.googleapis.com".to_owned(),
            _ => values.get("host").unwrap_or_default().to_owned(),
        };
        // One host in whatever spelling.
        Host::parse(&host).map(|host| host.to_string()).unwrap_or_default()
    }
}

/// A question on its way, with all that a protocol needs to put it.
struct Errand<'a> {
    component: &'a str,
    dialer: &'a Dialer,
    clock: &'a Clock,
    values: Values<'a>,
    scrub: &'a Scrubber,
}

/// What a service said of a credential that it accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Finding {
    account: Account,
    expires_at: Option<Timestamp>,
    /// Permissions the component requires and the credential lacks.
    missing: Vec<String>,
    /// Fingerprint of the server's SSH key.
    host_key: Option<String>,
}

impl Finding {
    fn identity(identity: impl Into<String>) -> Self {
        Self { account: Account { identity: Some(identity.into()), ..Account::default() }, ..Self::default() }
    }

    /// The same without a permission that the component requires.
    fn lacking(mut self, permission: String) -> Self {
        self.missing.push(permission);
        self
    }

    fn into_verdict(self) -> Verdict {
        if self.missing.is_empty() { Verdict::Valid } else { Verdict::Limited { missing: self.missing } }
    }
}

impl Prober {
    #[must_use]
    pub fn new(dialer: Dialer, clock: Clock) -> Self {
        Self { dialer, clock, turns: Turns::default(), limit: LIMIT }
    }

    /// Asks, telling each step live. Ends within 10 seconds of its turn; dropping the future closes the socket.
    ///
    /// # Errors
    /// [`NoTurn`] where too many probes are under way, to this host or in all.
    pub async fn probe(&self, question: Question<'_>, live: UnboundedSender<Step>) -> Result<Evidence, NoTurn> {
        let scrub = Scrubber::new(question.secrets);
        let cleaner = scrub.clone();
        let mut steps = Steps::new(live, Box::new(move |text| cleaner.clean(text)));
        let askable = askable(question.method, question.config);
        let _turn = if askable { Some(self.turns.take(&question.host()).await?) } else { None };
        let result = if askable { self.ask_in_time(&question, &scrub, &mut steps).await.map(Some) } else { Ok(None) };
        let (verdict, finding, not_before) = match result {
            Ok(None) => (Verdict::NotAskable, Finding::default(), None),
            Ok(Some(finding)) => (finding.clone().into_verdict(), finding, None),
            Err(mut setback) => {
                setback.field = setback.field.filter(|id| question.method.fields.iter().any(|field| &field.id == id));
                steps.fail(&setback.reason, &setback.detail);
                let not_before = setback.patience.map(|span| self.clock.now().plus(span));
                (setback.into_verdict(), Finding::default(), not_before)
            }
        };
        Ok(Evidence {
            at: self.clock.now(),
            steps: steps.into_ended(),
            verdict: cleaned_verdict(verdict, &scrub),
            account: cleaned_account(finding.account, &scrub),
            expires_at: finding.expires_at,
            not_before,
            host_key: finding.host_key,
        })
    }

    /// The one way out that this and the conversations with OAuth providers share.
    #[must_use]
    pub fn dialer(&self) -> Dialer {
        self.dialer.clone()
    }

    /// Whether something on this machine takes connections at a port. Asks loopback only, within 300 ms.
    pub async fn answers_locally(&self, port: u16) -> bool {
        self.dialer.answers_locally(port).await
    }

    async fn ask_in_time(
        &self,
        question: &Question<'_>,
        scrub: &Scrubber,
        steps: &mut Steps,
    ) -> Result<Finding, Setback> {
        let errand = Errand {
            component: &question.component.name,
            dialer: &self.dialer,
            clock: &self.clock,
            values: Values::of(question),
            scrub,
        };
        let silence = || Setback::silence(format!("No answer within {} seconds.", self.limit.as_secs()));
        let mut finding =
            timeout(self.limit, ask(&errand, &question.method.service, steps)).await.map_err(|_| silence())??;
        finding.expires_at = earliest(finding.expires_at, known_end(question.config));
        Ok(finding)
    }
}

async fn ask(errand: &Errand<'_>, service: &Service, steps: &mut Steps) -> Result<Finding, Setback> {
    match service {
        Service::Http(service) => http::ask(errand, service, steps).await,
        Service::Postgresql(service) => postgresql::ask(errand, service, steps).await,
        Service::Mysql(service) => mysql::ask(errand, service, steps).await,
        Service::Redis(service) => redis::ask(errand, service, steps).await,
        Service::Smtp(service) => smtp::ask(errand, service, steps).await,
        Service::Imap(service) => imap::ask(errand, service, steps).await,
        Service::Ftp(service) => ftp::ask(errand, service, steps).await,
        Service::Ssh(service) => rare::ssh::ask(errand, service, steps).await,
        Service::Sftp(service) => rare::sftp::ask(errand, service, steps).await,
        Service::Ldap(service) => ldap::ask(errand, service, steps).await,
        Service::Mongodb(service) => rare::mongodb::ask(errand, service, steps).await,
        Service::Amqp(service) => amqp::ask(errand, service, steps).await,
        Service::Mqtt(service) => mqtt::ask(errand, service, steps).await,
        Service::Nats(service) => nats::ask(errand, service, steps).await,
        Service::GoogleServiceAccount {} => google::ask(errand, steps).await,
    }
}

/// Whether the service has a way to be asked, given what the fields hold. Secret fields count as filled.
#[must_use]
pub fn askable(method: &Method, config: &FieldValues) -> bool {
    match &method.service {
        Service::Http(service) => asked_with(service, |id| {
            let fields = method.known_fields();
            fields.iter().find(|field| field.id == id).is_some_and(|field| {
                let filled = field.secret || config.get(id).is_some() || !field.default.is_empty();
                filled && field.is_shown(config, fields)
            })
        }),
        _ => true,
    }
}

fn asked_with(service: &HttpService, holds: impl Fn(&str) -> bool) -> bool {
    service.probes.iter().any(|probe| probe.needs.iter().all(|id| holds(id)))
}

/// When the credential itself ends, as far as its fields tell: with the certificate that is shown to the service.
#[must_use]
pub fn known_end(config: &FieldValues) -> Option<Timestamp> {
    end_of(config.get("client_certificate")?)
}

/// The earlier of two ends, of which either may not be known.
#[must_use]
pub fn earliest(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}

fn signed_in_as(identity: &str) -> String {
    format!("Signed in as {identity}.")
}

/// Notes that the service is not asked about permissions.
fn skip_permissions(steps: &mut Steps) {
    steps.skip(StepKind::Authorise, "Not asked about.");
}

pub(super) fn cleaned_verdict(verdict: Verdict, scrub: &Scrubber) -> Verdict {
    match verdict {
        Verdict::Rejected { reason, field } => Verdict::Rejected { reason: scrub.clean(&reason), field },
        Verdict::NoEvidence { reason, field } => Verdict::NoEvidence { reason: scrub.clean(&reason), field },
        Verdict::Limited { missing } => {
            Verdict::Limited { missing: missing.iter().map(|permission| scrub.clean(permission)).collect() }
        }
        told @ (Verdict::Valid | Verdict::NotAskable) => told,
    }
}

pub(super) fn cleaned_account(account: Account, scrub: &Scrubber) -> Account {
    Account {
        identity: account.identity.map(|identity| scrub.clean(&identity)).filter(|identity| !identity.is_empty()),
        subject: account.subject.map(|subject| scrub.clean(&subject)).filter(|subject| !subject.is_empty()),
        scopes: account.scopes.iter().map(|scope| scrub.clean(scope)).collect(),
    }
}

#[cfg(test)]
#[path = "cases_tests.rs"]
mod cases_tests;
#[cfg(all(test, feature = "protocols"))]
#[path = "matrix_tests.rs"]
mod matrix_tests;
#[cfg(test)]
#[path = "network_tests.rs"]
mod network_tests;
#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
