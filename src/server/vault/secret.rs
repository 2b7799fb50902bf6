//! Secrets in memory: wiped on drop, printed as `***`, never serialised.

use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// One secret text.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Say why at each use.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A connection's secret fields by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, SecretText>);

impl Secrets {
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&SecretText> {
        self.0.get(field)
    }

    pub fn insert(&mut self, field: &str, secret: SecretText) {
        self.0.insert(field.to_owned(), secret);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretText)> {
        self.0.iter().map(|(field, secret)| (field.as_str(), secret))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
