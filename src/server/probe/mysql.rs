//! MySQL and MariaDB: the handshake and one question, with the `mysql_common` codec, over a connection of ours.
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>

use mysql_common::auth::plugins::{AuthProc, ChallengeResponsePlugin, Context};
use mysql_common::constants::CapabilityFlags;
use mysql_common::crypto::rsa::PublicKey;
use mysql_common::io::ParseBuf;
use mysql_common::packets::{AuthPlugin, AuthSwitchRequest, ErrPacket, HandshakePacket, HandshakeResponse, SslRequest};
use mysql_common::proto::{MyDeserialize, MySerialize};
use std::ops::RangeInclusive;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::spawn_blocking;

use super::lines::greeting;
use super::login::{Encryption, Login, no_tls_offered, skip_tls};
use super::{Errand, Finding, Setback, signed_in_as, skip_permissions};
use crate::domain::evidence::{Account, StepKind};
use crate::server::catalog::definition::LoginService;
use crate::server::dial::{Steps, Wire};
use crate::server::vault::SecretText;

/// Longest packet of a handshake, in bytes; real ones hold a few hundred.
const LONGEST_PACKET: usize = 0x4000;
/// Messages of one sign-in at most; the longest, a switch to `caching_sha2_password` without TLS, takes five.
const MOST_MESSAGES: usize = 10;
/// Longest public key of a server as PEM, in bytes; one of 8,192 bits has 1,500.
const LONGEST_KEY: usize = 2_048;
/// Sizes of a key's modulus, in bits. What MySQL makes has 2,048; what is longer takes too long to reckon with.
const MODULUS_BITS: RangeInclusive<u64> = 2_048..=8_192;
/// Longest exponent of a key, in bits; 65,537 has 17.
const LONGEST_EXPONENT: u64 = 32;
const UTF8MB4_GENERAL_CI: u8 = 45;
const COM_QUIT: u8 = 0x01;
const COM_QUERY: u8 = 0x03;
const CURRENT_USER: &[u8] = b"SELECT CURRENT_USER()";

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let login = Login::read(errand, service)?;
    let user = login.needed_user()?;
    let encryption = login.encryption()?;
    let mut channel = Channel { wire: login.connect(errand, steps).await?, sequence: 0 };
    if encryption == Encryption::Off {
        skip_tls(steps);
        steps.begin(StepKind::Authenticate);
    } else {
        steps.begin(StepKind::Tls);
    }
    let first = greeting(channel.read()).await?;
    let greeting = Greeting::read(&first, &login, errand)?;
    match encryption {
        Encryption::Off => {}
        Encryption::On(trust) | Encryption::Upgrade(trust) => {
            channel.request_encryption(&greeting, &login).await?;
            channel.wire = login.upgrade(channel.wire, &trust, errand, steps).await?;
            steps.begin(StepKind::Authenticate);
        }
    }
    let entered = sign_in(&mut channel, &greeting, &login, errand).await?;
    let database = errand.scrub.said(login.database.unwrap_or_default());
    match entered {
        Entered::NotTheDatabase => {
            let identity = errand.scrub.said(&format!("{user} ({})", greeting.version));
            steps.pass(&signed_in_as(&identity));
            steps.begin(StepKind::Authorise);
            steps.fail(&format!("User “{user}” may not use the database “{database}”. GRANT allows it."), "");
            Ok(Finding::identity(identity).lacking(format!("using the database {database}")))
        }
        Entered::AllTheWay => {
            let account = channel.current_user().await.unwrap_or_else(|| user.to_owned());
            channel.say_goodbye().await;
            let identity = errand.scrub.said(&format!("{account} ({})", greeting.version));
            steps.pass(&signed_in_as(&identity));
            if database.is_empty() {
                skip_permissions(steps);
                return Ok(Finding::identity(identity));
            }
            steps.begin(StepKind::Authorise);
            steps.pass(&format!("The account may use the database “{database}”."));
            let account =
                Account { identity: Some(identity), scopes: vec![format!("USE {database}")], ..Account::default() };
            Ok(Finding { account, ..Finding::default() })
        }
    }
}

