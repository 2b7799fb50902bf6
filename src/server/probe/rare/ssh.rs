//! SSH (RFC 4253, 4252), by russh over a connection of ours. Reads no `~/.ssh` and asks no agent.

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse as Prompted};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use russh::{MethodKind, MethodSet};
use std::io;
use std::sync::{Arc, OnceLock};
use tokio::io::{copy_bidirectional, duplex};
use tokio::task::JoinSet;

use super::super::login::Login;
use super::super::{Errand, Finding, Setback, signed_in_as, skip_permissions};
use super::ssh_key::{HostKey, HostKeyCheck, fingerprint, pinned, read_private_key};
use crate::domain::evidence::StepKind;
use crate::server::catalog::definition::LoginService;
use crate::server::dial::{Steps, Wire};

/// Bytes on their way between the connection and russh.
const BUFFER: usize = 0x1_0000;
/// Rounds of questions before a password counts as asked for in vain.
const MOST_ROUNDS: usize = 5;

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let (_session, finding) = sign_in(errand, service, steps).await?;
    skip_permissions(steps);
    Ok(finding)
}

/// Connects, exchanges keys and signs in.
///
/// # Errors
/// A [`Setback`] at whatever ended it.
pub async fn sign_in(
    errand: &Errand<'_>,
    service: &LoginService,
    steps: &mut Steps,
) -> Result<(Session, Finding), Setback> {
    let login = Login::read(errand, service)?;
    let user = login.needed_user()?;
    let pinned = pinned(errand)?;
    let proof = Proof::read(errand, &login).await?;
    let wire = login.connect(errand, steps).await?;
    steps.begin(StepKind::Tls);
    let mut session = Session::open(wire, pinned.as_ref()).await?;
    session.praise_host_key(pinned.is_some(), steps);
    steps.begin(StepKind::Authenticate);
    let answer = session.prove(user, &proof).await.map_err(|error| session.explain(error))?;
    proof.judge(answer, user, errand)?;
    let identity = errand.scrub.said(user);
    steps.pass(&signed_in_as(&identity));
    let host_key = Some(session.host_key.fingerprint.clone());
    Ok((session, Finding { host_key, ..Finding::identity(identity) }))
}

/// What proves who signs in.
enum Proof<'a> {
    Password(&'a str),
    Key(Arc<PrivateKey>),
}

/// What the server made of a proof.
enum Answer {
    Accepted,
    /// Right, and not enough: these ways have to follow.
    More(MethodSet),
    Refused,
    /// It takes only these ways.
    Elsewise(MethodSet),
    /// It asked questions a password does not answer.
    Questions,
    Gone,
}

impl<'a> Proof<'a> {
    async fn read(errand: &Errand<'a>, login: &Login<'a>) -> Result<Self, Setback> {
        match (errand.values.get("private_key"), login.password) {
            (Some(key), _) => Ok(Self::Key(Arc::new(read_private_key(errand, key).await?))),
            (None, Some(password)) => Ok(Self::Password(password)),
            (None, None) => Err(Setback::silence("The password is missing.").at("password")),
        }
    }

    const fn field(&self) -> &'static str {
        match self {
            Self::Password(_) => "password",
            Self::Key(_) => "private_key",
        }
    }

    fn judge(&self, answer: Answer, user: &str, errand: &Errand<'_>) -> Result<(), Setback> {
        let user = errand.scrub.said(user);
        match answer {
            Answer::Accepted => Ok(()),
            Answer::Refused => Err(match self {
                Self::Password(_) => Setback::refusal(format!(
                    "The server refused this password for “{user}”. Check both, and that the account may sign in."
                )),
                Self::Key(key) => Setback::refusal(format!(
                    "The server refused this key ({}) for “{user}”. Add its public half to the account's authorized_keys.",
                    fingerprint(key.public_key())
                )),
            }
            .at(self.field())),
            Answer::More(methods) => Err(Setback::silence(format!(
                "The server took this, and asks for more ({}). Patchbay gives one proof only.",
                names(&methods)
            ))),
            Answer::Elsewise(methods) => Err(Setback::silence(format!(
                "The server does not take this way of signing in for “{user}”; it takes {}.",
                names(&methods)
            ))
            .at(self.field())),
            Answer::Questions => Err(Setback::silence(
                "The server asks for more than a password, such as a code, which Patchbay cannot give.",
            )),
            Answer::Gone => Err(Setback::silence("The server closed the connection while we signed in. Try again later.")),
        }
    }
}

fn names(methods: &MethodSet) -> String {
    let names: Vec<&str> = methods.iter().map(Into::into).collect();
    if names.is_empty() { "none that is known".to_owned() } else { names.join(", ") }
}

/// An SSH connection. Dropping it closes the socket: russh itself would leave its task running.
pub struct Session {
    pub handle: Handle<HostKeyCheck>,
    carrier: Carrier,
    host_key: HostKey,
}

/// Carries bytes between the connection and russh.
type Carrier = JoinSet<io::Result<(u64, u64)>>;

