//! AMQP 0-9-1, as RabbitMQ speaks it: the connection up to the open virtual host, spoken here.
//! The sections named are those of the protocol specification.
//! <https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf>

use std::io::{Error, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::login::Login;
use super::{Errand, Finding, Setback, signed_in_as};
use crate::domain::evidence::StepKind;
use crate::server::catalog::definition::LoginService;
use crate::server::dial::{Steps, Wire};

/// What a client says first (4.2.2): the name, and version 0-9-1.
const PROTOCOL_HEADER: &[u8; 8] = b"AMQP\x00\x00\x09\x01";
/// Longest frame, in bytes; real ones hold a few hundred before limits are agreed on.
const LONGEST_FRAME: usize = 0x1_0000;
/// Frames read for one method at most: heartbeats may come in between.
const MOST_FRAMES: usize = 10;
const FRAME_METHOD: u8 = 1;
const FRAME_HEARTBEAT: u8 = 8;
const FRAME_END: u8 = 0xce;

/// The class `connection` and its methods (1.4).
const CONNECTION: u16 = 10;
const START: u16 = 10;
const START_OK: u16 = 11;
const SECURE: u16 = 20;
const TUNE: u16 = 30;
const TUNE_OK: u16 = 31;
const OPEN: u16 = 40;
const OPEN_OK: u16 = 41;
const CLOSE: u16 = 50;

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let login = Login::read(errand, service)?;
    let user = login.needed_user()?;
    let vhost = errand.values.get("vhost").unwrap_or("/");
    let mut channel = Channel(login.connect_encrypted(errand, steps).await?);
    steps.begin(StepKind::Authenticate);
    channel.sign_in(user, login.password.unwrap_or_default(), errand).await?;
    steps.pass("The server accepted user and password.");
    steps.begin(StepKind::Authorise);
    let identity = errand.scrub.said(&format!("{user}@{vhost}"));
    let finding = Finding::identity(identity);
    if channel.open(vhost, errand).await? {
        steps.pass(&signed_in_as(finding.account.identity.as_deref().unwrap_or(user)));
        channel.say_goodbye().await;
        Ok(finding)
    } else {
        steps.fail(&format!("User “{user}” may not use the virtual host “{vhost}”. Grant it, or choose another."), "");
        Ok(finding.lacking(format!("access to the virtual host {vhost}")))
    }
}

/// A method of the class `connection`.
struct Method {
    id: u16,
    arguments: Vec<u8>,
}

/// Why the server ends a connection: the arguments of `Close` (1.4.2.9).
struct Farewell {
    code: u16,
    text: String,
}

impl Farewell {
    fn read(arguments: &[u8]) -> Result<Self, Setback> {
        let (code, rest) = arguments.split_first_chunk().ok_or_else(not_amqp)?;
        let (&length, rest) = rest.split_first().ok_or_else(not_amqp)?;
        let text = rest.get(..usize::from(length)).ok_or_else(not_amqp)?;
        Ok(Self { code: u16::from_be_bytes(*code), text: String::from_utf8_lossy(text).into_owned() })
    }
}

/// Methods on channel 0, which is the connection's own.
struct Channel(Wire);

