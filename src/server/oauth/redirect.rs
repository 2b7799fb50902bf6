//! What comes back with the person (RFC 6749, section 4.1.2; RFC 9207). That `state` is ours is the caller's to check.

use ring::hmac;

use super::capture::Strictness;
use super::error::{OAuthError, Said};
use super::provider::Provider;
use super::reading::{error_of, standard_code};
use super::request::pair;
use super::tokens::Captured;
use crate::server::catalog::oauth::CaptureFrom;
use crate::server::vault::SecretText;

/// A redirect that brings a code. Its `Debug` does not show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    pub code: SecretText,
    pub captured: Captured,
}

/// A parameter's value; none where it is missing, empty, or given twice, which no honest redirect does (RFC 6749,
/// section 3.1).
fn single<'p>(parameters: &'p [(String, String)], name: &str) -> Option<&'p str> {
    let mut given = parameters.iter().filter(|(given, _)| given == name);
    let first = given.next().map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
    if given.next().is_none() { first } else { None }
}

/// Hexadecimal digits as bytes.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect()
}

impl Provider<'_> {
    /// The `state` within a redirect's parameters.
    #[must_use]
    pub fn state<'p>(&self, parameters: &'p [(String, String)]) -> Option<&'p str> {
        single(parameters, self.name_in_redirect("state"))
    }

    /// Reads a redirect whose `state` was found to be ours.
    ///
    /// # Errors
    /// [`OAuthError::WrongIssuer`] before anything else is believed; then what the provider says went wrong;
    /// [`OAuthError::NotTold`] and [`OAuthError::ForbiddenHost`] of what has to be kept of it.
    pub fn read_redirect(&self, parameters: &[(String, String)]) -> Result<Redirect, OAuthError> {
        self.check_issuer(parameters)?;
        self.check_origin(parameters)?;
        if let Some(code) = single(parameters, "error") {
            let scrub = self.scrubber(&[]);
            let description = single(parameters, "error_description").unwrap_or_default();
            let said = Said { code: scrub.said(code), description: scrub.said(description) };
            let standard = standard_code(&said, &self.section.answer).to_owned();
            return Err(error_of(&standard, said, 200));
        }
        let code = single(parameters, self.name_in_redirect("code")).ok_or(OAuthError::NoCode)?;
        let captured =
            self.capture(CaptureFrom::Redirect, Strictness::Whole, |name| single(parameters, name).map(str::to_owned))?;
        Ok(Redirect { code: SecretText::new(code.to_owned()), captured })
    }

    /// What else the provider says by which its redirects are known.
    fn check_origin(&self, parameters: &[(String, String)]) -> Result<(), OAuthError> {
        let nothing = Captured::default();
        for (name, template) in &self.section.redirect_expects {
            if single(parameters, name) != Some(self.filled(&nothing).plain(template)?.as_str()) {
                return Err(OAuthError::WrongIssuer);
            }
        }
        match &self.section.redirect_hmac {
            Some(name) if !self.is_proven(parameters, name) => Err(OAuthError::WrongIssuer),
            _ => Ok(()),
        }
    }

    /// Whether the parameter of this name holds the HMAC of the others.
    fn is_proven(&self, parameters: &[(String, String)], name: &str) -> bool {
        let mut others: Vec<_> = parameters.iter().filter(|(other, _)| other != name).collect();
        others.sort();
        let message = others.into_iter().map(pair).collect::<Vec<_>>().join("&");
        // The secret proves who computed it.
        let secret = self.client.secret.as_ref().map(SecretText::reveal).unwrap_or_default();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let given = single(parameters, name).and_then(bytes);
        given.is_some_and(|given| !secret.is_empty() && hmac::verify(&key, message.as_bytes(), &given).is_ok())
    }

    fn name_in_redirect<'n>(&'n self, standard: &'n str) -> &'n str {
        let names = [&self.section.redirect_names, &self.section.names];
        names.into_iter().find_map(|names| names.get(standard)).map_or(standard, String::as_str)
    }

    /// RFC 9207, section 2.4: compared as text, where we know whom to expect; missing only where it is not promised.
    fn check_issuer(&self, parameters: &[(String, String)]) -> Result<(), OAuthError> {
        let named = parameters.iter().any(|(name, _)| name == "iss");
        match (self.issuer()?, named) {
            (Some(issuer), true) if single(parameters, "iss") != Some(issuer.as_str()) => Err(OAuthError::WrongIssuer),
            (_, false) if self.issuer_promised() => Err(OAuthError::WrongIssuer),
            _ => Ok(()),
        }
    }
}
