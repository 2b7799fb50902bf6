//! One file a page.

pub mod connections;
pub mod deleted;
pub mod detail;
pub mod detail_parts;
