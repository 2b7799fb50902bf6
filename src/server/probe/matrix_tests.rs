//! Every protocol against a real server, in every way a credential can be right or wrong: `docs/validation.md`.
//! `end2end/servers/start.mjs` starts the servers and names the file that describes them in `PATCHBAY_TEST_MATRIX`.
//! With `PATCHBAY_WRITE_DOCS=1` the table is written; without, it has to be as it stands there.

use super::tests::serve;
use super::*;
use crate::domain::component::ComponentSlug;
use crate::server::catalog::Catalog;
use crate::server::dial::SystemResolver;
use crate::server::dial::policy::NetworkPolicy;
use crate::server::vault::SecretText;
use futures::future::join_all;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/validation.md");
const BEGIN: &str = "<!-- matrix: begin -->\n";
const END: &str = "<!-- matrix: end -->\n";

/// What the verdict of a case has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Valid,
    Rejected,
    Limited,
    NoEvidence,
    RejectedOrNoEvidence,
}

/// All cases, in the order of the table.
const CASES: [(&str, Expected); 10] = [
    ("right credential", Expected::Valid),
    ("right credential over TLS", Expected::Valid),
    ("wrong password", Expected::Rejected),
    ("wrong user", Expected::Rejected),
    ("missing permission", Expected::Limited),
    ("server stopped", Expected::NoEvidence),
    ("silent port", Expected::NoEvidence),
    ("wrong protocol on the port", Expected::NoEvidence),
    ("TLS with a wrong name", Expected::NoEvidence),
    ("TLS expired", Expected::NoEvidence),
];

/// Cases that only some servers have, after the others.
const FURTHER_CASES: [(&str, Expected); 6] = [
    ("right credential over STARTTLS", Expected::Valid),
    ("client certificate", Expected::Valid),
    ("client certificate missing", Expected::RejectedOrNoEvidence),
    ("wrong passphrase", Expected::NoEvidence),
    ("pinned host key", Expected::Valid),
    ("another host key than the pinned", Expected::NoEvidence),
];

/// A server as its file in `end2end/servers/matrix/` describes it.
#[derive(Deserialize)]
struct Entry {
    protocol: String,
    server: String,
    component: String,
    method: String,
    /// The field that holds the whole address, for services over HTTP.
    url: Option<String>,
    config: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    changes: BTreeMap<String, Change>,
    /// Cases that do not apply, and why.
    #[serde(default)]
    left_out: BTreeMap<String, String>,
}

/// What a case has else than the right credential.
#[derive(Clone, Default, Deserialize)]
struct Change {
    #[serde(default)]
    config: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
}

impl Change {
    fn destination(address: SocketAddr) -> Self {
        let config = [("host", address.ip().to_string()), ("port", address.port().to_string())];
        let config = config.map(|(id, value)| (id.to_owned(), value.into())).into();
        Self { config, ..Self::default() }
    }

    fn url(field: &str, address: SocketAddr) -> Self {
        let config = [(field.to_owned(), format!("http://{address}").into())].into();
        Self { config, ..Self::default() }
    }
}

/// Destinations that are wrong for every protocol.
struct Elsewhere {
    stopped: SocketAddr,
    silent: SocketAddr,
    http: SocketAddr,
    /// For what speaks HTTP itself.
    mail: SocketAddr,
}

impl Elsewhere {
    async fn open() -> Self {
        let stopped = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
        Self { stopped, silent: serve(keep_silent).await, http: serve(answer_by_http).await, mail: serve(greet).await }
    }

    fn change(&self, case: &str, url: Option<&str>) -> Option<Change> {
        let address = match case {
            "server stopped" => self.stopped,
            "silent port" => self.silent,
            "wrong protocol on the port" if url.is_some() => self.mail,
            "wrong protocol on the port" => self.http,
            _ => return None,
        };
        Some(url.map_or_else(|| Change::destination(address), |field| Change::url(field, address)))
    }
}

async fn keep_silent(stream: TcpStream) {
    std::future::pending::<()>().await;
    drop(stream);
}

/// As web servers do that are sent something else than a request.
async fn answer_by_http(mut stream: TcpStream) {
    while let Ok(1..) = stream.read(&mut [0; 1024]).await {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
        let _ = stream.shutdown().await;
    }
}

