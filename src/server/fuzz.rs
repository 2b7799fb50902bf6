//! What the fuzz targets of `fuzz/` run: each takes any bytes, and panics where a promise is broken. `cargo test` runs
//! them on the seeds in `fuzz/corpus`, which are texts of a few lines that people can read.

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use std::net::{IpAddr, SocketAddr};
use std::sync::LazyLock;
use url::Url;

use crate::api::event_stream::EventParser;
use crate::domain::evidence::Verdict;
use crate::domain::field::{FieldValues, check_all};
use crate::server::catalog::Catalog;
use crate::server::catalog::definition::{HttpService, Method, Service};
use crate::server::catalog::template::{Encode, Part, Template};
use crate::server::dial::address::{AddressClass, judge};
use crate::server::dial::host::Host;
use crate::server::dial::http::Answer;
use crate::server::dial::policy::{AllowedNet, NetworkPolicy};
use crate::server::probe::http_outcome::classify;
use crate::server::probe::http_request::{address, base};
use crate::server::probe::values::Values;
use crate::server::probe::{Scrubber, cleaned_account, cleaned_verdict};
use crate::server::vault::{SecretText, Secrets};

/// Runs one input.
pub type Target = fn(&[u8]);

/// All targets, by the names they have in `fuzz/`.
pub const TARGETS: [(&str, Target); 6] = [
    ("host", host),
    ("url", url),
    ("policy", policy),
    ("http_answer", http_answer),
    ("event_stream", event_stream),
    ("template", template),
];

/// Stands for a person's secret in what a service says.
const SECRET: &str = "canary-secret-9f2";
/// Becomes the secret, which no fuzzer guesses.
const SECRET_MARK: &str = "\u{1}";

/// A text that reads as a host reads as the same one again, and as URLs read it: no address hides in a name.
///
/// # Panics
/// Where the rule is broken: that is what a fuzzer looks for.
pub fn host(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(host) = Host::parse(&text) else { return };
    assert_eq!(Host::parse(&host.to_string()), Ok(host.clone()), "{text:?}");
    if let Host::Name(name) = &host {
        assert!(name.parse::<IpAddr>().is_err(), "{text:?}");
    }
    if let Some(in_url) = Url::parse(&format!("http://{text}/")).ok().and_then(|url| host_of(&url)) {
        assert_eq!(in_url, host, "{text:?}");
    }
}

fn host_of(url: &Url) -> Option<Host> {
    Host::parse(url.host_str()?).ok()
}

/// Whatever is filled into a component's form, its questions go to the host its file names. The first line names a
/// component; those after it fill its fields.
///
/// # Panics
/// Where the rule is broken: that is what a fuzzer looks for.
pub fn url(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let (method, service) = http_method(lines.next().unwrap_or_default());
    let (mut config, mut secrets) = (FieldValues::default(), Secrets::default());
    for (field, line) in method.fields.iter().zip(lines) {
        config.set(&field.id, line);
        if field.secret {
            secrets.insert(&field.id, SecretText::new(line.to_owned()));
        }
    }
    if !check_all(&method.fields, &config, |_| true).is_empty() {
        return;
    }
    let values = Values { fields: &method.fields, config: &config, secrets: &secrets };
    for probe in &service.probes {
        let template = probe.base_url.as_ref().unwrap_or(&service.base_url);
        let (Ok((_, base)), Ok(url)) = (base(template, values), address(service, probe, values)) else { continue };
        assert_eq!(url.origin(), base.origin(), "{text:?}");
        assert!(url.username().is_empty() && url.password().is_none(), "{text:?}");
        let host = url.host_str().unwrap_or_default();
        assert!(host.ends_with(fixed_end(template)), "{text:?}: {host}");
    }
}

/// What the host of a base URL ends in, whatever its fields hold.
fn fixed_end(template: &str) -> &str {
    let behind_fields = template.rsplit_once('}').map_or(template, |(_, rest)| rest);
    let host = behind_fields.strip_prefix("https://").unwrap_or(behind_fields);
    host.split(['/', ':']).next().unwrap_or_default()
}

/// Neither link-local nor metadata addresses nor our own endpoint are ever permitted, and what nobody opened is public.
/// The first line is an address with its port, the second our own; those after it are entries of `allow_nets`.
///
/// # Panics
/// Where the rule is broken: that is what a fuzzer looks for.
pub fn policy(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let mut endpoint = || lines.next().and_then(|line| line.parse::<SocketAddr>().ok());
    let (Some(address), own) = (endpoint(), endpoint()) else { return };
    let allow: Vec<AllowedNet> = lines.filter_map(|line| line.parse().ok()).collect();
    for allowed in &allow {
        assert_eq!(allowed.to_string().parse(), Ok(*allowed), "{text:?}");
    }
    let local = data.len().is_multiple_of(2);
    let policy = NetworkPolicy { local, allow, denied_endpoints: own.into_iter().collect(), denied_names: Vec::new() };
    let permitted = policy.permits(address).is_ok();
    let class = judge(address.ip());
    assert!(!permitted || !matches!(class, AddressClass::LinkLocal | AddressClass::Metadata), "{text:?}");
    assert!(!permitted || Some(address) != own, "{text:?}");
    if let IpAddr::V4(ip) = address.ip() {
        let mapped = SocketAddr::new(ip.to_ipv6_mapped().into(), address.port());
        assert_eq!(policy.permits(mapped).is_ok(), permitted, "{text:?}");
    }
    let closed = NetworkPolicy::default().permits(address).is_err();
    assert_eq!(closed, class != AddressClass::Public, "{text:?}");
}

