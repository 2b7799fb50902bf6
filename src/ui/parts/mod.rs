//! The pieces pages are made of.

pub mod toast_stack;
