//! IMAP (RFC 9051, and RFC 3501 before it): signing in is a few lines, spoken here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::lines::{Greeted, Lines, connect, greeting};
use super::login::{Login, no_tls_offered};
use super::{Errand, Finding, Setback, signed_in_as, skip_permissions};
use crate::server::catalog::definition::LoginService;
use crate::server::dial::{Steps, Wire};

/// Longest line, in bytes; RFC 7162, section 4 advises clients to send no longer ones than 8192.
const LONGEST_LINE: u64 = 8_192;
/// Lines of one answer at most.
const MOST_LINES: usize = 100;
/// Commands are told apart by a tag; one of ours is under way at a time, so that one tag does.
const TAG: &str = "patchbay";

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let login = Login::read(errand, service)?;
    let user = login.needed_user()?;
    let mut talk: Talk = connect(&login, errand, steps).await?;
    let answer = talk.sign_in(user, login.password.unwrap_or_default()).await?;
    judge(&answer, user, errand)?;
    let identity = errand.scrub.said(user);
    steps.pass(&signed_in_as(&identity));
    skip_permissions(steps);
    // A courtesy; the verdict stands either way.
    let _ = talk.0.send(&format!("{TAG} LOGOUT")).await;
    Ok(Finding::identity(identity))
}

/// How a server's answer to a command ends (RFC 9051, 7.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Ok,
    No,
    Bad,
    /// The server hangs up.
    Bye,
    /// The server waits for the rest of the command: `+`.
    Continue,
}

/// An answer to a command.
struct Answer {
    status: Status,
    /// The word in brackets before the text, such as `AUTHENTICATIONFAILED` (RFC 5530).
    code: String,
    text: String,
    /// The lines before it that answer no command: `*`.
    untagged: Vec<String>,
}

impl Answer {
    fn new(status: Status, text: &str) -> Self {
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (code, text) = bracketed.unwrap_or(("", text));
        let code = code.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        Self { status, code, text: text.trim().to_owned(), untagged: Vec::new() }
    }

    /// The words of the answer to `CAPABILITY`.
    fn offers(&self, capability: &str) -> bool {
        let lists = self.untagged.iter().filter_map(|line| line.strip_prefix("CAPABILITY "));
        lists.flat_map(|list| list.split(' ')).any(|word| word.eq_ignore_ascii_case(capability))
    }
}

/// Commands and answers.
struct Talk(Lines);

impl Greeted for Talk {
    fn over(wire: Wire) -> Self {
        Self(Lines::over(wire, LONGEST_LINE, not_imap))
    }

    async fn greet(&mut self, errand: &Errand<'_>) -> Result<(), Setback> {
        let line = greeting(self.0.line()).await?;
        let (status, text) = line.strip_prefix("* ").ok_or_else(not_imap)?.split_once(' ').unwrap_or_default();
        match status.to_ascii_uppercase().as_str() {
            "OK" => Ok(()),
            "PREAUTH" => {
                Err(Setback::silence("This server signs everybody in without a password, so that it proves none."))
            }
            "BYE" => Err(no_connection(text, errand)),
            _ => Err(not_imap()),
        }
    }

    /// RFC 9051, 6.2.1.
    async fn request_encryption(mut self) -> Result<Wire, Setback> {
        match self.ask("STARTTLS").await?.status {
            Status::Ok => self.0.into_wire(),
            _ => Err(no_tls_offered()),
        }
    }
}

impl Talk {
    async fn sign_in(&mut self, user: &str, password: &str) -> Result<Answer, Setback> {
        let offers = self.ask("CAPABILITY").await?;
        if offers.offers("AUTH=PLAIN") {
            return self.authenticate(user, password).await;
        }
        if offers.offers("LOGINDISABLED") {
            let reason =
                "This server offers no sign-in on this connection. Most want encryption first: choose STARTTLS or TLS.";
            return Err(Setback::silence(reason).at("tls"));
        }
        self.ask(&format!("LOGIN {} {}", quoted(user), quoted(password))).await
    }

