//! Views, rendered on both sides.

#![expect(
    clippy::redundant_closure,
    reason = "closures that stand in a view share one instance; one with a name gets its own (docs/performance.md)"
)]

pub mod app;
pub mod dialogs;
pub mod pages;
pub mod parts;
pub mod settings;
pub mod state;
