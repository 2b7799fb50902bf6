//! One file a page.

pub mod deleted;
pub mod detail;
