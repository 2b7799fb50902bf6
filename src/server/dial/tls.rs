//! Encryption over a connection of ours. The name is always verified against the host that was dialled.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::io;
use std::sync::{Arc, OnceLock};
use tokio_rustls::TlsConnector;

use super::certificate::not_after;
use super::host::Host;
use super::{Flood, Steps, Wire};
use crate::domain::time::{DAY, Timestamp, until};

/// A service's certificate that ends within this span is told with its day: somebody has to renew it.
const FORECAST: i64 = 21 * DAY;

/// Whose certificates count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The authorities this machine trusts.
    Machine,
    /// The authorities in this PEM text, and no others.
    Own(String),
    /// Anybody's: encrypted, not verified.
    Unverified,
}

/// What we show to a service that asks for a certificate: PEM texts.
#[derive(Clone, Copy)]
pub struct ClientCertificate<'a> {
    /// The certificate, and those between it and the authority.
    pub certificate: &'a str,
    pub key: &'a str,
}

/// No encrypted connection. What it prints is for everybody; `detail` is for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    #[error(
        "The certificate is not from an authority this machine trusts. \
         Give its CA certificate, or choose encryption without verification where offered."
    )]
    UnknownIssuer { detail: String },
    #[error("The certificate is not from the CA certificate given here. Check which CA signed it.")]
    NotFromOwnCa { detail: String },
    #[error("The certificate of this service has expired. Its operator has to renew it.")]
    Expired { detail: String },
    #[error("The certificate of this service is not valid yet. Check the clocks of both machines.")]
    NotYetValid { detail: String },
    #[error("The certificate is for another name than this host. Give the host as its certificate names it.")]
    WrongName { detail: String },
    #[error("The certificate of this service cannot be used.")]
    BadCertificate { detail: String },
    #[error("This port does not speak TLS. Check the port, or switch encryption off if the service has none.")]
    NotTls { detail: String },
    #[error("The service refused to encrypt the connection.")]
    Refused { detail: String },
    #[error("The connection broke off while encryption was being set up.")]
    Broken { detail: String },
    #[error(
        "The CA certificate is not readable. Paste it whole, with its BEGIN CERTIFICATE and END CERTIFICATE lines."
    )]
    UnreadableCa,
    #[error(
        "The client certificate is not readable. Paste it whole, with its BEGIN CERTIFICATE and END CERTIFICATE lines."
    )]
    UnreadableCertificate,
    #[error(
        "The client certificate's key is not readable. Paste it whole, with its BEGIN and END lines, and not encrypted."
    )]
    UnreadableKey,
    #[error("This key does not belong to the client certificate. Give the two that were made together.")]
    OtherKey,
    #[error("The service asks for a client certificate, or does not take the one given here.")]
    ClientCertificate { detail: String },
    #[error("This machine has no list of trusted certificate authorities, so nothing can be verified.")]
    NoAuthorities { detail: String },
}

impl TlsError {
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::UnknownIssuer { detail }
            | Self::NotFromOwnCa { detail }
            | Self::Expired { detail }
            | Self::NotYetValid { detail }
            | Self::WrongName { detail }
            | Self::BadCertificate { detail }
            | Self::NotTls { detail }
            | Self::Refused { detail }
            | Self::Broken { detail }
            | Self::ClientCertificate { detail }
            | Self::NoAuthorities { detail } => detail,
            Self::UnreadableCa | Self::UnreadableCertificate | Self::UnreadableKey | Self::OtherKey => "",
        }
    }
}

/// Encrypts a connection. The TLS step has been begun by the caller, who may have to ask the service for it first;
/// it is passed here, and left running on failure.
///
/// # Errors
/// [`TlsError`] in words that say what to mend.
pub async fn encrypt(
    wire: Wire,
    host: &Host,
    trust: &Trust,
    now: Timestamp,
    steps: &mut Steps,
) -> Result<Wire, TlsError> {
    encrypt_as(None, wire, host, trust, now, steps).await
}

/// The same, with a certificate of our own for services that ask for one.
///
/// # Errors
/// [`TlsError`] in words that say what to mend.
pub async fn encrypt_as(
    client: Option<ClientCertificate<'_>>,
    wire: Wire,
    host: &Host,
    trust: &Trust,
    now: Timestamp,
    steps: &mut Steps,
) -> Result<Wire, TlsError> {
    let connector = TlsConnector::from(Arc::new(client_config(trust, client)?));
    let name = server_name(host).map_err(|error| TlsError::WrongName { detail: error.to_string() })?;
    let stream = connector.connect(name, wire).await.map_err(|error| explain(&error, trust))?;
    let end = stream.get_ref().1.peer_certificates().and_then(|chain| not_after(chain.first()?));
    steps.pass(&praise(trust, end, now));
    Ok(Wire::encrypted(stream))
}

fn server_name(host: &Host) -> Result<ServerName<'static>, InvalidDnsNameError> {
    match host {
        Host::Ip(ip) => Ok(ServerName::from(*ip)),
        Host::Name(name) => ServerName::try_from(name.clone()),
    }
}

