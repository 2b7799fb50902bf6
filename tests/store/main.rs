//! The store through its public face: every test body runs against `SQLite` and against `PostgreSQL`.
#![cfg(feature = "ssr")]

mod audit;
mod checks;
mod components;
mod connections;
mod database;
mod deltas;
mod destinations;
mod embedding;
mod events;
mod faults;
mod members;
mod network;
mod oauth;
mod replacement;
mod webhooks;
mod workflows;
