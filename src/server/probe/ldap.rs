//! LDAP (RFC 4511): a simple bind, and asking who one is. A few messages, spoken here. Referrals are never followed.

use std::io::{Error, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::login::{Encryption, Login, no_tls_offered};
use super::{Errand, Finding, Setback, signed_in_as};
use crate::domain::evidence::StepKind;
use crate::server::ber::{element, encoded, length};
use crate::server::catalog::definition::LoginService;
use crate::server::dial::{Steps, Wire};

/// Longest message, in bytes; real answers to these questions hold a few hundred.
const LONGEST_MESSAGE: usize = 0x1_0000;
/// Messages read for one answer at most.
const MOST_MESSAGES: usize = 20;
/// RFC 4511, 4.14.
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
/// RFC 4532, 2.1.
const WHO_AM_I: &str = "1.3.6.1.4.1.4203.1.11.3";

/// Tags of X.690 and of the operations (RFC 4511, appendix B).
const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const SEQUENCE: u8 = 0x30;
const BIND_REQUEST: u8 = 0x60;
const BIND_RESPONSE: u8 = 0x61;
const UNBIND_REQUEST: u8 = 0x42;
const SEARCH_REQUEST: u8 = 0x63;
const SEARCH_ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;
const SEARCH_REFERENCE: u8 = 0x73;
const EXTENDED_REQUEST: u8 = 0x77;
const EXTENDED_RESPONSE: u8 = 0x78;
/// Context tags: a simple password, an extended operation's name, a filter for presence, an extended answer's value.
const SIMPLE: u8 = 0x80;
const REQUEST_NAME: u8 = 0x80;
const PRESENT: u8 = 0x87;
const RESPONSE_VALUE: u8 = 0x8b;

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let login = Login::read(errand, service)?;
    let user = login.needed_user()?;
    // With a name and no password a directory takes the sign-in for an anonymous one (RFC 4513, 5.1.2).
    let password = login.password.ok_or_else(|| Setback::silence("The password is missing.").at("password"))?;
    let mut channel = connect(&login, errand, steps).await?;
    let answer = channel.bind(user, password).await?;
    judge(&answer, user, errand)?;
    let identity = channel.who_am_i().await?.unwrap_or_else(|| user.to_owned());
    if identity.is_empty() {
        let reason = "The directory took this sign-in for an anonymous one, so nothing is proved. Give the whole name.";
        return Err(Setback::silence(reason).at("user"));
    }
    let identity = errand.scrub.said(&identity);
    steps.pass(&signed_in_as(&identity));
    let mut finding = Finding::identity(identity);
    match errand.values.get("base") {
        None => super::skip_permissions(steps),
        Some(base) => {
            steps.begin(StepKind::Authorise);
            if channel.may_read(base, errand).await? {
                steps.pass("The entry can be read.");
            } else {
                steps.fail(&format!("“{base}” cannot be read: it does not exist, or is not shown to this user."), "");
                finding.missing.push(format!("reading {base}"));
            }
        }
    }
    // A courtesy; the verdict stands either way.
    let _ = channel.send(&encoded(UNBIND_REQUEST, &[])).await;
    Ok(finding)
}

async fn connect(login: &Login<'_>, errand: &Errand<'_>, steps: &mut Steps) -> Result<Channel, Setback> {
    let mut channel = match login.encryption()? {
        Encryption::Upgrade(trust) => {
            let mut channel = Channel::over(login.connect(errand, steps).await?);
            steps.begin(StepKind::Tls);
            if channel.extended(START_TLS).await?.code != 0 {
                return Err(no_tls_offered());
            }
            Channel::over(login.upgrade(channel.wire, &trust, errand, steps).await?)
        }
        Encryption::On(_) | Encryption::Off => Channel::over(login.connect_encrypted(errand, steps).await?),
    };
    // Numbers go on where encryption began anew; servers that look at them want them to grow.
    channel.number += 1;
    steps.begin(StepKind::Authenticate);
    Ok(channel)
}

/// `LDAPResult` (RFC 4511, 4.1.9), and the value of an extended answer.
struct Answer {
    code: u32,
    text: String,
    value: Option<Vec<u8>>,
}

