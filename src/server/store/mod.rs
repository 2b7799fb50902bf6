//! Rows <-> domain; one file an aggregate. The only place with SQL.

pub mod record;