impl Session {
    /// Exchanges keys, by the pinned host key if one is.
    async fn open(mut wire: Wire, pinned: Option<&String>) -> Result<Self, Setback> {
        let (near, mut far) = duplex(BUFFER);
        let mut carrier = Carrier::new();
        carrier.spawn(async move { copy_bidirectional(&mut wire, &mut far).await });
        let shown = Arc::new(OnceLock::new());
        let check = HostKeyCheck { pinned: pinned.cloned(), shown: Arc::clone(&shown) };
        let config = Arc::new(client::Config::default());
        match (client::connect_stream(config, near, check).await, shown.get(), pinned) {
            (Ok(handle), Some(host_key), _) => Ok(Self { handle, carrier, host_key: host_key.clone() }),
            (Ok(_), None, _) => Err(not_ssh()),
            (Err(russh::Error::UnknownKey), Some(shown), Some(pinned)) => Err(another_host_key(shown, pinned)),
            (Err(error), ..) => Err(not_opened(error, &mut carrier)),
        }
    }

    fn praise_host_key(&self, is_pinned: bool, steps: &mut Steps) {
        let HostKey { algorithm, fingerprint } = &self.host_key;
        let message = if is_pinned {
            format!("Encrypted by SSH. The host key is the pinned one, {fingerprint}.")
        } else {
            format!(
                "Encrypted by SSH. The host key {fingerprint} is new here; it is pinned once the server accepts the sign-in."
            )
        };
        steps.pass_with_detail(&message, &format!("{algorithm} {fingerprint}"));
    }

    async fn prove(&mut self, user: &str, proof: &Proof<'_>) -> Result<Answer, russh::Error> {
        let (result, method) = match proof {
            Proof::Password(password) => {
                (self.handle.authenticate_password(user, *password).await?, MethodKind::Password)
            }
            Proof::Key(key) => {
                // Where the server does not say which it takes, the one all current ones take.
                let hash = self.handle.best_supported_rsa_hash().await?.unwrap_or(Some(HashAlg::Sha512));
                let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
                (self.handle.authenticate_publickey(user, key).await?, MethodKind::PublicKey)
            }
        };
        let AuthResult::Failure { remaining_methods: methods, partial_success } = result else {
            return Ok(Answer::Accepted);
        };
        Ok(match proof {
            // What russh says when the connection ended, too.
            _ if methods.is_empty() && self.handle.is_closed() => Answer::Gone,
            _ if partial_success => Answer::More(methods),
            _ if methods.contains(&method) => Answer::Refused,
            Proof::Password(password) if methods.contains(&MethodKind::KeyboardInteractive) => {
                self.answer_prompts(user, password).await?
            }
            _ => Answer::Elsewise(methods),
        })
    }

    /// Keyboard-interactive (RFC 4256), as servers do that ask for the password themselves.
    async fn answer_prompts(&mut self, user: &str, password: &str) -> Result<Answer, russh::Error> {
        let mut sent = false;
        let mut reply = self.handle.authenticate_keyboard_interactive_start(user, None).await?;
        for _ in 0..MOST_ROUNDS {
            let answers = match reply {
                Prompted::Success => return Ok(Answer::Accepted),
                Prompted::Failure { remaining_methods, partial_success: true } => {
                    return Ok(Answer::More(remaining_methods));
                }
                Prompted::Failure { remaining_methods, .. } => {
                    return Ok(if sent { Answer::Refused } else { Answer::Elsewise(remaining_methods) });
                }
                Prompted::InfoRequest { prompts, .. } => match prompts.as_slice() {
                    [] => Vec::new(),
                    [prompt] if !prompt.echo && !sent => {
                        sent = true;
                        vec![password.to_owned()]
                    }
                    _ => return Ok(Answer::Questions),
                },
            };
            reply = self.handle.authenticate_keyboard_interactive_respond(answers).await?;
        }
        Ok(Answer::Questions)
    }

    /// Why the connection ended.
    pub fn explain(&mut self, error: russh::Error) -> Setback {
        broken(error, &mut self.carrier)
    }
}

fn another_host_key(shown: &HostKey, pinned: &str) -> Setback {
    let HostKey { algorithm, fingerprint } = shown;
    Setback::silence(format!(
        "This server shows another host key ({algorithm} {fingerprint}) than the one that is pinned ({pinned}), so \
         nothing was sent to it. If the change is known, update the connection with the new fingerprint; if not, \
         somebody may be posing as the server."
    ))
    .at("host_key")
}

/// What the connection itself came to, which says more than russh, who sees only its end.
fn broken(error: russh::Error, carrier: &mut Carrier) -> Setback {
    match (carrier.try_join_next(), error) {
        (Some(Ok(Err(broken))), _) | (_, russh::Error::IO(broken)) => broken.into(),
        (_, error) => {
            Setback::silence("The server closed the connection. Try again later.").with_detail(error.to_string())
        }
    }
}

/// Why no keys were exchanged.
fn not_opened(error: russh::Error, carrier: &mut Carrier) -> Setback {
    match error {
        russh::Error::NoCommonAlgo { kind, theirs, .. } => Setback::silence(format!(
            "The server and Patchbay know no common way for {kind:?}. The server may be too old: update it."
        ))
        .with_detail(theirs.join(", ")),
        russh::Error::IO(_) => broken(error, carrier),
        error => match carrier.try_join_next() {
            Some(Ok(Err(broken))) => broken.into(),
            _ => not_ssh().with_detail(error.to_string()),
        },
    }
}

fn not_ssh() -> Setback {
    Setback::silence("What answers here does not speak SSH, or hung up at once. Check host and port.").at("port")
}

#[cfg(test)]
#[path = "ssh_tests.rs"]
mod tests;
