//! MongoDB: `hello`, SCRAM-SHA-256 and `connectionStatus` in `OP_MSG` messages. Topology that a server announces is not
//! looked at. <https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bson::spec::BinarySubtype;
use bson::{Binary, RawArray, RawDocument, RawDocumentBuf, rawdoc};
use std::io::{Error, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::login::Login;
use super::super::{Errand, Finding, Setback, signed_in_as};
use super::scram::{First, ScramError};
use crate::domain::evidence::{Account, StepKind};
use crate::server::catalog::definition::LoginService;
use crate::server::dial::{Steps, Wire};
use crate::server::random::Random;

/// Longest message, in bytes: the list of all privileges of an administrator has a few ten thousand.
const LONGEST_MESSAGE: usize = 0x10_0000;
/// Header, flags and the kind of the one section there is.
const HEAD: usize = 16 + 4 + 1;
const OP_MSG: i32 = 2013;
/// Turns after the proof in which a server may say nothing more.
const MOST_TURNS: usize = 3;
/// Roles that are told at most.
const MOST_ROLES: usize = 50;
const MECHANISM: &str = "SCRAM-SHA-256";

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let login = Login::read(errand, service)?;
    let user = login.needed_user()?;
    let password = login.password.ok_or_else(|| Setback::silence("The password is missing.").at("password"))?;
    let source = errand.values.get("auth_source").unwrap_or("admin");
    let mut channel = Channel { wire: login.connect_encrypted(errand, steps).await?, request: 0 };
    steps.begin(StepKind::Authenticate);
    let task = Task { user, password, source, errand };
    task.greet(&mut channel).await?;
    task.sign_in(&mut channel).await?;
    steps.pass("The server accepted user and password.");
    steps.begin(StepKind::Authorise);
    let status = channel.run(rawdoc! { "connectionStatus": 1, "showPrivileges": true, "$db": "admin" }).await?;
    if let Some(failure) = Failure::of(&status) {
        return Err(failure.untold("did not tell what this user may do", errand));
    }
    let finding = task.finding(&status, login.database);
    if finding.missing.is_empty() {
        steps.pass(&signed_in_as(finding.account.identity.as_deref().unwrap_or(user)));
    } else {
        let database = login.database.unwrap_or_default();
        steps.fail(
            &format!("User “{user}” has no role in the database “{database}”. Grant one, or choose another."),
            "",
        );
    }
    Ok(finding)
}

/// An answer that is none: `ok` is not 1.
struct Failure {
    code: i64,
    text: String,
}

impl Failure {
    fn of(answer: &RawDocument) -> Option<Self> {
        let text = || answer.get_str("errmsg").unwrap_or_default().to_owned();
        (number(answer, "ok") != Some(1)).then(|| Self { code: number(answer, "code").unwrap_or(0), text: text() })
    }

    fn untold(&self, what: &str, errand: &Errand<'_>) -> Setback {
        let said = errand.scrub.said(&self.text);
        Setback::silence(format!("MongoDB {what} ({}): {said}", self.code)).with_detail(said)
    }
}

/// Who is to be signed in.
struct Task<'a> {
    user: &'a str,
    password: &'a str,
    /// The database that keeps the user.
    source: &'a str,
    errand: &'a Errand<'a>,
}

