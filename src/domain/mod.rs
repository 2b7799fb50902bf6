//! The words Patchbay is made of, as types. Pure: no I/O, no async, no leptos, no `cfg`.

pub mod api_key;
pub mod component;
pub mod connection;
pub mod connection_set;
pub mod embedding;
pub mod environment;
pub mod event;
pub mod evidence;
pub mod expected;
pub mod field;
pub mod filter;
pub mod fold;
pub mod health;
pub mod id;
pub mod line;
pub mod name;
pub mod owner;
pub mod replacement;
pub mod role;
pub mod schedule;
pub mod selection;
pub mod sort;
pub mod tag;
pub mod time;
pub mod web_address;
pub mod webhook;
