//! Seals and opens secrets; holds the keyring.

mod secret;

pub use secret::{SecretText, Secrets};
