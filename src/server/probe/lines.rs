//! Talking in lines of text, as mail, file transfer and NATS servers do.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::login::{Encryption, Login};
use super::{Errand, Setback};
use crate::domain::evidence::StepKind;
use crate::server::dial::{Steps, Wire};

/// Lines of one reply at most.
const MOST_LINES: usize = 100;

/// Time for the first words of a server that speaks first; some look up who connects before.
const PATIENCE: Duration = Duration::from_secs(8);

/// Waits for the first words of a server that speaks first. Where another protocol is spoken, both sides would wait.
///
/// # Errors
/// What reading came to, or a [`Setback`] at the port where nothing was said.
pub async fn greeting<T>(reading: impl Future<Output = Result<T, Setback>>) -> Result<T, Setback> {
    let silent = "Something takes connections here, and says nothing. \
                  Check host and port, and whether it wants TLS at once.";
    timeout(PATIENCE, reading).await.unwrap_or_else(|_| Err(Setback::silence(silent).at("port")))
}

/// A protocol of lines in which the server speaks first, and encrypts by a command of the plain protocol.
pub trait Greeted: Sized {
    /// Speaks it over a connection.
    fn over(wire: Wire) -> Self;

    /// Reads the server's first words.
    ///
    /// # Errors
    /// A [`Setback`] where it takes nobody now, or speaks something else.
    async fn greet(&mut self, errand: &Errand<'_>) -> Result<(), Setback>;

    /// Asks for encryption, and hands the connection over for it.
    ///
    /// # Errors
    /// A [`Setback`] where the server has none to offer.
    async fn request_encryption(self) -> Result<Wire, Setback>;
}

/// Connects, encrypts as was chosen, and has been greeted; the step of signing in has begun.
///
/// # Errors
/// A [`Setback`] at host, port or encryption.
pub async fn connect<T: Greeted>(login: &Login<'_>, errand: &Errand<'_>, steps: &mut Steps) -> Result<T, Setback> {
    if let Encryption::Upgrade(trust) = login.encryption()? {
        let mut plain = T::over(login.connect(errand, steps).await?);
        steps.begin(StepKind::Tls);
        plain.greet(errand).await?;
        let wire = login.upgrade(plain.request_encryption().await?, &trust, errand, steps).await?;
        steps.begin(StepKind::Authenticate);
        return Ok(T::over(wire));
    }
    let mut talk = T::over(login.connect_encrypted(errand, steps).await?);
    steps.begin(StepKind::Authenticate);
    talk.greet(errand).await?;
    Ok(talk)
}

/// A connection that is read line by line.
pub struct Lines {
    stream: BufReader<Wire>,
    /// Longest line, in bytes.
    longest: u64,
    /// What to say where something else than the protocol is read.
    foreign: fn() -> Setback,
}

/// A reply of mail and file transfer (RFC 5321, 4.2; RFC 959, 4.2): its code, and the text of each line.
pub struct Reply {
    pub code: u16,
    pub lines: Vec<String>,
}

impl Reply {
    /// The words after a keyword that begins a line, such as `AUTH PLAIN LOGIN`.
    pub fn offers<'a>(&'a self, keyword: &'a str) -> Option<impl Iterator<Item = &'a str>> {
        self.lines.iter().find_map(|line| {
            let mut words = line.trim_start().split([' ', '=']);
            words.next().filter(|word| word.eq_ignore_ascii_case(keyword)).map(|_| words)
        })
    }

    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join(" ")
    }
}

impl Lines {
    #[must_use]
    pub fn over(wire: Wire, longest: u64, foreign: fn() -> Setback) -> Self {
        Self { stream: BufReader::new(wire), longest, foreign }
    }

    /// The connection, for encryption. What was sent in clear text behind the last line would be taken for encrypted:
    /// refused.
    ///
    /// # Errors
    /// The protocol's own [`Setback`] for what is not the protocol.
    pub fn into_wire(self) -> Result<Wire, Setback> {
        if self.stream.buffer().is_empty() { Ok(self.stream.into_inner()) } else { Err((self.foreign)()) }
    }

    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.stream.get_ref().is_encrypted()
    }

    /// Sends a command and reads the reply to it.
    ///
    /// # Errors
    /// See [`Lines::reply`].
    pub async fn ask(&mut self, command: &str) -> Result<Reply, Setback> {
        self.send(command).await?;
        self.reply().await
    }

    /// Sends a line. A line break within would begin a command of its own: it is not sent.
    ///
    /// # Errors
    /// A [`Setback`] for a connection that broke.
    pub async fn send(&mut self, line: &str) -> Result<(), Setback> {
        if line.contains(['\r', '\n']) {
            return Err(Setback::silence("What was filled in holds a line break, which cannot be sent. Remove it."));
        }
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        Ok(self.stream.flush().await?)
    }

    /// Reads a reply. Within one of many lines, a line may be without the code (RFC 959, 4.2).
    ///
    /// # Errors
    /// A [`Setback`] for a connection that broke, or for what is no reply.
    pub async fn reply(&mut self) -> Result<Reply, Setback> {
        let first = self.line().await?;
        let digits = first.get(..3).unwrap_or_default().to_owned();
        let code = digits.parse().ok().filter(|code| (100..600).contains(code)).ok_or_else(self.foreign)?;
        let mut lines = Vec::new();
        let mut line = first;
        while lines.len() < MOST_LINES {
            let coded = line.strip_prefix(digits.as_str());
            let last = coded.is_some_and(|rest| !rest.starts_with('-'));
            let text = coded.map_or(line.as_str(), |rest| rest.get(1..).unwrap_or_default());
            lines.push(text.to_owned());
            if last {
                return Ok(Reply { code, lines });
            }
            line = self.line().await?;
        }
        Err((self.foreign)())
    }

    /// Reads a line, without its end.
    ///
    /// # Errors
    /// A [`Setback`] for a connection that broke, or for a line that is too long.
    pub async fn line(&mut self) -> Result<String, Setback> {
        let mut line = Vec::new();
        let read = (&mut self.stream).take(self.longest).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if line.pop() != Some(b'\n') {
            return Err((self.foreign)());
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }
}
