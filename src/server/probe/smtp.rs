//! SMTP (RFC 5321) with STARTTLS (RFC 3207) and AUTH (RFC 4954): signing in is a few lines, spoken here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::lines::{Greeted, Lines, Reply, connect, greeting};
use super::login::{Login, no_tls_offered};
use super::{Errand, Finding, Setback, signed_in_as, skip_permissions};
use crate::server::catalog::definition::LoginService;
use crate::server::dial::{Steps, Wire};

/// Longest line of a reply, in bytes; RFC 5321, 4.5.3.1.5 allows 512.
const LONGEST_LINE: u64 = 4_096;

pub async fn ask(errand: &Errand<'_>, service: &LoginService, steps: &mut Steps) -> Result<Finding, Setback> {
    let login = Login::read(errand, service)?;
    let mut talk: Talk = connect(&login, errand, steps).await?;
    let offers = talk.hello().await?;
    let finding = if let Some(user) = login.user {
        talk.sign_in(&offers, user, login.password.unwrap_or_default(), errand).await?;
        let identity = errand.scrub.said(user);
        steps.pass(&signed_in_as(&identity));
        Finding::identity(identity)
    } else {
        steps.pass("The server takes mail without signing in.");
        Finding::default()
    };
    skip_permissions(steps);
    // A courtesy; the verdict stands either way.
    let _ = talk.0.send("QUIT").await;
    Ok(finding)
}

/// Commands and replies, a line each.
struct Talk(Lines);

impl Greeted for Talk {
    fn over(wire: Wire) -> Self {
        Self(Lines::over(wire, LONGEST_LINE, not_smtp))
    }

    async fn greet(&mut self, _: &Errand<'_>) -> Result<(), Setback> {
        let greeting = greeting(self.0.reply()).await?;
        match greeting.code {
            220 => Ok(()),
            code => {
                Err(Setback::silence(format!("The mail server takes no connections now ({code}). Try again later.")))
            }
        }
    }

    async fn request_encryption(mut self) -> Result<Wire, Setback> {
        let offers = self.hello().await?;
        if offers.offers("STARTTLS").is_none() || self.0.ask("STARTTLS").await?.code != 220 {
            return Err(no_tls_offered());
        }
        self.0.into_wire()
    }
}

impl Talk {
    async fn hello(&mut self) -> Result<Reply, Setback> {
        // An address literal instead of a name, which would have to resolve (RFC 5321, 4.1.3).
        let offers = self.0.ask("EHLO [127.0.0.1]").await?;
        match offers.code {
            250 => Ok(offers),
            code => Err(Setback::silence(format!("The mail server did not take our greeting ({code})."))),
        }
    }

    async fn sign_in(
        &mut self,
        offers: &Reply,
        user: &str,
        password: &str,
        errand: &Errand<'_>,
    ) -> Result<(), Setback> {
        let mechanisms: Vec<String> =
            offers.offers("AUTH").into_iter().flatten().map(str::to_ascii_uppercase).collect();
        let offered = |name: &str| mechanisms.iter().any(|mechanism| mechanism == name);
        let reply = if offered("PLAIN") {
            let proof = STANDARD.encode(format!("\0{user}\0{password}"));
            self.0.ask(&format!("AUTH PLAIN {proof}")).await?
        } else if offered("LOGIN") {
            self.sign_in_line_by_line(user, password).await?
        } else if mechanisms.is_empty() {
            let reason =
                "This server offers no sign-in on this connection. Most want encryption first: choose STARTTLS or TLS.";
            return Err(Setback::silence(reason).at("tls"));
        } else {
            return Err(Setback::silence("This server offers no sign-in by password (PLAIN or LOGIN)."));
        };
        judge(&reply, user, errand)
    }

    /// `AUTH LOGIN`: the server asks for user and password in turn.
    async fn sign_in_line_by_line(&mut self, user: &str, password: &str) -> Result<Reply, Setback> {
        let mut reply = self.0.ask("AUTH LOGIN").await?;
        for answer in [user, password] {
            if reply.code == 334 {
                reply = self.0.ask(&STANDARD.encode(answer)).await?;
            }
        }
        Ok(reply)
    }
}

/// The reply codes are those of RFC 4954, section 6.
fn judge(reply: &Reply, user: &str, errand: &Errand<'_>) -> Result<(), Setback> {
    let (code, said) = (reply.code, errand.scrub.said(&reply.text()));
    match code {
        235 => Ok(()),
        // 534 asks for a better mechanism (RFC 4954, section 6); Gmail says it where it wants an app password.
        534 | 535 => Err(Setback::refusal(format!(
            "The mail server refused this password for “{user}” ({code}): {said} Some providers want an app password here."
        ))
        .at("password")),
        530 | 538 => {
            Err(Setback::silence(format!("The mail server wants encryption before signing in ({code}).")).at("tls"))
        }
        400..=499 => Err(Setback::silence(format!("The mail server cannot check the password now ({code}): {said}"))),
        _ => Err(Setback::silence(format!("The mail server did not let us sign in ({code}): {said}"))),
    }
}

fn not_smtp() -> Setback {
    Setback::silence("What answers here does not speak SMTP. Check host and port, and whether it wants TLS at once.")
        .at("port")
}
