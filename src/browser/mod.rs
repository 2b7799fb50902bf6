//! What exists in the browser only.

pub mod random;
pub mod stream;