/// Redirects prove nothing, a web page proves no credential good, and no secret gets into a verdict. The first line
/// names a component, the second is the status, the third the content type; the body follows.
///
/// # Panics
/// Where the rule is broken: that is what a fuzzer looks for.
pub fn http_answer(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = data.splitn(4, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let (component, status, kind, body) = (part(), part(), part(), part());
    let (_, service) = http_method(&String::from_utf8_lossy(component));
    let status = str::from_utf8(status).ok().and_then(|status| status.parse().ok()).unwrap_or(200);
    let Ok(kind) = HeaderValue::from_bytes(kind) else { return };
    let is_page = String::from_utf8_lossy(kind.as_bytes()).to_ascii_lowercase().contains("html");
    let body = String::from_utf8_lossy(body).replace(SECRET_MARK, SECRET).into_bytes();
    let answer = Answer { status, headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]), body };
    let mut secrets = Secrets::default();
    secrets.insert("token", SecretText::new(SECRET.to_owned()));
    let scrub = Scrubber::new(&secrets);
    for probe in &service.probes {
        let judged = classify(probe, &answer, &scrub);
        let (verdict, account) = (cleaned_verdict(judged.verdict, &scrub), cleaned_account(judged.account, &scrub));
        assert!(!format!("{verdict:?} {account:?}").contains(SECRET), "{text:?}");
        let proven = matches!(verdict, Verdict::Valid | Verdict::Limited { .. });
        assert!(!(300..400).contains(&status) || matches!(verdict, Verdict::NoEvidence { .. }), "{text:?}");
        let by_body = probe.outcomes.iter().any(|outcome| outcome.body_contains.is_some());
        assert!(!proven || by_body || !is_page, "{text:?}");
    }
}

/// However the bytes are cut, the events are the same. The first byte is the length of the pieces.
///
/// # Panics
/// Where the rule is broken: that is what a fuzzer looks for.
pub fn event_stream(data: &[u8]) {
    let Some((&length, bytes)) = data.split_first() else { return };
    let whole = EventParser::default().push(bytes);
    let mut parser = EventParser::default();
    let pieces: Vec<_> = bytes.chunks(usize::from(length).max(1)).flat_map(|piece| parser.push(piece)).collect();
    assert_eq!(pieces, whole);
}

/// No value leaves the place that its placeholder has. The first line is a template, the rest the value of each field.
///
/// # Panics
/// Where the rule is broken: that is what a fuzzer looks for.
pub fn template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (template, value) = text.split_once('\n').unwrap_or((&text, ""));
    let Ok(template) = Template::parse(template) else { return };
    let filled = |encode| template.render(|_| Some(value), encode);
    let controls = |text: &str| text.chars().filter(|c| c.is_control()).count();
    if let Ok(header) = filled(Encode::Header) {
        assert_eq!(controls(&header), controls(&own(&template)), "{text:?}");
    }
    let raw = template.parts().iter().any(|part| matches!(part, Part::RawField(_)));
    if let Some(path) = filled(Encode::PathSegment).ok().filter(|_| !raw) {
        for separator in ['/', '?', '#', '&', '='] {
            assert_eq!(path.matches(separator).count(), own(&template).matches(separator).count(), "{text:?}");
        }
    }
    if let Some(inside) = filled(Encode::JsonString).ok().filter(|_| !raw && own(&template).is_empty()) {
        let read = serde_json::from_str::<String>(&format!("\"{inside}\"")).ok();
        assert_eq!(read, Some(value.repeat(template.parts().len())), "{text:?}");
    }
}

/// What stands in a template itself.
fn own(template: &Template) -> String {
    let texts = template.parts().iter().map(|part| if let Part::Text(text) = part { text.as_str() } else { "" });
    texts.collect()
}

/// A method of the catalog that is asked over HTTP: the named component's, or else any.
fn http_method(component: &str) -> (&'static Method, &'static HttpService) {
    static METHODS: LazyLock<Vec<(String, Method)>> = LazyLock::new(|| {
        let catalog = Catalog::load(None).unwrap_or_else(|error| panic!("{error}"));
        let slugs = catalog.forms().iter().map(|form| &form.badge.slug);
        let definitions = slugs.filter_map(|slug| catalog.get(slug));
        let methods = definitions.flat_map(|definition| {
            definition.methods.iter().map(|method| (definition.slug.to_string(), method.clone()))
        });
        methods.filter(|(_, method)| matches!(method.service, Service::Http(_))).collect()
    });
    let any = component.bytes().fold(0, |sum, byte| sum + usize::from(byte)) % METHODS.len();
    let (_, method) = METHODS.iter().find(|(slug, _)| slug == component).unwrap_or(&METHODS[any]);
    let Service::Http(service) = &method.service else { unreachable!("only those were collected") };
    (method, service)
}

#[cfg(test)]
mod tests {
    use super::TARGETS;
    use std::path::Path;

    #[test]
    fn every_target_takes_every_seed_of_its_corpus() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        for (name, target) in TARGETS {
            let seeds: Vec<_> = std::fs::read_dir(corpus.join(name)).expect(name).collect();
            assert!(seeds.len() >= 4, "{name} has {} seeds", seeds.len());
            for seed in seeds {
                let path = seed.expect("a seed").path();
                println!("{}", path.display());
                target(&std::fs::read(path).expect("a seed"));
            }
        }
    }

    #[test]
    fn every_target_takes_nothing_at_all_and_noise() {
        for (_, target) in TARGETS {
            target(b"");
            target(&(0..=255).collect::<Vec<u8>>());
            target(b"\n\n\n\n\n");
        }
    }
}
