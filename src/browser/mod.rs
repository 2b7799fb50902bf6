//! What exists in the browser only.
