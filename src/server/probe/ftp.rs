//! FTP (RFC 959), encrypted by `AUTH TLS` (RFC 4217) or from the first byte: signing in is a few lines, spoken here.
//! No data connection is opened, so where the server wants one (`PASV`) is never asked.

use super::lines::{Greeted, Lines, Reply, connect, greeting};
use super::login::{Login, no_tls_offered};
use super::{Errand, Finding, Setback, signed_in_as};
use crate::domain::evidence::StepKind;
use crate::server::catalog::definition::LoginService;
use crate::server::dial::{Steps, Wire};

/// Longest line of a reply, in bytes.
const LONGEST_LINE: u64 = 4_096;
/// What the letters of the fact `perm` allow in a folder (RFC 3659, 7.5.5).
const PERMISSIONS: [(char, &str); 6] = [
    ('e', "enter"),
    ('l', "list"),
    ('c', "create files"),
    ('m', "create folders"),
    ('p', "delete contents"),
    ('f', "rename"),
];

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let login = Login::read(errand, service)?;
    let user = login.needed_user()?;
    let Talk(mut talk) = connect(&login, errand, steps).await?;
    let checked = sign_in(&mut talk, user, login.password.unwrap_or_default(), errand).await?;
    let mut finding = Finding::identity(errand.scrub.said(user));
    let message = signed_in_as(&errand.scrub.said(user));
    steps.pass(&if checked { message } else { format!("{message} The server asked for no password.") });
    steps.begin(StepKind::Authorise);
    finding.account.scopes = permissions(&talk.ask("MLST").await?);
    let folder = talk.ask("PWD").await?;
    let folder = folder_named(&folder).map_or_else(String::new, |folder| errand.scrub.said(folder));
    steps.pass(&match (folder.as_str(), finding.account.scopes.join(", ")) {
        ("", allowed) if allowed.is_empty() => "The server tells no permissions.".to_owned(),
        (folder, allowed) if allowed.is_empty() => format!("Begins in the folder {folder}."),
        (folder, allowed) => format!("Begins in the folder {folder}. Allowed there: {allowed}."),
    });
    // A courtesy; the verdict stands either way.
    let _ = talk.send("QUIT").await;
    Ok(finding)
}

/// Commands and replies, a line each.
struct Talk(Lines);

impl Greeted for Talk {
    fn over(wire: Wire) -> Self {
        Self(Lines::over(wire, LONGEST_LINE, not_ftp))
    }

    async fn greet(&mut self, _: &Errand<'_>) -> Result<(), Setback> {
        match greeting(self.0.reply()).await?.code {
            220 => Ok(()),
            code @ (120 | 400..=499) => {
                Err(Setback::silence(format!("The server takes no connections now ({code}). Try again later.")))
            }
            _ => Err(not_ftp()),
        }
    }

    async fn request_encryption(mut self) -> Result<Wire, Setback> {
        match self.0.ask("AUTH TLS").await?.code {
            234 => self.0.into_wire(),
            _ => Err(no_tls_offered()),
        }
    }
}

/// Signs in, and says whether the server asked for the password.
async fn sign_in(talk: &mut Lines, user: &str, password: &str, errand: &Errand<'_>) -> Result<bool, Setback> {
    let mut reply = talk.ask(&format!("USER {user}")).await?;
    let asks_for_password = reply.code == 331;
    if asks_for_password {
        reply = talk.ask(&format!("PASS {password}")).await?;
    }
    judge(&reply, asks_for_password, user, talk.is_encrypted(), errand)?;
    Ok(asks_for_password)
}

/// The reply codes are those of RFC 959, 5.4 and RFC 4217, 4.
fn judge(reply: &Reply, sent: bool, user: &str, encrypted: bool, errand: &Errand<'_>) -> Result<(), Setback> {
    let (code, said, user) = (reply.code, errand.scrub.said(&reply.text()), errand.scrub.said(user));
    let tls_wanted = !encrypted && ["TLS", "SSL", "ncrypt", "ecure"].iter().any(|word| said.contains(word));
    match code {
        230 | 202 => Ok(()),
        332 => Err(Setback::silence(format!("The server asks for an account beside the password ({code})."))),
        500..=599 if tls_wanted => {
            Err(Setback::silence(format!("The server wants encryption before signing in ({code}).")).at("tls"))
        }
        // ProFTPD's word for a full server.
        530 if said.to_ascii_lowercase().contains("too many") || said.contains("maximum") => {
            Err(Setback::silence(format!("The server takes no more clients now ({code}): {said}")))
        }
        // Before the password was sent, it says nothing of the password.
        530 if !sent => {
            Err(Setback::refusal(format!("The server does not let “{user}” sign in ({code}): {said}")).at("user"))
        }
        530 => {
            Err(Setback::refusal(format!("The server refused this password for “{user}” ({code}): {said}"))
                .at("password"))
        }
        400..=499 => Err(Setback::silence(format!("The server cannot check the password now ({code}): {said}"))),
        _ => Err(Setback::silence(format!("The server did not let us sign in ({code}): {said}"))),
    }
}

/// What the fact `perm` of the folder allows, where the server tells facts at all.
fn permissions(facts: &Reply) -> Vec<String> {
    let facts = facts.lines.iter().filter(|_| facts.code == 250);
    let letters = facts.flat_map(|line| line.trim_start().split(';')).find_map(|fact| {
        let (name, value) = fact.split_once('=')?;
        name.eq_ignore_ascii_case("perm").then_some(value)
    });
    let allowed = |letter: char| letters.is_some_and(|letters| letters.to_ascii_lowercase().contains(letter));
    PERMISSIONS.iter().filter(|(letter, _)| allowed(*letter)).map(|(_, name)| (*name).to_owned()).collect()
}

/// The folder between quotation marks of the answer to `PWD`.
fn folder_named(reply: &Reply) -> Option<&str> {
    let line = reply.lines.first().filter(|_| reply.code == 257)?;
    let (_, rest) = line.split_once('"')?;
    rest.rsplit_once('"').map(|(folder, _)| folder).filter(|folder| !folder.is_empty())
}

fn not_ftp() -> Setback {
    Setback::silence("What answers here does not speak FTP. Check host and port, and whether it wants TLS at once.")
        .at("port")
}

#[cfg(test)]
#[path = "ftp_tests.rs"]
mod tests;