/// As mail servers do, whoever comes.
async fn greet(mut stream: TcpStream) {
    let _ = stream.write_all(b"220 mail.example ESMTP\r\n").await;
    while let Ok(1..) = stream.read(&mut [0; 1024]).await {
        let _ = stream.write_all(b"500 5.5.2 Unknown command\r\n").await;
    }
}

/// A row of the table.
struct Row {
    case: &'static str,
    verdict: &'static str,
    message: String,
}

impl Entry {
    async fn rows(&self, catalog: &Catalog, elsewhere: &Elsewhere) -> Vec<Row> {
        self.know_their_cases();
        let further = FURTHER_CASES.iter().filter(|(case, _)| self.changes.contains_key(*case));
        join_all(CASES.iter().chain(further).map(|&(case, expected)| self.row(case, expected, catalog, elsewhere)))
            .await
    }

    /// No case is misspelt.
    fn know_their_cases(&self) {
        for case in self.changes.keys().chain(self.left_out.keys()) {
            let known = CASES.iter().chain(&FURTHER_CASES).any(|(name, _)| name == case);
            assert!(known, "{}: there is no case “{case}”", self.protocol);
        }
    }

    async fn row(&self, case: &'static str, expected: Expected, catalog: &Catalog, elsewhere: &Elsewhere) -> Row {
        let known = self.changes.get(case).cloned().or_else(|| elsewhere.change(case, self.url.as_deref()));
        let change = match (known, self.left_out.get(case)) {
            (Some(change), None) => change,
            (None, Some(why)) => return Row { case, verdict: "left out", message: why.clone() },
            (None, None) if case == "right credential" => Change::default(),
            _ => panic!("{}: the case “{case}” is either asked or left out", self.protocol),
        };
        let evidence = self.ask(&change, catalog).await;
        let (class, verdict) = class(&evidence.verdict);
        println!("{}, {case}: {evidence:?}", self.protocol);
        let fits = match expected {
            Expected::RejectedOrNoEvidence => matches!(class, Expected::Rejected | Expected::NoEvidence),
            _ => class == expected,
        };
        assert!(fits, "{}, {case}: {evidence:?}", self.protocol);
        Row { case, verdict, message: self.message(&evidence, &change) }
    }

    async fn ask(&self, change: &Change, catalog: &Catalog) -> Evidence {
        let slug = ComponentSlug::try_from(self.component.clone()).expect("a slug");
        let component = catalog.get(&slug).expect("a component of the catalog");
        let method = catalog.method(&slug, &self.method).expect("a method of the component");
        let field =
            |id: &String| assert!(method.fields.iter().any(|field| &field.id == id), "{slug} has no field {id}");
        let (mut config, mut secrets) = (FieldValues::default(), Secrets::default());
        for (id, value) in self.config.iter().chain(&change.config) {
            field(id);
            config.set(id, text(value));
        }
        for (id, value) in self.secrets.iter().chain(&change.secrets) {
            field(id);
            secrets.insert(id, SecretText::new(value.clone()));
        }
        let policy = NetworkPolicy { local: true, ..NetworkPolicy::default() };
        let prober = Prober::new(Dialer::new(policy, Arc::new(SystemResolver)), Clock::system());
        let (live, _) = tokio::sync::mpsc::unbounded_channel();
        prober.probe(Question { component, method, config: &config, secrets: &secrets }, live).await.expect("a turn")
    }

    /// What people read, the same on every machine and with every release of the server.
    fn message(&self, evidence: &Evidence, change: &Change) -> String {
        let (said, field) = match &evidence.verdict {
            Verdict::Valid => (accepted(&evidence.account), None),
            Verdict::Limited { missing } => (format!("Missing: {}.", missing.join(", ")), None),
            Verdict::Rejected { reason, field } | Verdict::NoEvidence { reason, field } => {
                (without_fingerprints(reason), field.clone())
            }
            Verdict::NotAskable => panic!("{} is not asked", self.protocol),
        };
        let place = |id: &str| change.config.get(id).or_else(|| self.config.get(id)).map(text).unwrap_or_default();
        let (host, port) =
            self.url.as_deref().map_or_else(|| (place("host"), place("port")), |id| authority(&place(id)));
        let said = said.replace(&port, "‹port›").replace(&host, "‹host›").replace('|', "\\|");
        field.map_or(said.clone(), |field| format!("{said} (field `{field}`)"))
    }
}