impl Channel {
    /// From the protocol header to `Tune-Ok`: by then the server has accepted user and password.
    async fn sign_in(&mut self, user: &str, password: &str, errand: &Errand<'_>) -> Result<(), Setback> {
        self.0.write_all(PROTOCOL_HEADER).await?;
        self.0.flush().await?;
        let start = self.read().await.map_err(setback)?;
        if start.id != START {
            return Err(not_amqp());
        }
        if !offers_plain(&start.arguments).ok_or_else(not_amqp)? {
            return Err(Setback::silence("This server offers no sign-in by password (PLAIN)."));
        }
        self.write(START_OK, &start_ok(user, password)).await?;
        let answer = self.read().await.map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof { hung_up_on_password(&error) } else { setback(error) }
        })?;
        match answer.id {
            // The limits the server proposes are as good as any: channels, frame size, heartbeat.
            TUNE if answer.arguments.len() == 8 => Ok(self.write(TUNE_OK, &answer.arguments).await?),
            SECURE => Err(Setback::silence("This server wants more than a user and a password to sign in.")),
            CLOSE => Err(explain_sign_in(&Farewell::read(&answer.arguments)?, user, errand)),
            _ => Err(not_amqp()),
        }
    }

    /// Opens a virtual host; `false` where it exists and the user may not use it.
    async fn open(&mut self, vhost: &str, errand: &Errand<'_>) -> Result<bool, Setback> {
        let mut arguments = Vec::new();
        push_short_string(&mut arguments, vhost)?;
        // Two reserved arguments: an empty string and a bit.
        arguments.extend_from_slice(&[0, 0]);
        self.write(OPEN, &arguments).await?;
        let answer = self.read().await.map_err(setback)?;
        match answer.id {
            OPEN_OK => Ok(true),
            CLOSE => {
                let farewell = Farewell::read(&answer.arguments)?;
                if is_forbidden(&farewell) { Ok(false) } else { Err(explain_open(&farewell, vhost, errand)) }
            }
            _ => Err(not_amqp()),
        }
    }

    /// Spares the server a warning in its log. The verdict stands either way.
    async fn say_goodbye(&mut self) {
        // 200: no error; no text, and no method that caused it.
        let _ = self.write(CLOSE, &[0, 200, 0, 0, 0, 0, 0]).await;
    }

    /// The next method; `InvalidData` for what is none.
    async fn read(&mut self) -> Result<Method, Error> {
        for _ in 0..MOST_FRAMES {
            let (kind, payload) = self.read_frame().await?;
            match kind {
                FRAME_HEARTBEAT => {}
                FRAME_METHOD => return method(&payload).ok_or_else(|| ErrorKind::InvalidData.into()),
                _ => break,
            }
        }
        Err(ErrorKind::InvalidData.into())
    }

    /// A frame: type, channel, size, payload, and an octet that ends it (4.2.3).
    async fn read_frame(&mut self) -> Result<(u8, Vec<u8>), Error> {
        let mut head = [0; 7];
        self.0.read_exact(&mut head).await?;
        if head.starts_with(b"AMQP") {
            return Err(ErrorKind::Unsupported.into());
        }
        let [kind, channel @ .., a, b, c, d] = head;
        let size = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if channel != [0, 0] || size > LONGEST_FRAME {
            return Err(ErrorKind::InvalidData.into());
        }
        let mut payload = vec![0; size];
        self.0.read_exact(&mut payload).await?;
        if self.0.read_u8().await? == FRAME_END { Ok((kind, payload)) } else { Err(ErrorKind::InvalidData.into()) }
    }

    async fn write(&mut self, id: u16, arguments: &[u8]) -> Result<(), Error> {
        let size = u32::try_from(arguments.len() + 4).unwrap_or(u32::MAX);
        let mut frame = vec![FRAME_METHOD, 0, 0];
        frame.extend_from_slice(&size.to_be_bytes());
        frame.extend_from_slice(&CONNECTION.to_be_bytes());
        frame.extend_from_slice(&id.to_be_bytes());
        frame.extend_from_slice(arguments);
        frame.push(FRAME_END);
        self.0.write_all(&frame).await?;
        self.0.flush().await
    }
}

fn method(payload: &[u8]) -> Option<Method> {
    let (class, rest) = payload.split_first_chunk()?;
    let (id, arguments) = rest.split_first_chunk()?;
    (u16::from_be_bytes(*class) == CONNECTION)
        .then(|| Method { id: u16::from_be_bytes(*id), arguments: arguments.to_vec() })
}

/// Whether `Start` (1.4.2.1) names the mechanism PLAIN, after two octets of version and a table of properties.
fn offers_plain(start: &[u8]) -> Option<bool> {
    let (_, rest) = long_string(start.get(2..)?)?;
    let (mechanisms, _) = long_string(rest)?;
    Some(mechanisms.split(|&byte| byte == b' ').any(|name| name == b"PLAIN"))
}

