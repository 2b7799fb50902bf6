//! What the views share, as signals in context.

pub mod address;
pub mod catalog;
pub mod dialogs;
pub mod list;
pub mod seats;
pub mod shown;
pub mod toasts;
