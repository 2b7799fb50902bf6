//! The one way out: resolve, check every address, connect to the checked one.
