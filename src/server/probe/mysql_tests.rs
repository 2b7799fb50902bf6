//! MySQL 8's default sign-in, `caching_sha2_password`, against a scripted server.

use super::*;
use crate::domain::evidence::Verdict;
use crate::server::probe::tests::{SECRET, ask_scripted};
use mysql_common::auth::plugins::caching_sha2_password::scramble_sha256;
use tokio::net::TcpStream;

const NONCE: &[u8; 20] = b"01234567890123456789";
const PUBLIC_KEY: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtmcpcNgGWBoAd358wY98\n\
7F8ev8OKgoaLoQXBwyKqd3QQOkyLc2LZ2xLL1SmbsnbQF3hJgU9k7zlLAoxFVCle\n\
E2Iziu8FfjKfRk+ZxESeeW6jE1O8hHXhYLSi41XcmqBM0Z4EYD0PhKSRQclq8daw\n\
Kn+YmdSwKvLlSbEoSJTi48EfpnfMp1AWBPUDmYTYAmXvKXgHCCXavUZCX54a81z2\n\
wVV5FlC+LJk+nQK1rrqTAiHjyOWI6PzwcVpGx0wyVnVLXBPn/6th6eEmVnznpGU/\n\
I504LgCEvYsJfIIeInOTstaoQWU0tmFJuwPsUVH6hEODeMAYnToWwzY5aGxe6bCS\n\
hQIDAQAB\n\
-----END PUBLIC KEY-----\n\
";

/// `HandshakeV10` of a MySQL 8 server.
fn greeting(plugin: &str) -> Vec<u8> {
    let flags = CapabilityFlags::CLIENT_PROTOCOL_41
        | CapabilityFlags::CLIENT_SECURE_CONNECTION
        | CapabilityFlags::CLIENT_PLUGIN_AUTH
        | CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
        | CapabilityFlags::CLIENT_CONNECT_WITH_DB;
    let [a, b, c, d] = flags.bits().to_le_bytes();
    let mut packet = b"\x0a8.0.36\0\x07\0\0\0".to_vec();
    packet.extend_from_slice(&NONCE[..8]);
    packet.extend_from_slice(&[0, a, b, 45, 2, 0, c, d, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    packet.extend_from_slice(&NONCE[8..]);
    packet.push(0);
    packet.extend_from_slice(plugin.as_bytes());
    packet.push(0);
    packet
}

async fn send(stream: &mut TcpStream, sequence: u8, payload: &[u8]) {
    let mut packet = vec![
        u8::try_from(payload.len() % 256).expect("a byte"),
        u8::try_from(payload.len() / 256).expect("a byte"),
        0,
        sequence,
    ];
    packet.extend_from_slice(payload);
    stream.write_all(&packet).await.expect("sent");
}

async fn receive(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.expect("a head");
    let mut payload = vec![0; usize::from(head[0]) + usize::from(head[1]) * 256];
    stream.read_exact(&mut payload).await.expect("a payload");
    payload
}

fn holds(packet: &[u8], part: &[u8]) -> bool {
    packet.windows(part.len()).any(|window| window == part)
}

const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];
const END: &[u8] = &[0xfe, 0, 0, 2, 0];

#[tokio::test]
async fn a_cached_password_is_proved_by_its_scramble() {
    let evidence = ask_scripted("mysql", |mut stream| async move {
        send(&mut stream, 0, &greeting("caching_sha2_password")).await;
        let response = receive(&mut stream).await;
        let proof = scramble_sha256(NONCE, SECRET.as_bytes()).expect("a scramble");
        assert!(holds(&response, &proof) && holds(&response, b"caching_sha2_password") && holds(&response, b"app\0"));
        send(&mut stream, 2, &[0x01, 0x03]).await;
        send(&mut stream, 3, OK).await;
        assert_eq!(receive(&mut stream).await, b"\x03SELECT CURRENT_USER()");
        for (sequence, packet) in [(1, &b"\x01"[..]), (2, b"\x03def"), (3, END), (4, b"\x05app@%"), (5, END)] {
            send(&mut stream, sequence, packet).await;
        }
        assert_eq!(receive(&mut stream).await, [COM_QUIT]);
    })
    .await;
    assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
    assert_eq!(evidence.account.identity.as_deref(), Some("app@% (8.0.36)"));
    assert_eq!(evidence.account.scopes, ["USE 0"]);
}

#[tokio::test]
async fn a_password_not_cached_goes_encrypted_by_the_servers_key() {
    let evidence = ask_scripted("mysql", |mut stream| async move {
        send(&mut stream, 0, &greeting("caching_sha2_password")).await;
        receive(&mut stream).await;
        send(&mut stream, 2, &[0x01, 0x04]).await;
        assert_eq!(receive(&mut stream).await, [0x02]);
        send(&mut stream, 4, &[&[0x01], PUBLIC_KEY.as_bytes()].concat()).await;
        let sealed = receive(&mut stream).await;
        assert!(sealed.len() == 256 && !holds(&sealed, SECRET.as_bytes()));
        send(&mut stream, 6, OK).await;
    })
    .await;
    assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
}

#[tokio::test]
async fn a_switch_to_clear_text_is_refused_without_tls() {
    let evidence = ask_scripted("mysql", |mut stream| async move {
        send(&mut stream, 0, &greeting("mysql_native_password")).await;
        assert!(!holds(&receive(&mut stream).await, SECRET.as_bytes()));
        send(&mut stream, 2, b"\xfemysql_clear_password\0").await;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("closed");
        assert!(rest.is_empty());
    })
    .await;
    assert!(
        matches!(&evidence.verdict, Verdict::NoEvidence { field: Some(field), .. } if field == "tls"),
        "{evidence:?}"
    );
}

/// One DER element (X.690, 8.1).
fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).expect("a length").to_be_bytes();
    [&[tag, 0x82, length[0], length[1]], contents].concat()
}

fn pem_of(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let key = der(0x30, &[der(0x02, modulus), der(0x02, exponent)].concat());
    let text = base64::engine::general_purpose::STANDARD.encode(key);
    format!("-----BEGIN RSA PUBLIC KEY-----\n{text}\n-----END RSA PUBLIC KEY-----\n").into_bytes()
}

/// What a probe makes of a server's key, and that it makes it quickly.
async fn refuses_key(key: Vec<u8>) {
    let begun = std::time::Instant::now();
    let evidence = ask_scripted("mysql", |mut stream| async move {
        send(&mut stream, 0, &greeting("caching_sha2_password")).await;
        receive(&mut stream).await;
        send(&mut stream, 2, &[0x01, 0x04]).await;
        receive(&mut stream).await;
        send(&mut stream, 4, &[&[0x01], key.as_slice()].concat()).await;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("closed");
        assert!(rest.is_empty());
    })
    .await;
    let Verdict::NoEvidence { reason, .. } = &evidence.verdict else { panic!("{evidence:?}") };
    assert!(reason.contains("does not speak MySQL as it should"), "{reason}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
}

#[tokio::test]
async fn a_key_that_takes_minutes_to_reckon_with_is_refused() {
    // Modulus and exponent of nearly 6,000 bytes each: modular exponentiation would take minutes.
    refuses_key(pem_of(&[0xff; 6_000], &[0xff; 5_900])).await;
    refuses_key(pem_of(&[0xff; 256], &[0xff; 256])).await;
}

#[tokio::test]
async fn a_key_that_makes_the_library_panic_is_refused() {
    refuses_key(pem_of(&[0xff; 10], &[1, 0, 1])).await;
    refuses_key(b"-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----".to_vec()).await;
}
