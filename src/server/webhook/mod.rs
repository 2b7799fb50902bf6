//! Sends events in the form of Standard Webhooks (<https://www.standardwebhooks.com>).

pub mod send;
pub mod sign;
