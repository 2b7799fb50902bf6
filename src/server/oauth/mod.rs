//! OAuth 2.0 as providers really speak it (RFC 6749 and its family). Knows no store and no HTTP server: what goes in are
//! a method's section, fields, a client and tokens; what comes out are tokens, or an [`OAuthError`] that tells apart what
//! has to be told apart.
//!
//! The `oauth2` crate speaks the standard; [`dialect`] stands between it and the wire, so that it only ever meets a
//! provider that keeps to the standard.

mod authorize;
mod capture;
mod device;
mod dialect;
mod discover;
mod due;
mod error;
mod expiry;
mod grants;
mod jwt;
mod line;
mod lookup;
mod provider;
mod reading;
mod redirect;
mod register;
mod request;
mod revoke;
mod scopes;
mod settle;
mod tokens;

pub use authorize::{Authorization, Verifier};
pub use device::{DeviceCode, DevicePoll};
pub use discover::{Metadata, discover};
pub use due::{Death, death, due_at};
pub use error::{Cause, OAuthError, Said, Silence};
pub use line::Line;
pub use provider::{Client, Provider, places};
pub use redirect::Redirect;
pub use register::{Registration, Wish, register};
pub use revoke::Revoked;
pub use scopes::{known_by, missing};
pub use settle::{Ending, Next, Standing, back_off, settle};
pub use tokens::{Captured, Held, Tokens};
#[cfg(test)]
mod cases_tests;
#[cfg(test)]
mod misbehaving_tests;
#[cfg(test)]
mod oidc_tests;
#[cfg(test)]
mod tests;
