//! MQTT against scripted brokers: what Mosquitto does rarely, and what other servers do.

use super::*;
use crate::domain::evidence::{Evidence, Verdict};
use crate::server::probe::tests::{SECRET, ask_scripted, log_in_without_tls, refused_field, serve, silence};
use tokio::net::TcpStream;

/// The packet of a client, whole.
async fn receive(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await.expect("a head");
    let mut body = vec![0; usize::from(head[1])];
    stream.read_exact(&mut body).await.expect("a body");
    [&head[..], &body].concat()
}

async fn answered(answer: &'static [u8]) -> Evidence {
    ask_scripted("mqtt", move |mut stream| async move {
        receive(&mut stream).await;
        stream.write_all(answer).await.expect("sent");
        stream.shutdown().await.expect("ended");
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await
}

#[tokio::test]
async fn user_and_password_are_sent_as_the_standard_says() {
    let evidence = ask_scripted("mqtt", |mut stream| async move {
        let packet = receive(&mut stream).await;
        let expected = [b"\x10\x25\0\x04MQTT\x05\xc2\0\x1e\0\0\0\0\x03app\0\x11", SECRET.as_bytes()].concat();
        assert_eq!(packet, expected);
        stream.write_all(&[CONNACK, 3, 0, 0, 0]).await.expect("sent");
        assert_eq!(receive(&mut stream).await, DISCONNECT);
    })
    .await;
    assert_eq!((&evidence.verdict, evidence.account.identity.as_deref()), (&Verdict::Valid, Some("app")));
}

#[tokio::test]
async fn an_older_broker_is_asked_again_in_its_version() {
    let address = serve(|mut stream| async move {
        let code = u8::from(receive(&mut stream).await[8] != 4);
        let _ = stream.write_all(&[CONNACK, 2, 0, code]).await;
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await;
    let evidence = log_in_without_tls("mqtt", address).await;
    assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
    let told = evidence.steps.iter().find(|step| step.kind == StepKind::Authenticate).expect("a step");
    assert_eq!(told.detail, "MQTT 3.1.1");
}

#[tokio::test]
async fn a_broker_that_hangs_up_at_the_newer_version_is_asked_in_the_older() {
    let address = serve(|mut stream| async move {
        if receive(&mut stream).await[8] == 4 {
            let _ = stream.write_all(&[CONNACK, 2, 0, 4]).await;
        }
    })
    .await;
    assert_eq!(refused_field(&log_in_without_tls("mqtt", address).await), "password");
    let address = serve(|mut stream| async move { drop(receive(&mut stream).await) }).await;
    assert!(silence(&log_in_without_tls("mqtt", address).await).contains("closed the connection"));
}

#[tokio::test]
async fn a_broker_of_neither_version_is_no_evidence() {
    let address = serve(|mut stream| async move {
        receive(&mut stream).await;
        let _ = stream.write_all(&[CONNACK, 2, 0, 1]).await;
    })
    .await;
    assert!(silence(&log_in_without_tls("mqtt", address).await).contains("neither MQTT 5 nor 3.1.1"));
}

#[tokio::test]
async fn codes_that_concern_the_credential_are_refusals_and_others_are_not() {
    for code in [134, 135] {
        let answer = vec![CONNACK, 3, 0, code, 0].leak();
        assert_eq!(refused_field(&answered(answer).await), "password");
    }
    for (code, words) in [
        (133, "client identifier"),
        (136, "Try again"),
        (151, "Try again"),
        (140, "another way"),
        (157, "not followed"),
    ] {
        let answer = vec![CONNACK, 3, 0, code, 0].leak();
        let evidence = answered(answer).await;
        assert!(silence(&evidence).contains(words), "{evidence:?}");
    }
}

#[tokio::test]
async fn odd_packets_are_no_evidence() {
    for answer in [&[0x30, 2, 0, 0][..], &[CONNACK, 1, 0], &[CONNACK, 2, 7, 0], &[CONNACK, 0xff, 0xff, 0xff, 0xff, 0]] {
        assert!(silence(&answered(answer).await).contains("does not speak MQTT"));
    }
    assert!(silence(&answered(&[CONNACK, 200, 1, 0]).await).contains("closed the connection"));
}

#[test]
fn lengths_take_seven_bits_a_byte() {
    for (length, bytes) in
        [(0, &[0][..]), (127, &[0x7f]), (128, &[0x80, 1]), (16_383, &[0xff, 0x7f]), (16_384, &[0x80, 0x80, 1])]
    {
        assert_eq!(variable_length(length), bytes);
    }
}