impl Task<'_> {
    /// Asks how the user may sign in. Servers that are too old for the question are asked to sign in all the same.
    async fn greet(&self, channel: &mut Channel) -> Result<(), Setback> {
        let name = format!("{}.{}", self.source, self.user);
        let answer = channel.run(rawdoc! { "hello": 1, "saslSupportedMechs": name, "$db": "admin" }).await?;
        let offered = answer.get_array("saslSupportedMechs").ok();
        if offered.is_some_and(|offered| !texts(offered).any(|mechanism| mechanism == MECHANISM)) {
            let reason = format!(
                "User “{}” has no password for SCRAM-SHA-256, and older ways are not supported. Set the password anew.",
                self.user
            );
            return Err(Setback::silence(reason).at("user"));
        }
        Ok(())
    }

    async fn sign_in(&self, channel: &mut Channel) -> Result<(), Setback> {
        let nonce = Random::system().bytes::<24>().map_err(|_| Setback::silence("This machine has no randomness."))?;
        let first = First::new(self.user, &STANDARD.encode(nonce));
        let start = rawdoc! {
            "saslStart": 1, "mechanism": MECHANISM, "payload": payload(&first.message()),
            "options": { "skipEmptyExchange": true }, "$db": self.source,
        };
        let (conversation, _, challenge) = self.turn(channel, start).await?;
        let last = first.answer(&challenge, self.password).map_err(|error| match error {
            ScramError::Malformed => not_mongodb(),
            ScramError::Rounds => {
                Setback::silence("The server wants an unusual number of hashing rounds, which is not safe.")
            }
            ScramError::Password => Setback::silence(
                "MongoDB takes no password with such characters in it (RFC 4013). Check that it was copied as it is.",
            )
            .at("password"),
        })?;
        let (_, mut done, signature) = self.turn(channel, self.next(conversation, &last.message)).await?;
        if !last.is_answered_by(&signature) {
            let reason = "The server does not know this password itself, so it may be another one that poses as it.";
            return Err(Setback::silence(reason).at("host"));
        }
        for _ in 0..MOST_TURNS {
            if done {
                return Ok(());
            }
            (_, done, _) = self.turn(channel, self.next(conversation, "")).await?;
        }
        Err(not_mongodb())
    }

    fn next(&self, conversation: i32, message: &str) -> RawDocumentBuf {
        rawdoc! {
            "saslContinue": 1, "conversationId": conversation, "payload": payload(message), "$db": self.source,
        }
    }

    /// One turn of the sign-in: the conversation's number, whether it is at its end, and what the server says in it.
    async fn turn(&self, channel: &mut Channel, command: RawDocumentBuf) -> Result<(i32, bool, String), Setback> {
        let answer = channel.run(command).await?;
        if let Some(failure) = Failure::of(&answer) {
            return Err(self.explain(&failure));
        }
        let conversation = answer.get_i32("conversationId").map_err(|_| not_mongodb())?;
        let said = answer.get_binary("payload").map_err(|_| not_mongodb())?;
        let said = String::from_utf8_lossy(said.bytes).into_owned();
        Ok((conversation, answer.get_bool("done").unwrap_or(false), said))
    }

    /// The codes are MongoDB's own (error codes reference); 8000 is Atlas's.
    fn explain(&self, failure: &Failure) -> Setback {
        let refused = failure.code == 18 || (failure.code == 8000 && failure.text.contains("bad auth"));
        if !refused {
            return failure.untold("did not check the password", self.errand);
        }
        Setback::refusal(format!(
            "MongoDB refused this password for user “{}” of the database “{}” ({}). Check all three.",
            self.user, self.source, failure.code
        ))
        .at("password")
        .with_detail(self.errand.scrub.said(&failure.text))
    }

    /// Identity and roles, and whether the database is within reach.
    fn finding(&self, status: &RawDocument, database: Option<&str>) -> Finding {
        let list = |name| status.get_document("authInfo").and_then(|told| told.get_array(name)).ok();
        let documents = |name| list(name).into_iter().flat_map(documents);
        let place = |role: &RawDocument| role.get_str("db").unwrap_or_default().to_owned();
        let said = |text: String| self.errand.scrub.said(&text);
        let identity = documents("authenticatedUsers")
            .find_map(|user| Some(format!("{}@{}", user.get_str("user").ok()?, place(user))))
            .unwrap_or_else(|| format!("{}@{}", self.user, self.source));
        let scopes = documents("authenticatedUserRoles")
            .filter_map(|role| Some(said(format!("{} on {}", role.get_str("role").ok()?, place(role)))));
        let scopes = scopes.take(MOST_ROLES).collect();
        let within_reach = |database: &str| {
            documents("authenticatedUserPrivileges")
                .filter_map(|privilege| privilege.get_document("resource").ok())
                // No name stands for every database.
                .any(|resource| {
                    resource.get_bool("anyResource").unwrap_or(false)
                        || resource.get_str("db").is_ok_and(|name| name.is_empty() || name == database)
                })
        };
        let missing = database.filter(|database| !within_reach(database));
        let missing = missing.map(|database| format!("a role in the database {database}")).into_iter().collect();
        Finding {
            account: Account { identity: Some(said(identity)), scopes, ..Account::default() },
            missing,
            ..Finding::default()
        }
    }
}

/// Commands and answers, a message each.
struct Channel {
    wire: Wire,
    request: i32,
}

impl Channel {
    async fn run(&mut self, command: RawDocumentBuf) -> Result<RawDocumentBuf, Setback> {
        self.request += 1;
        let command = command.into_bytes();
        let length = i32::try_from(HEAD + command.len()).unwrap_or(i32::MAX);
        let mut message = [length, self.request, 0, OP_MSG, 0].map(i32::to_le_bytes).concat();
        message.push(0);
        message.extend(command);
        self.wire.write_all(&message).await?;
        self.wire.flush().await?;
        self.read()
            .await
            .map_err(|error| if error.kind() == ErrorKind::InvalidData { not_mongodb() } else { error.into() })
    }

    async fn read(&mut self) -> Result<RawDocumentBuf, Error> {
        let length = self.wire.read_i32_le().await?;
        let length = usize::try_from(length).ok().filter(|length| (HEAD..LONGEST_MESSAGE).contains(length));
        let mut message = vec![0; length.ok_or(ErrorKind::InvalidData)? - 4];
        self.wire.read_exact(&mut message).await?;
        // Request, what it answers, operation, flags, kind of section.
        let (head, document) = message.split_at(HEAD - 4);
        let answers = [4..8, 8..12].map(|place| head.get(place).unwrap_or_default().to_vec());
        if answers != [self.request.to_le_bytes(), OP_MSG.to_le_bytes()].map(|bytes| bytes.to_vec()) {
            return Err(ErrorKind::InvalidData.into());
        }
        RawDocumentBuf::from_bytes(document.to_vec()).map_err(|_| ErrorKind::InvalidData.into())
    }
}

fn payload(message: &str) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: message.as_bytes().to_vec() }
}

/// Numbers come as any of the kinds that BSON has for them.
fn number(document: &RawDocument, key: &str) -> Option<i64> {
    let value = document.get(key).ok()??;
    #[expect(clippy::cast_possible_truncation, reason = "codes and 1 are small")]
    let rounded = || value.as_f64().map(|number| number as i64);
    value.as_i32().map(i64::from).or_else(|| value.as_i64()).or_else(rounded)
}

fn texts(list: &RawArray) -> impl Iterator<Item = &str> {
    list.into_iter().filter_map(|item| item.ok()?.as_str())
}

fn documents(list: &RawArray) -> impl Iterator<Item = &RawDocument> {
    list.into_iter().filter_map(|item| item.ok()?.as_document())
}

fn not_mongodb() -> Setback {
    Setback::silence(
        "What answers here does not speak MongoDB's protocol. Check host and port, and whether it wants TLS.",
    )
    .at("port")
}

#[cfg(test)]
#[path = "mongodb_tests.rs"]
mod tests;
