//! Against real servers, where their addresses are given:
//! `PATCHBAY_TEST_POSTGRES_URL`, `PATCHBAY_TEST_MYSQL`, `PATCHBAY_TEST_REDIS` and `PATCHBAY_TEST_SMTP`, each a URL
//! `scheme://user:password@host:port/database` (Redis without a user for the default one). Where `PATCHBAY_TEST_CA`
//! names a PEM file with the authority of their certificates for `localhost`, encryption is tried as well.

use super::tests::login_component;
use super::*;
use crate::server::dial::SystemResolver;
use crate::server::dial::policy::NetworkPolicy;
use crate::server::vault::SecretText;
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use url::Url;

struct Server {
    protocol: &'static str,
    url: Url,
}

impl Server {
    /// `None`, said aloud, where the variable is not set.
    fn from_variable(protocol: &'static str, variable: &str) -> Option<Self> {
        let Ok(text) = std::env::var(variable) else {
            println!("NOT RUN: {variable} is not set, so there is no {protocol} server to ask.");
            return None;
        };
        Some(Self { protocol, url: Url::parse(&text).expect("a URL") })
    }

    async fn ask(&self, changed: &[(&str, &str)], password: Option<&str>) -> Evidence {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let component = login_component(self.protocol);
        let mut config = FieldValues::default();
        config.set("host", self.url.host_str().expect("a host"));
        config.set("port", self.url.port().expect("a port").to_string());
        config.set("user", decoded(self.url.username()));
        config.set("database", self.url.path().trim_start_matches('/'));
        for (id, value) in changed {
            config.set(id, *value);
        }
        let mut secrets = Secrets::default();
        let own = decoded(self.url.password().unwrap_or_default());
        secrets.insert("password", SecretText::new(password.unwrap_or(&own).to_owned()));
        let policy = NetworkPolicy { local: true, ..NetworkPolicy::default() };
        let prober = Prober::new(Dialer::new(policy, Arc::new(SystemResolver)), Clock::system());
        let (live, _) = tokio::sync::mpsc::unbounded_channel();
        let question =
            Question { component: &component, method: &component.methods[0], config: &config, secrets: &secrets };
        let evidence = prober.probe(question, live).await.expect("a turn");
        println!("{} {:?}: {:?} {:?}", self.protocol, config.get("tls"), evidence.verdict, evidence.account.identity);
        evidence
    }

    async fn accepts_the_right_login(&self) {
        let evidence = self.ask(&[], None).await;
        assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
        let user = self.url.username();
        let identity = evidence.account.identity.expect("an identity");
        assert!(identity.starts_with(if user.is_empty() { "default" } else { user }), "{identity}");
    }

    async fn encrypts(&self) {
        let Ok(path) = std::env::var("PATCHBAY_TEST_CA") else {
            println!("NOT RUN: PATCHBAY_TEST_CA is not set, so {} is not tried with TLS.", self.protocol);
            return;
        };
        let ca = std::fs::read_to_string(path).expect("a PEM file");
        for tls in [&[("tls", "require")][..], &[("tls", "verify"), ("ca", &ca), ("host", "localhost")]] {
            let evidence = self.ask(tls, None).await;
            println!("{}", evidence.steps[2].message);
            assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
        }
        let evidence = self.ask(&[("tls", "verify"), ("host", "localhost")], None).await;
        assert!(
            matches!(&evidence.verdict, Verdict::NoEvidence { field: Some(field), .. } if field == "ca"),
            "{evidence:?}"
        );
    }

    async fn refuses(&self, changed: &[(&str, &str)], password: Option<&str>, at: &str) {
        let evidence = self.ask(changed, password).await;
        let refused = matches!(&evidence.verdict, Verdict::Rejected { field: Some(field), .. } if field == at);
        assert!(refused, "{evidence:?}");
    }
}

#[tokio::test]
async fn postgresql_tells_right_from_wrong() {
    let Some(server) = Server::from_variable("postgresql", "PATCHBAY_TEST_POSTGRES_URL") else { return };
    server.accepts_the_right_login().await;
    server.refuses(&[], Some("wrong"), "password").await;
    server.refuses(&[("user", "nobody_here")], None, "password").await;
    server.refuses(&[("database", "no_such_database")], None, "database").await;
    server.encrypts().await;
}

#[tokio::test]
async fn mysql_tells_right_from_wrong() {
    let Some(server) = Server::from_variable("mysql", "PATCHBAY_TEST_MYSQL") else { return };
    server.accepts_the_right_login().await;
    server.refuses(&[], Some("wrong"), "password").await;
    server.refuses(&[("user", "nobody_here")], None, "password").await;
    server.refuses(&[("database", "no_such_database")], None, "database").await;
    server.encrypts().await;
}

#[tokio::test]
async fn redis_tells_right_from_wrong() {
    let Some(server) = Server::from_variable("redis", "PATCHBAY_TEST_REDIS") else { return };
    server.accepts_the_right_login().await;
    server.refuses(&[], Some("wrong"), "password").await;
    server.refuses(&[], Some(""), "password").await;
    server.refuses(&[("user", "nobody_here")], None, "password").await;
    server.refuses(&[("database", "9999")], None, "database").await;
}

#[tokio::test]
async fn smtp_tells_right_from_wrong() {
    let Some(server) = Server::from_variable("smtp", "PATCHBAY_TEST_SMTP") else { return };
    let evidence = server.ask(&[("tls", "off")], None).await;
    assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
    server.refuses(&[("tls", "off")], Some("wrong"), "password").await;
    let Ok(path) = std::env::var("PATCHBAY_TEST_CA") else {
        println!("NOT RUN: PATCHBAY_TEST_CA is not set, so smtp is not tried with TLS.");
        return;
    };
    let ca = std::fs::read_to_string(path).expect("a PEM file");
    let evidence = server.ask(&[("tls", "starttls"), ("ca", &ca), ("host", "localhost")], None).await;
    assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
    let evidence = server.ask(&[("tls", "tls")], None).await;
    assert!(
        matches!(&evidence.verdict, Verdict::NoEvidence { field: Some(field), .. } if field == "tls"),
        "{evidence:?}"
    );
}
