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

    /// Takes one out.
    pub fn take(&mut self, field: &str) -> Option<SecretText> {
        self.0.remove(field)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretText)> {
        self.0.iter().map(|(field, secret)| (field.as_str(), secret))
    }

    /// The same but for some.
    #[must_use]
    pub fn without(mut self, fields: &[String]) -> Self {
        self.0.retain(|field, _| !fields.contains(field));
        self
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How secrets are written before they are sealed: each name and value preceded by its length. By hand, because
/// secrets have no `Serialize`.
impl Secrets {
    /// Leaves room for `spare` bytes, so that sealing in place moves nothing.
    pub(super) fn encode(&self, spare: usize) -> Zeroizing<Vec<u8>> {
        let texts = || self.iter().flat_map(|(field, secret)| [field, secret.reveal()]);
        let length = texts().map(|text| 8 + text.len()).sum::<usize>();
        let mut bytes = Zeroizing::new(Vec::with_capacity(length + spare));
        for text in texts() {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    /// `None` where the bytes are not what [`Secrets::encode`] writes.
    pub(super) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut secrets = Self::default();
        while !bytes.is_empty() {
            let field = take_text(&mut bytes)?;
            let secret = take_text(&mut bytes)?;
            secrets.insert(field, SecretText::new(secret.to_owned()));
        }
        Some(secrets)
    }
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (text, rest) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}
