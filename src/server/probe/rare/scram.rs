//! SCRAM-SHA-256 (RFC 5802, RFC 7677): proves a password without sending it, and has the server prove that it knows it.
//! Passwords are prepared by SASLprep (RFC 4013), for they are stored hashed. User names are not: MongoDB, whom this is
//! for, compares them as they are (<https://jira.mongodb.org/browse/SERVER-34446>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};
use std::borrow::Cow;
use std::num::NonZeroU32;

/// Rounds of hashing a server may ask for: what RFC 7677 demands, and what a server may reasonably make us compute.
const ROUNDS: std::ops::RangeInclusive<u32> = 4_096..=200_000;

/// What is not SCRAM, or another server than the one that knows the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScramError {
    /// A message that RFC 5802 does not allow.
    Malformed,
    /// Fewer rounds than are safe, or more than we compute.
    Rounds,
    /// A password with characters that SASLprep forbids, or with none but those it leaves out.
    Password,
}

/// The first message of a client (RFC 5802, 5).
pub struct First {
    bare: String,
    nonce: String,
}

/// The last message of a client, and the proof it expects of the server.
pub struct Final {
    pub message: String,
    server_signature: Vec<u8>,
}

impl First {
    /// `nonce` is random text without commas.
    #[must_use]
    pub fn new(user: &str, nonce: &str) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Self { bare: format!("n={user},r={nonce}"), nonce: nonce.to_owned() }
    }

    /// Without binding to the encrypted channel.
    #[must_use]
    pub fn message(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// Answers the server's challenge.
    ///
    /// # Errors
    /// [`ScramError`]; nothing was proved to such a server.
    pub fn answer(&self, challenge: &str, password: &str) -> Result<Final, ScramError> {
        let attribute = |name| attribute(challenge, name).ok_or(ScramError::Malformed);
        let nonce = attribute("r=")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(ScramError::Malformed);
        }
        let salt = STANDARD.decode(attribute("s=")?).map_err(|_| ScramError::Malformed)?;
        let rounds = attribute("i=")?.parse().map_err(|_| ScramError::Malformed)?;
        let salted = salted_password(&prepared(password)?, &salt, rounds)?;
        let unproved = format!("c=biws,r={nonce}");
        let messages = format!("{},{challenge},{unproved}", self.bare);
        let client_key = keyed(&salted, b"Client Key");
        let signature = keyed(digest::digest(&digest::SHA256, &client_key).as_ref(), messages.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, signature)| key ^ signature).collect();
        let server_signature = keyed(&keyed(&salted, b"Server Key"), messages.as_bytes());
        Ok(Final { message: format!("{unproved},p={}", STANDARD.encode(proof)), server_signature })
    }
}

impl Final {
    /// Whether the server's last message proves that it knows the password, too.
    #[must_use]
    pub fn is_answered_by(&self, message: &str) -> bool {
        attribute(message, "v=").and_then(|text| STANDARD.decode(text).ok()).is_some_and(|v| v == self.server_signature)
    }
}

fn attribute<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    message.split(',').find_map(|part| part.strip_prefix(name))
}

fn keyed(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

/// `Normalize` (RFC 5802, 2.2; 5.1 on what cannot be prepared).
fn prepared(password: &str) -> Result<Cow<'_, str>, ScramError> {
    let prepared = stringprep::saslprep(password).map_err(|_| ScramError::Password)?;
    if prepared.is_empty() { Err(ScramError::Password) } else { Ok(prepared) }
}

fn salted_password(password: &str, salt: &[u8], rounds: u32) -> Result<[u8; 32], ScramError> {
    let rounds = NonZeroU32::new(rounds).filter(|rounds| ROUNDS.contains(&rounds.get())).ok_or(ScramError::Rounds)?;
    let mut salted = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, password.as_bytes(), &mut salted);
    Ok(salted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    /// RFC 7677, section 3.
    #[test]
    fn the_example_of_the_standard_is_computed() {
        let first = First::new("user", "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(first.message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let last = first.answer(CHALLENGE, "pencil").expect("an answer");
        let expected = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                        p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(last.message, expected);
        assert!(last.is_answered_by("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert!(!last.is_answered_by("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    }

    #[test]
    fn a_password_is_prepared_however_it_was_typed() {
        let proof = |password: &str| {
            let first = First::new("user", "rOprNGfwEbeRWgbNEkqO");
            first.answer(CHALLENGE, password).map(|last| last.message)
        };
        // RFC 4013, section 3, and what keyboards disagree about: composed characters and no-break spaces.
        for (typed, same) in [
            ("I\u{ad}X", "IX"),
            ("\u{2168}", "IX"),
            ("\u{aa}", "a"),
            ("u\u{308}ber", "\u{fc}ber"),
            ("two\u{a0}words", "two words"),
        ] {
            assert_eq!(proof(typed), proof(same), "{typed:?}");
        }
        assert_ne!(proof("USER"), proof("user"));
        for forbidden in ["\u{7}", "\u{627}\u{31}", "\u{ad}", ""] {
            assert_eq!(proof(forbidden), Err(ScramError::Password), "{forbidden:?}");
        }
        assert!(First::new("\u{2168}", "x").message().contains("n=\u{2168},"), "a user name stays as it is");
    }

    #[test]
    fn a_server_that_takes_another_nonce_or_too_few_rounds_is_not_answered() {
        let first = First::new("a,b=c", "rOprNGfwEbeRWgbNEkqO");
        assert!(first.message().contains("n=a=2Cb=3Dc,"));
        for (challenge, error) in [
            (CHALLENGE.replace("r=rOp", "r=xxx"), ScramError::Malformed),
            ("r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096".to_owned(), ScramError::Malformed),
            (CHALLENGE.replace("4096", "1"), ScramError::Rounds),
            (CHALLENGE.replace("4096", "4000000000"), ScramError::Rounds),
            (CHALLENGE.replace("i=", "x="), ScramError::Malformed),
        ] {
            assert_eq!(first.answer(&challenge, "pencil").err(), Some(error), "{challenge}");
        }
    }
}
