//! FTP against scripted servers: what pyftpdlib does not do, and what other servers do.

use crate::domain::evidence::{Evidence, Verdict};
use crate::server::probe::tests::{SECRET, ask_scripted, refused_field, silence};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// What comes of a server that answers each command, by its first word, in this way.
async fn answered(greeting: &'static str, answers: &'static [(&'static str, &'static str)]) -> Evidence {
    ask_scripted("ftp", move |stream| async move {
        let mut stream = BufReader::new(stream);
        let _ = stream.write_all(format!("{greeting}\r\n").as_bytes()).await;
        let mut line = String::new();
        while let Ok(1..) = stream.read_line(&mut line).await {
            let (command, _) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
            let answer = answers.iter().find(|(name, _)| *name == command).map_or("502 what?", |(_, answer)| *answer);
            let _ = stream.write_all(format!("{answer}\r\n").as_bytes()).await;
            line.clear();
        }
    })
    .await
}

#[tokio::test]
async fn permissions_and_folder_are_read_from_the_control_connection() {
    let facts = "250-Listing\r\n type=dir;perm=el;unique=1; /home/app\r\n250 End";
    let answers = vec![
        ("USER", "331 go on"),
        ("PASS", "230-Welcome\r\n2 lines\r\n230 in"),
        ("PWD", "257 \"/home/app\" is here"),
        ("MLST", facts),
    ]
    .leak();
    // A greeting of many lines holds lines without the code, and lines with another.
    let evidence = answered("220-Hello\r\n  211 no code\r\n220 ready", answers).await;
    assert_eq!(evidence.verdict, Verdict::Valid, "{evidence:?}");
    assert_eq!(evidence.account.identity.as_deref(), Some("app"));
    assert_eq!(evidence.account.scopes, ["enter", "list"]);
    let last = evidence.steps.last().expect("a step");
    assert_eq!(last.message, "Begins in the folder /home/app. Allowed there: enter, list.");
}

#[tokio::test]
async fn a_server_without_facts_is_signed_in_to_all_the_same() {
    let evidence = answered("220 hi", &[("USER", "230 no password needed")]).await;
    assert_eq!((&evidence.verdict, evidence.account.scopes.len()), (&Verdict::Valid, 0));
}

#[tokio::test]
async fn refusals_name_user_or_password() {
    let evidence = answered("220 hi", &[("USER", "331 go on"), ("PASS", "530 Login incorrect.")]).await;
    assert_eq!(refused_field(&evidence), "password");
    assert_eq!(refused_field(&answered("220 hi", &[("USER", "530 Permission denied.")]).await), "user");
}

#[tokio::test]
async fn what_does_not_concern_the_credential_is_no_evidence() {
    for (greeting, user, password, words) in [
        ("220 hi", "530 Please use TLS first", "", "wants encryption"),
        ("220 hi", "331 go on", "421 too many", "cannot check the password now"),
        ("220 hi", "331 go on", "332 which account?", "asks for an account"),
        ("421 closing", "", "", "takes no connections now"),
        ("554 no", "", "", "does not speak FTP"),
        ("HTTP/1.1 400 Bad Request", "", "", "does not speak FTP"),
    ] {
        let answers = vec![("USER", user), ("PASS", password)].leak();
        let evidence = answered(greeting, answers).await;
        assert!(silence(&evidence).contains(words), "{greeting}: {evidence:?}");
    }
}

#[tokio::test]
async fn a_password_that_comes_back_is_not_told() {
    let echo: &str = format!("530 no such password {SECRET}").leak();
    let answers = vec![("USER", "331 go on"), ("PASS", echo)].leak();
    assert!(!format!("{:?}", answered("220 hi", answers).await).contains(SECRET));
}
