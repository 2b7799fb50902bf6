//! What stands behind the server functions of [`crate::api`]: reads the caller, asks the service.

#![expect(clippy::missing_errors_doc, reason = "each stands behind the function of the same name in `crate::api`")]

pub mod catalog;
pub mod components;
pub mod connect;
pub mod connections;
pub mod keys;
pub mod page;
pub mod session;
pub mod webhooks;
