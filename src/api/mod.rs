//! The browser's whole contract: server functions, the values they carry and the errors they end in.

pub mod catalog;
pub mod components;
pub mod connect;
pub mod connections;
pub mod error;
pub mod event_stream;
pub mod json;
pub mod keys;
pub mod page;
pub mod session;
pub mod stream;
pub mod transport;
pub mod webhooks;