    /// By the mechanism PLAIN (RFC 4616), which unlike `LOGIN` takes every character.
    async fn authenticate(&mut self, user: &str, password: &str) -> Result<Answer, Setback> {
        let answer = self.ask("AUTHENTICATE PLAIN").await?;
        if answer.status != Status::Continue {
            return Ok(answer);
        }
        self.0.send(&STANDARD.encode(format!("\0{user}\0{password}"))).await?;
        self.answer().await
    }

    async fn ask(&mut self, command: &str) -> Result<Answer, Setback> {
        self.0.send(&format!("{TAG} {command}")).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Answer, Setback> {
        let mut untagged = Vec::new();
        while untagged.len() < MOST_LINES {
            let line = self.0.line().await?;
            let (head, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match head {
                "*" if starts_with_word(rest, "BYE") => {
                    return Ok(Answer::new(Status::Bye, rest.get(4..).unwrap_or_default()));
                }
                "+" => return Ok(Answer { untagged, ..Answer::new(Status::Continue, rest) }),
                TAG => return Ok(Answer { untagged, ..tagged(rest)? }),
                // What belongs to no command, or is the rest of such a thing.
                _ => untagged.push(rest.to_owned()),
            }
        }
        Err(not_imap())
    }
}

fn tagged(rest: &str) -> Result<Answer, Setback> {
    let (status, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = match status.to_ascii_uppercase().as_str() {
        "OK" => Status::Ok,
        "NO" => Status::No,
        "BAD" => Status::Bad,
        _ => return Err(not_imap()),
    };
    Ok(Answer::new(status, text))
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.split(' ').next().is_some_and(|first| first.eq_ignore_ascii_case(word))
}

/// A quoted string (RFC 9051, 4.3). Fields of one line hold no line break.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The codes are those of RFC 5530, section 3. Without one, `NO` means that the credential was refused (RFC 9051, 6.2).
fn judge(answer: &Answer, user: &str, errand: &Errand<'_>) -> Result<(), Setback> {
    let said = errand.scrub.said(&answer.text);
    let refused = |reason: String| Err(Setback::refusal(reason).at("password"));
    match (answer.status, answer.code.as_str()) {
        (Status::Ok, _) => Ok(()),
        (Status::Bye, _) => Err(no_connection(&answer.text, errand)),
        (Status::No, "PRIVACYREQUIRED") => {
            Err(Setback::silence("The mail server wants encryption before signing in.").at("tls"))
        }
        (Status::No, "EXPIRED") => refused(format!("The password of “{user}” has expired. Set a new one.")),
        (Status::No, "AUTHORIZATIONFAILED") => {
            Err(Setback::refusal(format!("“{user}” may not sign in here: {said}")).at("user"))
        }
        (Status::No, "UNAVAILABLE" | "CONTACTADMIN" | "SERVERBUG" | "INUSE" | "LIMIT" | "OVERQUOTA") => {
            Err(Setback::silence(format!("The mail server cannot check the password now: {said}")))
        }
        (Status::No, _) if said.to_ascii_lowercase().contains("too many") => {
            Err(Setback::silence(format!("The mail server did not check the password: {said}")))
        }
        (Status::No, _) => refused(format!(
            "The mail server refused this password for “{user}”: {said} Some providers want an app password here."
        )),
        (Status::Bad | Status::Continue, _) => {
            Err(Setback::silence(format!("The mail server did not understand the sign-in: {said}")))
        }
    }
}

fn no_connection(text: &str, errand: &Errand<'_>) -> Setback {
    Setback::silence(format!("The mail server ended the connection: {}", errand.scrub.said(text)))
}

fn not_imap() -> Setback {
    Setback::silence("What answers here does not speak IMAP. Check host and port, and whether it wants TLS at once.")
        .at("port")
}

#[cfg(test)]
#[path = "imap_tests.rs"]
mod tests;
