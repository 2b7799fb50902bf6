//! Where the key-encryption key comes from.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use zeroize::Zeroizing;

use super::record::Key;
use super::{SecretText, VaultError};
use crate::server::random::Random;

/// Padding may be left out, as many tools do.
const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const READERS: [GeneralPurpose; 2] =
    [GeneralPurpose::new(&alphabet::STANDARD, CONFIG), GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG)];

/// Where to look for the key-encryption key, the configuration first.
#[derive(Clone, Debug)]
pub struct KeySource {
    /// `PATCHBAY_KEY`: 32 bytes as base64 or hexadecimal digits.
    pub inline: Option<SecretText>,
    pub file: PathBuf,
}

impl KeySource {
    /// The key, or `None` where neither configuration nor file gives one.
    pub(super) fn read(&self) -> Result<Option<Key>, VaultError> {
        if let Some(text) = &self.inline {
            // Revealed to be parsed into the key itself.
            let key = parse(text.reveal());
            return key.map(Some).ok_or_else(|| VaultError::KeyMalformed { origin: "PATCHBAY_KEY".to_owned() });
        }
        match std::fs::read_to_string(&self.file).map(Zeroizing::new) {
            Ok(text) => parse(&text).map(Some).ok_or_else(|| VaultError::KeyMalformed { origin: self.path() }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(_) => Err(VaultError::KeyFile { path: self.path() }),
        }
    }

    /// Makes a key and its file, for their owner only. Never replaces a file.
    pub(super) fn create(&self, random: &Random) -> Result<Key, VaultError> {
        let bytes = Zeroizing::new(random.bytes::<32>()?);
        let mut text = Zeroizing::new(String::with_capacity(64));
        STANDARD.encode_string(bytes.as_slice(), &mut text);
        text.push('\n');
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.file)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
        written.map_err(|_| VaultError::KeyFile { path: self.path() })?;
        Ok(Key::fingerprinted(bytes))
    }

    fn path(&self) -> String {
        self.file.display().to_string()
    }
}

/// 64 hexadecimal digits, or else base64: 64 of its characters would be 48 bytes, so neither reads as the other.
fn parse(text: &str) -> Option<Key> {
    let text = text.trim();
    let bytes = match text.len() {
        64 => hexadecimal(text.as_bytes())?,
        _ => READERS.iter().find_map(|reader| reader.decode(text).ok().map(Zeroizing::new))?,
    };
    let bytes = <&[u8; 32]>::try_from(bytes.as_slice()).ok()?;
    Some(Key::fingerprinted(Zeroizing::new(*bytes)))
}

fn hexadecimal(digits: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let bytes = digits.chunks_exact(2).map(|pair| u8::try_from(value(pair[0])? * 16 + value(pair[1])?).ok());
    bytes.collect::<Option<Vec<_>>>().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_key_reads_the_same_in_every_spelling() {
        let id = parse(&"ff".repeat(32)).map(|key| key.id());
        assert!(id.is_some());
        assert_eq!(parse(&format!("{}8=\n", "/".repeat(42))).map(|key| key.id()), id);
        assert_eq!(parse(&format!("{}8", "_".repeat(42))).map(|key| key.id()), id);
    }

    #[test]
    fn what_is_not_32_bytes_is_no_key() {
        for text in ["", "secret", &"f".repeat(63), &"g".repeat(64), &"A".repeat(44)] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
