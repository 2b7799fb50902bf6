//! SSH against servers of russh's making: what OpenSSH does rarely, and what other servers do.

use super::*;
use crate::domain::evidence::{Evidence, StepOutcome, Verdict};
use crate::server::probe::tests::{SECRET, log_in_with, log_in_without_tls, refused_field, serve, silence};
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{self, Auth, PublicKeyOffer, Response};
use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// How a server treats a password, and then questions about it.
#[derive(Clone, Copy)]
enum Manner {
    /// Takes these ways only.
    Elsewise(&'static [MethodKind]),
    /// Takes the password and wants a code.
    More,
    /// Hangs up.
    HangUp,
}

struct Server {
    manner: Manner,
    /// Of the questions that keyboard-interactive asks: whether what is typed is shown.
    prompts: &'static [bool],
}

impl server::Handler for Server {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        assert_eq!((user, password), ("app", SECRET));
        let (methods, partial_success) = match self.manner {
            Manner::Elsewise(methods) => (methods, false),
            Manner::More => (&[MethodKind::KeyboardInteractive][..], true),
            Manner::HangUp => return Err(russh::Error::Disconnect),
        };
        Ok(Auth::Reject { proceed_with_methods: Some(methods.into()), partial_success })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let Some(response) = response else {
            let prompts = self.prompts.iter().map(|&echo| (Cow::Borrowed("Password: "), echo)).collect();
            return Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts });
        };
        let answers: Vec<_> = response.collect();
        assert_eq!(answers, [SECRET.as_bytes()]);
        Ok(if self.prompts == [false] { Auth::Accept } else { Auth::reject() })
    }
}

fn host_key() -> PrivateKey {
    Ed25519Keypair::from_seed(&[7; 32]).into()
}

fn config() -> Arc<server::Config> {
    let (keys, auth_rejection_time) = (vec![host_key()], Duration::ZERO);
    Arc::new(server::Config { keys, auth_rejection_time, ..server::Config::default() })
}

async fn asked(manner: Manner, prompts: &'static [bool]) -> Evidence {
    let address = serve(move |stream| async move {
        let session = server::run_stream(config(), stream, Server { manner, prompts }).await;
        let _ = session.expect("a session").await;
    })
    .await;
    log_in_without_tls("ssh", address).await
}

#[tokio::test]
async fn a_server_that_asks_for_the_password_by_a_question_gets_it() {
    let evidence = asked(Manner::Elsewise(&[MethodKind::KeyboardInteractive]), &[false]).await;
    assert_eq!((&evidence.verdict, evidence.account.identity.as_deref()), (&Verdict::Valid, Some("app")));
    let encryption = evidence.steps.iter().find(|step| step.kind == StepKind::Tls).expect("a step");
    assert_eq!(encryption.outcome, StepOutcome::Passed);
    assert!(encryption.message.contains("SHA256:") && encryption.detail.starts_with("ssh-ed25519 SHA256:"));
}

#[tokio::test]
async fn a_password_that_is_still_asked_for_was_refused() {
    let evidence = asked(Manner::Elsewise(&[MethodKind::Password]), &[]).await;
    assert_eq!(refused_field(&evidence), "password");
}

#[tokio::test]
async fn what_does_not_concern_the_password_is_no_evidence() {
    let by_question = &[MethodKind::KeyboardInteractive];
    for (manner, prompts, words) in [
        (Manner::Elsewise(&[MethodKind::PublicKey]), &[][..], "it takes publickey"),
        (Manner::More, &[], "asks for more"),
        (Manner::HangUp, &[], "closed the connection"),
        (Manner::Elsewise(by_question), &[false, false], "more than a password"),
        // What is typed in the open is no password.
        (Manner::Elsewise(by_question), &[true], "more than a password"),
    ] {
        let evidence = asked(manner, prompts).await;
        assert!(silence(&evidence).contains(words), "{evidence:?}");
    }
}

/// Counts whatever belongs to signing in, from the very request to begin with it.
struct Watcher(Arc<AtomicUsize>);

