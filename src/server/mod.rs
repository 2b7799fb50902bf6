//! The server's half: the one place that knows SQL, secrets and sockets.

mod ber;
pub mod catalog;
pub mod clock;
pub mod command;
pub mod config;
pub mod demo;
pub mod dial;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod http;
pub mod jobs;
pub mod oauth;
pub mod probe;
mod proxy;
pub mod random;
pub mod rpc;
pub mod service;
pub mod store;
pub mod token;
pub mod vault;
pub mod webhook;
