//! Through the real router: who gets in, what every answer carries, what is refused and how.
#![cfg(feature = "ssr")]

mod access;
mod commands;
mod connect;
mod destinations;
mod embedding;
mod harness;
mod listening;
mod machines;
mod pages;
mod rest;
mod sessions;
mod trail;
