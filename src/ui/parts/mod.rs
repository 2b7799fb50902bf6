//! The pieces pages are made of.

pub mod component_icon;
pub mod step_list;
pub mod tag_choice;
pub mod tag_input;
pub mod toast_stack;
