//! MQTT 5 and, where the broker does not speak it, MQTT 3.1.1: `CONNECT` and `CONNACK`, spoken here.
//! <https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html>
//! <https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html>

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::login::Login;
use super::{Errand, Finding, Setback, signed_in_as, skip_permissions};
use crate::domain::evidence::StepKind;
use crate::server::catalog::definition::LoginService;
use crate::server::dial::{Steps, Wire};

/// Longest `CONNACK`, in bytes; real ones hold a few dozen.
const LONGEST_PACKET: usize = 0x1000;
const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
/// `DISCONNECT` of MQTT 3.1.1, and of MQTT 5 with the reason 0 left out.
const DISCONNECT: [u8; 2] = [0xe0, 0];
const CLEAN_START: u8 = 0x02;
const HAS_PASSWORD: u8 = 0x40;
const HAS_USER: u8 = 0x80;
/// Seconds; far more than a probe takes.
const KEEP_ALIVE: u16 = 30;

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let login = Login::read(errand, service)?;
    if login.password.is_some() {
        login.needed_user()?;
    }
    let client = Client { login: &login, id: errand.values.get("client_id").unwrap_or_default() };
    let wire = login.connect_encrypted(errand, steps).await?;
    steps.begin(StepKind::Authenticate);
    let version = match client.sign_in(wire, Version::Five).await {
        Err(Declined::Version) => {
            // The broker ends a connection in a version it does not speak: the next one is part of signing in.
            let wire = login.connect_encrypted(errand, &mut Steps::unheard()).await?;
            client.sign_in(wire, Version::Three).await.map(|()| Version::Three)
        }
        first => first.map(|()| Version::Five),
    };
    let version = version.map_err(|declined| explain(declined, &client, errand))?;
    let finding = match login.user {
        Some(user) => Finding::identity(errand.scrub.said(user)),
        None => Finding::default(),
    };
    let message = finding.account.identity.as_deref().map(signed_in_as);
    steps.pass_with_detail(message.as_deref().unwrap_or("The broker asks for no sign-in."), version.name());
    skip_permissions(steps);
    Ok(finding)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Three,
    Five,
}

impl Version {
    /// The protocol level (3.1.1, 3.1.2.2; 5, 3.1.2.2).
    const fn level(self) -> u8 {
        match self {
            Self::Three => 4,
            Self::Five => 5,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Three => "MQTT 3.1.1",
            Self::Five => "MQTT 5",
        }
    }
}

/// Why there is no session.
enum Declined {
    /// The broker speaks another version.
    Version,
    /// Its return code (3.1.1) or reason code (5).
    Code(Version, u8),
    TooLong(&'static str),
    Other(Setback),
}

impl From<io::Error> for Declined {
    fn from(error: io::Error) -> Self {
        Self::Other(error.into())
    }
}

/// Who signs in.
struct Client<'a> {
    login: &'a Login<'a>,
    /// Empty: the broker chooses one. Another client of the same identifier would be disconnected.
    id: &'a str,
}

impl Client<'_> {
    async fn sign_in(&self, mut wire: Wire, version: Version) -> Result<(), Declined> {
        wire.write_all(&self.connect(version)?).await?;
        wire.flush().await?;
        let first = match (version, wire.read_u8().await) {
            // So do brokers of 3.1.1 that cannot even read a packet of 5 (RabbitMQ before 3.13).
            (Version::Five, Err(error)) if is_hung_up(&error) => return Err(Declined::Version),
            (_, first) => first?,
        };
        match (version, read_connack(first, &mut wire).await?) {
            (_, 0) => {}
            // 1 is how brokers of 3.1.1 say it, 132 how those of 5 do.
            (Version::Five, 1 | 132) => return Err(Declined::Version),
            (version, code) => return Err(Declined::Code(version, code)),
        }
        // A courtesy; the verdict stands either way.
        let _ = wire.write_all(&DISCONNECT).await;
        Ok(())
    }

    /// The packet `CONNECT` (section 3.1 of both), without a will.
    fn connect(&self, version: Version) -> Result<Vec<u8>, Declined> {
        let mut body = text("client_id", "MQTT")?;
        let flags = [(self.login.user, HAS_USER), (self.login.password, HAS_PASSWORD)];
        let flags =
            flags.iter().filter(|(given, _)| given.is_some()).fold(CLEAN_START, |flags, (_, flag)| flags | flag);
        body.extend_from_slice(&[version.level(), flags]);
        body.extend_from_slice(&KEEP_ALIVE.to_be_bytes());
        if version == Version::Five {
            // No properties: the session ends with the connection.
            body.push(0);
        }
        body.extend(text("client_id", self.id)?);
        for (field, given) in [("user", self.login.user), ("password", self.login.password)] {
            if let Some(given) = given {
                body.extend(text(field, given)?);
            }
        }
        let mut packet = vec![CONNECT];
        packet.extend(variable_length(body.len()));
        packet.extend(body);
        Ok(packet)
    }
}

