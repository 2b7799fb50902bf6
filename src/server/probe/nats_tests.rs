//! NATS against scripted servers: what nats-server does rarely, and what other servers do.

use super::*;
use crate::domain::evidence::{Evidence, Verdict};
use crate::server::probe::tests::{SECRET, ask_scripted, refused_field, silence};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

/// What comes of a server that greets in this way, and answers our `PING` so.
async fn greeted_and_answered(info: &'static str, answer: &'static str) -> Evidence {
    ask_scripted("nats", move |stream| async move {
        let mut stream = BufReader::new(stream);
        stream.write_all(format!("INFO {info}\r\n").as_bytes()).await.expect("sent");
        let (mut options, mut rest) = (String::new(), String::new());
        let _ = stream.read_line(&mut options).await;
        let _ = stream.read_line(&mut rest).await;
        if rest == "PING\r\n" {
            let options = options.strip_prefix("CONNECT ").expect("CONNECT");
            let options: serde_json::Value = serde_json::from_str(options).expect("options");
            assert_eq!((&options["user"], &options["pass"]), (&json!("app"), &json!(SECRET)));
            stream.write_all(answer.as_bytes()).await.expect("sent");
            stream.shutdown().await.expect("ended");
            let _ = stream.read_to_end(&mut Vec::new()).await;
        } else {
            assert_eq!(options, "", "nothing is sent to a server that does not check it");
        }
    })
    .await
}

const CHECKS: &str = r#"{"version": "2.11.0", "auth_required": true, "connect_urls": ["169.254.169.254:4222"]}"#;

#[tokio::test]
async fn a_ping_and_further_information_may_come_before_the_answer() {
    let evidence = greeted_and_answered(CHECKS, "+OK\r\nINFO {}\r\nPING\r\nPONG\r\n").await;
    assert_eq!((&evidence.verdict, evidence.account.identity.as_deref()), (&Verdict::Valid, Some("app")));
}

#[tokio::test]
async fn a_refusal_is_told_in_any_case_of_letters() {
    for answer in ["-ERR 'Authorization Violation'\r\n", "-ERR 'authorization violation'\r\n"] {
        assert_eq!(refused_field(&greeted_and_answered(CHECKS, answer).await), "password");
    }
    let evidence = greeted_and_answered(CHECKS, "-ERR 'User Authentication Expired'\r\n").await;
    assert!(matches!(evidence.verdict, Verdict::Rejected { .. }), "{evidence:?}");
}

#[tokio::test]
async fn other_errors_and_no_answer_are_no_evidence() {
    for (answer, words) in [
        ("-ERR 'maximum connections exceeded'\r\n", "no more connections"),
        ("-ERR 'Unknown Protocol Operation'\r\n", "Unknown Protocol Operation"),
        ("", "closed the connection"),
        ("HELLO\r\n", "does not speak NATS"),
    ] {
        let evidence = greeted_and_answered(CHECKS, answer).await;
        assert!(silence(&evidence).contains(words), "{evidence:?}");
    }
    let endless: &str = "PING\r\n".repeat(MOST_LINES + 1).leak();
    assert!(silence(&greeted_and_answered(CHECKS, endless).await).contains("does not speak NATS"));
}

#[tokio::test]
async fn a_server_that_checks_nothing_or_wants_encryption_is_shown_nothing() {
    let evidence = greeted_and_answered("{}", "PONG\r\n").await;
    assert!(silence(&evidence).contains("lets everybody in"), "{evidence:?}");
    let evidence = greeted_and_answered(r#"{"auth_required": true, "tls_required": true}"#, "PONG\r\n").await;
    assert!(silence(&evidence).contains("Switch encryption on"), "{evidence:?}");
}