impl Answer {
    fn read(contents: &[u8]) -> Option<Self> {
        let (ENUMERATED, code, rest) = element(contents)? else { return None };
        let (OCTET_STRING, _matched, rest) = element(rest)? else { return None };
        let (OCTET_STRING, text, mut rest) = element(rest)? else { return None };
        let mut value = None;
        while let Some((tag, contents, after)) = element(rest) {
            if tag == RESPONSE_VALUE {
                value = Some(contents.to_vec());
            }
            rest = after;
        }
        Some(Self { code: number(code)?, text: String::from_utf8_lossy(text).trim_end_matches('\0').to_owned(), value })
    }
}

/// A request and its answer at a time.
struct Channel {
    wire: Wire,
    number: u8,
}

impl Channel {
    const fn over(wire: Wire) -> Self {
        Self { wire, number: 0 }
    }

    async fn bind(&mut self, user: &str, password: &str) -> Result<Answer, Setback> {
        let request =
            [encoded(INTEGER, &[3]), encoded(OCTET_STRING, user.as_bytes()), encoded(SIMPLE, password.as_bytes())];
        self.send(&encoded(BIND_REQUEST, &request.concat())).await?;
        self.answer(BIND_RESPONSE).await
    }

    /// The name that the directory knows the user by; `None` where it does not tell.
    async fn who_am_i(&mut self) -> Result<Option<String>, Setback> {
        let answer = self.extended(WHO_AM_I).await?;
        let told = answer.value.filter(|_| answer.code == 0).map(|name| String::from_utf8_lossy(&name).into_owned());
        // `dn:` or `u:` (RFC 4513, 5.2.1.8).
        Ok(told.map(|name| name.strip_prefix("dn:").or_else(|| name.strip_prefix("u:")).unwrap_or(&name).to_owned()))
    }

    async fn extended(&mut self, name: &str) -> Result<Answer, Setback> {
        self.send(&encoded(EXTENDED_REQUEST, &encoded(REQUEST_NAME, name.as_bytes()))).await?;
        self.answer(EXTENDED_RESPONSE).await
    }

    /// Whether an entry is shown to the user, without any of its attributes (RFC 4511, 4.5.1).
    async fn may_read(&mut self, base: &str, errand: &Errand<'_>) -> Result<bool, Setback> {
        let request = [
            encoded(OCTET_STRING, base.as_bytes()),
            encoded(ENUMERATED, &[0]), // the entry itself
            encoded(ENUMERATED, &[0]), // no aliases
            encoded(INTEGER, &[1]),    // one entry
            encoded(INTEGER, &[5]),    // seconds
            encoded(BOOLEAN, &[0]),
            encoded(PRESENT, b"objectClass"),
            encoded(SEQUENCE, &encoded(OCTET_STRING, b"1.1")),
        ];
        self.send(&encoded(SEARCH_REQUEST, &request.concat())).await?;
        for _ in 0..MOST_MESSAGES {
            let (tag, contents) = self.read().await?;
            match tag {
                SEARCH_ENTRY => return Ok(true),
                SEARCH_REFERENCE => {}
                SEARCH_DONE => return judge_search(&Answer::read(&contents).ok_or_else(not_ldap)?, base, errand),
                _ => break,
            }
        }
        Err(not_ldap())
    }

    async fn answer(&mut self, expected: u8) -> Result<Answer, Setback> {
        let (tag, contents) = self.read().await?;
        if tag == expected { Answer::read(&contents).ok_or_else(not_ldap) } else { Err(not_ldap()) }
    }

    /// `LDAPMessage` (RFC 4511, 4.1.1): a number and an operation.
    async fn send(&mut self, operation: &[u8]) -> Result<(), Setback> {
        self.number += 1;
        let message = [&encoded(INTEGER, &[self.number]), operation].concat();
        self.wire.write_all(&encoded(SEQUENCE, &message)).await?;
        Ok(self.wire.flush().await?)
    }

    /// The next operation that answers the last request: its tag and contents.
    async fn read(&mut self) -> Result<(u8, Vec<u8>), Setback> {
        for _ in 0..MOST_MESSAGES {
            let message = self.read_message().await.map_err(setback)?;
            let (id, tag, contents) = parts(&message).ok_or_else(not_ldap)?;
            match id {
                // A notice of disconnection (RFC 4511, 4.4.1).
                0 => return Err(Setback::silence("The directory ended the connection. Try again in a while.")),
                id if id == u32::from(self.number) => return Ok((tag, contents.to_vec())),
                _ => {}
            }
        }
        Err(not_ldap())
    }

