use super::*;
use crate::domain::field::FieldValues;
use crate::server::catalog::definition::{Definition, Service};
use crate::server::probe::Question;
use crate::server::vault::{SecretText, Secrets};
use proptest::prelude::*;

const FIELDS: &str = r#"
slug = "x"
name = "X"
category = "c"
homepage = "https://x.example"
sources = []
[[methods]]
id = "m"
label = "M"
kind = "fields"
fields = [
  { id = "site", label = "Site", kind = "subdomain", optional = true },
  { id = "base", label = "Base", kind = "url", optional = true },
  { id = "path", label = "Path", optional = true },
  { id = "part", label = "Part", optional = true },
  { id = "extra", label = "Extra", optional = true },
  { id = "user", label = "User", optional = true },
  { id = "token", label = "Token", secret = true },
]
"#;

/// Builds with `service` as TOML and the fields given.
fn build_with(service: &str, given: &[(&str, &str)]) -> Result<Prepared, BuildError> {
    let text = format!("{FIELDS}\n[methods.service]\nprotocol = \"http\"\n{service}");
    let component: Definition = toml::from_str(&text).expect("a component");
    let (mut config, mut secrets) = (FieldValues::default(), Secrets::default());
    for (id, value) in given {
        config.set(id, *value);
    }
    secrets.insert("token", SecretText::new("t/o ken".to_owned()));
    let method = &component.methods[0];
    let question = Question { component: &component, method, config: &config, secrets: &secrets };
    let Service::Http(service) = &method.service else { panic!("no HTTP") };
    build(service, &service.probes[0], Values::of(&question), Timestamp(0))
}

fn uri(result: Result<Prepared, BuildError>) -> String {
    result.expect("a request").request.uri().to_string()
}

#[test]
fn a_credential_stands_where_the_catalog_puts_it() {
    let service = r#"
base_url = "https://{site}.acme.example/api"
headers = { authorization = "Bearer {token}", "x-extra" = "{extra}" }
query = { key = "{token}", more = "{extra}" }
probes = [{ path = "/bot{token}/me", outcomes = [] }]
"#;
    let prepared = build_with(service, &[("site", "shop")]).expect("a request");
    assert_eq!((prepared.host, prepared.port), (Host::Name("shop.acme.example".to_owned()), 443));
    assert!(prepared.encrypted);
    assert_eq!(prepared.request.uri(), "/api/bott%2Fo%20ken/me?key=t%2Fo%20ken");
    let headers = prepared.request.headers();
    assert_eq!(headers["host"], "shop.acme.example");
    assert_eq!(headers["authorization"], "Bearer t/o ken");
    assert_eq!(headers["accept-encoding"], "identity");
    assert!(!headers.contains_key("x-extra"));
    assert!(!format!("{headers:?}").contains("ken"));
}

#[test]
fn a_typed_header_is_none_that_belongs_to_the_connection() {
    let service = r#"
base_url = "https://api.acme.example"
headers = { "{extra}" = "{token}" }
probes = [{ path = "/me", outcomes = [] }]
"#;
    for name in ["Host", "content-length", "Transfer-Encoding", "connection", "upgrade", "te"] {
        let built = build_with(service, &[("extra", name)]);
        assert!(matches!(built, Err(BuildError::ReservedHeader(_))), "{name}: {built:?}");
    }
    assert_eq!(build_with(service, &[("extra", "x-key")]).expect("a request").request.headers()["x-key"], "t/o ken");
}

#[test]
fn the_host_is_known_without_the_secret_that_stands_in_a_path() {
    let text = format!(
        "{FIELDS}\n[methods.service]\nprotocol = \"http\"\nbase_url = \"https://api.acme.example\"\n\
         probes = [{{ path = \"/bot{{token}}/me\", outcomes = [] }}]"
    );
    let component: Definition = toml::from_str(&text).expect("a component");
    let (config, secrets) = (FieldValues::default(), Secrets::default());
    let question =
        Question { component: &component, method: &component.methods[0], config: &config, secrets: &secrets };
    assert_eq!(question.host(), "api.acme.example");
}

#[test]
fn an_empty_field_beside_a_full_one_leaves_nothing_behind() {
    let service = r#"
base_url = "https://acme.example"
headers = { "x-api-key" = "{extra} {token}" }
probes = [{ outcomes = [] }]
"#;
    let key =
        |given: &[(&str, &str)]| build_with(service, given).expect("a request").request.headers()["x-api-key"].clone();
    assert_eq!(key(&[]), "t/o ken");
    assert_eq!(key(&[("extra", "Token")]), "Token t/o ken");
}

#[test]
fn basic_authentication_and_bodies_are_made() {
    let service = r#"
base_url = "{base}"
basic = { user = "{user}", password = "{token}" }
probes = [{ method = "POST", path = "/", body = "q={token}", headers = { content-type = "application/x-www-form-urlencoded" }, outcomes = [] }]
"#;
    let prepared = build_with(service, &[("base", "http://acme.example:8080"), ("user", "u")]).expect("a request");
    assert_eq!((prepared.port, prepared.encrypted), (8080, false));
    assert_eq!(prepared.request.headers()["host"], "acme.example:8080");
    assert_eq!(prepared.request.headers()["authorization"], "Basic dTp0L28ga2Vu");
    assert_eq!(prepared.request.body().as_ref(), b"q=t%2Fo%20ken");
    let anonymous = build_with(service, &[("base", "http://acme.example")]).expect("a request");
    assert!(!anonymous.request.headers().contains_key("authorization"));
}