fn praise(trust: &Trust, end: Option<Timestamp>, now: Timestamp) -> String {
    if *trust == Trust::Unverified {
        return "Encrypted, not verified.".to_owned();
    }
    match end {
        Some(end) if end.since(now) < FORECAST => {
            format!("Verified. The certificate ends on {}, {}.", end.to_day(), until(end, now))
        }
        Some(end) => format!("Verified, expires in {} days.", end.since(now) / DAY),
        None => "Verified.".to_owned(),
    }
}

fn client_config(trust: &Trust, client: Option<ClientCertificate<'_>>) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Broken { detail: error.to_string() })?;
    let config = match trust {
        Trust::Machine => builder.with_root_certificates(machine_roots()?),
        Trust::Own(pem) => builder.with_root_certificates(own_roots(pem)?),
        Trust::Unverified => builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(algorithms))),
    };
    let Some(client) = client else { return Ok(config.with_no_client_auth()) };
    let chain: Vec<_> = certificates(client.certificate).ok_or(TlsError::UnreadableCertificate)?;
    let key = PrivateKeyDer::from_pem_slice(client.key.as_bytes()).map_err(|_| TlsError::UnreadableKey)?;
    config.with_client_auth_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => TlsError::OtherKey,
        rustls::Error::InvalidCertificate(_) => TlsError::UnreadableCertificate,
        _ => TlsError::UnreadableKey,
    })
}

/// When the first certificate of a PEM text ends, which is the one that is shown.
#[must_use]
pub fn end_of(pem: &str) -> Option<Timestamp> {
    not_after(certificates(pem)?.first()?)
}

/// All certificates of a PEM text; `None` where there is none, or one is not readable.
fn certificates(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().ok()?;
    (!all.is_empty()).then_some(all)
}

/// Whether a service ended the connection over our certificate, or over having shown none. Since TLS 1.3 it does so
/// after the handshake (RFC 8446, 4.4.2.4).
#[must_use]
pub fn is_about_client_certificate(error: &io::Error) -> bool {
    let alert = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(alert, Some(rustls::Error::AlertReceived(alert)) if is_about_certificate(*alert))
}

const fn is_about_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
    )
}

/// The machine's authorities, read once.
fn machine_roots() -> Result<Arc<RootCertStore>, TlsError> {
    static ROOTS: OnceLock<Result<Arc<RootCertStore>, TlsError>> = OnceLock::new();
    ROOTS
        .get_or_init(|| {
            let found = rustls_native_certs::load_native_certs();
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(found.certs);
            #[cfg(test)]
            roots.add_parsable_certificates([test_authority::certificate()]);
            if roots.is_empty() {
                let causes = found.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                let detail = format!("Install the package ca-certificates, or set SSL_CERT_FILE. {causes}");
                return Err(TlsError::NoAuthorities { detail });
            }
            Ok(Arc::new(roots))
        })
        .clone()
}

/// An authority that the machine of the tests trusts.
#[cfg(test)]
pub mod test_authority {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use std::sync::LazyLock;

    static AUTHORITY: LazyLock<CertifiedIssuer<'static, KeyPair>> = LazyLock::new(|| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
    });

    /// # Panics
    /// Where there is no randomness for a key.
    pub fn certificate() -> CertificateDer<'static> {
        AUTHORITY.der().clone()
    }

    /// A certificate for one name, and its key.
    ///
    /// # Panics
    /// Where there is no randomness for a key.
    pub fn issue(name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &AUTHORITY).expect("a certificate");
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).expect("a key"))
    }
}

fn own_roots(pem: &str) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem).ok_or(TlsError::UnreadableCa)? {
        roots.add(certificate).map_err(|_| TlsError::UnreadableCa)?;
    }
    Ok(Arc::new(roots))
}

fn explain(error: &io::Error, trust: &Trust) -> TlsError {
    let detail = error.to_string();
    let inner = error.get_ref();
    if Flood::caused(error) {
        return TlsError::NotTls { detail };
    }
    match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(cause)) => explain_certificate(cause, trust, detail),
        Some(
            rustls::Error::InvalidMessage(_)
            | rustls::Error::InappropriateMessage { .. }
            | rustls::Error::InappropriateHandshakeMessage { .. }
            | rustls::Error::PeerSentOversizedRecord,
        ) => TlsError::NotTls { detail },
        Some(rustls::Error::AlertReceived(alert)) if is_about_certificate(*alert) => {
            TlsError::ClientCertificate { detail }
        }
        Some(rustls::Error::AlertReceived(_) | rustls::Error::PeerIncompatible(_)) => TlsError::Refused { detail },
        _ => TlsError::Broken { detail },
    }
}

fn explain_certificate(cause: &CertificateError, trust: &Trust, detail: String) -> TlsError {
    match cause {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsError::Expired { detail },
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsError::NotYetValid { detail },
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsError::WrongName { detail }
        }
        // An authority's own certificate in a server's place comes as "other": self-signed ones are made so.
        CertificateError::UnknownIssuer | CertificateError::BadSignature | CertificateError::Other(_) => match trust {
            Trust::Own(_) => TlsError::NotFromOwnCa { detail },
            Trust::Machine | Trust::Unverified => TlsError::UnknownIssuer { detail },
        },
        _ => TlsError::BadCertificate { detail },
    }
}

/// Takes any certificate, but still has the server prove that it holds the certificate's key.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