    async fn read_message(&mut self) -> Result<Vec<u8>, Error> {
        let mut head = [0; 2];
        self.wire.read_exact(&mut head).await?;
        let [tag, first] = head;
        let further = if first < 0x80 { 0 } else { usize::from(first & 0x7f) };
        if tag != SEQUENCE || further > 4 {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut size = vec![first; 1 + further];
        self.wire.read_exact(&mut size[1..]).await?;
        let size = length(&size).map_or(usize::MAX, |(size, _)| size);
        if size > LONGEST_MESSAGE {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut message = vec![0; size];
        self.wire.read_exact(&mut message).await?;
        Ok(message)
    }
}

fn parts(message: &[u8]) -> Option<(u32, u8, &[u8])> {
    let (INTEGER, id, rest) = element(message)? else { return None };
    let (tag, contents, _) = element(rest)?;
    Some((number(id)?, tag, contents))
}

fn number(contents: &[u8]) -> Option<u32> {
    (1..=4).contains(&contents.len()).then(|| contents.iter().fold(0, |number, &byte| number << 8 | u32::from(byte)))
}

fn not_ldap() -> Setback {
    Setback::silence("What answers here does not speak LDAP. Check host and port, and whether it wants TLS at once.")
        .at("port")
}

fn setback(error: Error) -> Setback {
    if error.kind() == ErrorKind::InvalidData { not_ldap() } else { error.into() }
}

/// The codes are those of RFC 4511, appendix A.
fn judge(answer: &Answer, user: &str, errand: &Errand<'_>) -> Result<(), Setback> {
    let (code, said) = (answer.code, errand.scrub.said(&answer.text));
    let setback = match code {
        0 => return Ok(()),
        49 => refused_credentials(user, &answer.text),
        32 | 48 => Setback::refusal(format!("“{user}” cannot sign in by a password ({code}). Check the name.")).at("user"),
        34 => Setback::refusal(format!(
            "The directory cannot read “{user}” as a name ({code}). Write it whole, such as cn=app,dc=acme,dc=example."
        ))
        .at("user"),
        8 | 13 => Setback::silence(format!(
            "The directory wants encryption before signing in ({code}). Choose STARTTLS or TLS."
        ))
        .at("tls"),
        10 => Setback::silence(format!(
            "Another server is in charge of “{user}” ({code}), and where a server sends to is not followed. Give that server."
        ))
        .at("host"),
        51 | 52 => Setback::silence(format!("The directory is busy or out of service ({code}). Try again in a while.")),
        _ => Setback::silence(format!("The directory did not check the password ({code}): {said}")),
    };
    Err(setback.with_detail(said))
}

/// Active Directory tells the cause as `data` and a number (Microsoft, "Common Active Directory Bind Errors").
fn refused_credentials(user: &str, text: &str) -> Setback {
    let cause = text.split("data ").nth(1).and_then(|rest| rest.split([',', ' ']).next()).unwrap_or_default();
    match cause {
        "532" | "773" => {
            Setback::refusal(format!("The password of “{user}” has expired (49, {cause}). Set a new one."))
                .at("password")
        }
        "530" | "531" => {
            Setback::refusal(format!("“{user}” may not sign in from here or at this time (49, {cause}).")).at("user")
        }
        "533" | "701" | "775" => {
            Setback::refusal(format!("The account “{user}” is disabled, expired or locked (49, {cause}).")).at("user")
        }
        _ => Setback::refusal(format!("The directory refused this password for “{user}” (49). Check both."))
            .at("password"),
    }
}

/// Whether a search without a result means that the entry is hidden. Directories tell hidden ones and missing ones
/// alike.
fn judge_search(answer: &Answer, base: &str, errand: &Errand<'_>) -> Result<bool, Setback> {
    match answer.code {
        0 | 32 | 50 => Ok(false),
        34 => Err(Setback::refusal(format!("The directory cannot read “{base}” as a name (34). Check it.")).at("base")),
        code => {
            let said = errand.scrub.said(&answer.text);
            Err(Setback::silence(format!("The directory did not tell whether “{base}” can be read ({code}): {said}")))
        }
    }
}

#[cfg(test)]
#[path = "ldap_tests.rs"]
mod tests;
