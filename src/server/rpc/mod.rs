//! What stands behind the server functions of [`crate::api`]: reads the caller, asks the service.

pub mod catalog;
pub mod connections;
pub mod page;
pub mod session;
