//! Whether services outside can be reached: what most checks need, and what no setting can bring about.

use futures::future::join_all;
use std::time::Duration;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

use super::Finding;
use crate::domain::evidence::StepKind;
use crate::domain::time::Timestamp;
use crate::server::catalog::definition::{Definition, Service};
use crate::server::catalog::template::Template;
use crate::server::dial::host::Host;
use crate::server::dial::tls::{Trust, encrypt};
use crate::server::dial::{Dialer, Steps};

/// Asked where no component in use has a host of its own.
const WELL_KNOWN: &str = "api.github.com";
/// Hosts that are asked at most.
const MOST: usize = 3;
const HTTPS: u16 = 443;
/// Time for TLS; resolving and connecting have their own.
const PATIENCE: Duration = Duration::from_secs(5);

/// The hosts to ask: those that the files of these components name.
pub fn hosts<'a>(components: impl Iterator<Item = &'a Definition>) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for host in components.filter_map(fixed_host) {
        if hosts.len() < MOST && !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    if hosts.is_empty() {
        hosts.push(WELL_KNOWN.to_owned());
    }
    hosts
}

/// The first host among a component's methods that no field has a part in.
fn fixed_host(component: &Definition) -> Option<String> {
    component.methods.iter().find_map(|method| match &method.service {
        Service::Http(service) => {
            let template = Template::parse(&service.base_url).ok()?;
            let fixed = template.fields().next().is_none();
            let url = url::Url::parse(&service.base_url).ok().filter(|_| fixed)?;
            url.host_str().map(str::to_owned)
        }
        Service::GoogleServiceAccount {} => Some("oauth2.googleapis.com".to_owned()),
        _ => None,
    })
}

/// Asks each host. A machine that is offline is no fault of Patchbay's, so nothing here is bad.
pub async fn ask(dialer: &Dialer, hosts: &[String], now: Timestamp) -> Vec<Finding> {
    join_all(hosts.iter().map(|host| ask_one(dialer, host, now))).await
}

async fn ask_one(dialer: &Dialer, host: &str, now: Timestamp) -> Finding {
    let mut steps = Steps::new(unbounded_channel().0, Box::new(str::to_owned));
    match connect(dialer, host, now, &mut steps).await {
        Ok(()) => Finding::Good(format!("{host} answers, and its certificate is trusted here")),
        Err((reason, detail)) => {
            steps.fail(&reason, &detail);
            let part = match steps.into_ended().last().map(|step| step.kind) {
                Some(StepKind::Connect) => "the connection (TCP)",
                Some(StepKind::Tls) => "encryption (TLS)",
                _ => "the name's look-up (DNS)",
            };
            Finding::Note(format!("{host} is out of reach: {part} fails. {reason} {detail}").trim_end().to_owned())
        }
    }
}

/// Words for everybody, and those for operators.
type Failure = (String, String);

async fn connect(dialer: &Dialer, host: &str, now: Timestamp, steps: &mut Steps) -> Result<(), Failure> {
    let host = Host::parse(host).map_err(|error| (error.to_string(), String::new()))?;
    let connected = dialer.connect(&host, HTTPS, steps).await;
    let wire = connected.map_err(|error| (error.to_string(), error.detail().to_owned()))?.wire;
    steps.begin(StepKind::Tls);
    let encrypted = timeout(PATIENCE, encrypt(wire, &host, &Trust::Machine, now, steps)).await;
    let encrypted = encrypted.map_err(|_| ("No answer within 5 seconds.".to_owned(), String::new()))?;
    encrypted.map(drop).map_err(|error| (error.to_string(), error.detail().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::component::ComponentSlug;
    use crate::server::catalog::Catalog;
    use crate::server::dial::policy::NetworkPolicy;
    use crate::server::dial::{Open, Resolver, Resolving};
    use std::io;
    use std::net::IpAddr;
    use std::sync::Arc;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::{TcpListener, TcpStream};

    struct Answers(Option<IpAddr>);

    impl Resolver for Answers {
        fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
            let answer = self.0.map(|ip| vec![ip]).ok_or_else(|| io::Error::other("no such name"));
            Box::pin(async move { answer })
        }
    }

    async fn note(resolved: Option<&str>, open: Open) -> String {
        let answers = Answers(resolved.map(|ip| ip.parse().expect(ip)));
        let dialer = Dialer::new(NetworkPolicy::default(), Arc::new(answers)).opening_by(open);
        match ask(&dialer, &[WELL_KNOWN.to_owned()], Timestamp(0)).await.remove(0) {
            Finding::Note(text) => text,
            Finding::Good(text) | Finding::Bad(text) => panic!("{text}"),
        }
    }

    fn refused() -> Open {
        Arc::new(|_| Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) }))
    }

    #[tokio::test]
    async fn what_fails_is_told_by_its_part() {
        let offline = note(None, refused()).await;
        assert!(offline.contains("DNS") && offline.contains("no such name"), "{offline}");
        let closed = note(Some("10.0.0.1"), refused()).await;
        assert!(closed.contains("DNS") && closed.contains("allow_nets"), "{closed}");
        let unreachable = note(Some("1.1.1.1"), refused()).await;
        assert!(unreachable.contains("TCP"), "{unreachable}");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            }
        });
        #[expect(clippy::disallowed_methods, reason = "the test is the network")]
        let no_tls: Open = Arc::new(move |_| Box::pin(TcpStream::connect(address)));
        let plain = note(Some("1.1.1.1"), no_tls).await;
        assert!(plain.contains("TLS"), "{plain}");
    }

    #[test]
    fn the_hosts_of_components_in_use_are_asked_and_a_well_known_one_without_any() {
        let catalog = Catalog::load(None).expect("the catalog");
        let used = |slugs: &[&str]| {
            let slugs = slugs.iter().map(|slug| ComponentSlug::try_from((*slug).to_owned()).expect("a slug"));
            let slugs: Vec<_> = slugs.collect();
            hosts(slugs.iter().filter_map(|slug| catalog.get(slug)))
        };
        assert_eq!(used(&[]), [WELL_KNOWN]);
        assert_eq!(used(&["postgresql", "zendesk"]), [WELL_KNOWN]);
        assert_eq!(used(&["stripe", "postgresql", "slack", "stripe", "openai", "notion"]).len(), MOST);
        assert_eq!(used(&["stripe"]), ["api.stripe.com"]);
    }
}