#[test]
fn nothing_typed_leaves_the_base() {
    let service = "base_url = \"https://{site}.acme.example\"\nprobes = [{ outcomes = [] }]";
    for site in ["evil.example/", "evil.example#", "a@b", "a:80", "a?", "..", "a b", "a\\b", "é"] {
        let refused = build_with(service, &[("site", site)]).map(|prepared| prepared.host);
        assert!(matches!(refused, Err(BuildError::LeavesBase)), "{site}: {refused:?}");
    }
    let service = "base_url = \"https://acme.example/v1\"\nprobes = [{ path = \"/{+path}\", outcomes = [] }]";
    for path in ["../admin", "a/../../b", "a/%2e%2E/b", "./a", "a\\..\\b", "a#b", "%2e"] {
        let refused = build_with(service, &[("path", path)]).map(|prepared| prepared.host);
        assert!(matches!(refused, Err(BuildError::Path)), "{path}: {refused:?}");
    }
    assert_eq!(uri(build_with(service, &[("path", "me?full=1&x=../y")])), "/v1/me?full=1&x=../y");
    assert_eq!(uri(build_with(service, &[("path", "//evil.example/x")])), "/v1/evil.example/x");
}

#[test]
fn only_complete_web_addresses_are_bases() {
    let service = "base_url = \"{base}\"\nprobes = [{ path = \"/me\", outcomes = [] }]";
    for base in
        ["ftp://a.example", "https://u:p@a.example", "a.example", "https://a.example/?x=1", "file:///etc/passwd"]
    {
        let refused = build_with(service, &[("base", base)]).map(|prepared| prepared.host);
        assert!(matches!(refused, Err(BuildError::Address)), "{base}: {refused:?}");
    }
    let odd = build_with(service, &[("base", "http://0x7f.1")]).expect("a request");
    assert_eq!(odd.host, Host::Ip([127, 0, 0, 1].into()));
}

proptest! {
    #[test]
    fn a_path_never_changes_the_host(path in "[a-z./\\\\@:#?%\\[\\]]{0,24}", part in ".{0,12}") {
        let service = "base_url = \"https://acme.example\"\nprobes = [{ path = \"/{+path}/{part}\", outcomes = [] }]";
        if let Ok(prepared) = build_with(service, &[("path", &path), ("part", &part)]) {
            prop_assert_eq!(prepared.host, Host::Name("acme.example".to_owned()));
            prop_assert_eq!(prepared.port, 443);
        }
    }

    #[test]
    fn a_site_stays_below_its_domain(site in "[a-z0-9./:@#?-]{1,20}") {
        let service = "base_url = \"https://{site}.acme.example\"\nprobes = [{ outcomes = [] }]";
        if let Ok(prepared) = build_with(service, &[("site", &site)]) {
            prop_assert!(prepared.host.to_string().ends_with(".acme.example"));
        }
    }
}

#[test]
fn a_path_may_follow_a_whole_address() {
    let service = "base_url = \"{base}/v1\"\nprobes = [{ path = \"/me\", outcomes = [] }]";
    let prepared = build_with(service, &[("base", "https://acme.example:8443")]).expect("a request");
    assert_eq!((prepared.port, prepared.request.uri().path()), (8443, "/v1/me"));
    assert!(build_with(service, &[("base", "https://acme.example?x=")]).is_err());
}

#[test]
fn every_built_in_probe_makes_a_request_from_the_examples() {
    let catalog = crate::server::catalog::Catalog::load(None).expect("the built-in components");
    let mut built = 0;
    for component in catalog.forms().iter().filter_map(|form| catalog.get(&form.badge.slug)) {
        for method in &component.methods {
            let Service::Http(service) = &method.service else { continue };
            let (mut config, mut secrets) = (FieldValues::default(), Secrets::default());
            for field in method.known_fields() {
                let obtained = !method.fields.iter().any(|typed| typed.id == field.id);
                if field.secret {
                    secrets.insert(&field.id, SecretText::new("secret".to_owned()));
                } else if obtained {
                    let address = field.kind == crate::domain::field::FieldKind::Url;
                    config.set(&field.id, if address { "https://blue.acme.example" } else { "obtained" });
                } else if field.kind != crate::domain::field::FieldKind::Select {
                    config.set(&field.id, field.example.clone());
                }
            }
            let question = Question { component, method, config: &config, secrets: &secrets };
            for probe in &service.probes {
                let prepared = build(service, probe, Values::of(&question), Timestamp(0));
                assert!(prepared.is_ok(), "{} {}: {:?}", component.slug, method.id, prepared.map(|p| p.port));
                built += 1;
            }
        }
    }
    assert!(built >= 11, "{built} probes");
}
