//! Every component that is asked over HTTP, against what its vendor documents: a server that refuses any request but
//! the documented one, and answers as the vendor would. It is reached by name, over TLS, through the real probe.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use url::Url;

use super::*;
use crate::domain::component::ComponentSlug;
use crate::server::catalog::Catalog;
use crate::server::catalog::cases::{Answer, Case, Cases, DocumentedRequest, MethodCases, read};
use crate::server::catalog::definition::OutcomeVerdict;
use crate::server::dial::world::{Received, pairs, respond, world};
use crate::server::vault::SecretText;

/// What the server knows: the documented requests, and the answer to each by name.
struct Script {
    requests: Vec<(String, DocumentedRequest)>,
    answers: HashMap<String, Answer>,
    undocumented: Mutex<Vec<String>>,
}

/// Why it is not the documented request.
fn compare(received: &Received, documented: &DocumentedRequest) -> Result<(), String> {
    let url = Url::parse(&documented.url).map_err(|error| format!("the case's URL: {error}"))?;
    received.compare_place(&documented.method, &url)?;
    compare_query(received, &url, &documented.may)?;
    received.compare_headers(&documented.headers)?;
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let body = &received.body;
    match (&documented.body, &documented.body_contains) {
        (Some(wanted), _) if wanted != body && (json(wanted).is_none() || json(wanted) != json(body)) => {
            Err(format!("the body is {body:?}, documented is {wanted:?}"))
        }
        (_, Some(part)) if !body.contains(part) => Err(format!("the body {body:?} lacks {part:?}")),
        _ => Ok(()),
    }
}

fn compare_query(received: &Received, url: &Url, may: &[String]) -> Result<(), String> {
    let (given, demanded) = (received.query(), pairs(url.query().unwrap_or_default()));
    let free = |name: &String| may.contains(name);
    if let Some((name, value)) = demanded.iter().find(|pair| !given.contains(pair) && !free(&pair.0)) {
        return Err(format!("the query lacks {name}={value}: {given:?}"));
    }
    match given.iter().find(|pair| !demanded.contains(pair) && !free(&pair.0)) {
        Some((name, _)) => Err(format!("the query holds {name}, which is not documented")),
        None => Ok(()),
    }
}

impl Script {
    /// The answer to a documented request; several may be documented for one purpose, and any of them will do.
    fn reply(&self, received: &Received) -> hyper::Response<http_body_util::Full<bytes::Bytes>> {
        let mut differences = Vec::new();
        for (name, documented) in &self.requests {
            match (compare(received, documented), self.answers.get(name)) {
                (Ok(()), Some(answer)) => return respond(answer.status, &answer.headers, &answer.body),
                (Ok(()), None) => differences.push(format!("the case has no answer to {name}")),
                (Err(difference), _) => differences.push(difference),
            }
        }
        let difference = differences.join("; or ");
        self.undocumented.lock().expect("a lock").push(difference.clone());
        respond(418, &std::collections::BTreeMap::new(), &difference)
    }
}

/// What differs from what the vendor's documentation makes one expect; empty: nothing.
async fn replay(definition: &Definition, documented: &MethodCases, case: &Case) -> Vec<String> {
    let Some(method) = definition.methods.iter().find(|method| method.id == documented.id) else {
        return vec![format!("there is no method {}", documented.id)];
    };
    let mut answers: HashMap<String, Answer> = case.answers.clone().into_iter().collect();
    if let Some(answer) = &case.answer {
        for request in &documented.requests {
            answers.entry(request.name.clone()).or_insert_with(|| answer.clone());
        }
    }
    let requests = documented.requests.iter().map(|request| (request.name.clone(), request.clone())).collect();
    let script = Arc::new(Script { requests, answers, undocumented: Mutex::default() });
    let server = Arc::clone(&script);
    let dialer = world(Arc::new(move |received: &Received| server.reply(received))).await;
    let prober = Prober::new(dialer, Clock::system());
    let (mut config, mut secrets) = (FieldValues::default(), Secrets::default());
    for (id, value) in documented.fields.iter().chain(&case.fields) {
        match method.known_fields().iter().find(|field| field.id == *id) {
            Some(field) if field.secret => secrets.insert(id, SecretText::new(value.clone())),
            Some(_) => config.set(id, value.as_str()),
            None => return vec![format!("there is no field {id}")],
        }
    }
    let (live, _told) = tokio::sync::mpsc::unbounded_channel();
    let question = Question { component: definition, method, config: &config, secrets: &secrets };
    let evidence = prober.probe(question, live).await.expect("a turn");
    let mut wrong = script.undocumented.lock().expect("a lock").clone();
    let same = matches!(
        (&evidence.verdict, case.verdict),
        (Verdict::Valid, OutcomeVerdict::Valid)
            | (Verdict::Limited { .. }, OutcomeVerdict::Limited)
            | (Verdict::Rejected { .. }, OutcomeVerdict::Rejected)
            | (Verdict::NoEvidence { .. }, OutcomeVerdict::NoEvidence)
    );
    if !same {
        wrong.push(format!("{:?} was expected, and it is {:?}", case.verdict, evidence.verdict));
    }
    // A whole answer tells which account it is, where the definition says where that stands.
    let by_subject = matches!(&method.service, Service::Http(service) if service.probes.iter().any(|probe| {
        probe.subject.is_some() && probe.needs.iter().all(|id| config.get(id).is_some() || secrets.get(id).is_some())
    }));
    if by_subject && case.identity.is_some() && evidence.verdict == Verdict::Valid && evidence.account.subject.is_none()
    {
        wrong.push("the answer tells no subject".to_owned());
    }
    let shown = evidence.account.identity.unwrap_or_default();
    if let Some(identity) = case.identity.as_ref().filter(|identity| !shown.contains(identity.as_str())) {
        wrong.push(format!("the identity {shown:?} lacks {identity:?}"));
    }
    wrong
}

/// All differences of one component, and how many cases were replayed.
async fn replay_all(catalog: Catalog, slug: String) -> (usize, Vec<String>) {
    let definition = catalog.get(&ComponentSlug::try_from(slug.clone()).expect("a slug")).expect("a component");
    let text = std::fs::read_to_string(format!("catalog/cases/{slug}.toml")).expect("a text");
    let cases: Cases = read(&text, definition).unwrap_or_else(|problem| panic!("{slug}: {problem}"));
    let (mut replayed, mut wrong) = (0, Vec::new());
    for method in &cases.methods {
        for case in &method.cases {
            replayed += 1;
            for difference in replay(definition, method, case).await {
                wrong.push(format!("{slug} {} {:?} {}: {difference}", method.id, case.kind, case.note));
            }
        }
    }
    (replayed, wrong)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_component_asks_as_its_vendor_documents_and_understands_the_answers() {
    let catalog = Catalog::load(None).expect("the catalog");
    let mut components = tokio::task::JoinSet::new();
    for file in std::fs::read_dir("catalog/cases").expect("the cases") {
        let path = file.expect("a file").path();
        if path.is_dir() {
            continue;
        }
        let slug = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        components.spawn(replay_all(catalog.clone(), slug));
    }
    let results = components.join_all().await;
    let replayed: usize = results.iter().map(|(replayed, _)| replayed).sum();
    let wrong: Vec<_> = results.into_iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{replayed} cases, {} differences:\n{}", wrong.len(), wrong.join("\n"));
}