/// The server's first packet.
struct Greeting {
    capabilities: CapabilityFlags,
    version: String,
    version_number: (u16, u16, u16),
    nonce: Vec<u8>,
    plugin: AuthPlugin<'static>,
}

impl Greeting {
    fn read(packet: &[u8], login: &Login<'_>, errand: &Errand<'_>) -> Result<Self, Setback> {
        if packet.first() == Some(&0xff) {
            return Err(explain(packet, CapabilityFlags::empty(), login, errand));
        }
        let packet = HandshakePacket::deserialize((), &mut ParseBuf(packet)).map_err(|_| not_mysql())?;
        if packet.protocol_version() != 10 {
            return Err(not_mysql());
        }
        let version = packet.server_version_str().into_owned();
        // MariaDB hides its version behind an old one that old replicas understand.
        let version = version.strip_prefix("5.5.5-").unwrap_or(&version).to_owned();
        Ok(Self {
            capabilities: packet.capabilities(),
            version_number: packet.server_version_parsed().unwrap_or((5, 7, 0)),
            nonce: packet.nonce(),
            plugin: usable(packet.auth_plugin().as_ref()),
            version,
        })
    }
}

/// The server's own way of signing in if we know it; it will name another one if it must.
fn usable(plugin: Option<&AuthPlugin<'_>>) -> AuthPlugin<'static> {
    match plugin {
        Some(AuthPlugin::CachingSha2Password) => AuthPlugin::CachingSha2Password,
        Some(AuthPlugin::Sha256Password) => AuthPlugin::Sha256Password,
        _ => AuthPlugin::MysqlNativePassword,
    }
}

fn capabilities(greeting: &Greeting, login: &Login<'_>) -> CapabilityFlags {
    let mut wanted = CapabilityFlags::CLIENT_PROTOCOL_41
        | CapabilityFlags::CLIENT_SECURE_CONNECTION
        | CapabilityFlags::CLIENT_LONG_PASSWORD
        | CapabilityFlags::CLIENT_PLUGIN_AUTH
        | CapabilityFlags::CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA;
    wanted.set(CapabilityFlags::CLIENT_CONNECT_WITH_DB, login.database.is_some());
    wanted & greeting.capabilities
}

/// How far a user who was let in gets.
#[derive(Clone, Copy)]
enum Entered {
    AllTheWay,
    /// The server looks at the database after the password, and ends there.
    NotTheDatabase,
}

async fn sign_in(
    channel: &mut Channel,
    greeting: &Greeting,
    login: &Login<'_>,
    errand: &Errand<'_>,
) -> Result<Entered, Setback> {
    let mut capabilities = capabilities(greeting, login);
    capabilities.set(CapabilityFlags::CLIENT_SSL, channel.wire.is_encrypted());
    let (mut proof, first) =
        Proof::begin(&greeting.plugin, greeting.nonce.clone(), channel.wire.is_encrypted(), login)?;
    let response = HandshakeResponse::new(
        Some(first),
        greeting.version_number,
        login.user.map(str::as_bytes),
        login.database.map(str::as_bytes),
        Some(greeting.plugin.clone()),
        capabilities,
        None,
        0x0100_0000,
    );
    channel.write(&serialized(&response)).await?;
    for _ in 0..MOST_MESSAGES {
        let packet = channel.read().await?;
        let answer = match packet.as_slice() {
            [0x00, ..] => return Ok(Entered::AllTheWay),
            // ER_DBACCESS_DENIED_ERROR, little-endian.
            [0xff, low, high, ..] if u16::from_le_bytes([*low, *high]) == 1044 => return Ok(Entered::NotTheDatabase),
            [0xff, ..] => return Err(explain(&packet, capabilities, login, errand)),
            [0xfe, _, ..] => {
                let switch = AuthSwitchRequest::deserialize((), &mut ParseBuf(&packet)).map_err(|_| not_mysql())?;
                let (plugin, nonce) = (switch.auth_plugin(), switch.plugin_data().to_vec());
                let (begun, first) = Proof::begin(&plugin, nonce, channel.wire.is_encrypted(), login)?;
                proof = begun;
                Some(first)
            }
            [0x01, challenge @ ..] => {
                let (continued, answer) = proof.answer(challenge.to_vec()).await?;
                proof = continued;
                answer
            }
            _ => return Err(not_mysql()),
        };
        if let Some(answer) = answer {
            channel.write(&answer).await?;
        }
    }
    Err(not_mysql())
}

/// Proves the password in the way the server asks for.
struct Proof {
    procedure: AuthProc,
    nonce: Vec<u8>,
    encrypted: bool,
    password: SecretText,
}

impl Proof {
    /// With the first answer, to the nonce.
    fn begin(
        plugin: &AuthPlugin<'_>,
        nonce: Vec<u8>,
        encrypted: bool,
        login: &Login<'_>,
    ) -> Result<(Self, Vec<u8>), Setback> {
        let name = String::from_utf8_lossy(plugin.as_bytes()).into_owned();
        let procedure = match plugin {
            AuthPlugin::MysqlNativePassword | AuthPlugin::CachingSha2Password | AuthPlugin::Sha256Password => {
                plugin.init()
            }
            // The password itself, as it is: over an encrypted connection or not at all.
            AuthPlugin::MysqlClearPassword if encrypted => plugin.init(),
            AuthPlugin::MysqlClearPassword => {
                let reason = "The server asks for the password in clear text. It is sent over TLS only: switch TLS on.";
                return Err(Setback::silence(reason).at("tls"));
            }
            _ => return Err(unknown_plugin(&name)),
        };
        let procedure = procedure.map_err(|_| unknown_plugin(&name))?;
        let password = SecretText::new(login.password.unwrap_or_default().to_owned());
        let mut proof = Self { procedure, nonce: nonce.clone(), encrypted, password };
        let first = proof.run(&nonce)?.unwrap_or_default();
        Ok((proof, first))
    }

    /// The answer to what the server sent after the first one: a single byte, or its public key. The library reckons
    /// with the key at once and panics over a malformed one, so it does so where neither can hold up or end others.
    async fn answer(mut self, challenge: Vec<u8>) -> Result<(Self, Option<Vec<u8>>), Setback> {
        let reckoned = spawn_blocking(move || {
            if challenge.len() > 1 && !is_usable_key(&challenge) {
                return Err(bad_key());
            }
            let answer = self.run(&challenge)?;
            Ok((self, answer))
        });
        reckoned.await.unwrap_or_else(|_| Err(bad_key()))
    }

    fn run(&mut self, challenge: &[u8]) -> Result<Option<Vec<u8>>, Setback> {
        let facts = Facts { nonce: &self.nonce, encrypted: self.encrypted, password: self.password.reveal() };
        let answer = self.procedure.run(facts, challenge).map_err(|_| not_mysql())?;
        Ok(answer.data().map(<[u8]>::to_vec))
    }
}

/// Whether a server's public key is one to encrypt a password with, and quickly.
fn is_usable_key(pem: &[u8]) -> bool {
    pem.len() <= LONGEST_KEY
        && PublicKey::from_pem(pem)
            .is_ok_and(|key| MODULUS_BITS.contains(&key.modulus().bits()) && key.exponent().bits() <= LONGEST_EXPONENT)
}

struct Facts<'a> {
    nonce: &'a [u8],
    encrypted: bool,
    password: &'a str,
}

