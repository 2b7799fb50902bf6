//! What the views share, as signals in context.

pub mod catalog;
pub mod dialogs;
pub mod list;
pub mod toasts;
