//! Use cases. Take store, vault, clock and prober; know no HTTP.

pub mod caller;
