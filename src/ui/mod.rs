//! Views, rendered on both sides.
