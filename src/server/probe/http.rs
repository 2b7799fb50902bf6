//! HTTP services: 1 MiB of answer at most.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use super::http_outcome::{Judgement, classify};
use super::http_request::{BuildError, base, build};
use super::login::skip_tls;
use super::values::Values;
use super::{Errand, Finding, Setback, signed_in_as, skip_permissions};
use crate::domain::evidence::{StepKind, Verdict};
use crate::domain::web_address::is_of_another_protocol;
use crate::server::catalog::definition::{HttpProbe, HttpService};
use crate::server::catalog::template::RenderError;
use crate::server::dial::http::{Answer, converse};
use crate::server::dial::tls::{Trust, encrypt};
use crate::server::dial::{Steps, Wire};

/// Bytes of a body that are read at most.
const LONGEST_BODY: usize = 0x0010_0000;

/// Asks in order: the first probe signs in, those after it ask for permissions.
pub async fn ask(errand: &Errand<'_>, service: &HttpService, steps: &mut Steps) -> Result<Finding, Setback> {
    let holds = |id: &String| errand.values.get(id).is_some();
    let mut probes = service.probes.iter().filter(|probe| probe.needs.iter().all(holds));
    let Some(first) = probes.next() else {
        return Err(Setback::silence("Fill in what is needed to ask the service."));
    };
    let mut finding = put(errand, service, first, steps, true).await?;
    steps.pass(&match &finding.account.identity {
        Some(identity) => signed_in_as(identity),
        None => format!("{} accepted the credential.", errand.component),
    });
    let rest: Vec<_> = probes.collect();
    if rest.is_empty() && finding.missing.is_empty() && finding.account.scopes.is_empty() {
        skip_permissions(steps);
        return Ok(finding);
    }
    steps.begin(StepKind::Authorise);
    for probe in rest {
        if finding.missing.is_empty() {
            let further = put(errand, service, probe, &mut Steps::unheard(), false).await?;
            merge(&mut finding, further);
        }
    }
    if finding.missing.is_empty() {
        steps.pass("All that this component needs is permitted.");
    } else {
        steps.fail(&format!("Missing: {}.", finding.missing.join(", ")), "");
    }
    Ok(finding)
}

/// The host of the first question, which no secret is needed for: it may stand in a path, but not in a host.
pub fn host(service: &HttpService, values: Values<'_>) -> String {
    let own = service.probes.first().and_then(|probe| probe.base_url.as_ref());
    let found = base(own.unwrap_or(&service.base_url), values).ok();
    found.and_then(|(_, url)| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn merge(finding: &mut Finding, further: Finding) {
    finding.missing = further.missing;
    finding.account.scopes.extend(further.account.scopes);
    finding.account.identity = finding.account.identity.take().or(further.account.identity);
    finding.account.subject = finding.account.subject.take().or(further.account.subject);
    finding.expires_at = finding.expires_at.or(further.expires_at);
}

fn settle(judgement: Judgement) -> Result<Finding, Setback> {
    let Judgement { verdict, account, expires_at } = judgement;
    let missing = match verdict {
        Verdict::Valid | Verdict::NotAskable => Vec::new(),
        Verdict::Limited { missing } => missing,
        Verdict::Rejected { reason, field } => return Err(Setback::refusal(reason).at_any(field)),
        Verdict::NoEvidence { reason, field } => return Err(Setback::silence(reason).at_any(field)),
    };
    Ok(Finding { account, expires_at, missing, ..Finding::default() })
}

/// Puts one question. The first one's beginning of `Authenticate` stands between connecting and asking.
async fn put(
    errand: &Errand<'_>,
    service: &HttpService,
    probe: &HttpProbe,
    steps: &mut Steps,
    is_first: bool,
) -> Result<Finding, Setback> {
    let prepared = build(service, probe, errand.values, errand.clock.now())?;
    if is_of_another_protocol(prepared.port) {
        let reason =
            format!("Port {} is another protocol's than HTTP. Give the port of the HTTP service.", prepared.port);
        return Err(Setback::silence(reason));
    }
    let mut wire = errand.dialer.connect(&prepared.host, prepared.port, steps).await?.wire;
    if prepared.encrypted {
        let trust = errand.values.get("ca").map_or(Trust::Machine, |pem| Trust::Own(pem.to_owned()));
        steps.begin(StepKind::Tls);
        wire = encrypt(wire, &prepared.host, &trust, errand.clock.now(), steps).await?;
    } else {
        skip_tls(steps);
    }
    if is_first {
        steps.begin(StepKind::Authenticate);
    }
    let answer = exchange(wire, prepared.request.map(Full::new)).await?;
    let judgement = classify(probe, &answer, errand.scrub);
    settle(judgement).map_err(|setback| setback.for_now(answer.retry_after(errand.clock.now())))
}

/// Sends the request and reads the answer, up to the limit.
pub async fn exchange(wire: Wire, request: Request<Full<Bytes>>) -> Result<Answer, Setback> {
    Ok(converse(wire, request, LONGEST_BODY).await?)
}

impl From<BuildError> for Setback {
    fn from(error: BuildError) -> Self {
        let setback = Self::silence(error.to_string());
        match error {
            BuildError::Render(
                RenderError::Missing(field) | RenderError::ControlCharacter(field) | RenderError::LeavesPath(field),
            ) => setback.at(&field),
            BuildError::Template(cause) => setback.with_detail(cause.to_string()),
            _ => setback,
        }
    }
}