/// The host and the port of an address that names both.
fn authority(url: &str) -> (String, String) {
    let rest = url.split_once("://").expect("a scheme").1;
    let (host, port) = rest.split('/').next().and_then(|authority| authority.rsplit_once(':')).expect("a port");
    (host.to_owned(), port.to_owned())
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Keys are made anew with every start of a server.
fn without_fingerprints(reason: &str) -> String {
    let mut parts = reason.split("SHA256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}‹fingerprint›{}", part.get(43..).unwrap_or_default()))
}

/// Who the service says one is, and what one may do.
fn accepted(account: &Account) -> String {
    let identity = without_versions(account.identity.as_deref().unwrap_or_default());
    let scopes = account.scopes.join(", ");
    if scopes.is_empty() { identity } else { format!("{identity}: {scopes}") }
}

/// A release changes with every update of the server's package.
fn without_versions(identity: &str) -> String {
    let blank = |word: &str| {
        let bare = word.trim_matches(['(', ')']);
        let mut parts = bare.split(['.', '-', '+', '~']);
        let numbers = bare.contains('.') && parts.by_ref().take(2).all(|part| part.parse::<u32>().is_ok());
        if numbers { word.replace(bare, "‹version›") } else { word.to_owned() }
    };
    identity.split(' ').map(blank).collect::<Vec<_>>().join(" ")
}

const fn class(verdict: &Verdict) -> (Expected, &'static str) {
    match verdict {
        Verdict::Valid => (Expected::Valid, "valid"),
        Verdict::Limited { .. } => (Expected::Limited, "limited"),
        Verdict::Rejected { .. } => (Expected::Rejected, "rejected"),
        Verdict::NoEvidence { .. } | Verdict::NotAskable => (Expected::NoEvidence, "no evidence"),
    }
}

fn rendered(entries: &[Entry], tables: &[Vec<Row>]) -> String {
    let mut text = String::new();
    for (entry, rows) in entries.iter().zip(tables) {
        let heading =
            format!("\n### {}\n\nComponent `{}`, asked of {}.\n\n", entry.protocol, entry.component, entry.server);
        text.push_str(&heading);
        text.push_str("| case | verdict | what it says |\n|---|---|---|\n");
        for Row { case, verdict, message } in rows {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "| {case} | {verdict} | {message} |");
        }
    }
    format!("{text}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_protocol_tells_right_from_wrong() {
    let Ok(path) = std::env::var("PATCHBAY_TEST_MATRIX") else {
        println!("NOT RUN: PATCHBAY_TEST_MATRIX is not set, so there are no servers to ask.");
        return;
    };
    let entries = std::fs::read_to_string(path).expect("the matrix");
    let entries: Vec<Entry> = serde_json::from_str(&entries).expect("the matrix's form");
    let catalog = Catalog::load(None).expect("the catalog");
    let elsewhere = Elsewhere::open().await;
    let tables = join_all(entries.iter().map(|entry| entry.rows(&catalog, &elsewhere))).await;
    let table = rendered(&entries, &tables);
    let document = std::fs::read_to_string(DOCUMENT).expect("the document");
    let (before, rest) = document.split_once(BEGIN).expect("the mark of the table's beginning");
    let (written, after) = rest.split_once(END).expect("the mark of the table's end");
    if std::env::var("PATCHBAY_WRITE_DOCS").is_ok_and(|value| value == "1") {
        std::fs::write(DOCUMENT, format!("{before}{BEGIN}{table}{END}{after}")).expect("written");
        return;
    }
    for (line, (is, stands)) in table.lines().zip(written.lines()).enumerate() {
        assert_eq!(is, stands, "line {line} of the table; write it anew with PATCHBAY_WRITE_DOCS=1");
    }
    assert_eq!(table, written, "write the table anew with PATCHBAY_WRITE_DOCS=1");
}
