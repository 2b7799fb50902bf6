//! Where a method's probes send its secrets, told by what its component's file and the fields say.

use std::collections::BTreeSet;

use super::http_request::base;
use super::values::Values;
use crate::domain::field::FieldValues;
use crate::server::catalog::definition::{HttpService, Method, Service};
use crate::server::vault::Secrets;

/// Where a method's secrets are sent, given what its other fields hold.
#[must_use]
pub fn places(method: &Method, config: &FieldValues) -> BTreeSet<String> {
    let secrets = Secrets::default();
    let values = Values { fields: method.known_fields(), config, secrets: &secrets };
    match &method.service {
        Service::Http(service) => origins(service, values),
        Service::GoogleServiceAccount {} => BTreeSet::from(["google".to_owned()]),
        Service::Postgresql(login)
        | Service::Mysql(login)
        | Service::Redis(login)
        | Service::Smtp(login)
        | Service::Imap(login)
        | Service::Ftp(login)
        | Service::Ssh(login)
        | Service::Sftp(login)
        | Service::Ldap(login)
        | Service::Mongodb(login)
        | Service::Amqp(login)
        | Service::Mqtt(login)
        | Service::Nats(login) => {
            let (host, tls) = (values.get("host").unwrap_or_default(), values.get("tls").unwrap_or_default());
            let port = values.get("port").map_or_else(|| login.default_port.to_string(), str::to_owned);
            BTreeSet::from([format!("{host} {port} {tls}")])
        }
    }
}

/// Scheme, host and port of every question; of an address that cannot be told without secrets, how the file puts it.
fn origins(service: &HttpService, values: Values<'_>) -> BTreeSet<String> {
    let own = service.probes.iter().filter_map(|probe| probe.base_url.as_ref());
    own.chain([&service.base_url])
        .map(|template| match base(template, values) {
            Ok((_, url)) => url.origin().ascii_serialization(),
            Err(_) => template.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::catalog::definition::Definition;

    fn sent_to(base_url: &str, probe: &str, site: &str) -> BTreeSet<String> {
        let text = format!(
            r#"
slug = "x"
name = "X"
category = "c"
homepage = ""
sources = []
[[methods]]
id = "m"
label = "M"
kind = "fields"
fields = [{{ id = "site", label = "Site", kind = "subdomain" }}, {{ id = "token", label = "Token", secret = true }}]
[methods.service]
protocol = "http"
base_url = "{base_url}"
[[methods.service.probes]]
{probe}
outcomes = [{{ verdict = "valid" }}]
"#
        );
        let definition: Definition = toml::from_str(&text).expect("a component");
        let mut config = FieldValues::default();
        config.set("site", site);
        places(&definition.methods[0], &config)
    }

    #[test]
    fn another_host_scheme_or_port_is_another_destination_and_another_path_is_not() {
        let given = sent_to("https://{site}.acme.example/v1", "path = \"/me\"", "blue");
        assert_eq!(given, sent_to("https://{site}.acme.example:443/v2", "path = \"/bot{token}\"", "blue"));
        for (base_url, probe, site) in [
            ("https://{site}.evil.example/v1", "path = \"/me\"", "blue"),
            ("http://{site}.acme.example/v1", "path = \"/me\"", "blue"),
            ("https://{site}.acme.example:8443/v1", "path = \"/me\"", "blue"),
            ("https://{site}.acme.example/v1", "base_url = \"https://evil.example\"", "blue"),
            ("https://{site}.acme.example/v1", "path = \"/me\"", "green"),
        ] {
            assert_ne!(given, sent_to(base_url, probe, site), "{base_url} {probe} {site}");
        }
    }
}
