//! The components this server knows: the built-in ones and the operator's.

pub mod definition;
pub mod template;
