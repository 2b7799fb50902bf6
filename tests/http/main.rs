//! Through the real router: who gets in, what every answer carries, what is refused and how.
#![cfg(feature = "ssr")]

mod access;
mod assertion;
mod commands;
mod component_moves;
mod components;
mod connect;
mod destinations;
mod disconnect;
mod embedding;
mod events;
mod harness;
mod journal;
mod keys;
mod listening;
mod machines;
mod pages;
mod proxy;
mod renewal;
mod renewal_faults;
mod replacement;
mod rest;
mod revocation;
mod runtime;
mod sessions;
mod trail;
mod webhooks;
