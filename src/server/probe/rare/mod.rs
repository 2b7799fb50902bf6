//! Protocols that few connections speak and whose libraries take long to compile: the cargo feature `protocols`.

pub mod mongodb;
mod scram;
pub mod sftp;
pub mod ssh;
mod ssh_key;