impl Context for Facts<'_> {
    fn pass(&self) -> &[u8] {
        self.password.as_bytes()
    }

    fn is_ipc_transport(&self) -> bool {
        false
    }

    fn is_tls_transport(&self) -> bool {
        self.encrypted
    }

    fn scramble(&self) -> &[u8] {
        self.nonce
    }

    fn server_key_pem(&self) -> Option<&[u8]> {
        None
    }
}

/// Packets: three bytes of length, one of sequence, and the payload.
struct Channel {
    wire: Wire,
    sequence: u8,
}

impl Channel {
    async fn read(&mut self) -> Result<Vec<u8>, Setback> {
        let mut head = [0; 4];
        self.wire.read_exact(&mut head).await?;
        let [a, b, c, sequence] = head;
        let length = u32::from_le_bytes([a, b, c, 0]) as usize;
        if length == 0 || length > LONGEST_PACKET || sequence != self.sequence {
            return Err(not_mysql());
        }
        self.sequence = sequence.wrapping_add(1);
        let mut payload = vec![0; length];
        self.wire.read_exact(&mut payload).await?;
        Ok(payload)
    }

    async fn write(&mut self, payload: &[u8]) -> Result<(), Setback> {
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut packet = vec![length[0], length[1], length[2], self.sequence];
        packet.extend_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.wire.write_all(&packet).await?;
        Ok(self.wire.flush().await?)
    }

