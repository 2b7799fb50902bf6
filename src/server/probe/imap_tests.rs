//! Against scripted servers: what Dovecot does rarely, and what other servers do.

use super::*;
use crate::domain::evidence::{Evidence, Verdict};
use crate::server::probe::tests::{SECRET, ask_scripted, refused_field, silence};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Says a greeting, then an answer to each line that is sent; the last ones sent are returned by the server.
async fn ask_answering(greeting: &'static str, answers: &'static [(&'static str, &'static str)]) -> Evidence {
    ask_scripted("imap", move |stream: TcpStream| async move {
        let mut stream = BufReader::new(stream);
        let _ = stream.write_all(format!("{greeting}\r\n").as_bytes()).await;
        for (expected, answer) in answers {
            let mut line = String::new();
            stream.read_line(&mut line).await.expect("a line");
            assert_eq!(line.trim_end(), *expected);
            stream.write_all(format!("{answer}\r\n").as_bytes()).await.expect("sent");
        }
        let _ = stream.read_line(&mut String::new()).await;
    })
    .await
}

const PLAIN: (&str, &str) =
    ("patchbay CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=PLAIN LOGINDISABLED\r\npatchbay OK Done.");
const ASKED: (&str, &str) = ("patchbay AUTHENTICATE PLAIN", "+ ");
/// `\0app\0canary-secret-9f2`
const PROOF: &str = "AGFwcABjYW5hcnktc2VjcmV0LTlmMg==";

async fn after_proof(answer: &'static str) -> Evidence {
    let answers: &'static [_] = Box::leak(Box::new([PLAIN, ASKED, (PROOF, answer)]));
    ask_answering("* OK [CAPABILITY IMAP4rev1] ready.", answers).await
}

#[tokio::test]
async fn a_password_is_proved_by_the_mechanism_plain() {
    let evidence = after_proof("* CAPABILITY IMAP4rev1 IDLE\r\npatchbay OK [CAPABILITY IDLE] Logged in").await;
    assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
    assert_eq!(evidence.account.identity.as_deref(), Some("app"));
}

#[tokio::test]
async fn the_codes_of_a_refusal_are_told_apart() {
    for (answer, field) in [
        ("patchbay NO [AUTHENTICATIONFAILED] Authentication failed.", "password"),
        ("patchbay NO LOGIN failed.", "password"),
        ("patchbay NO [ALERT] Application-specific password required", "password"),
        ("patchbay NO [EXPIRED] That password has expired", "password"),
        ("patchbay NO [AUTHORIZATIONFAILED] Mailbox disabled", "user"),
    ] {
        assert_eq!(refused_field(&after_proof(answer).await), field, "{answer}");
    }
    for (answer, said) in [
        ("patchbay NO [UNAVAILABLE] Temporary authentication failure.", "cannot check the password now"),
        ("patchbay NO [PRIVACYREQUIRED] No", "wants encryption"),
        ("patchbay NO [ALERT] Too many simultaneous connections.", "did not check the password"),
        ("patchbay BAD Command", "did not understand"),
        ("* BYE Going down", "ended the connection: Going down"),
        ("patchbay PERHAPS", "does not speak IMAP"),
    ] {
        let evidence = after_proof(answer).await;
        assert!(silence(&evidence).contains(said), "{answer}: {evidence:?}");
    }
}

#[tokio::test]
async fn an_echoed_password_is_taken_out() {
    let evidence = after_proof("patchbay NO no such password: canary-secret-9f2").await;
    assert_eq!(refused_field(&evidence), "password");
    assert!(!format!("{evidence:?}").contains(SECRET));
}

#[tokio::test]
async fn without_plain_the_password_is_quoted_or_kept() {
    let bare = ("patchbay CAPABILITY", "* CAPABILITY IMAP4rev1\r\npatchbay OK Done.");
    let login = ("patchbay LOGIN \"app\" \"canary-secret-9f2\"", "patchbay OK Done.");
    let evidence = ask_answering("* OK ready", Box::leak(Box::new([bare, login]))).await;
    assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
    assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    let closed = ("patchbay CAPABILITY", "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\npatchbay OK Done.");
    let evidence = ask_answering("* OK ready", Box::leak(Box::new([closed]))).await;
    assert!(silence(&evidence).contains("choose STARTTLS or TLS"), "{evidence:?}");
}

#[tokio::test]
async fn greetings_that_take_nobody_say_so() {
    for (greeting, said) in [
        ("* PREAUTH welcome", "without a password"),
        ("* BYE too busy", "too busy"),
        ("+OK POP3 ready", "does not speak IMAP"),
        ("220 mail ESMTP", "does not speak IMAP"),
    ] {
        let evidence = ask_answering(greeting, &[]).await;
        assert!(silence(&evidence).contains(said), "{greeting}: {evidence:?}");
    }
}
