//! NATS: `INFO`, `CONNECT` and a `PING` for an answer are three lines, spoken here.
//! <https://docs.nats.io/reference/reference-protocols/nats-protocol>
//! Other servers that `INFO` names in `connect_urls` are not read, so never connected to.

use serde::Deserialize;
use serde_json::json;

use super::lines::{Lines, greeting};
use super::login::{Encryption, Login, no_tls_offered, skip_tls};
use super::{Errand, Finding, Setback, signed_in_as, skip_permissions};
use crate::domain::evidence::StepKind;
use crate::server::catalog::definition::LoginService;
use crate::server::dial::{Steps, Wire};

/// Longest line, in bytes: `INFO` of a server in a large cluster names all the others.
const LONGEST_LINE: u64 = 0x0001_0000;
/// Lines until the answer at most.
const MOST_LINES: usize = 20;

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let login = Login::read(errand, service)?;
    let credential = Credential::read(errand, &login)?;
    let (mut talk, info) = connect(&login, errand, steps).await?;
    if info.tls_required && !talk.is_encrypted() {
        return Err(Setback::silence("The server takes encrypted connections only. Switch encryption on.").at("tls"));
    }
    if !info.auth_required {
        let reason = "This server lets everybody in, so it says nothing about this credential. \
                      Switch on its authorization, or check that this is the server you mean.";
        return Err(Setback::silence(reason).at("host"));
    }
    talk.send(&format!("CONNECT {}", credential.options())).await?;
    talk.send("PING").await?;
    await_pong(&mut talk, &credential, errand).await?;
    let version = errand.scrub.said(&info.version);
    let finding = credential.finding(errand);
    let message =
        finding.account.identity.as_deref().map_or_else(|| "The server accepted the token.".to_owned(), signed_in_as);
    steps.pass_with_detail(&message, &format!("nats-server {version}"));
    skip_permissions(steps);
    Ok(finding)
}

/// What is shown to the server.
enum Credential<'a> {
    Password { user: &'a str, password: &'a str },
    Token(&'a str),
}

impl<'a> Credential<'a> {
    fn read(errand: &Errand<'a>, login: &Login<'a>) -> Result<Self, Setback> {
        match errand.values.get("token") {
            Some(token) => Ok(Self::Token(token)),
            None => Ok(Self::Password {
                user: login.needed_user()?,
                password: login.password.ok_or_else(|| Setback::silence("The password is missing.").at("password"))?,
            }),
        }
    }

    /// The options of `CONNECT`.
    fn options(&self) -> serde_json::Value {
        let mut options = json!({
            "verbose": false, "pedantic": false, "tls_required": false, "echo": false, "protocol": 0,
            "lang": "rust", "version": env!("CARGO_PKG_VERSION"), "name": "Patchbay",
        });
        match self {
            Self::Password { user, password } => {
                options["user"] = json!(user);
                options["pass"] = json!(password);
            }
            Self::Token(token) => options["auth_token"] = json!(token),
        }
        options
    }

    /// A token has no name.
    fn finding(&self, errand: &Errand<'_>) -> Finding {
        match self {
            Self::Password { user, .. } => Finding::identity(errand.scrub.said(user)),
            Self::Token(_) => Finding::default(),
        }
    }

    fn refused(&self, errand: &Errand<'_>) -> Setback {
        match self {
            Self::Password { user, .. } => Setback::refusal(format!(
                "NATS refused this password for user “{}” (Authorization Violation). Check both.",
                errand.scrub.said(user)
            ))
            .at("password"),
            Self::Token(_) => {
                Setback::refusal("NATS refused this token (Authorization Violation). Check that it is complete.")
                    .at("token")
            }
        }
    }
}

/// What is read of the server's first line.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Info {
    version: String,
    auth_required: bool,
    tls_required: bool,
    tls_available: bool,
}

/// Connects and reads `INFO`. It comes in clear text with encryption behind it, or behind encryption
/// where the server shakes hands first.
async fn connect(login: &Login<'_>, errand: &Errand<'_>, steps: &mut Steps) -> Result<(Lines, Info), Setback> {
    match login.encryption()? {
        Encryption::Upgrade(trust) => {
            let mut talk = over(login.connect(errand, steps).await?);
            steps.begin(StepKind::Tls);
            let info = read_info(&mut talk).await?;
            if !info.tls_required && !info.tls_available {
                return Err(no_tls_offered());
            }
            let wire = login.upgrade(talk.into_wire()?, &trust, errand, steps).await?;
            steps.begin(StepKind::Authenticate);
            Ok((over(wire), info))
        }
        Encryption::On(trust) => {
            let wire = login.connect(errand, steps).await?;
            steps.begin(StepKind::Tls);
            let mut talk = over(login.upgrade(wire, &trust, errand, steps).await?);
            steps.begin(StepKind::Authenticate);
            let info = read_info(&mut talk).await?;
            Ok((talk, info))
        }
        Encryption::Off => {
            let mut talk = over(login.connect(errand, steps).await?);
            skip_tls(steps);
            steps.begin(StepKind::Authenticate);
            let info = read_info(&mut talk).await?;
            Ok((talk, info))
        }
    }
}

fn over(wire: Wire) -> Lines {
    Lines::over(wire, LONGEST_LINE, not_nats)
}

async fn read_info(talk: &mut Lines) -> Result<Info, Setback> {
    let line = greeting(talk.line()).await?;
    let text = line.strip_prefix("INFO ").ok_or_else(not_nats)?;
    serde_json::from_str(text).map_err(|_| not_nats())
}

/// Reads until the server has answered our `PING`, which it does only after it has taken `CONNECT`.
async fn await_pong(talk: &mut Lines, credential: &Credential<'_>, errand: &Errand<'_>) -> Result<(), Setback> {
    for _ in 0..MOST_LINES {
        let line = talk.line().await?;
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("PONG", _) => return Ok(()),
            ("PING", _) => talk.send("PONG").await?,
            ("INFO" | "+OK", _) => {}
            ("-ERR", said) => return Err(explain(said.trim().trim_matches('\''), credential, errand)),
            _ => return Err(not_nats()),
        }
    }
    Err(not_nats())
}

/// The words are those of nats-server; it gives no codes. Which case they are in has changed over time.
/// <https://docs.nats.io/reference/reference-protocols/nats-protocol#ok-err>
fn explain(said: &str, credential: &Credential<'_>, errand: &Errand<'_>) -> Setback {
    let told = errand.scrub.said(said);
    match said.to_ascii_lowercase().as_str() {
        "authorization violation" => credential.refused(errand),
        "user authentication expired" | "account authentication expired" | "user authentication revoked" => {
            Setback::refusal(format!("NATS refused this account: {told}. Ask its operator for a new one."))
        }
        "secure connection - tls required" => {
            Setback::silence("The server takes encrypted connections only. Switch encryption on.").at("tls")
        }
        words if words.starts_with("maximum") => {
            Setback::silence(format!("The server takes no more connections now ({told}). Try again in a while."))
        }
        _ => Setback::silence(format!("NATS answered with an error: {told}.")),
    }
    .with_detail(told)
}

fn not_nats() -> Setback {
    Setback::silence("What answers here does not speak NATS. Check host and port, and whether it wants TLS at once.")
        .at("port")
}

#[cfg(test)]
#[path = "nats_tests.rs"]
mod tests;
