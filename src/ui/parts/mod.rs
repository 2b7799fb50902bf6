//! The pieces pages are made of.

pub mod account_menu;
pub mod check_all;
pub mod component_icon;
pub mod copy_field;
pub mod empty_state;
pub mod environment_switch;
pub mod field_input;
pub mod filter_links;
pub mod header;
pub mod later;
pub mod row;
pub mod row_face;
pub mod row_menu;
pub mod rows;
pub mod search;
pub mod sidebar;
pub mod status_badge;
pub mod step_list;
pub mod tag_chips;
pub mod tag_choice;
pub mod tag_input;
pub mod theme;
pub mod toast_stack;
pub mod toolbar;