impl Watcher {
    fn seen(&self) -> Auth {
        self.0.fetch_add(1, Ordering::SeqCst);
        Auth::reject()
    }
}

impl server::Handler for Watcher {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, russh::Error> {
        self.seen();
        Ok(None)
    }

    async fn auth_none(&mut self, _: &str) -> Result<Auth, russh::Error> {
        Ok(self.seen())
    }

    async fn auth_password(&mut self, _: &str, _: &str) -> Result<Auth, russh::Error> {
        Ok(self.seen())
    }

    async fn auth_publickey_offered(&mut self, _: &str, _: PublicKeyOffer<'_>) -> Result<Auth, russh::Error> {
        Ok(self.seen())
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        _: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        Ok(self.seen())
    }
}

/// A server, what it has seen of signing in, and how many of its connections have ended.
async fn watched() -> (SocketAddr, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (attempts, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (seen, gone) = (Arc::clone(&attempts), Arc::clone(&ended));
    let address = serve(move |stream| {
        let (watcher, gone) = (Watcher(Arc::clone(&seen)), Arc::clone(&gone));
        async move {
            if let Ok(session) = server::run_stream(config(), stream, watcher).await {
                let _ = session.await;
            }
            gone.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    (address, attempts, ended)
}

#[tokio::test]
async fn a_foreign_host_key_sees_no_attempt_to_sign_in() {
    let own: PrivateKey = Ed25519Keypair::from_seed(&[9; 32]).into();
    let private_key = own.to_openssh(LineEnding::LF).expect("a text");
    let (shown, other) = (fingerprint(host_key().public_key()), fingerprint(own.public_key()));
    let (address, attempts, ended) = watched().await;
    for proof in [&[][..], &[("private_key", private_key.as_str())]] {
        let pinned = [&[("host_key", other.as_str())], proof].concat();
        let evidence = log_in_with("ssh", address, &pinned).await;
        let reason = silence(&evidence);
        assert!(reason.contains(&shown) && reason.contains(&other) && reason.contains("nothing was sent"), "{reason}");
        let step = evidence.steps.iter().find(|step| step.outcome == StepOutcome::Failed).map(|step| step.kind);
        assert_eq!(step, Some(StepKind::Tls), "{evidence:?}");
    }
    // What is still on its way has come by then.
    while ended.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(attempts.load(Ordering::SeqCst), 0);
    // The same with the right key pinned, so that there is something to see.
    for proof in [&[][..], &[("private_key", private_key.as_str())]] {
        let before = attempts.load(Ordering::SeqCst);
        let pinned = [&[("host_key", shown.as_str())], proof].concat();
        let evidence = log_in_with("ssh", address, &pinned).await;
        assert!(attempts.load(Ordering::SeqCst) > before, "{evidence:?}");
    }
}

#[tokio::test]
async fn garbage_floods_and_hang_ups_are_no_evidence() {
    let greetings = [
        Vec::new(),
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        b"SSH-2.0-odd\r\n\xff\xff\xff\xff garbage and more of it".to_vec(),
        vec![b'x'; 0x10000],
    ];
    for greeting in greetings {
        let greeting: &[u8] = greeting.leak();
        let address = serve(move |mut stream: TcpStream| async move {
            let _ = stream.write_all(greeting).await;
            let _ = stream.shutdown().await;
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        })
        .await;
        let evidence = log_in_without_tls("ssh", address).await;
        assert!(!silence(&evidence).starts_with("No answer"), "{evidence:?}");
    }
}

#[tokio::test]
async fn dropping_a_probe_closes_its_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let probe = tokio::spawn(async move { log_in_without_tls("ssh", address).await });
    let (mut stream, _) = listener.accept().await.expect("a connection");
    stream.write_all(b"SSH-2.0-slow\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(50)).await;
    probe.abort();
    let end = timeout(Duration::from_secs(2), tokio::io::copy(&mut stream, &mut tokio::io::sink())).await;
    assert!(end.is_ok(), "the socket stayed open");
}
