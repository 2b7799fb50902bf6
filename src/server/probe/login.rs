//! What databases, caches and mail servers are signed in to with, read from the fields by their common names.

use super::values::Values;
use super::{Errand, Setback};
use crate::domain::evidence::StepKind;
use crate::server::catalog::definition::LoginService;
use crate::server::dial::host::Host;
use crate::server::dial::tls::{ClientCertificate, Trust, encrypt_as};
use crate::server::dial::{Steps, Wire};

/// Host, port, user and password of a service.
pub struct Login<'a> {
    pub host: Host,
    pub port: u16,
    pub user: Option<&'a str>,
    pub password: Option<&'a str>,
    pub database: Option<&'a str>,
    tls: Option<&'a str>,
    ca: Option<&'a str>,
    client: Option<ClientCertificate<'a>>,
}

/// How a connection becomes encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    Off,
    /// From the first byte, or by the protocol's own request where it has only that.
    On(Trust),
    /// By a command within the plain protocol.
    Upgrade(Trust),
}

impl<'a> Login<'a> {
    /// Reads the fields.
    ///
    /// # Errors
    /// A [`Setback`] at the field that is missing or wrong.
    pub fn read(errand: &Errand<'a>, service: &LoginService) -> Result<Self, Setback> {
        let values = errand.values;
        let host = values.get("host").ok_or_else(|| Setback::silence("The host is missing.").at("host"))?;
        let host = Host::parse(host).map_err(|error| Setback::silence(sentence(&error.to_string())).at("host"))?;
        let port = match values.get("port").map(str::parse::<u16>) {
            None => service.default_port,
            Some(Ok(port @ 1..)) => port,
            Some(_) => return Err(Setback::silence("A port is a number from 1 to 65535.").at("port")),
        };
        Ok(Self {
            host,
            port,
            user: values.get("user"),
            password: values.get("password"),
            database: values.get("database"),
            tls: values.get("tls"),
            ca: values.get("ca"),
            client: client_certificate(values)?,
        })
    }

    /// The user, for services that have no anonymous access.
    ///
    /// # Errors
    /// A [`Setback`] at the field `user`: nothing is guessed from the machine's own user.
    pub fn needed_user(&self) -> Result<&'a str, Setback> {
        self.user.ok_or_else(|| Setback::silence("The user is missing.").at("user"))
    }

    /// The encryption that was chosen.
    ///
    /// # Errors
    /// A [`Setback`] at the field `tls` for a word that means nothing.
    pub fn encryption(&self) -> Result<Encryption, Setback> {
        let verified = || self.ca.map_or(Trust::Machine, |pem| Trust::Own(pem.to_owned()));
        match self.tls.unwrap_or("auto") {
            "off" => Ok(Encryption::Off),
            "auto" if self.host.is_loopback() => Ok(Encryption::Off),
            "auto" | "verify" | "tls" => Ok(Encryption::On(verified())),
            "require" => Ok(Encryption::On(Trust::Unverified)),
            "starttls" => Ok(Encryption::Upgrade(verified())),
            _ => Err(Setback::silence("This choice of encryption is not known. Choose one from the list.").at("tls")),
        }
    }

    /// Resolves and connects.
    ///
    /// # Errors
    /// A [`Setback`] at host or port.
    pub async fn connect(&self, errand: &Errand<'_>, steps: &mut Steps) -> Result<Wire, Setback> {
        Ok(errand.dialer.connect(&self.host, self.port, steps).await?.wire)
    }

    /// Connects, and encrypts from the first byte if that was chosen.
    ///
    /// # Errors
    /// A [`Setback`] at host, port or encryption.
    pub async fn connect_encrypted(&self, errand: &Errand<'_>, steps: &mut Steps) -> Result<Wire, Setback> {
        let encryption = self.encryption()?;
        let wire = self.connect(errand, steps).await?;
        match encryption {
            Encryption::Off | Encryption::Upgrade(_) => {
                skip_tls(steps);
                Ok(wire)
            }
            Encryption::On(trust) => {
                steps.begin(StepKind::Tls);
                self.upgrade(wire, &trust, errand, steps).await
            }
        }
    }

    /// Encrypts a connection whose service has agreed to it; the TLS step is running.
    ///
    /// # Errors
    /// A [`Setback`] at what TLS found wrong.
    pub async fn upgrade(
        &self,
        wire: Wire,
        trust: &Trust,
        errand: &Errand<'_>,
        steps: &mut Steps,
    ) -> Result<Wire, Setback> {
        Ok(encrypt_as(self.client, wire, &self.host, trust, errand.clock.now(), steps).await?)
    }
}

/// Certificate and key, which make sense together only.
fn client_certificate(values: Values<'_>) -> Result<Option<ClientCertificate<'_>>, Setback> {
    match (values.get("client_certificate"), values.get("client_key")) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(ClientCertificate { certificate, key })),
        (Some(_), None) => Err(Setback::silence("The key of the client certificate is missing.").at("client_key")),
        (None, Some(_)) => {
            Err(Setback::silence("The certificate that this key belongs to is missing.").at("client_certificate"))
        }
    }
}

/// Notes that the connection is not encrypted.
pub fn skip_tls(steps: &mut Steps) {
    steps.skip(StepKind::Tls, "Not encrypted.");
}

/// What the server says when it has no encryption to offer.
#[must_use]
pub fn no_tls_offered() -> Setback {
    Setback::silence("This server offers no encryption. Switch it on there, or switch TLS off here.").at("tls")
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
