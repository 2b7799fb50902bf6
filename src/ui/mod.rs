//! Views, rendered on both sides.

pub mod app;
pub mod dialogs;
pub mod pages;
pub mod parts;
pub mod state;
