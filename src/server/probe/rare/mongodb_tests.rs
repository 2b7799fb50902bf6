//! Against scripted servers: what MongoDB does rarely, and what poses as it. The proof itself is checked by the server
//! of `end2end/servers/mongodb.mjs`.

use super::*;
use crate::domain::evidence::Evidence;
use crate::server::probe::tests::{ask_scripted, refused_field, silence};
use tokio::net::TcpStream;

/// The next message: its number and command.
async fn receive(stream: &mut TcpStream) -> (i32, RawDocumentBuf) {
    let length = stream.read_i32_le().await.expect("a length");
    let number = stream.read_i32_le().await.expect("a number");
    let mut rest = vec![0; usize::try_from(length).expect("a length") - 8];
    stream.read_exact(&mut rest).await.expect("a message");
    (number, RawDocumentBuf::from_bytes(rest.split_off(HEAD - 8)).expect("a command"))
}

async fn send(stream: &mut TcpStream, answers: i32, document: RawDocumentBuf) {
    let document = document.into_bytes();
    let length = i32::try_from(HEAD + document.len()).expect("a length");
    let mut message = [length, 1, answers, OP_MSG, 0].map(i32::to_le_bytes).concat();
    message.push(0);
    message.extend(document);
    stream.write_all(&message).await.expect("sent");
}

/// Answers each command in turn, and waits for the client to leave.
async fn ask_answering(answers: Vec<RawDocumentBuf>) -> Evidence {
    ask_scripted("mongodb", |mut stream| async move {
        for answer in answers {
            let (number, _) = receive(&mut stream).await;
            send(&mut stream, number, answer).await;
        }
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await
}

fn hello() -> RawDocumentBuf {
    rawdoc! { "saslSupportedMechs": [MECHANISM], "ok": 1.0 }
}

fn failure(code: i32, text: &str) -> RawDocumentBuf {
    rawdoc! { "ok": 0.0, "errmsg": text, "code": code }
}

#[tokio::test]
async fn only_a_failed_authentication_is_a_refusal() {
    for refusal in [failure(18, "Authentication failed."), failure(8000, "bad auth : authentication failed")] {
        assert_eq!(refused_field(&ask_answering(vec![hello(), refusal]).await), "password");
    }
    for (code, text) in [(91, "The server is in quiesce mode"), (334, "Unavailable mechanism"), (8000, "try again")] {
        let evidence = ask_answering(vec![hello(), failure(code, text)]).await;
        assert!(silence(&evidence).contains(text), "{evidence:?}");
    }
}

#[tokio::test]
async fn a_server_too_old_for_the_greeting_is_asked_to_sign_in_all_the_same() {
    let evidence = ask_answering(vec![failure(59, "no such command: 'hello'"), failure(18, "no")]).await;
    assert_eq!(refused_field(&evidence), "password");
}

#[tokio::test]
async fn a_user_without_a_safe_password_is_told_before_anything_is_proved() {
    let evidence = ask_answering(vec![rawdoc! { "saslSupportedMechs": ["SCRAM-SHA-1"], "ok": 1 }]).await;
    assert!(silence(&evidence).contains("SCRAM-SHA-256"), "{evidence:?}");
}

/// Answers the first message of SCRAM as a server does that does not know the password.
async fn pose(mut stream: TcpStream, signature: &'static str) {
    let (number, _) = receive(&mut stream).await;
    send(&mut stream, number, hello()).await;
    let (number, start) = receive(&mut stream).await;
    let first = start.get_binary("payload").expect("a payload");
    let first = String::from_utf8_lossy(first.bytes).into_owned();
    assert!(first.starts_with("n,,n=app,r=") && start.get_str("$db").is_ok_and(|db| db == "admin"), "{first}");
    let nonce = first.rsplit("r=").next().expect("a nonce");
    let challenge = payload(&format!("r={nonce}more,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
    send(&mut stream, number, rawdoc! { "conversationId": 1, "done": false, "payload": challenge, "ok": 1.0 }).await;
    let (number, _) = receive(&mut stream).await;
    send(&mut stream, number, rawdoc! { "conversationId": 1, "done": true, "payload": payload(signature), "ok": 1.0 })
        .await;
    let _ = stream.read(&mut [0; 64]).await;
}

#[tokio::test]
async fn a_server_that_takes_any_proof_is_found_out() {
    for signature in ["", "v=AAAA", "e=other-error"] {
        let evidence = ask_scripted("mongodb", move |stream| pose(stream, signature)).await;
        assert!(silence(&evidence).contains("poses as it"), "{evidence:?}");
    }
}

#[tokio::test]
async fn what_is_no_message_is_told_apart() {
    for answer in [
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        [0x7fff_ffff_i32, 1, 1, OP_MSG, 0].map(i32::to_le_bytes).concat(),
        [-1_i32, 1, 1, OP_MSG, 0].map(i32::to_le_bytes).concat(),
        // Another operation, an answer to another request, and a document of the wrong length.
        [[26_i32, 1, 1, 1].map(i32::to_le_bytes).concat(), vec![0; 5], b"\x05\0\0\0\0".to_vec()].concat(),
        [[26_i32, 1, 9, OP_MSG].map(i32::to_le_bytes).concat(), vec![0; 5], b"\x05\0\0\0\0".to_vec()].concat(),
        [[26_i32, 1, 1, OP_MSG].map(i32::to_le_bytes).concat(), vec![0; 5], b"\x09\0\0\0\0".to_vec()].concat(),
    ] {
        let evidence = ask_scripted("mongodb", move |mut stream| async move {
            receive(&mut stream).await;
            stream.write_all(&answer).await.expect("sent");
            let _ = stream.read(&mut [0; 64]).await;
        })
        .await;
        assert!(silence(&evidence).contains("does not speak MongoDB"), "{evidence:?}");
    }
}
