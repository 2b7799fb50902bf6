use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc::unbounded_channel;
use tokio_rustls::TlsAcceptor;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca() -> Ca {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key")).expect("a CA")
}

/// A server on the other end of a pipe whose certificate is for `db.acme.example` until the year given.
fn server(ca: &Ca, until: i32) -> DuplexStream {
    let key = KeyPair::generate().expect("a key");
    let mut parameters = CertificateParams::new(["db.acme.example".to_owned()]).expect("parameters");
    parameters.not_before = date_time_ymd(2000, 1, 1);
    parameters.not_after = date_time_ymd(until, 1, 1);
    let certificate = parameters.signed_by(&key, ca).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key))
        .expect("a server");
    let (ours, theirs) = tokio::io::duplex(65_536);
    tokio::spawn(async move {
        let stream = TlsAcceptor::from(Arc::new(config)).accept(theirs).await;
        std::future::pending::<()>().await;
        drop(stream);
    });
    ours
}

async fn outcome(stream: DuplexStream, host: &str, trust: Trust) -> Result<String, TlsError> {
    outcome_at(NOW, stream, host, trust).await
}

/// `now` is what we believe; whether a certificate is valid still depends on the machine's clock.
async fn outcome_at(now: Timestamp, stream: DuplexStream, host: &str, trust: Trust) -> Result<String, TlsError> {
    let (live, _) = unbounded_channel();
    let mut steps = Steps::new(live, Box::new(str::to_owned));
    steps.begin(crate::domain::evidence::StepKind::Tls);
    let host = Host::parse(host).expect("a host");
    let wire = encrypt(Wire::plain(stream), &host, &trust, now, &mut steps).await?;
    assert!(wire.is_encrypted());
    Ok(steps.into_ended().remove(0).message)
}

#[tokio::test]
async fn a_certificate_of_the_given_ca_is_verified_and_its_end_told() {
    let ca = ca();
    let message = outcome(server(&ca, 2100), "db.acme.example", Trust::Own(ca.pem())).await.expect("verified");
    assert!(message.starts_with("Verified, expires in 27"), "{message}");
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_told_with_its_day() {
    let ca = ca();
    let end = Timestamp(4_102_444_800_000);
    for (before, words) in [(12 * DAY, "in 12 days"), (DAY, "in 1 day"), (DAY / 2, "in 12 hours")] {
        let wire = server(&ca, 2100);
        let message = outcome_at(end.plus(-before), wire, "db.acme.example", Trust::Own(ca.pem())).await;
        let expected = format!("Verified. The certificate ends on 1 Jan 2100, {words}.");
        assert_eq!(message, Ok(expected));
    }
    let message = outcome_at(end.plus(-21 * DAY), server(&ca, 2100), "db.acme.example", Trust::Own(ca.pem())).await;
    assert_eq!(message.as_deref(), Ok("Verified, expires in 21 days."));
}

#[tokio::test]
async fn without_verification_the_step_says_so() {
    let message = outcome(server(&ca(), 2001), "other.example", Trust::Unverified).await;
    assert_eq!(message.as_deref(), Ok("Encrypted, not verified."));
}

#[tokio::test]
async fn each_fault_has_its_own_words() {
    let ca = ca();
    let own = || Trust::Own(ca.pem());
    let stranger = outcome(server(&self::ca(), 2100), "db.acme.example", own()).await;
    assert!(matches!(stranger, Err(TlsError::NotFromOwnCa { .. })), "{stranger:?}");
    let name = outcome(server(&ca, 2100), "other.example", own()).await;
    assert!(matches!(name, Err(TlsError::WrongName { .. })), "{name:?}");
    let address = outcome(server(&ca, 2100), "127.0.0.1", own()).await;
    assert!(matches!(address, Err(TlsError::WrongName { .. })), "{address:?}");
    let expired = outcome(server(&ca, 2001), "db.acme.example", own()).await;
    assert!(matches!(expired, Err(TlsError::Expired { .. })), "{expired:?}");
    let unreadable = outcome(server(&ca, 2100), "db.acme.example", Trust::Own("no PEM".to_owned())).await;
    assert_eq!(unreadable, Err(TlsError::UnreadableCa));
}

#[tokio::test]
async fn a_port_without_tls_is_told_apart_from_one_that_hangs_up() {
    let (ours, mut theirs) = tokio::io::duplex(1024);
    theirs.write_all(b"220 mail.acme.example ESMTP\r\n").await.expect("written");
    let plain = outcome(ours, "db.acme.example", Trust::Unverified).await;
    assert!(matches!(plain, Err(TlsError::NotTls { .. })), "{plain:?}");
    let (ours, theirs) = tokio::io::duplex(1024);
    drop(theirs);
    let broken = outcome(ours, "db.acme.example", Trust::Unverified).await;
    assert!(matches!(broken, Err(TlsError::Broken { .. })), "{broken:?}");
}

/// A certificate of the CA for a client, and its key.
fn client(ca: &Ca) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let parameters = CertificateParams::new(["app".to_owned()]).expect("parameters");
    (parameters.signed_by(&key, ca).expect("a certificate").pem(), key.serialize_pem())
}

#[test]
fn a_client_certificate_goes_with_its_own_key_only() {
    let ca = ca();
    let ((certificate, key), (_, other_key)) = (client(&ca), client(&ca));
    let config =
        |certificate, key| client_config(&Trust::Unverified, Some(ClientCertificate { certificate, key })).err();
    assert_eq!(config(&certificate, &key), None);
    assert_eq!(config(&certificate, &other_key), Some(TlsError::OtherKey));
    assert_eq!(config("no PEM", &key), Some(TlsError::UnreadableCertificate));
    assert_eq!(config(&certificate, "no PEM"), Some(TlsError::UnreadableKey));
    assert!(end_of(&certificate).is_some() && end_of("no PEM").is_none());
}
