//! Against scripted servers: what OpenLDAP does rarely, and what Active Directory and others do.

use super::*;
use crate::domain::evidence::{Evidence, Verdict};
use crate::server::probe::tests::{SECRET, ask_scripted, refused_field, silence};
use tokio::net::TcpStream;

fn message(number: u8, tag: u8, contents: &[u8]) -> Vec<u8> {
    encoded(SEQUENCE, &[encoded(INTEGER, &[number]), encoded(tag, contents)].concat())
}

fn result(code: u8, text: &str) -> Vec<u8> {
    [encoded(ENUMERATED, &[code]), encoded(OCTET_STRING, b""), encoded(OCTET_STRING, text.as_bytes())].concat()
}

/// The next message's number and operation.
async fn receive(stream: &mut TcpStream) -> (u8, u8, Vec<u8>) {
    let mut channel = [0; 2];
    stream.read_exact(&mut channel).await.expect("a head");
    let mut contents = vec![0; usize::from(channel[1])];
    stream.read_exact(&mut contents).await.expect("a message");
    let (id, tag, operation) = parts(&contents).expect("a message");
    (u8::try_from(id).expect("a small number"), tag, operation.to_vec())
}

/// Answers the bind by a result, and the question who one is by a value; the base is `0`'s database, which is none.
async fn ask_answering(code: u8, text: &'static str, who: Option<&'static str>) -> Evidence {
    ask_scripted("ldap", move |mut stream| async move {
        let (number, tag, operation) = receive(&mut stream).await;
        let expected = [encoded(INTEGER, &[3]), encoded(OCTET_STRING, b"app"), encoded(SIMPLE, SECRET.as_bytes())];
        assert_eq!((tag, operation), (BIND_REQUEST, expected.concat()));
        // An answer to nothing that was asked comes first.
        stream.write_all(&message(99, BIND_RESPONSE, &result(0, ""))).await.expect("sent");
        stream.write_all(&message(number, BIND_RESPONSE, &result(code, text))).await.expect("sent");
        if code == 0 {
            let (number, tag, _) = receive(&mut stream).await;
            assert_eq!(tag, EXTENDED_REQUEST);
            let answer = who.map_or_else(
                || result(2, "unsupported"),
                |who| [result(0, ""), encoded(RESPONSE_VALUE, who.as_bytes())].concat(),
            );
            stream.write_all(&message(number, EXTENDED_RESPONSE, &answer)).await.expect("sent");
        }
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await
}

#[tokio::test]
async fn who_one_is_comes_from_the_directory_or_else_from_the_form() {
    for (who, identity) in
        [(Some("dn:cn=app,dc=acme"), "cn=app,dc=acme"), (Some("u:ACME\\app"), "ACME\\app"), (None, "app")]
    {
        let evidence = ask_answering(0, "", who).await;
        assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
        assert_eq!(evidence.account.identity.as_deref(), Some(identity));
    }
}

#[tokio::test]
async fn an_anonymous_sign_in_proves_nothing() {
    let evidence = ask_answering(0, "", Some("")).await;
    assert!(silence(&evidence).contains("anonymous"), "{evidence:?}");
}

#[tokio::test]
async fn result_codes_are_told_apart() {
    for (code, text, field) in [
        (49, "", "password"),
        (49, "80090308: LdapErr: DSID-0C090449, comment: AcceptSecurityContext error, data 52e, v4563\0", "password"),
        (49, "80090308: LdapErr: DSID-0C090449, comment: AcceptSecurityContext error, data 532, v4563", "password"),
        (49, "80090308: LdapErr: DSID-0C090449, comment: AcceptSecurityContext error, data 775, v4563", "user"),
        (34, "invalid DN", "user"),
        (48, "", "user"),
    ] {
        assert_eq!(refused_field(&ask_answering(code, text, None).await), field, "{code} {text}");
    }
    for (code, said) in
        [(10, "not followed"), (13, "wants encryption"), (51, "busy"), (53, "did not check"), (80, "did not check")]
    {
        let evidence = ask_answering(code, "told so", None).await;
        assert!(silence(&evidence).contains(said), "{code}: {evidence:?}");
    }
}

#[tokio::test]
async fn a_notice_of_disconnection_and_foreign_answers_are_no_evidence() {
    for (answer, said) in [
        (message(0, EXTENDED_RESPONSE, &result(52, "")), "ended the connection"),
        (message(2, SEARCH_DONE, &result(0, "")), "does not speak LDAP"),
        (message(2, BIND_RESPONSE, b"\x0a"), "does not speak LDAP"),
        (message(7, BIND_RESPONSE, &result(0, "")).repeat(100), "does not speak LDAP"),
        (b"\x30\x84\x7f\xff\xff\xff".to_vec(), "does not speak LDAP"),
        (b"\x30\xff".to_vec(), "does not speak LDAP"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "does not speak LDAP"),
    ] {
        let evidence = ask_scripted("ldap", move |mut stream| async move {
            receive(&mut stream).await;
            stream.write_all(&answer).await.expect("sent");
            let _ = stream.read(&mut [0; 64]).await;
        })
        .await;
        assert!(silence(&evidence).contains(said), "{evidence:?}");
    }
}