    async fn request_encryption(&mut self, greeting: &Greeting, login: &Login<'_>) -> Result<(), Setback> {
        if !greeting.capabilities.contains(CapabilityFlags::CLIENT_SSL) {
            return Err(no_tls_offered());
        }
        let capabilities = capabilities(greeting, login) | CapabilityFlags::CLIENT_SSL;
        self.write(&serialized(&SslRequest::new(capabilities, 0x0100_0000, UTF8MB4_GENERAL_CI))).await
    }

    /// The account that the server chose for who signed in, such as `reporting@10.0.%`; not all that speak the
    /// protocol tell. The answer: how many columns, the column, its end, the row (text protocol of a result set).
    async fn current_user(&mut self) -> Option<String> {
        self.sequence = 0;
        self.write(&[&[COM_QUERY], CURRENT_USER].concat()).await.ok()?;
        let count = self.read().await.ok()?;
        if count != [1] {
            return None;
        }
        self.read().await.ok()?;
        self.read().await.ok()?;
        let row = self.read().await.ok()?;
        let (length, name) = row.split_first()?;
        // The row's own end.
        self.read().await.ok()?;
        (usize::from(*length) == name.len()).then(|| String::from_utf8_lossy(name).into_owned())
    }

    /// Spares the server a line in its log about an aborted connection. The verdict stands either way.
    async fn say_goodbye(&mut self) {
        self.sequence = 0;
        let _ = self.write(&[COM_QUIT]).await;
    }
}

fn serialized(packet: &impl MySerialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.serialize(&mut bytes);
    bytes
}

fn not_mysql() -> Setback {
    Setback::silence("What answers here does not speak MySQL's protocol. Check host and port.").at("port")
}

fn bad_key() -> Setback {
    let reason =
        "The server does not speak MySQL as it should: its public key is none to encrypt with. Check host and port.";
    Setback::silence(reason).at("port")
}

fn unknown_plugin(name: &str) -> Setback {
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
    Setback::silence(format!("The server wants this user to sign in by “{plain}”, which is not supported.")).at("user")
}

/// The codes are MySQL's own (server error reference).
fn explain(packet: &[u8], capabilities: CapabilityFlags, login: &Login<'_>, errand: &Errand<'_>) -> Setback {
    let Ok(ErrPacket::Error(error)) = ErrPacket::deserialize(capabilities, &mut ParseBuf(packet)) else {
        return not_mysql();
    };
    let (code, said) = (error.error_code(), errand.scrub.said(&error.message_str()));
    let user = login.user.unwrap_or_default();
    let database = login.database.unwrap_or_default();
    match code {
        1045 | 1698 => Setback::refusal(format!(
            "The server refused this password for user “{user}” ({code}). Check both, and that the user may come from here."
        ))
        .at("password"),
        1049 => Setback::refusal(format!("There is no database “{database}” on this server ({code}). Check its name."))
            .at("database"),
        1862 | 1820 => Setback::refusal(format!("The password of user “{user}” has expired ({code}). Set a new one."))
            .at("password"),
        3118 | 4151 => Setback::refusal(format!("The account “{user}” is locked ({code}).")).at("user"),
        3159 => Setback::silence(format!("The server takes encrypted connections only ({code}). Switch TLS on.")).at("tls"),
        1040 | 1203 | 1226 => {
            Setback::silence(format!("The server has no connection left ({code}). Try again in a while."))
        }
        1129 | 1130 => Setback::silence(format!("The server takes no connections from this machine ({code}): {said}")),
        _ => Setback::silence(format!("The server answered with an error ({code}): {said}")),
    }
    .with_detail(said)
}

#[cfg(test)]
#[path = "mysql_tests.rs"]
mod tests;
