//! Takes secrets out of what a service says before it enters evidence.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use std::fmt::Write;

use crate::server::vault::Secrets;

/// Longest text of a service that is kept, in characters.
const LONGEST: usize = 200;
/// Our own sentences keep secrets shorter than this, in bytes: they hold none, but a password `a` occurs in every one.
const TELLING: usize = 4;
const GAP: &str = "***";

/// Knows a connection's secrets in every spelling they are likely to come back in.
#[derive(Clone)]
pub struct Scrubber {
    /// Longest first, so that no part of a secret outlives a shorter one.
    spellings: Vec<zeroize::Zeroizing<String>>,
}

impl Scrubber {
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        let mut spellings: Vec<_> = secrets
            .iter()
            // To find a secret in a text one has to know it.
            .flat_map(|(_, secret)| spellings(secret.reveal()))
            .filter(|spelling| !spelling.is_empty())
            .map(zeroize::Zeroizing::new)
            .collect();
        spellings.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
        spellings.dedup();
        Self { spellings }
    }

    /// What a service said, fit for evidence: no secret, no control character, 200 characters at most.
    #[must_use]
    pub fn said(&self, text: &str) -> String {
        let whole = without_controls(&self.replace(text, 1));
        match whole.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &whole[..end]),
            None => whole,
        }
    }

    /// A sentence of our own around what a service said: the last look before it leaves.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        without_controls(&self.replace(text, TELLING))
    }

    fn replace(&self, text: &str, shortest: usize) -> String {
        let telling = self.spellings.iter().filter(|spelling| spelling.len() >= shortest);
        telling.fold(text.to_owned(), |text, spelling| text.replace(spelling.as_str(), GAP))
    }
}

fn spellings(secret: &str) -> Vec<String> {
    let mut all = vec![
        secret.to_owned(),
        percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        serde_json::Value::from(secret).to_string().trim_matches('"').to_owned(),
    ];
    if secret.len() >= TELLING {
        let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
            // Writing to a `String` cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        all.extend([hex.to_uppercase(), hex]);
        all.extend(
            (0..3).flat_map(|offset| [base64_core(&STANDARD, secret, offset), base64_core(&URL_SAFE, secret, offset)]),
        );
    }
    all
}

/// The characters of a base64 text that depend on the secret alone when `offset` bytes stand before it.
fn base64_core(engine: &impl Engine, secret: &str, offset: usize) -> String {
    let padded = [&[0; 2][..offset], secret.as_bytes()].concat();
    let text = engine.encode(&padded);
    let (start, end) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
    text.get(start..end).unwrap_or_default().to_owned()
}

/// Line breaks become spaces; controls and marks that turn or hide text go.
fn without_controls(text: &str) -> String {
    let hidden =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let spaced = text.replace(['\r', '\n', '\t'], " ");
    spaced.chars().filter(|&c| !c.is_control() && !hidden(c)).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::vault::SecretText;
    use proptest::prelude::*;

    fn scrubber(secret: &str) -> Scrubber {
        let mut secrets = Secrets::default();
        secrets.insert("password", SecretText::new(secret.to_owned()));
        Scrubber::new(&secrets)
    }

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let secret = "p@ss \"wörd\"/+canary";
        let scrubber = scrubber(secret);
        let hex = secret.bytes().map(|b| format!("{b:02x}")).collect::<String>();
        for text in [
            secret.to_owned(),
            percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string(),
            serde_json::json!({ "token": secret }).to_string(),
            hex,
        ] {
            let said = scrubber.said(&format!("before {text} after"));
            assert!(said.contains(GAP) && !said.contains("canary"), "{said}");
        }
    }

    #[test]
    fn a_text_is_cut_only_after_secrets_are_out() {
        let text = format!("{}hunter2-canary", "x".repeat(195));
        let said = scrubber("hunter2-canary").said(&text);
        assert!(!said.contains("hunt") && said.chars().count() <= LONGEST + 1, "{said}");
    }

    #[test]
    fn controls_and_turned_text_go() {
        assert_eq!(scrubber("canary").said("a\u{1b}[31mb\r\nc\u{202e}d\0"), "a[31mb  cd");
    }

    #[test]
    fn a_tiny_password_does_not_eat_our_sentences() {
        assert_eq!(scrubber("a").clean("Signed in as app."), "Signed in as app.");
        assert_eq!(scrubber("a").said("bad a"), "b***d ***");
    }

    proptest! {
        #[test]
        fn base64_hides_nothing_at_any_offset(secret in "[a-zA-Z0-9]{8,24}", before in "[a-z:]{0,4}", after in "[a-z]{0,4}") {
            let encoded = STANDARD.encode(format!("{before}{secret}{after}"));
            let said = scrubber(&secret).said(&encoded);
            let shown = said.replace(GAP, "");
            prop_assert!(shown.len() <= encoded.len() - (secret.len() * 4 / 3 - 2), "{said}");
        }

        #[test]
        fn no_secret_survives(secret in "[ -~]{4,20}", before in "[ -~]{0,20}", after in "[ -~]{0,20}") {
            prop_assume!(!GAP.contains(secret.as_str()));
            let said = scrubber(&secret).said(&format!("{before}{secret}{after}"));
            prop_assert!(!said.contains(&secret) || secret.contains('*'), "{}", said);
        }
    }
}
