//! Against scripted servers: what RabbitMQ does rarely, and what other servers do.

use super::*;
use crate::domain::evidence::{Evidence, Verdict};
use crate::server::probe::tests::{SECRET, ask_scripted, refused_field, silence};
use tokio::net::TcpStream;

async fn send(stream: &mut TcpStream, id: u16, arguments: &[u8]) {
    let mut frame = vec![FRAME_METHOD, 0, 0];
    frame.extend(with_length(&[&CONNECTION.to_be_bytes(), &id.to_be_bytes(), arguments].concat()));
    frame.push(FRAME_END);
    stream.write_all(&frame).await.expect("sent");
}

/// The next method's number and arguments.
async fn receive(stream: &mut TcpStream) -> (u16, Vec<u8>) {
    let mut head = [0; 7];
    stream.read_exact(&mut head).await.expect("a head");
    let mut payload = vec![0; usize::from(head[5]) * 256 + usize::from(head[6]) + 1];
    stream.read_exact(&mut payload).await.expect("a payload");
    assert_eq!((head[0], payload.pop()), (FRAME_METHOD, Some(FRAME_END)));
    (u16::from_be_bytes([payload[2], payload[3]]), payload.split_off(4))
}

fn close(code: u16, text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short text");
    [&code.to_be_bytes(), [length].as_slice(), text.as_bytes(), &[0, 0, 0, 0]].concat()
}

/// Reads the header, names the mechanisms, and reads the proof.
async fn greet(stream: &mut TcpStream, mechanisms: &str) -> Vec<u8> {
    let mut header = [0; 8];
    stream.read_exact(&mut header).await.expect("a header");
    assert_eq!(&header, PROTOCOL_HEADER);
    let start = [&[0, 9][..], &with_length(b""), &with_length(mechanisms.as_bytes()), &with_length(b"en_US")].concat();
    send(stream, START, &start).await;
    if mechanisms.contains("PLAIN") { receive(stream).await.1 } else { Vec::new() }
}

const LIMITS: [u8; 8] = [7, 255, 0, 2, 0, 0, 0, 60];

/// What comes of a server that accepts the password and answers `Open` by a method.
async fn after_sign_in(id: u16, arguments: Vec<u8>) -> Evidence {
    ask_scripted("amqp", move |mut stream| async move {
        let proof = greet(&mut stream, "AMQPLAIN PLAIN").await;
        let expected = format!("\0app\0{SECRET}");
        assert!(proof.windows(expected.len()).any(|part| part == expected.as_bytes()));
        // A heartbeat may come at any time.
        stream.write_all(&[FRAME_HEARTBEAT, 0, 0, 0, 0, 0, 0, FRAME_END]).await.expect("sent");
        send(&mut stream, TUNE, &LIMITS).await;
        assert_eq!(receive(&mut stream).await, (TUNE_OK, LIMITS.to_vec()));
        assert_eq!(receive(&mut stream).await, (OPEN, b"\x01/\0\0".to_vec()));
        send(&mut stream, id, &arguments).await;
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await
}

/// What comes of a server that answers the proof in its own way.
async fn after_proof<F: Future<Output = ()> + Send + 'static>(
    answer: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> Evidence {
    ask_scripted("amqp", |mut stream| async move {
        greet(&mut stream, "PLAIN").await;
        answer(stream).await;
    })
    .await
}

#[tokio::test]
async fn an_open_virtual_host_proves_the_login() {
    let evidence = after_sign_in(OPEN_OK, vec![0]).await;
    assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
    assert_eq!(evidence.account.identity.as_deref(), Some("app@/"));
}

#[tokio::test]
async fn a_virtual_host_is_forbidden_missing_or_down() {
    let forbidden = close(530, "NOT_ALLOWED - access to vhost '/' refused for user 'app'");
    let evidence = after_sign_in(CLOSE, forbidden).await;
    assert_eq!(evidence.verdict, Verdict::Limited { missing: vec!["access to the virtual host /".to_owned()] });
    let missing = after_sign_in(CLOSE, close(530, "NOT_ALLOWED - vhost / not found")).await;
    assert_eq!(refused_field(&missing), "vhost");
    let down = after_sign_in(CLOSE, close(541, "INTERNAL_ERROR - vhost '/' is down")).await;
    assert!(silence(&down).contains("(541): INTERNAL_ERROR"), "{down:?}");
    let full = "NOT_ALLOWED - access to vhost '/' refused for user 'app': connection limit (1) is reached";
    assert!(silence(&after_sign_in(CLOSE, close(530, full)).await).contains("limit (1)"));
}

#[tokio::test]
async fn a_password_is_refused_only_by_403() {
    let refused = after_proof(|mut stream| async move {
        send(&mut stream, CLOSE, &close(403, "ACCESS_REFUSED - Login was refused")).await;
    })
    .await;
    assert_eq!(refused_field(&refused), "password");
    let hung_up = after_proof(|stream| async move { drop(stream) }).await;
    assert!(silence(&hung_up).contains("instead of refusing a password"), "{hung_up:?}");
    let more = after_proof(|mut stream| async move { send(&mut stream, SECURE, b"\0\0\0\0").await }).await;
    assert!(silence(&more).starts_with("This server wants more"), "{more:?}");
    let busy =
        after_proof(|mut stream| async move { send(&mut stream, CLOSE, &close(506, "RESOURCE_ERROR")).await }).await;
    assert!(silence(&busy).ends_with("(506): RESOURCE_ERROR"), "{busy:?}");
}

#[tokio::test]
async fn the_password_goes_to_no_server_that_does_not_take_it() {
    let evidence = ask_scripted("amqp", |mut stream| async move {
        greet(&mut stream, "EXTERNAL").await;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("closed");
        assert!(rest.is_empty());
    })
    .await;
    assert!(silence(&evidence).contains("(PLAIN)"), "{evidence:?}");
}

#[tokio::test]
async fn other_versions_heartbeats_without_end_and_long_frames_are_told() {
    for (answer, said) in [
        (b"AMQP\x00\x01\x00\x00".to_vec(), "another version of AMQP"),
        ([FRAME_HEARTBEAT, 0, 0, 0, 0, 0, 0, FRAME_END].repeat(100), "does not speak AMQP"),
        (b"\x01\0\0\x7f\xff\xff\xff".to_vec(), "does not speak AMQP"),
        (b"\x01\0\0\0\0\0\x04\0\x0a\0\x0a\xce".to_vec(), "does not speak AMQP"),
        (b"\x01\0\0\0\0\0\x04\0\x0a\0\x0a\0".to_vec(), "does not speak AMQP"),
    ] {
        let evidence = ask_scripted("amqp", move |mut stream| async move {
            stream.write_all(&answer).await.expect("sent");
            let _ = stream.read(&mut [0; 64]).await;
        })
        .await;
        assert!(silence(&evidence).contains(said), "{evidence:?}");
    }
}