/// A text or a table with its length in four octets before it, and what follows.
fn long_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Properties of ours, mechanism, proof and language.
fn start_ok(user: &str, password: &str) -> Vec<u8> {
    let mut capabilities = Vec::new();
    // RabbitMQ says then why it refuses, instead of hanging up. <https://www.rabbitmq.com/docs/auth-notification>
    push_entry(&mut capabilities, "authentication_failure_close", b't', &[1]);
    let mut properties = Vec::new();
    push_entry(&mut properties, "product", b'S', &with_length(b"Patchbay"));
    push_entry(&mut properties, "capabilities", b'F', &with_length(&capabilities));
    let mut arguments = with_length(&properties);
    arguments.extend_from_slice(b"\x05PLAIN");
    arguments.extend(with_length(format!("\0{user}\0{password}").as_bytes()));
    arguments.extend_from_slice(b"\x05en_US");
    arguments
}

/// An entry of a table: a short name, the type of its value, and the value (4.2.5.5).
fn push_entry(table: &mut Vec<u8>, name: &'static str, kind: u8, value: &[u8]) {
    table.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    table.extend_from_slice(name.as_bytes());
    table.push(kind);
    table.extend_from_slice(value);
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

fn push_short_string(arguments: &mut Vec<u8>, text: &str) -> Result<(), Setback> {
    let too_long = |_| Setback::silence("A virtual host has 255 bytes at most. Shorten its name.").at("vhost");
    arguments.push(u8::try_from(text.len()).map_err(too_long)?);
    arguments.extend_from_slice(text.as_bytes());
    Ok(())
}

fn not_amqp() -> Setback {
    Setback::silence("What answers here does not speak AMQP 0-9-1. Check host and port, and whether it wants TLS.")
        .at("port")
}

fn setback(error: Error) -> Setback {
    match error.kind() {
        ErrorKind::InvalidData => not_amqp(),
        ErrorKind::Unsupported => {
            Setback::silence("This server speaks another version of AMQP than 0-9-1, which RabbitMQ speaks.").at("port")
        }
        _ => error.into(),
    }
}

/// What the specification has servers do that refuse a password (2.2.4); but any trouble looks the same.
fn hung_up_on_password(error: &Error) -> Setback {
    let reason = "The server closed the connection during the sign-in. Some do so instead of refusing a password: \
                  check user and password.";
    Setback::silence(reason).at("password").with_detail(error.to_string())
}

/// The reply codes are those of the specification (1.2).
fn explain_sign_in(farewell: &Farewell, user: &str, errand: &Errand<'_>) -> Setback {
    let (code, said) = (farewell.code, errand.scrub.said(&farewell.text));
    let refused = |reason: &str| Setback::refusal(reason).at("password");
    match code {
        403 if user == "guest" => refused(&format!(
            "The server refused this password for user “guest” ({code}). Check it; RabbitMQ takes this user from its own \
             machine only."
        )),
        403 => refused(&format!("The server refused this password for user “{user}” ({code}). Check both.")),
        _ => Setback::silence(format!("The server ended the sign-in ({code}): {said}")),
    }
    .with_detail(said)
}

/// RabbitMQ says 530 for a virtual host that is not there, is not permitted, is down or has enough connections.
fn is_forbidden(farewell: &Farewell) -> bool {
    let refused = farewell.text.contains("refused for user") && !farewell.text.contains("limit");
    farewell.code == 403 || (farewell.code == 530 && refused)
}

fn explain_open(farewell: &Farewell, vhost: &str, errand: &Errand<'_>) -> Setback {
    let (code, said) = (farewell.code, errand.scrub.said(&farewell.text));
    match code {
        402 => no_vhost(vhost, code),
        530 if farewell.text.contains("not found") => no_vhost(vhost, code),
        _ => Setback::silence(format!("The server did not open the virtual host “{vhost}” ({code}): {said}")),
    }
    .with_detail(said)
}

fn no_vhost(vhost: &str, code: u16) -> Setback {
    let reason = format!("There is no virtual host “{vhost}” on this server ({code}). Check its name.");
    Setback::refusal(reason).at("vhost")
}

#[cfg(test)]
#[path = "amqp_tests.rs"]
mod tests;