/// A text with its length in two bytes (1.5.3 of 3.1.1; 1.5.4 of 5).
fn text(field: &'static str, text: &str) -> Result<Vec<u8>, Declined> {
    let length = u16::try_from(text.len()).map_err(|_| Declined::TooLong(field))?;
    Ok([&length.to_be_bytes(), text.as_bytes()].concat())
}

/// Seven bits a byte, the lowest first; the highest bit of a byte says that another follows.
fn variable_length(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        if length == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn is_hung_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
}

/// Reads `CONNACK` (section 3.2 of both): flags, the code, and in MQTT 5 properties, which are not needed.
async fn read_connack(first: u8, wire: &mut Wire) -> Result<u8, Declined> {
    let not_mqtt = || Declined::Other(not_mqtt());
    if first != CONNACK {
        return Err(not_mqtt());
    }
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let byte = wire.read_u8().await?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    if !(2..=LONGEST_PACKET).contains(&length) {
        return Err(not_mqtt());
    }
    let mut body = vec![0; length];
    wire.read_exact(&mut body).await?;
    // The first byte says whether a session was there before; its other bits are reserved.
    match body.as_slice() {
        [0 | 1, code, ..] => Ok(*code),
        _ => Err(not_mqtt()),
    }
}

fn explain(declined: Declined, client: &Client<'_>, errand: &Errand<'_>) -> Setback {
    match declined {
        Declined::Other(setback) => setback,
        Declined::Version => Setback::silence("The broker speaks neither MQTT 5 nor 3.1.1.").at("port"),
        Declined::TooLong(field) => Setback::silence("This is longer than MQTT can send.").at(field),
        Declined::Code(Version::Three, code) => explain_return_code(code, client, errand),
        Declined::Code(Version::Five, code) => explain_reason_code(code, client, errand),
    }
}

/// MQTT 3.1.1, table 3.1. Many brokers say 5 where they mean 4.
fn explain_return_code(code: u8, client: &Client<'_>, errand: &Errand<'_>) -> Setback {
    match code {
        2 => wants_another_id(code),
        3 => unavailable(code),
        4 | 5 => refused(code, client, errand),
        1 => Setback::silence("The broker speaks neither MQTT 5 nor 3.1.1 (1).").at("port"),
        _ => Setback::silence(format!("The broker answered with a code that is not known ({code}).")),
    }
}

/// MQTT 5, table 3-1. Many brokers say 135 where they mean 134.
fn explain_reason_code(code: u8, client: &Client<'_>, errand: &Errand<'_>) -> Setback {
    match code {
        133 => wants_another_id(code),
        134 | 135 => refused(code, client, errand),
        136 | 137 | 151 | 159 => unavailable(code),
        138 => Setback::refusal(format!("The broker has banned this client ({code}). Ask its operator.")).at("user"),
        140 => Setback::silence(format!("The broker wants another way of signing in than a password ({code}).")),
        156 | 157 => Setback::silence(format!(
            "The broker sends its clients to another server ({code}), which is not followed. Give that one as host."
        ))
        .at("host"),
        _ => Setback::silence(format!("The broker did not let us sign in ({code}).")),
    }
}

fn refused(code: u8, client: &Client<'_>, errand: &Errand<'_>) -> Setback {
    match client.login.user {
        Some(user) => Setback::refusal(format!(
            "The broker refused this password for user “{}” ({code}). Check both, and that the user may connect.",
            errand.scrub.said(user)
        ))
        .at("password"),
        None => Setback::refusal(format!("The broker asks for user and password ({code}), and none are given here."))
            .at("user"),
    }
}

fn wants_another_id(code: u8) -> Setback {
    Setback::silence(format!("The broker does not take this client identifier ({code}). Give the one it expects."))
        .at("client_id")
}

fn unavailable(code: u8) -> Setback {
    Setback::silence(format!("The broker takes no connections now ({code}). Try again in a while."))
}

fn not_mqtt() -> Setback {
    Setback::silence("What answers here does not speak MQTT. Check host and port, and whether it wants TLS.").at("port")
}

#[cfg(test)]
#[path = "mqtt_tests.rs"]
mod tests;
